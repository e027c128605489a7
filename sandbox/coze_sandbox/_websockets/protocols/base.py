"""What all scripts share: what is said at once, and what is said in its turn."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Iterator, Sequence
from typing import Any

import attrs

from ..._http.context import Call, StreamEvent
from ..._http.event_source import ScopedEventIterator
from ..._spec.spec import SocketMessage, Spec

__all__ = ["ProtocolHandler"]


@attrs.define
class _Turn:
    events: ScopedEventIterator
    held: StreamEvent | None = None
    due: float = 0.0


class ProtocolHandler(ABC):
    """Decides what is said over one WebSocket. It does no I/O and knows no time but what it is told.

    What answers a message of the client at once goes before what is being told at length.

    Args:
        call: The accepted handshake.
        spec: The description.

    Attributes:
        subscriptions: Types of the messages that the client wants; all if empty.

    Raises:
        CallError: What the handshake names does not exist.
    """

    def __init__(self, call: Call, spec: Spec) -> None:
        self.call = call
        self.state = call.state
        self.spec = spec
        self.subscriptions: Sequence[str] = ()
        self._outbox: deque[StreamEvent] = deque()
        self._turns: deque[_Turn] = deque()

    @abstractmethod
    def on_message(self, event: str, data: dict[str, Any]) -> None:
        """Take a message of the client, which is as described.

        Args:
            event: Its event type.
            data: Its data; empty where it has none.

        Raises:
            CallError: It is refused.
        """

    def downlink(self, event: str) -> SocketMessage:
        """Return what is described of a message that is sent."""
        socket = self.call.operation.socket
        if socket is None:
            raise ValueError(f"{self.call.operation.id} opens no WebSocket")
        return socket.downlink[event]

    def is_subscribed(self, event: str) -> bool:
        """Tell whether the client wants messages of this type; of errors it always hears."""
        return not self.subscriptions or event in {"error", *self.subscriptions}

    def send(self, event: str, data: dict[str, Any] | None = None) -> None:
        """Say something at once."""
        self._outbox.append(StreamEvent(event, data))

    def enqueue(self, events: Iterator[StreamEvent]) -> None:
        """Say more, after what is being told."""
        self._turns.append(_Turn(ScopedEventIterator(self.state, self.call.user_id, events)))

    @property
    def is_busy(self) -> bool:
        """Whether something is being told."""
        return bool(self._turns)

    def next(self, now: float) -> tuple[StreamEvent | None, float | None]:
        """Return what is to be said now, or how long to wait for it: None until the client speaks.

        Args:
            now: A time in seconds that only grows.

        Raises:
            CallError: What was to be told fails. It is dropped.
        """
        if self._outbox:
            return self._outbox.popleft(), None
        self.prepare(now)
        if not self._turns:
            return None, None
        turn = self._turns[0]
        if turn.due > now:
            return None, turn.due - now
        event, turn.held = turn.held, None
        return event, None

    def prepare(self, now: float) -> None:
        """Decide what is said next. Called right after sending, so that a turn is over when its last message is sent.

        Args:
            now: A time in seconds that only grows.

        Raises:
            CallError: What was to be told fails. It is dropped.
        """
        while self._turns and self._turns[0].held is None:
            turn = self._turns[0]
            try:
                turn.held = next(turn.events, None)
            except BaseException:
                self._turns.popleft()
                raise
            if turn.held is None:
                self._turns.popleft()
            else:
                turn.due = now + turn.held.pause + self.state.options.event_seconds

    def close(self) -> None:
        """Drop all that is being told."""
        while self._turns:
            self._turns.popleft().events.close()
