"""What both applications decide alike: whom to trust, what to hand over, what to answer."""

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
from ._parse import Challenge, checked_tokens, parse

__all__ = ["MAX_BODY_BYTES", "Receiver", "Reply"]

MAX_BODY_BYTES = 1024 * 1024
"""Largest body that is read. Callbacks have a few hundred bytes."""

_LOG = logging.getLogger("cozekit.webhooks")


@attrs.frozen
class Reply:
    """An HTTP answer.

    Attributes:
        status: HTTP status.
        body: JSON text.
    """

    status: int
    body: bytes = b"{}"

    @classmethod
    def of(cls, status: int, value: Any) -> Reply:
        """Write *value* as JSON."""
        return cls(status, _json.dumps(value))


REFUSED_METHOD = Reply.of(405, {"error": "callbacks are sent by POST"})
TOO_LARGE = Reply.of(413, {"error": f"more than {MAX_BODY_BYTES} bytes"})
_FAILED = Reply.of(500, {"error": "the callback could not be handled"})
_UNDER_WAY = Reply.of(503, {"error": "this callback is being handled"})


class Receiver:
    """Reads requests and makes answers. Safe to share between threads.

    Args:
        token: The callback app's `verify_token`, or several.
        max_age: Seconds that a callback may be old.
        remember: How many callbacks to remember, so that each is handled once although it may be sent again.
    """

    def __init__(self, token: str | Iterable[str], max_age: float | None, remember: int) -> None:
        token = hidden(token if isinstance(token, str) else [*token])
        self._tokens = checked_tokens(token)
        self._max_age = max_age
        self._remember = remember
        self._replies: OrderedDict[str, Reply | None] = OrderedDict()  # None: the callback is being handled
        self._lock = threading.Lock()

    def read(self, headers: Iterable[tuple[Any, Any]], body: bytes) -> CallbackMessage | Reply:
        """Return a message that is to be handled, or the answer where there is nothing to do."""
        try:
            message = parse(headers, body, token=self._tokens, max_age=self._max_age)
        except WebhookError as error:
            _LOG.warning("refused a callback: %s", error)
            return Reply.of(error.status, {"error": str(error)})
        if isinstance(message, Challenge):
            return Reply.of(200, message.answer)
        return self._claimed(message)

    def _claimed(self, message: CallbackMessage) -> CallbackMessage | Reply:
        name = _event_id(message)
        if not name or not self._remember:
            return message
        with self._lock:
            if name in self._replies:
                return self._replies[name] or _UNDER_WAY  # what came late the first time is in time now
            self._replies[name] = None
            while len(self._replies) > self._remember:
                self._replies.popitem(last=False)
        return message

    def handled(self, message: CallbackMessage, answer: object) -> Reply:
        """Return the answer to a message, from what the handler returned."""
        if answer is not None and not isinstance(answer, BotPublishedAnswer):
            _LOG.error("the handler of callbacks returned %s, not an answer or None", type(answer).__name__)
            return self._forgotten(message)
        if answer is None and isinstance(message, BotPublishedCallback) and message.header.connector_id:
            _LOG.warning("no answer to a bot that is published to a channel: Coze takes that for a failure")
        reply = Reply(200) if answer is None else Reply.of(200, answer.to_dict())
        with self._lock:
            if _event_id(message) in self._replies:
                self._replies[_event_id(message)] = reply
        return reply

    def failed(self, message: CallbackMessage) -> Reply:
        """Return the answer after an exception of the handler, which is logged. Coze sends the message again."""
        _LOG.exception("the handler of callbacks failed at %s", _event_id(message))
        return self._forgotten(message)

    def _forgotten(self, message: CallbackMessage) -> Reply:
        with self._lock:
            self._replies.pop(_event_id(message), None)
        return _FAILED


def _event_id(message: CallbackMessage) -> str:
    if isinstance(message, Unknown):
        raw = message.raw.get(Callbacks.messages.tag[0])
        header = CallbackHeader.from_dict(raw) if isinstance(raw, dict) else None
    else:
        header = message.header
    found = header.event_id if isinstance(header, CallbackHeader) else None
    return found if isinstance(found, str) else ""
