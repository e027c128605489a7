"""The two clients of the library websockets, for threads and for asyncio, with one interface."""

# Not derived: the client for threads sends under a lock and is woken by its socket; that of asyncio loses a message if
# receiving is canceled, and closing is canceled.
from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Coroutine
from contextlib import suppress
from typing import Any

from anyio import move_on_after  # a dependency of httpx
from websockets import exceptions as _ws
from websockets.asyncio.client import ClientConnection

from .connect_params import AsyncConnect, connect
from .thread_safe_tls import ThreadSafeSSLContext

__all__ = ["AsyncWebsocket", "Websocket", "open_websocket", "open_websocket_async"]


def open_websocket(url: str, arguments: dict[str, Any]) -> Any:
    """Connect by the client for threads."""
    if "ssl" in arguments:
        arguments["ssl"] = ThreadSafeSSLContext(arguments["ssl"])  # websockets calls only its `wrap_socket`
    return connect(url, **arguments).__enter__()  # later versions connect here, earlier ones before


async def open_websocket_async(url: str, arguments: dict[str, Any]) -> Any:
    """Connect by the client for asyncio."""
    return await AsyncConnect(url, create_connection=_Connection, **{**arguments, "ping_interval": None})


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


class _Connection(ClientConnection):
    """A connection that reports when data arrived.

    Attributes:
        on_data: Called after data was processed. A future that websockets has by then completed would continue its task
            only in the next round of the event loop.
    """

    on_data: Callable[[], None] | None = None

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if self.on_data is not None:
            self.on_data()


class AsyncWebsocket:
    """A WebSocket of the client for asyncio.

    If a call to `recv` of websockets is canceled, it loses a message that consists of fragments, or fails. So no task
    awaits it. Its coroutine is kept, and continued by the next call to receive when what it awaits is done.
    """

    def __init__(self, websocket: Any) -> None:
        self._websocket = websocket
        self._receiving: Coroutine[asyncio.Future[Any] | None, None, bytes] | None = None
        self._awaited: asyncio.Future[Any] | None = None  # by the coroutine
        self._waiter: asyncio.Future[None] | None = None  # of the task that receives
        self._timer: asyncio.TimerHandle | None = None  # may be too early: to set one for each message takes long
        websocket.on_data = self._wake

    def _send(self, text: bytes) -> Coroutine[Any, Any, None]:
        sending: Coroutine[Any, Any, None] = self._websocket.send(text, text=True)
        return sending

    def received(self) -> bytes | None:
        """Return the next message if it has arrived, else None."""
        try:
            return self._next()
        except _ws.ConnectionClosed:
            return None  # the next call to receive raises it again

    def _next(self) -> bytes | None:
        """Return the next message if it has arrived, else None.

        Raises:
            ConnectionClosed: The connection is closed.
        """
        if self._waiter is not None or (self._awaited is not None and not self._awaited.done()):
            return None
        if self._receiving is None:
            self._receiving = self._websocket.recv(decode=False)
        try:
            self._awaited = self._receiving.send(None)
        except StopIteration as end:
            self._receiving = self._awaited = None
            message: bytes = end.value
            return message
        except BaseException:
            self._receiving = self._awaited = None
            raise
        if self._awaited is not None:
            self._awaited.add_done_callback(self._wake)
        return None

    async def _receive(self, timeout: float | None) -> bytes:
        if self._waiter is not None:
            raise RuntimeError("another task is waiting for messages of this session")
        loop = asyncio.get_running_loop()
        due = None if timeout is None else loop.time() + timeout
        message = self._next()
        while message is None:
            if due is not None and (self._timer is None or self._timer.when() > due):
                self._stop_timer()
                self._timer = loop.call_at(due, self._on_time)
            self._waiter = loop.create_future()
            try:
                await self._waiter
            finally:
                self._waiter = None
            message = self._next()
            if message is None and due is not None and loop.time() >= due:
                raise TimeoutError
        return message

    def _on_time(self) -> None:
        self._timer = None
        self._wake()

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _wake(self, _: object = None) -> None:
        """Let the task that receives look again."""
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

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
            self._stop_timer()
            if self._receiving is not None:
                self._receiving.close()
                self._receiving = self._awaited = None

    async def abort(self) -> None:
        """Close the connection at once, without a closing handshake."""
        self._websocket.transport.abort()
        with suppress(_ws.ConnectionClosed):
            await self._websocket.wait_closed()


def _retrieve_exception(done: asyncio.Future[Any]) -> None:
    """Retrieve the exception, so that asyncio does not log it as unhandled. The next call to receive raises it."""
    _ = done.cancelled() or done.exception()
