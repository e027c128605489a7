"""Transformation of events by a fault, without I/O."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import attrs

from .faults import Fault

__all__ = ["FaultTransformer", "SendAction"]

# More than the usual limit of clients, 1 MiB.
_HUGE_BYTES = 4 << 20


@attrs.frozen
class SendAction:
    """An action for the sender.

    Attributes:
        kind: `send` the content, `wait`, `cut` the connection after the content, or `close` it cleanly.
        content: The bytes to send.
        seconds: Duration of a wait; None until the client disconnects.
        spoiled: Whether this action is part of the fault.
    """

    kind: Literal["send", "wait", "cut", "close"]
    content: bytes = b""
    seconds: float | None = None
    faulty: bool = False


class FaultTransformer:
    """Applies one fault to a stream of events.

    Args:
        fault: The fault.
        garbage: Returns an event preceded by garbage, in parts.
        padded: Returns an event padded to a size.
    """

    def __init__(
        self,
        fault: Fault,
        *,
        garbage: Callable[[bytes], tuple[bytes, ...]],
        padded: Callable[[bytes, int], bytes],
    ) -> None:
        self._fault = fault
        self._garbage = garbage
        self._padded = padded
        self._events = 0
        self._room = fault.bytes or 0

    def transform(self, content: bytes) -> list[SendAction]:
        """Return the actions for the next event."""
        number, start = self._events, self._fault.events or 0
        self._events += 1
        whole = [SendAction("send", content)]
        if self._fault.kind == "cut":
            return whole if number < start else self._cut(content)
        return self._apply(content) if number == start else whole

    def _cut(self, content: bytes) -> list[SendAction]:
        if len(content) <= self._room:
            self._room -= len(content)
            return [SendAction("send", content)]
        return [SendAction("cut", content[: self._room], faulty=True)]

    def _apply(self, content: bytes) -> list[SendAction]:
        fault, whole = self._fault, SendAction("send", content)
        match fault.kind:
            case "close":
                return [SendAction("close", faulty=True)]
            case "delay":
                return [SendAction("wait", seconds=fault.seconds or 0.0, faulty=True), whole]
            case "duplicate":
                return [whole, SendAction("send", content, faulty=True)]
            case "garbage":
                return [SendAction("send", part, faulty=True) for part in self._garbage(content)]
            case "huge":
                size = _HUGE_BYTES if fault.bytes is None else fault.bytes
                return [SendAction("send", self._padded(content, size), faulty=True)]
            case "lost":
                return []
            case "stall":
                return [SendAction("wait", seconds=fault.seconds, faulty=True), whole]
            case _:
                return [whole]
