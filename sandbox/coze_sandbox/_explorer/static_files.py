"""The page of the explorer: operations, requests with verdicts, and the state."""

from __future__ import annotations

from importlib.resources import files
from pathlib import PurePosixPath

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

__all__ = ["FILES", "ExplorerPage"]

FILES = "/_sandbox/page/"
_TYPES = {".html": "text/html", ".css": "text/css", ".js": "text/javascript"}
_HEADERS = {
    # Nothing from other origins, and no caching: the next version of the sandbox has the same URL.
    "Content-Security-Policy": "default-src 'self'; img-src 'self' data:; frame-ancestors 'none'; base-uri 'none'",
    "Cache-Control": "no-cache",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
}


class ExplorerPage:
    """Serves the static files of the page."""

    def __init__(self) -> None:
        self._files: dict[str, Response] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request.

        Args:
            scope: ASGI scope of type `http`, for `/` or a path below `FILES`.
            receive: ASGI `receive`.
            send: ASGI `send`.
        """
        if scope["method"] not in {"GET", "HEAD"}:
            response = Response(status_code=405, headers={"Allow": "GET, HEAD"})
        else:
            response = self._file("index.html" if scope["path"] == "/" else scope["path"].removeprefix(FILES))
        await response(scope, receive, send)

    def _file(self, name: str) -> Response:
        if not self._files:
            for path in (files(__package__) / "page").iterdir():
                kind = _TYPES[PurePosixPath(path.name).suffix]
                self._files[path.name] = Response(path.read_bytes(), media_type=kind, headers=_HEADERS)
        return self._files.get(name) or Response(status_code=404)
