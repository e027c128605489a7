"""A bound for a whole exchange with the service, however its bytes arrive: of a thread, and of a task."""

# Not derived: a task is canceled, a thread only wakes when its connection is shut down.

from __future__ import annotations

import threading
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from ._http import CONNECTED, HTTPResponse, ReadTimeout
from ._raw_stream import shutdown_stream
from ._request import Request

__all__ = ["within", "within_async"]

R = TypeVar("R")
_CONNECTED_EVENTS = ("connect_tcp.complete", "connect_unix_socket.complete", "start_tls.complete")


def within(seconds: float, request: Request, call: Callable[[], R]) -> R:
    """Call, and shut down the connection of *request* if that takes longer than *seconds*.

    Raises:
        ReadTimeout: It took longer.
    """
    watch = _Watch()
    request.extensions = {"trace": watch.trace, CONNECTED: watch.connected}
    timer = threading.Timer(seconds, watch.expire)
    timer.daemon = True
    timer.start()
    try:
        result = call()
    except Exception as error:
        if watch.is_over:
            raise _timeout() from error
        raise
    finally:
        timer.cancel()
        timer.join()  # or it could shut down the connection while the next request uses it
    if watch.is_over and isinstance(result, HTTPResponse):
        result.close()
        raise _timeout()
    return result


async def within_async(seconds: float, _request: Request, call: Callable[[], Awaitable[R]]) -> R:
    """Call, and cancel that if it takes longer than *seconds*.

    Raises:
        ReadTimeout: It took longer.
    """
    from anyio import move_on_after  # comes with httpx

    with move_on_after(seconds):
        return await call()
    raise _timeout()


def _timeout() -> ReadTimeout:
    return ReadTimeout("there was no whole response in time")


class _Watch:
    """Shuts down the connection of a request from another thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._stream: Any = None
        self.is_over = False

    def trace(self, event: str, info: dict[str, Any]) -> None:
        """Notice the connection that the HTTP library opens."""
        if event.endswith(_CONNECTED_EVENTS):
            self.connected(info["return_value"])

    def connected(self, stream: Any) -> None:
        """Notice the connection that the request uses."""
        with self._lock:
            self._stream = stream
            if self.is_over:
                shutdown_stream(stream)

    def expire(self) -> None:
        """End what the request waits for."""
        with self._lock:
            self.is_over = True
            if self._stream is not None:
                shutdown_stream(self._stream)
