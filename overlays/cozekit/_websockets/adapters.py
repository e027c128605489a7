"""The two clients of the library websockets, for threads and for asyncio, with one interface."""

# Not derived: the client for threads sends under a lock and is woken by its socket; that of asyncio loses a message if
# receiving is canceled, and closing is canceled.
from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from anyio import move_on_after  # a dependency of httpx
from websockets import exceptions as _ws

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
    return await AsyncConnect(url, **{**arguments, "ping_interval": None})


class Websocket:
    """A WebSocket of the client for threads."""

    def __init__(self, websocket: Any) -> None:
        self._websocket = websocket
        self._send_lock = threading.Lock()

    def _send(self, text: str) -> None:
        with self._send_lock:
            self._websocket.send(text)

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
    message that consists of fragments, or fails.
    """

    def __init__(self, websocket: Any) -> None:
        self._websocket = websocket
        self._receiving: asyncio.Future[Any] | None = None
        self._is_awaited = False

    async def _send(self, text: str) -> None:
        await self._websocket.send(text)

    async def _receive(self, timeout: float | None) -> bytes:
        if self._is_awaited:
            raise RuntimeError("another task is waiting for messages of this session")
        if self._receiving is None:
            self._receiving = asyncio.ensure_future(self._websocket.recv(decode=False))
            self._receiving.add_done_callback(_retrieve_exception)
        self._is_awaited = True
        try:
            await asyncio.wait([self._receiving], timeout=timeout)
        finally:
            self._is_awaited = False
        if not self._receiving.done():
            raise TimeoutError
        received, self._receiving = self._receiving, None
        message: bytes = received.result()
        return message

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
            if self._receiving is not None:
                self._receiving.cancel()
                await asyncio.wait([self._receiving])

    async def abort(self) -> None:
        """Close the connection at once, without a closing handshake."""
        self._websocket.transport.abort()
        with suppress(_ws.ConnectionClosed):
            await self._websocket.wait_closed()


def _retrieve_exception(done: asyncio.Future[Any]) -> None:
    """Retrieve the exception, so that asyncio does not log it as unhandled. The next call to receive raises it."""
    _ = done.cancelled() or done.exception()
