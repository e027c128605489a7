"""Callbacks as a WSGI application, for Flask, Django, gunicorn and the standard library's server."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Iterator
from http import HTTPStatus
from typing import Any

from coze_api._core._secrets import hidden
from coze_api.models import BotPublishedAnswer, CallbackMessage

from ..errors import InvalidArgumentError
from ._handler import MAX_BODY_BYTES, METHOD_NOT_ALLOWED, TOO_LARGE, Response, WebhookHandler

__all__ = ["WSGIApp"]


class WSGIApp:
    """Receives callbacks at any path, as `ASGIApp` does.

    Args:
        handle: Called with each message; a plain function. It may return the result of `approve`, `reject` or
            `in_review`.
        token: The `verify_token` of the callback app; several if the URL serves several apps.
        max_age: See `parse`.
        remember: Number of callbacks that this process remembers, to handle each once. With 0, repeated callbacks are
            handled as well.

    Raises:
        InvalidArgumentError: There is no token, or *handle* is a coroutine function.
    """

    def __init__(
        self,
        handle: Callable[[CallbackMessage], BotPublishedAnswer | None],
        *,
        token: str | Iterable[str],
        max_age: float | None = None,
        remember: int = 10_000,
    ) -> None:
        if inspect.iscoroutinefunction(handle):
            raise InvalidArgumentError("webhooks.WSGIApp cannot await handle: make it a plain function, or use ASGIApp")
        self._handle = handle
        token = hidden(token)
        self._handler = WebhookHandler(token, max_age, remember)

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        """Serve one request.

        Args:
            environ: WSGI environment.
            start_response: Receives status and headers of the response.

        Returns:
            The body of the response.
        """
        response = self._answer(environ)
        headers = [("Content-Type", "application/json"), ("Content-Length", str(len(response.body)))]
        start_response(f"{response.status} {HTTPStatus(response.status).phrase}", headers)
        return [response.body]

    def _answer(self, environ: dict[str, Any]) -> Response:
        if environ["REQUEST_METHOD"] != "POST":
            return METHOD_NOT_ALLOWED
        body = _body(environ)
        if body is None:
            return TOO_LARGE
        message = self._handler.parse(_headers(environ), body)
        if isinstance(message, Response):
            return message
        try:
            answer = self._handle(message)
        except Exception:
            return self._handler.failed(message)
        except BaseException:  # the server stops: not handled
            self._handler.failed(message)
            raise
        return self._handler.succeeded(message, answer)


def _body(environ: dict[str, Any]) -> bytes | None:
    """Return the body, or None if it is too large. Without a length it must not be read."""
    length = str(environ.get("CONTENT_LENGTH") or "0")
    size = int(length) if length.isascii() and length.isdigit() else 0
    if size > MAX_BODY_BYTES:
        return None
    body: bytes = environ["wsgi.input"].read(size)
    return body


def _headers(environ: dict[str, Any]) -> Iterator[tuple[str, str]]:
    for name, value in environ.items():
        if name.startswith("HTTP_"):
            yield name.removeprefix("HTTP_").replace("_", "-"), value
