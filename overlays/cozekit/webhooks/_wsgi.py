"""Callbacks as a WSGI application, for Flask, Django, gunicorn and the standard library's server."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Iterator
from http import HTTPStatus
from typing import Any

from coze_api._core._secrets import hidden
from coze_api.models import BotPublishedAnswer, CallbackMessage

from ..errors import InvalidArgumentError
from ._handler import MAX_BODY_BYTES, REFUSED_METHOD, TOO_LARGE, Receiver, Reply

__all__ = ["WSGIApp"]


class WSGIApp:
    """Receives callbacks at whatever path it is mounted. See `ASGIApp`.

    Args:
        handle: Called with each message; a plain function. It may return what `approve`, `reject` and `in_review` make.
        token: The callback app's `verify_token`; several where the address serves several apps.
        max_age: See `parse`.
        remember: How many callbacks to remember, in this process, to handle each once. 0 hands over repetitions, too.

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
        self._receiver = Receiver(token, max_age, remember)

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        """Serve one request.

        Args:
            environ: WSGI environment.
            start_response: Takes status and headers of the answer.

        Returns:
            The answer's body.
        """
        reply = self._answer(environ)
        headers = [("Content-Type", "application/json"), ("Content-Length", str(len(reply.body)))]
        start_response(f"{reply.status} {HTTPStatus(reply.status).phrase}", headers)
        return [reply.body]

    def _answer(self, environ: dict[str, Any]) -> Reply:
        if environ["REQUEST_METHOD"] != "POST":
            return REFUSED_METHOD
        body = _body(environ)
        if body is None:
            return TOO_LARGE
        message = self._receiver.read(_headers(environ), body)
        if isinstance(message, Reply):
            return message
        try:
            answer = self._handle(message)
        except Exception:
            return self._receiver.failed(message)
        except BaseException:  # the server stops: not handled
            self._receiver.failed(message)
            raise
        return self._receiver.handled(message, answer)


def _body(environ: dict[str, Any]) -> bytes | None:
    """Read the body, or return None where it is too large. Without a length it may not be read."""
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
