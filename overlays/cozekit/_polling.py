# @generated from _polling_async.py by `python -m generator sync`; do not edit.
"""Polling of what an operation started, until it has ended."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from coze_api._core._operation import Operation

from ._polling_async import _LONGEST_PAUSE, T, _timeout, has_failed, is_pending
from ._sleep import sleep

__all__ = ["has_failed", "is_pending", "poll_until_done"]


def poll_until_done(
    operation: Operation[Any],
    fetch: Callable[[], T],
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
        response = fetch()
    while is_pending(operation, response):
        left = limit - (time.monotonic() - started)
        if left <= 0:
            raise _timeout(f"{unfinished} within {limit:g} s", response)
        pause = min(max(pause * 1.5, interval), max(_LONGEST_PAUSE, interval))
        sleep(min(pause, left))
        response = fetch()
    return response
