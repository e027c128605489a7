"""Handles callbacks for both applications: verification, responses, and repeated callbacks."""

from __future__ import annotations

import logging
import threading
from collections import OrderedDict
from collections.abc import Iterable
from typing import Any

import attrs

from coze_api import Unknown
from coze_api._core import _json
from coze_api._core._secrets import hidden
from coze_api.models import BotPublishedAnswer, BotPublishedCallback, CallbackHeader, CallbackMessage, Callbacks

from ._errors import WebhookError
from ._parse import Challenge, checked_tokens
from ._parse import parse as parse_request

__all__ = ["MAX_BODY_BYTES", "WebhookHandler", "Response"]

MAX_BODY_BYTES = 1024 * 1024
"""Largest body that is read. Callbacks have a few hundred bytes."""

_LOG = logging.getLogger("cozekit.webhooks")


@attrs.frozen
class Response:
    """An HTTP response.

    Attributes:
        status: HTTP status.
        body: JSON.
    """

    status: int
    body: bytes = b"{}"

    @classmethod
    def of(cls, status: int, value: Any) -> Response:
        """Return a response with *value* as JSON."""
        return cls(status, _json.dumps(value))


METHOD_NOT_ALLOWED = Response.of(405, {"error": "callbacks are sent by POST"})
TOO_LARGE = Response.of(413, {"error": f"more than {MAX_BODY_BYTES} bytes"})
_FAILED = Response.of(500, {"error": "the callback could not be handled"})
_IN_PROGRESS = Response.of(503, {"error": "this callback is being handled"})


class WebhookHandler:
    """Parses requests and returns responses. Thread-safe.

    Args:
        token: The `verify_token` of the callback app, or several.
        max_age: Maximum age of a callback in seconds.
        remember: Number of callbacks to remember, so that each is handled once even if it is sent again.
    """

    def __init__(self, token: str | Iterable[str], max_age: float | None, remember: int) -> None:
        token = hidden(token if isinstance(token, str) else [*token])
        self._tokens = checked_tokens(token)
        self._max_age = max_age
        self._dedupe_size = remember
        self._responses: OrderedDict[str, Response | None] = OrderedDict()  # None: the callback is being handled
        self._lock = threading.Lock()

    def parse(self, headers: Iterable[tuple[Any, Any]], body: bytes) -> CallbackMessage | Response:
        """Return a message to be handled, or the response if there is nothing to handle."""
        try:
            message = parse_request(headers, body, token=self._tokens, max_age=self._max_age)
        except WebhookError as error:
            _LOG.warning("rejected a callback: %s", error)
            return Response.of(error.status, {"error": str(error)})
        if isinstance(message, Challenge):
            return Response.of(200, message.answer)
        return self._claim(message)

    def _claim(self, message: CallbackMessage) -> CallbackMessage | Response:
        name = _event_id(message)
        if not name or not self._dedupe_size:
            return message
        with self._lock:
            if name in self._responses:
                return self._responses[name] or _IN_PROGRESS  # the stored response, for a callback that is sent again
            self._responses[name] = None
            while len(self._responses) > self._dedupe_size:
                self._responses.popitem(last=False)
        return message

    def succeeded(self, message: CallbackMessage, answer: object) -> Response:
        """Return the response to a message, from the result of the handler."""
        if answer is not None and not isinstance(answer, BotPublishedAnswer):
            _LOG.error(
                "the handler of callbacks must return a BotPublishedAnswer or None, not %s", type(answer).__name__
            )
            return self._release(message)
        if answer is None and isinstance(message, BotPublishedCallback) and message.header.connector_id:
            _LOG.warning("no response to a bot that is published to a channel: Coze counts that as a failure")
        response = Response(200) if answer is None else Response.of(200, answer.to_dict())
        with self._lock:
            if _event_id(message) in self._responses:
                self._responses[_event_id(message)] = response
        return response

    def failed(self, message: CallbackMessage) -> Response:
        """Return the response after an exception of the handler, which is logged. Coze sends the message again."""
        _LOG.exception("the handler of callbacks failed for %s", _event_id(message))
        return self._release(message)

    def _release(self, message: CallbackMessage) -> Response:
        with self._lock:
            self._responses.pop(_event_id(message), None)
        return _FAILED


def _event_id(message: CallbackMessage) -> str:
    if isinstance(message, Unknown):
        raw = message.raw.get(Callbacks.messages.tag[0])
        header = CallbackHeader.from_dict(raw) if isinstance(raw, dict) else None
    else:
        header = message.header
    event_id = header.event_id if isinstance(header, CallbackHeader) else None
    return event_id if isinstance(event_id, str) else ""
