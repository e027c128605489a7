"""The ASGI application: operations of Coze, admin API, consent pages and explorer."""

from __future__ import annotations

from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ._admin.endpoints import PREFIX, AdminAPI
from ._common.clock import Clock
from ._common.errors import CallError
from ._dispatcher import Dispatcher
from ._explorer.static_files import FILES, ExplorerPage
from ._http.allowed_hosts import AllowedHosts
from ._http.cors import is_preflight, preflight_response
from ._http.request_target import in_origin_form
from ._oauth.consent_pages import CONSENT_PATH, DEVICE_PATH, ConsentPages

__all__ = ["App"]


class App:
    """An ASGI application.

    Args:
        dispatcher: Handles the operations of Coze.
        admin: Handles the paths under `/_sandbox/`.
        pages: Serves the OAuth consent pages.
        explorer: Serves the page at `/`.
        clock: The clock of the `Date` header.
        hosts: The allowed hosts.
    """

    def __init__(
        self,
        dispatcher: Dispatcher,
        admin: AdminAPI,
        pages: ConsentPages,
        explorer: ExplorerPage,
        clock: Clock,
        hosts: AllowedHosts,
    ) -> None:
        self._hosts = hosts
        self._clock = clock
        self._dispatcher = dispatcher
        self._pages = pages
        self._explorer = explorer
        self._admin = admin

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection of any kind.

        Args:
            scope: ASGI scope.
            receive: ASGI `receive`.
            send: ASGI `send`.
        """
        match scope["type"]:
            case "http" | "websocket":
                await self._serve(scope, receive, send)
            case "lifespan":
                await _lifespan(receive, send)
            case other:
                raise ValueError(f"unsupported ASGI scope {other!r}")

    async def _serve(self, sent: Scope, receive: Receive, send: Send) -> None:
        scope = in_origin_form(sent)
        # A browser sends the absolute form only to a configured proxy, so DNS rebinding does not apply to it.
        refusal = self._hosts.refusal(sent) if scope is sent else None
        page = self._page(scope["path"]) if scope["type"] == "http" else None
        if page is not None:
            await (page if refusal is None else _refused(refusal))(scope, receive, self._dated(send))
        elif scope["type"] == "http" and refusal is None and is_preflight(scope):
            await preflight_response(scope)(scope, receive, self._dated(send))
        else:
            await self._dispatcher(scope, receive, send, refusal)

    def _page(self, path: str) -> ASGIApp | None:
        """Return the application for a path that is not one of Coze."""
        if path == "/" or path.startswith(FILES):
            return self._explorer
        if path.startswith(PREFIX):
            return self._admin
        return self._pages if path in (CONSENT_PATH, DEVICE_PATH) else None

    def _dated(self, send: Send) -> Send:
        async def send_with_date(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = [*message.get("headers", ()), (b"date", self._clock.http_date().encode())]
                message = {**message, "headers": headers}
            await send(message)

        return send_with_date


def _refused(refusal: CallError) -> JSONResponse:
    return JSONResponse({"error": refusal.msg}, refusal.status or 403)


async def _lifespan(receive: Receive, send: Send) -> None:
    while True:
        message = await receive()
        await send({"type": f"{message['type']}.complete"})
        if message["type"] == "lifespan.shutdown":
            return
