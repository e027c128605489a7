"""The state of a session and its decisions, for sync and async sessions."""

from __future__ import annotations

import time
from collections import deque
from typing import Any, Generic, TypeVar

from coze_api._core._decode import code_of, retryable
from coze_api._core._handshake import Handshake
from coze_api._core._messages import EncodedMessage
from coze_api._core._model import Unknown
from coze_api._core._stream_base import failure_of
from coze_api.errors import hint
from coze_api.models import Chat, SocketDetail

from .._type_guards import key_of
from ..errors import (
    APITimeoutError,
    ChatFailed,
    CozeError,
    InvalidArgumentError,
    SocketClosed,
    SocketFailed,
    StreamFailed,
)
from .options import SocketOptions

__all__ = ["NORMAL_CLOSE_CODES", "ConnectionClosed", "SessionState"]

U = TypeVar("U")
D = TypeVar("D")
_LONGEST_WAIT = 1.0  # seconds between two checks of the session while it waits for a message
_LONGEST_WAIT_SENDING = 0.05  # the same while a sender runs, so that its failure is raised soon
_CLOSE_REASONS = {
    1000: "normal closure",
    1001: "the server goes away or restarts; connect again",
    1002: "one side broke the WebSocket protocol",
    1003: "the server does not accept this type of data",
    1005: "no reason was given",
    1006: "the connection broke without a close frame",
    1007: "a message was not valid text",
    1008: "the server rejected a message, perhaps because a permission is missing",
    1009: "a message was too large",
    1011: "the server failed",
    1012: "the server restarts; connect again",
    1013: "the server is overloaded; connect again later",
    1014: "a gateway received an invalid response",
}
NORMAL_CLOSE_CODES = {1000, 1001}


class ConnectionClosed(Exception):
    """The connection is closed or broken.

    Attributes:
        code: Close code.
        reason: Reason that came with it.
        clean: Whether both sides closed the connection.
        locally: Whether this side closed it first.
    """

    def __init__(self, code: int, reason: str, *, clean: bool, locally: bool) -> None:
        super().__init__(code, reason)
        self.code = code
        self.reason = reason
        self.clean = clean
        self.locally = locally


class SessionState(Generic[U, D]):
    """What one session has seen and may do.

    Attributes:
        operation: Operation id.
        logid: Log id of the connection, as soon as it is known.
        received: How many messages arrived.
        last: The last of them, or None.
        last_fails: Whether that reports a failure.
        pending: Messages that arrived while the session waited for another one; not yet returned.
        closed: Set once the connection is over.
        ping_timed_out: Whether the pong for a ping did not arrive in time.
    """

    def __init__(self, handshake: Handshake[U, D], options: SocketOptions) -> None:
        self.handshake = handshake
        self.protocol = handshake.protocol
        self._tag = self.protocol.downlink.tag[0]
        self.operation = handshake.operation.id
        self.options = options
        self.logid = ""
        self.received = 0
        self.last: D | None = None
        self.last_fails = False
        self._last_kind: str | int | None = None
        self.pending: deque[D] = deque()
        self.closed: SocketClosed | None = None
        self.ping_timed_out = False
        self._active = time.monotonic()

    def encode(self, message: object) -> tuple[str, EncodedMessage]:
        """Check a message and write it as a frame.

        Returns:
            Its id, a new one if it has none, and the frame.

        Raises:
            InvalidArgumentError: It is none that can be sent, or does not fit the description.
        """
        try:
            return self.protocol.uplink.write(message)
        except InvalidArgumentError as error:
            raise InvalidArgumentError(f"{self.operation}: {error}") from error.__cause__

    def frame_of(self, message: object) -> EncodedMessage:
        """Return the frame of a message, which may have been encoded before."""
        return message if isinstance(message, EncodedMessage) else self.encode(message)[1]

    def sent(self) -> None:
        """Note that something was sent."""
        self._active = time.monotonic()

    def decode(self, frame: bytes) -> D:
        """Read a frame. One that is not a JSON object becomes an `Unknown` of no kind, with the frame as its data."""
        message = self.protocol.downlink.loads(frame)
        detail: Any
        if isinstance(message, Unknown):
            detail = message.raw.get("detail")
            detail = SocketDetail.from_dict(detail) if isinstance(detail, dict) else None
        else:
            detail = getattr(message, "detail", None)
        if isinstance(detail, SocketDetail) and detail.logid_:
            self.logid = str(detail.logid_)
        self.received += 1
        self.last = message
        self._last_kind = kind = self._kind_of(message)
        self.last_fails = kind in self.protocol.fails
        self._active = time.monotonic()
        return message

    def kind_of(self, message: D) -> str | int | None:
        """Name the kind of a message; None where it names none."""
        return self._last_kind if message is self.last else self._kind_of(message)

    def _kind_of(self, message: D) -> str | int | None:
        tag: object = message.tag if isinstance(message, Unknown) else getattr(message, self._tag)
        return tag if tag.__class__ is str else key_of(tag)

    def failure(self, message: D, session: Any) -> CozeError:
        """Make the error that a message reports."""
        details = failure_of(message)
        code = code_of(details)
        state = getattr(message, "data", None)
        error: StreamFailed = (ChatFailed if isinstance(state, Chat) else SocketFailed)(
            str(details.get("msg") or "the server reported a failure"),
            code=code,
            logid=self.logid,
            operation=self.operation,
            hint=hint(code, 200, self.handshake.operation.permission),
            retryable=retryable(code, 200),
        )
        error.event = message
        if isinstance(error, ChatFailed):
            error.chat, error.stream = state, session
        elif isinstance(error, SocketFailed):
            error.session = session
        return error

    def confirmations(self, settings: U) -> frozenset[str]:
        """Name the kinds of message that confirm settings."""
        kind = getattr(settings, self.protocol.uplink.tag[0])
        return frozenset(self.protocol.answers.get(kind, ())) - self.protocol.fails

    def is_end(self, message: D) -> bool:
        """Return whether a message is the last one of a response."""
        return self.kind_of(message) in self.protocol.ends

    def closed_by_peer(self, closed: Any, session: Any) -> SocketClosed:
        """Make the error for a connection that is over."""
        if self.closed is None:
            code = closed.code
            reason = _CLOSE_REASONS.get(code, "a reason of the server's own" if code >= 3000 else "an unknown reason")
            if closed.locally and code == 1009:
                reason = "a message was larger than max_message_bytes allows"
            elif self.ping_timed_out:
                reason = f"the other side sent no pong for {self.options.ping_timeout:g} s"
            self._closed(reason, code, closed.reason, clean=closed.clean, session=session)
        assert self.closed is not None
        return self.closed

    def _closed(self, meaning: str, code: int, reason: str, *, clean: bool, session: Any) -> SocketClosed:
        self.closed = SocketClosed(
            meaning,
            operation=self.operation,
            logid=self.logid,
            code=code,
            reason=reason,
            clean=clean,
            session=session,
            messages=self.received,
            last_message=self.last,
        )
        return self.closed

    def closed_locally(self, session: Any) -> SocketClosed:
        """Make the error for a connection that was closed here, and what it still held thrown away."""
        return self.closed or self._closed("it was closed here", 1000, "", clean=True, session=session)

    def next_timeout(self, began: float, polls: int, timeout: float | None, *, sending: bool) -> float:
        """Decide how long to wait for a message before looking around again.

        Args:
            began: When the wait for this message began.
            polls: Number of timeouts since then.
            timeout: Seconds for it; None for the idle timeout, which begins anew with what is sent.
            sending: Whether a sender runs at the same time.

        Raises:
            APITimeoutError: It took too long.
        """
        limit = self.options.idle_timeout if timeout is None else timeout
        longest = _LONGEST_WAIT_SENDING if sending else _LONGEST_WAIT
        if limit is None:
            return longest
        if not polls:
            return max(min(limit, longest), 0.0)
        since = max(self._active, began) if timeout is None else began
        if (left := since + limit - time.monotonic()) > 0:
            return min(left, longest)
        raise APITimeoutError(
            f"no message came for {limit:g} s after {self.received} messages (logid {self.logid or 'unknown'})",
            operation=self.operation,
            base_url=self.handshake.url.partition("?")[0],
            attempts=1,
            sent=True,
        )

    def is_ping_overdue(self, pinged: float, began: float) -> bool:
        """Return whether the pong for the ping that was sent at *pinged* is overdue.

        Only the time of the current wait counts: before it, the pong may not have been read.
        """
        limit = self.options.ping_timeout
        self.ping_timed_out = limit is not None and time.monotonic() - max(pinged, began) > limit
        return self.ping_timed_out
