"""A bound for a whole exchange with the service, however its bytes arrive: of a thread, and of a task."""

# Not derived: a task is canceled, a thread only wakes when its connection is shut down.

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TypeVar

from ._http import CONNECTED, HTTPResponse, ReadTimeout
from ._raw_stream import ConnectionWatch, run_after
from ._request import Request

__all__ = ["within", "within_async"]

R = TypeVar("R")
_MESSAGE = "there was no whole response in time"


def within(seconds: float, request: Request, call: Callable[[], R]) -> R:
    """Call, and shut down the connection of *request* if that takes longer than *seconds*.

    Raises:
        ReadTimeout: It took longer.
    """
    watch = ConnectionWatch()
    request.extensions = {"trace": watch.trace, CONNECTED: watch.connected}
    with run_after(seconds, watch.expire):
        try:
            result = call()
        except Exception as error:
            if watch.is_over:
                raise ReadTimeout(_MESSAGE) from error
            raise
    if watch.is_over and isinstance(result, HTTPResponse):
        result.close()
        raise ReadTimeout(_MESSAGE)
    return result


async def within_async(seconds: float, _request: Request, call: Callable[[], Awaitable[R]]) -> R:
    """Call, and cancel that if it takes longer than *seconds*.

    Raises:
        ReadTimeout: It took longer.
    """
    from anyio import move_on_after  # comes with httpx

    with move_on_after(seconds):
        return await call()
    raise ReadTimeout(_MESSAGE)
