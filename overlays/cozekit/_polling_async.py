"""Polling of what an operation started, until it has ended."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from functools import reduce
from typing import Any, TypeVar

from coze_api._core._model import Model
from coze_api._core._operation import Operation, Poll

from ._sleep import sleep_async
from ._type_guards import key_of
from .errors import DecodeError, PollTimeout

__all__ = ["has_failed", "is_pending", "poll_until_done"]

T = TypeVar("T")

_LONGEST_PAUSE = 5.0


async def poll_until_done(
    operation: Operation[Any],
    fetch: Callable[[], Awaitable[T]],
    unfinished: str,
    *,
    interval: float,
    limit: float,
    response: T | None = None,
) -> T:
    """Poll until nothing that *operation* started is running any more.

    Args:
        operation: The operation that started it.
        fetch: Sends the request for its state.
        unfinished: Beginning of the message of a timeout, such as "the chat 1 did not end".
        interval: Seconds between the first two requests. They grow by half each time, up to 5 seconds.
        limit: Seconds to poll at most.
        response: State that was received before the first request.

    Returns:
        The last response.

    Raises:
        PollTimeout: It did not end in time.
        DecodeError: A response has an unknown shape.
    """
    started, pause = time.monotonic(), 0.0
    if response is None:
        response = await fetch()
    while is_pending(operation, response):
        left = limit - (time.monotonic() - started)
        if left <= 0:
            raise _timeout(f"{unfinished} within {limit:g} s", response)
        pause = min(max(pause * 1.5, interval), max(_LONGEST_PAUSE, interval))
        await sleep_async(min(pause, left))
        response = await fetch()
    return response


def _timeout(message: str, response: Any) -> PollTimeout:
    from coze_api.models import Chat  # only timeouts need it

    last = next(iter(response), None) if isinstance(response, list) else response
    return PollTimeout(message, chat=last if isinstance(last, Chat) else None, last=last)


def is_pending(operation: Operation[Any], response: Any) -> bool:
    """Return whether something that *operation* started is still running, by a response about its state.

    A state that the description does not know counts as ended. An empty list means that the state is not known yet.

    Raises:
        DecodeError: The response is not an object or list of objects.
    """
    poll = _poll_of(operation)
    items = [response] if poll.items is None else reduce(getattr, poll.items, response)
    if items is None:
        return True
    if not isinstance(items, list) or not all(isinstance(item, Model) for item in items):
        raise DecodeError(f"the response about its state has an unknown shape: {items!r:.80}", operation=operation.id)
    return not items or any(
        key_of(getattr(item, poll.status)) in poll.pending and not (poll.waiting and getattr(item, poll.waiting))
        for item in items
    )


def has_failed(operation: Operation[Any], item: Any) -> bool:
    """Return whether something that *operation* started ended in failure."""
    poll = _poll_of(operation)
    return key_of(getattr(item, poll.status)) in poll.failed


def _poll_of(operation: Operation[Any]) -> Poll:
    poll = operation.poll
    assert poll is not None
    return poll
