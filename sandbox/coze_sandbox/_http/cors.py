"""Cross-origin resource sharing: pages of every origin may call the operations of Coze, since they need a token.

Starlette's middleware is not used: it hides the server's own `send`, through which faults reach the connection.
"""

from __future__ import annotations

from starlette.datastructures import Headers
from starlette.responses import Response
from starlette.types import Scope

__all__ = ["is_preflight", "preflight_response", "cors_headers"]

_MAX_AGE = "600"  # seconds
_EXPOSED = "Content-Disposition, Content-Length, Date, Location, Retry-After, X-Tt-Logid"


def is_preflight(scope: Scope) -> bool:
    """Tell whether a browser asks if a page may send a request, rather than sending one.

    Args:
        scope: ASGI scope of type `http`.
    """
    headers = Headers(scope=scope)
    return scope["method"] == "OPTIONS" and "origin" in headers and "access-control-request-method" in headers


def preflight_response(scope: Scope) -> Response:
    """Allow what a browser asks for: any verb, and any headers.

    Args:
        scope: The scope of a preflight.
    """
    asked = Headers(scope=scope)
    headers = {
        "Access-Control-Allow-Origin": "*",
        "Access-Control-Allow-Methods": asked["access-control-request-method"],
        "Access-Control-Max-Age": _MAX_AGE,
        "Vary": "Access-Control-Request-Method, Access-Control-Request-Headers",
    }
    if "access-control-request-headers" in asked:
        # A list, not `*`, which does not cover Authorization.
        headers["Access-Control-Allow-Headers"] = asked["access-control-request-headers"]
    return Response(status_code=204, headers=headers)


def cors_headers(request_headers: Headers) -> dict[str, str]:
    """Return the headers with which a page may read an answer; none where no page asked."""
    if "origin" not in request_headers:
        return {}
    return {"Access-Control-Allow-Origin": "*", "Access-Control-Expose-Headers": _EXPOSED}
