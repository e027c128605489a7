"""The base protocol handler: immediate messages and queued turns."""

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
    """The protocol of one WebSocket, without I/O and without a clock of its own.

    Immediate responses to messages of the client are sent before queued events.

    Args:
        call: The accepted handshake.
        spec: The spec.

    Attributes:
        subscriptions: Event types to which the client subscribed; empty for all.

    Raises:
        CallError: A resource of the handshake does not exist.
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
        """Handle a valid message of the client.

        Args:
            event: Its event type.
            data: Its data; empty for none.

        Raises:
            CallError: The message is rejected.
        """

    def downlink(self, event: str) -> SocketMessage:
        """Return the description of a message of the server."""
        socket = self.call.operation.socket
        if socket is None:
            raise ValueError(f"{self.call.operation.id} is not a WebSocket")
        return socket.downlink[event]

    def is_subscribed(self, event: str) -> bool:
        """Return whether the client receives messages of this type; errors are always sent."""
        return not self.subscriptions or event in {"error", *self.subscriptions}

    def send(self, event: str, data: dict[str, Any] | None = None) -> None:
        """Send a message before all queued ones."""
        self._outbox.append(StreamEvent(event, data))

    def enqueue(self, events: Iterator[StreamEvent]) -> None:
        """Queue events after those of earlier turns."""
        self._turns.append(_Turn(ScopedEventIterator(self.state, self.call.user_id, events)))

    @property
    def is_busy(self) -> bool:
        """Whether queued events are left."""
        return bool(self._turns)

    def next(self, now: float) -> tuple[StreamEvent | None, float | None]:
        """Return the event to send now, or the time to wait for it: None until the next message of the client.

        Args:
            now: A monotonic time in seconds.

        Raises:
            CallError: A turn failed. It is dropped.
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
        """Fetch the next event. Called right after sending, so that a turn ends with its last message.

        Args:
            now: A monotonic time in seconds.

        Raises:
            CallError: A turn failed. It is dropped.
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
        """Drop all queued events."""
        while self._turns:
            self._turns.popleft().events.close()
