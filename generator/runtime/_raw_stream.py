"""The bytes of a response as they arrive, and how to stop waiting for them."""

from __future__ import annotations

import socket
import threading
from collections.abc import AsyncIterable, AsyncIterator, Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from typing import Any, cast

from ._http import HTTPResponse

__all__ = [
    "ConnectionWatch",
    "aiter_chunks",
    "close_shielded",
    "iter_chunks",
    "run_after",
    "shutdown_after",
    "shutdown_socket",
    "shutdown_stream",
]

_CONNECTED_EVENTS = ("connect_tcp.complete", "connect_unix_socket.complete", "start_tls.complete")


def iter_chunks(response: HTTPResponse) -> Iterator[bytes]:
    """Iterate over the decoded bytes of a response as they arrive."""
    if response.is_stream_consumed or "content-encoding" in response.headers:
        return response.iter_bytes()
    # Nothing needs decoding, so the layers that would do so are left out: per chunk they cost as much as an event.
    response.is_stream_consumed = True
    return iter(cast("Iterable[bytes]", response.stream))


def aiter_chunks(response: HTTPResponse) -> AsyncIterator[bytes]:
    """Iterate over the decoded bytes of a response as they arrive."""
    if response.is_stream_consumed or "content-encoding" in response.headers:
        return response.aiter_bytes()
    response.is_stream_consumed = True
    return aiter(cast("AsyncIterable[bytes]", response.stream))


async def close_shielded(response: HTTPResponse) -> None:
    """Close a response, even if the task that does so is canceled meanwhile.

    A close that is interrupted cannot be made up for, and the connection would be lost to its pool. HTTP libraries
    guard against cancel scopes, but not against asyncio's `Task.cancel`, which often strikes right here: where data
    comes fast, closing is the first thing that waits.
    """
    import asyncio

    from anyio import CancelScope  # comes with httpx

    if response.is_closed:
        return
    with CancelScope(shield=True):
        try:
            asyncio.get_running_loop()
        except RuntimeError:  # trio knows cancel scopes only
            await response.aclose()
        else:
            await asyncio.shield(asyncio.ensure_future(response.aclose()))


def shutdown_socket(response: HTTPResponse) -> bool:
    """Shut down the connection of a response, so that a read which waits in another thread ends at once.

    Closing would not wake it. The reader has to close the response afterwards.

    Returns:
        Whether there was a connection that belongs to this response alone.
    """
    stream = _stream_of(response)
    return stream is not None and shutdown_stream(stream)


def shutdown_stream(stream: Any) -> bool:
    """Shut down a network stream of the HTTP library, and return whether it has a socket."""
    raw_socket = stream.get_extra_info("socket")
    if raw_socket is not None:
        with suppress(OSError):
            raw_socket.shutdown(socket.SHUT_RDWR)
    return raw_socket is not None


@contextmanager
def shutdown_after(seconds: float, response: HTTPResponse) -> Iterator[None]:
    """Shut down the connection if reading in this context takes longer than *seconds*."""
    if _stream_of(response) is None:
        yield
        return
    with run_after(seconds, lambda: shutdown_socket(response)):
        yield


@contextmanager
def run_after(seconds: float, function: Callable[[], object]) -> Iterator[None]:
    """Run a function in a thread of its own if this context takes longer than *seconds*."""
    timer = threading.Timer(seconds, function)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
        timer.join()  # or it could shut down the connection while the next request uses it


class ConnectionWatch:
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


def _stream_of(response: HTTPResponse) -> Any:
    """Find the network stream of a response, unless other responses come by it too."""
    return None if response.http_version == "HTTP/2" else response.extensions.get("network_stream")
