"""The two clients of the library websockets, for threads and for asyncio, with one interface."""

# Not derived: the client for threads sends under a lock and is woken by its socket; that of asyncio loses a message if
# receiving is canceled, and closing is canceled.
from __future__ import annotations

import asyncio
import threading
from collections import deque
from collections.abc import Callable, Coroutine
from contextlib import suppress
from typing import Any

from anyio import move_on_after  # a dependency of httpx
from websockets import exceptions as _ws

from .connect_params import AsyncConnect, connect
from .thread_safe_tls import ThreadSafeSSLContext

__all__ = ["AsyncWebsocket", "Websocket", "open_websocket", "open_websocket_async"]

_MOST_READ_AHEAD = 16  # messages, as many as websockets has itself before it slows the server down
_LONGEST_READ_AHEAD = 64 * 1024  # bytes of a message, beyond which it is the last one


def open_websocket(url: str, arguments: dict[str, Any]) -> Any:
    """Connect by the client for threads."""
    if "ssl" in arguments:
        arguments["ssl"] = ThreadSafeSSLContext(arguments["ssl"])  # websockets calls only its `wrap_socket`
    return connect(url, **arguments).__enter__()  # later versions connect here, earlier ones before


async def open_websocket_async(url: str, arguments: dict[str, Any]) -> Any:
    """Connect by the client for asyncio."""
    return await AsyncConnect(url, **{**arguments, "ping_interval": None})


class Websocket:
    """A WebSocket of the client for threads."""

    def __init__(self, websocket: Any) -> None:
        self._websocket = websocket
        self._send_lock = threading.Lock()

    def _send(self, text: bytes) -> None:
        with self._send_lock:
            self._websocket.send(text, text=True)

    def received(self) -> bytes | None:
        """Return None: to look whether a message has arrived takes as long as to receive it."""
        return None

    def _receive(self, timeout: float | None) -> bytes:
        try:
            message: bytes = self._websocket.recv(timeout, decode=False)
        except _ws.ConcurrencyError:
            raise RuntimeError("another thread is waiting for messages of this session") from None
        return message

    def _send_ping(self) -> Callable[[], bool]:
        """Send a ping, and return what returns whether its pong has arrived."""
        pong: threading.Event = self._websocket.ping()
        return pong.is_set

    def _close(self, code: int, reason: str, timeout: float | None) -> None:
        # If the server does not read, a thread may be blocked while sending, which would block the close frame, too.
        if self._send_lock.acquire(timeout=timeout or -1):
            self._send_lock.release()
            self._websocket.close(code, reason)
        else:
            self.abort()

    def abort(self) -> None:
        """Close the connection at once, without a closing handshake."""
        self._websocket.close_socket()
        self._websocket.recv_events_thread.join()


class AsyncWebsocket:
    """A WebSocket of the client for asyncio.

    A task of its own receives, also while nobody waits: if a call to `recv` of websockets is canceled, it loses a
    message that consists of fragments, or fails. The task takes all messages that have arrived, so that switching to it
    and back is rare. While it has enough of them, the server is slowed down by websockets.
    """

    def __init__(self, websocket: Any) -> None:
        self._websocket = websocket
        self._messages: deque[bytes] = deque()
        self._reader: asyncio.Task[None] | None = None
        self._end: Exception | None = None  # of the connection
        self._arrival: asyncio.Future[None] | None = None  # what `_receive` waits for
        self._room: asyncio.Future[None] | None = None  # what the task waits for

    def _send(self, text: bytes) -> Coroutine[Any, Any, None]:
        sending: Coroutine[Any, Any, None] = self._websocket.send(text, text=True)
        return sending

    def received(self) -> bytes | None:
        """Return the next message if it has arrived, else None."""
        if not self._messages or self._arrival is not None:
            return None
        if len(self._messages) == 1:
            _wake(self._room)
        return self._messages.popleft()

    async def _receive(self, timeout: float | None) -> bytes:
        if self._arrival is not None:
            raise RuntimeError("another task is waiting for messages of this session")
        if not self._messages and self._end is None:
            await self._wait(timeout)
        message = self.received()
        if message is not None:
            return message
        if self._end is None:
            raise TimeoutError
        raise self._end.with_traceback(None)  # perhaps once more

    async def _wait(self, timeout: float | None) -> None:
        """Wait for a message, the end of the connection, or the time."""
        if self._reader is None:
            self._reader = asyncio.create_task(self._read(), name="cozekit-receiver")
        loop = asyncio.get_running_loop()
        self._arrival = loop.create_future()
        timer = None if timeout is None else loop.call_later(timeout, _wake, self._arrival)
        try:
            await self._arrival
        finally:
            self._arrival = None
            if timer is not None:
                timer.cancel()

    async def _read(self) -> None:
        """Take messages from websockets until the connection ends."""
        loop = asyncio.get_running_loop()
        try:
            while True:
                message = await self._websocket.recv(decode=False)
                self._messages.append(message)
                _wake(self._arrival)
                if len(self._messages) >= _MOST_READ_AHEAD or len(message) > _LONGEST_READ_AHEAD:
                    self._room = loop.create_future()
                    await self._room
                    self._room = None
        except Exception as error:
            self._end = error
        finally:
            _wake(self._arrival)

    async def _send_ping(self) -> Callable[[], bool]:
        """Send a ping, and return what returns whether its pong has arrived."""
        pong: asyncio.Future[float] = await self._websocket.ping()
        pong.add_done_callback(_retrieve_exception)
        return pong.done

    async def _close(self, code: int, reason: str, timeout: float | None) -> None:
        try:
            with move_on_after(timeout) as scope:
                await self._websocket.close(code, reason)
            if scope.cancelled_caught:
                await self.abort()
        finally:
            if self._reader is not None:
                self._reader.cancel()
                await asyncio.wait([self._reader])

    async def abort(self) -> None:
        """Close the connection at once, without a closing handshake."""
        self._websocket.transport.abort()
        with suppress(_ws.ConnectionClosed):
            await self._websocket.wait_closed()


def _wake(waiting: asyncio.Future[None] | None) -> None:
    """Let a task continue that waits for the future."""
    if waiting is not None and not waiting.done():
        waiting.set_result(None)


def _retrieve_exception(done: asyncio.Future[Any]) -> None:
    """Retrieve the exception, so that asyncio does not log it as unhandled. The next call to receive raises it."""
    _ = done.cancelled() or done.exception()
