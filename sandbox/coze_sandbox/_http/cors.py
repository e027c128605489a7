"""Cross-origin resource sharing: every origin may call the operations of Coze, since they need a token.

Starlette's middleware is not used: it hides the server's `send`, through which faults reach the connection.
"""

from __future__ import annotations

from starlette.datastructures import Headers
from starlette.responses import Response
from starlette.types import Scope

__all__ = ["is_preflight", "preflight_response", "cors_headers"]

_MAX_AGE = "600"  # seconds
_EXPOSED = "Content-Disposition, Content-Length, Date, Location, Retry-After, X-Tt-Logid"


def is_preflight(scope: Scope) -> bool:
    """Return whether a request is a CORS preflight.

    Args:
        scope: ASGI scope of type `http`.
    """
    headers = Headers(scope=scope)
    return scope["method"] == "OPTIONS" and "origin" in headers and "access-control-request-method" in headers


def preflight_response(scope: Scope) -> Response:
    """Return the response to a preflight: any method and any headers are allowed.

    Args:
        scope: The scope of a preflight.
    """
    requested = Headers(scope=scope)
    headers = {
        "Access-Control-Allow-Origin": "*",
        "Access-Control-Allow-Methods": requested["access-control-request-method"],
        "Access-Control-Max-Age": _MAX_AGE,
        "Vary": "Access-Control-Request-Method, Access-Control-Request-Headers",
    }
    if "access-control-request-headers" in requested:
        # A list, not `*`, which does not cover Authorization.
        headers["Access-Control-Allow-Headers"] = requested["access-control-request-headers"]
    return Response(status_code=204, headers=headers)


def cors_headers(request_headers: Headers) -> dict[str, str]:
    """Return the CORS headers of a response; empty for a request without `Origin`."""
    if "origin" not in request_headers:
        return {}
    return {"Access-Control-Allow-Origin": "*", "Access-Control-Expose-Headers": _EXPOSED}
