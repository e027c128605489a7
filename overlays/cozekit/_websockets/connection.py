"""Connections that carry texts, sync and async: those of the library websockets, once they are open."""

from __future__ import annotations

import asyncio
import threading
from contextlib import suppress
from typing import Any

from websockets import exceptions as _ws

__all__ = ["AsyncWire", "Wire", "WireClosed"]


class WireClosed(Exception):
    """The connection is closed, or broke."""

    def __init__(self, code: int, reason: str, *, clean: bool, here: bool) -> None:
        super().__init__(code, reason)
        self.code = code
        self.reason = reason
        self.clean = clean
        self.here = here


def _closed(error: _ws.ConnectionClosed) -> WireClosed:
    told = error.rcvd or error.sent
    if told is None:
        cause = error.__cause__
        return WireClosed(1006, str(cause or ""), clean=False, here=False)
    here = error.rcvd is None or error.rcvd_then_sent is False
    clean = isinstance(error, _ws.ConnectionClosedOK)
    return WireClosed(told.code, told.reason, clean=clean, here=here)


class Wire:
    """A connection. One thread may receive while others send."""

    def __init__(self, connection: Any) -> None:
        self._connection = connection

    def send(self, text: str) -> None:
        """Send a text.

        Raises:
            WireClosed: The connection is closed.
        """
        try:
            self._connection.send(text)
        except _ws.ConnectionClosed as error:
            raise _closed(error) from error

    def receive(self, timeout: float) -> bytes:
        """Wait for a message.

        Raises:
            TimeoutError: None came. Nothing of one that comes later is lost.
            WireClosed: The connection is closed.
        """
        try:
            received: str | bytes = self._connection.recv(timeout, decode=False)
        except _ws.ConnectionClosed as error:
            raise _closed(error) from error
        except _ws.ConcurrencyError:
            raise RuntimeError("another thread is waiting for messages of this session") from None
        return received.encode() if isinstance(received, str) else received

    def ping(self) -> threading.Event | None:
        """Send a ping; what is returned is set by the answer. None where the connection is closed."""
        try:
            pong: threading.Event = self._connection.ping()
        except _ws.ConnectionClosed:
            return None
        return pong

    def close(self, code: int = 1000, reason: str = "") -> None:
        """Say goodbye and hang up. What was not received by then is thrown away."""
        draining = threading.Thread(target=self._drain, name="cozekit-drain", daemon=True)
        draining.start()
        self._connection.close(code, reason)
        draining.join()

    def _drain(self) -> None:
        """Make room, since nothing is read from a full connection, not even the other side's goodbye."""
        with suppress(_ws.ConnectionClosed, _ws.ConcurrencyError):
            while True:
                self._connection.recv(decode=False)

    def abort(self) -> None:
        """Hang up at once."""
        self._connection.close_socket()
        self._connection.recv_events_thread.join()


class AsyncWire:
    """A connection, awaited. One task may receive while others send.

    Receiving goes on in a task of its own while nobody waits: websockets loses a message in fragments, or fails,
    where waiting for it is cancelled.
    """

    def __init__(self, connection: Any) -> None:
        self._connection = connection
        self._receiving: asyncio.Future[Any] | None = None
        self._is_awaited = False

    async def send(self, text: str) -> None:
        """Send a text. See `Wire.send`."""
        try:
            await self._connection.send(text)
        except _ws.ConnectionClosed as error:
            raise _closed(error) from error

    async def receive(self, timeout: float | None) -> bytes:  # noqa: ASYNC109  (a state machine decides it, for both)
        """Wait for a message. See `Wire.receive`. Cancelling it loses nothing."""
        if self._is_awaited:
            raise RuntimeError("another task is waiting for messages of this session")
        if self._receiving is None:
            self._receiving = asyncio.ensure_future(self._connection.recv(decode=False))
            self._receiving.add_done_callback(_look_at)
        self._is_awaited = True
        try:
            await asyncio.wait([self._receiving], timeout=timeout)
        finally:
            self._is_awaited = False
        if not self._receiving.done():
            raise TimeoutError
        received, self._receiving = self._receiving, None
        try:
            message: str | bytes = received.result()
        except _ws.ConnectionClosed as error:
            raise _closed(error) from error
        return message.encode() if isinstance(message, str) else message

    async def ping(self) -> Any:
        """Send a ping; what is returned is done by the answer. None where the connection is closed."""
        try:
            pong = await self._connection.ping()
        except _ws.ConnectionClosed:
            return None
        pong.add_done_callback(_look_at)
        return pong

    async def close(self, code: int = 1000, reason: str = "") -> None:
        """Say goodbye and hang up. What was not received by then is thrown away."""
        draining = asyncio.ensure_future(self._drain())
        try:
            await self._connection.close(code, reason)
        finally:
            draining.cancel()
            await asyncio.wait([draining])
            await self._stop_receiving()

    async def _drain(self) -> None:
        """Make room. See `Wire`."""
        with suppress(WireClosed, RuntimeError):  # where another task waits for messages, it makes room
            while True:
                await self.receive(None)

    async def _stop_receiving(self) -> None:
        if self._receiving is not None:
            self._receiving.cancel()
            await asyncio.wait([self._receiving])

    async def abort(self) -> None:
        """Hang up at once."""
        self._connection.transport.abort()
        with suppress(_ws.ConnectionClosed):
            await self._connection.wait_closed()


def _look_at(done: asyncio.Future[Any]) -> None:
    """Look at a failure, since asyncio tells of those that nobody looks at: who receives next is told anyway."""
    if not done.cancelled():
        done.exception()
