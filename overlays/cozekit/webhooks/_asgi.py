"""Callbacks as an ASGI application, for Starlette, FastAPI, Django, uvicorn and so on."""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from typing import Any

from coze_api._core._secrets import hidden
from coze_api.models import BotPublishedAnswer, CallbackMessage

from ._handler import MAX_BODY_BYTES, REFUSED_METHOD, TOO_LARGE, Receiver, Reply

__all__ = ["ASGIApp"]

_Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
_Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
_Answer = BotPublishedAnswer | None


class ASGIApp:
    """Receives callbacks at whatever path leads to it.

    ```python
    async def handle(message):
        match message:
            case BotPublishedCallback():
                return webhooks.approve()

    app = webhooks.ASGIApp(handle, token=verify_token)
    ```

    In Starlette and FastAPI use `Route("/coze", app)`. What `mount("/coze", app)` adds is at `/coze/`, and requests for
    `/coze` are answered with a redirect before they come here.

    A request that is not signed rightly is answered with 401, a check of the address with what Coze asks for. An
    exception of *handle* is logged under `cozekit.webhooks` and answered with 500, after which Coze sends the callback
    again. One that was handled is answered as the first time when it comes again, without calling *handle*.

    Args:
        handle: Called with each message; a coroutine function, or a plain one, which is called in a thread. It may
            return what `approve`, `reject` and `in_review` make. Coze waits 10 seconds for the answer to a bot that is
            published, and 3 for others.
        token: The callback app's `verify_token`; several where the address serves several apps.
        max_age: See `parse`.
        remember: How many callbacks to remember, in this process, to handle each once. 0 hands over repetitions, too.

    Raises:
        InvalidArgumentError: There is no token.
    """

    def __init__(
        self,
        handle: Callable[[CallbackMessage], Awaitable[_Answer] | _Answer],
        *,
        token: str | Iterable[str],
        max_age: float | None = None,
        remember: int = 10_000,
    ) -> None:
        self._handle = handle
        token = hidden(token)
        self._receiver = Receiver(token, max_age, remember)

    async def __call__(self, scope: MutableMapping[str, Any], receive: _Receive, send: _Send) -> None:
        """Serve one connection.

        Args:
            scope: ASGI scope.
            receive: Gives the request.
            send: Takes the answer.
        """
        if scope["type"] == "lifespan":
            await _lifespan(receive, send)
        elif scope["type"] == "websocket":
            await receive()
            await send({"type": "websocket.close", "code": 1003})
        elif scope["method"] != "POST":
            await _reply(send, REFUSED_METHOD)
        else:
            body = await _body(receive)
            await _reply(send, TOO_LARGE if body is None else await self._answer(scope["headers"], body))

    async def _answer(self, headers: Iterable[tuple[bytes, bytes]], body: bytes) -> Reply:
        message = self._receiver.read(headers, body)
        if isinstance(message, Reply):
            return message
        try:
            answer = await self._call(message)
        except Exception:
            return self._receiver.failed(message)
        except BaseException:  # the server stops or the client left: not handled
            self._receiver.failed(message)
            raise
        return self._receiver.handled(message, answer)

    async def _call(self, message: CallbackMessage) -> Any:
        if inspect.iscoroutinefunction(self._handle):
            return await self._handle(message)
        from anyio import to_thread  # comes with httpx

        # In a tuple: trio refuses threads that return something to be awaited.
        (answer,) = await to_thread.run_sync(lambda: (self._handle(message),))
        return await answer if inspect.isawaitable(answer) else answer


async def _body(receive: _Receive) -> bytes | None:
    """Read the body, or return None where it is too large."""
    parts: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        part = message.get("body", b"")
        size += len(part)
        if size > MAX_BODY_BYTES:
            return None
        parts.append(part)
        if not message.get("more_body"):
            return b"".join(parts)


async def _reply(send: _Send, reply: Reply) -> None:
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(reply.body)).encode())]
    await send({"type": "http.response.start", "status": reply.status, "headers": headers})
    await send({"type": "http.response.body", "body": reply.body})


async def _lifespan(receive: _Receive, send: _Send) -> None:
    while True:
        message = await receive()
        await send({"type": f"{message['type']}.complete"})
        if message["type"] == "lifespan.shutdown":
            return
