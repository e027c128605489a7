"""Asking again and again until something has ended."""

from __future__ import annotations

import time
from functools import reduce
from typing import TYPE_CHECKING, Any

import attrs

from coze_api._core._model import Model
from coze_api._core._operation import Operation, Poll

from ._type_guards import key_of
from .errors import DecodeError, PollTimeout

if TYPE_CHECKING:
    from coze_api.models import Chat

__all__ = ["Waiting", "goes_on", "has_failed", "is_pending"]

_LONGEST_PAUSE = 5.0


@attrs.define
class Waiting:
    """Decides when to ask again, and when to stop.

    Attributes:
        interval: Seconds before asking again.
        limit: Seconds to wait at most.
    """

    interval: float
    limit: float
    _started: float = attrs.field(factory=time.monotonic, init=False)
    _pause: float = attrs.field(default=0.0, init=False)

    @property
    def is_over(self) -> bool:
        """Whether the time is up."""
        return time.monotonic() - self._started >= self.limit

    def sleep(self) -> None:
        """Wait before asking again."""
        time.sleep(self._next())

    async def asleep(self) -> None:
        """Wait before asking again."""
        from anyio import sleep  # comes with httpx; serves asyncio and trio alike

        await sleep(self._next())

    def _next(self) -> float:
        """Return the seconds to wait: the interval, growing by half each time, up to 5 seconds."""
        self._pause = min(max(self._pause * 1.5, self.interval), max(_LONGEST_PAUSE, self.interval))
        remaining = self.limit - (time.monotonic() - self._started)
        return max(min(self._pause, remaining), 0.0)


def goes_on(
    operation: Operation[Any], told: Any, waiting: Waiting, missing: str, *, chat: Chat | None = None, last: Any = None
) -> bool:
    """Tell whether to ask on about what an operation started.

    Args:
        operation: The operation that started it.
        told: What the operation that asks for its state told.
        waiting: How long to wait.
        missing: What did not happen, as the error says it: "the chat 1 did not end".
        chat: The chat, for the error.
        last: What is waited for, for the error.

    Returns:
        Whether anything of it still goes on by itself.

    Raises:
        PollTimeout: It does so for too long.
        DecodeError: What was told has an unknown shape.
    """
    if not is_pending(operation, told):
        return False
    if waiting.is_over:
        raise PollTimeout(f"{missing} within {waiting.limit:g} s", chat=chat, last=last)
    return True


def is_pending(operation: Operation[Any], told: Any) -> bool:
    """Tell by what the asking operation told whether anything that *operation* started still goes on by itself.

    A state that the description does not know ends the waiting. A list without items means that nothing is known yet.

    Raises:
        DecodeError: What was told is no object, or no list of objects.
    """
    poll = _poll_of(operation)
    things = [told] if poll.items is None else reduce(getattr, poll.items, told)
    if things is None:
        return True
    if not isinstance(things, list) or not all(isinstance(thing, Model) for thing in things):
        raise DecodeError(f"the answer about it has an unknown shape: {things!r:.80}", operation=operation.id)
    return not things or any(
        key_of(getattr(thing, poll.status)) in poll.pending and not (poll.waiting and getattr(thing, poll.waiting))
        for thing in things
    )


def has_failed(operation: Operation[Any], thing: Any) -> bool:
    """Tell whether a thing that an operation started ended in failure."""
    poll = _poll_of(operation)
    return key_of(getattr(thing, poll.status)) in poll.failed


def _poll_of(operation: Operation[Any]) -> Poll:
    poll = operation.poll
    assert poll is not None
    return poll
