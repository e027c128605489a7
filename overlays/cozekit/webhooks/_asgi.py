"""Callbacks as an ASGI application, for Starlette, FastAPI, Django, uvicorn and so on."""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from typing import Any

from coze_api._core._secrets import hidden
from coze_api.models import BotPublishedAnswer, CallbackMessage

from ._handler import MAX_BODY_BYTES, METHOD_NOT_ALLOWED, TOO_LARGE, Response, WebhookHandler

__all__ = ["ASGIApp"]

_Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
_Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
_Answer = BotPublishedAnswer | None


class ASGIApp:
    """Receives callbacks at any path.

    ```python
    async def handle(message):
        match message:
            case BotPublishedCallback():
                return webhooks.approve()

    app = webhooks.ASGIApp(handle, token=verify_token)
    ```

    In Starlette and FastAPI use `Route("/coze", app)`. `mount("/coze", app)` serves `/coze/` only, and redirects
    requests for `/coze`.

    The response to a request with an invalid signature is 401; a challenge gets the response that Coze requires. An
    exception of *handle* is logged under `cozekit.webhooks`; the response is 500, and Coze sends the callback again. A
    callback that was handled and is sent again gets the same response, without calling *handle*.

    Args:
        handle: Called with each message; a coroutine function, or a plain function, which is called in a thread. It
            may return the result of `approve`, `reject` or `in_review`. Coze waits 10 seconds for the response to a bot
            that is published, and 3 seconds for others.
        token: The `verify_token` of the callback app; several if the URL serves several apps.
        max_age: See `parse`.
        remember: Number of callbacks that this process remembers, to handle each once. With 0, repeated callbacks are
            handled as well.

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
        self._handler = WebhookHandler(token, max_age, remember)

    async def __call__(self, scope: MutableMapping[str, Any], receive: _Receive, send: _Send) -> None:
        """Serve one connection.

        Args:
            scope: ASGI scope.
            receive: Receives the request.
            send: Sends the response.
        """
        if scope["type"] == "lifespan":
            await _lifespan(receive, send)
        elif scope["type"] == "websocket":
            await receive()
            await send({"type": "websocket.close", "code": 1003})
        elif scope["method"] != "POST":
            await _send_response(send, METHOD_NOT_ALLOWED)
        else:
            body = await _body(receive)
            await _send_response(send, TOO_LARGE if body is None else await self._answer(scope["headers"], body))

    async def _answer(self, headers: Iterable[tuple[bytes, bytes]], body: bytes) -> Response:
        message = self._handler.parse(headers, body)
        if isinstance(message, Response):
            return message
        try:
            answer = await self._call(message)
        except Exception:
            return self._handler.failed(message)
        except BaseException:  # the server stops or the client disconnected: not handled
            self._handler.failed(message)
            raise
        return self._handler.succeeded(message, answer)

    async def _call(self, message: CallbackMessage) -> Any:
        if inspect.iscoroutinefunction(self._handle):
            return await self._handle(message)
        from anyio import to_thread  # comes with httpx

        # In a tuple: trio does not allow threads to return an awaitable.
        (answer,) = await to_thread.run_sync(lambda: (self._handle(message),))
        return await answer if inspect.isawaitable(answer) else answer


async def _body(receive: _Receive) -> bytes | None:
    """Return the body, or None if it is too large."""
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


async def _send_response(send: _Send, response: Response) -> None:
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(response.body)).encode())]
    await send({"type": "http.response.start", "status": response.status, "headers": headers})
    await send({"type": "http.response.body", "body": response.body})


async def _lifespan(receive: _Receive, send: _Send) -> None:
    while True:
        message = await receive()
        await send({"type": f"{message['type']}.complete"})
        if message["type"] == "lifespan.shutdown":
            return
