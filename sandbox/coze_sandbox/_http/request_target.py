"""Request targets in absolute form."""

from __future__ import annotations

from urllib.parse import unquote

from starlette.types import Scope

__all__ = ["in_origin_form"]

_SCHEMES = ("http", "https", "ws", "wss")


def in_origin_form(scope: Scope) -> Scope:
    """Return the ASGI scope of a request with its target in origin form.

    Clients that use the sandbox as a proxy, and some others, send the absolute form: `GET http://host/path`. Servers
    must accept it, and use its host instead of the header `Host` (RFC 9112, 3.2.2).

    Args:
        scope: The scope of an HTTP request or a WebSocket.
    """
    raw: bytes = scope.get("raw_path") or b""
    scheme, separator, rest = raw.partition(b"://")
    if not separator or scheme.lower().decode("latin-1") not in _SCHEMES:
        return scope
    authority, slash, path = rest.partition(b"/")
    raw = slash + path or b"/"
    headers = [
        (b"host", authority.rpartition(b"@")[2]),
        *(header for header in scope["headers"] if header[0] != b"host"),
    ]
    return {**scope, "raw_path": raw, "path": unquote(raw.decode("latin-1")), "headers": headers}
