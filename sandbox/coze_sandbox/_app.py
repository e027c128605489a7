"""The whole application: the engine, and beside it the control endpoints and the pages for people."""

from __future__ import annotations

from starlette.types import Message, Receive, Scope, Send

from ._clock import Clock
from ._consent_pages import CONSENT_PATH, DEVICE_PATH, ConsentPages
from ._control import PREFIX, Control
from ._engine import Engine
from ._home_page import FILES, HomePage
from ._request_target import in_origin_form

__all__ = ["App"]


class App:
    """An ASGI application.

    Args:
        engine: Answers the operations of Coze.
        control: Answers the paths under `/_sandbox/`.
        pages: Answers for the pages on which people allow OAuth apps.
        home: Answers for the page that shows the sandbox.
        clock: The time, which all answers tell.
    """

    def __init__(self, engine: Engine, control: Control, pages: ConsentPages, home: HomePage, clock: Clock) -> None:
        self._clock = clock
        self._engine = engine
        self._pages = pages
        self._home = home
        self._control = control

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection of any kind.

        Args:
            scope: ASGI scope.
            receive: Gives what the client sends.
            send: Takes what it is sent.
        """
        if scope["type"] in {"http", "websocket"}:
            scope = in_origin_form(scope)
        match scope["type"]:
            case "http" if scope["path"] == "/" or scope["path"].startswith(FILES):
                await self._home(scope, receive, self._dated(send))
            case "http" if scope["path"].startswith(PREFIX):
                await self._control(scope, receive, self._dated(send))
            case "http" if scope["path"] in (CONSENT_PATH, DEVICE_PATH):
                await self._pages(scope, receive, self._dated(send))
            case "http" | "websocket":
                await self._engine(scope, receive, send)
            case "lifespan":
                await _lifespan(receive, send)
            case other:
                raise ValueError(f"the sandbox serves no {other!r}")

    def _dated(self, send: Send) -> Send:
        async def send_with_date(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = [*message.get("headers", ()), (b"date", self._clock.http_date().encode())]
                message = {**message, "headers": headers}
            await send(message)

        return send_with_date


async def _lifespan(receive: Receive, send: Send) -> None:
    while True:
        message = await receive()
        await send({"type": f"{message['type']}.complete"})
        if message["type"] == "lifespan.shutdown":
            return
