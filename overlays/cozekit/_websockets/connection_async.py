"""Open connections that carry texts: those of the library websockets."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Self

from coze_api._core._http import HTTPResponse

from .adapters import AsyncWebsocket, open_websocket_async
from .concurrency import AsyncWorker
from .connect_params import ConnectParams, LibraryClosed, to_connection_closed
from .session_state import ConnectionClosed

__all__ = ["AsyncConnection"]


class AsyncConnection(AsyncWebsocket):
    """A connection. One thread or task may receive while others send."""

    def __init__(self, websocket: Any) -> None:
        super().__init__(websocket)
        self._heartbeat = AsyncWorker("cozekit-heartbeat")
        self._ping: tuple[float, Callable[[], bool]] | None = None

    @classmethod
    async def connect(cls, params: ConnectParams) -> tuple[Self | None, HTTPResponse]:
        """Connect.

        Returns:
            The connection, or None if the server rejected it, and the response.

        Raises:
            ConnectError, ConnectTimeout: There was no response.
        """
        arguments = params.arguments()
        try:
            websocket = await open_websocket_async(params.url, arguments)
        except Exception as error:
            return None, params.response_or_raise(error)
        assert websocket.response is not None
        response = websocket.response
        return cls(websocket), params.to_response(response.status_code, response.headers, None)

    async def send(self, text: bytes) -> None:
        """Send a text in UTF-8.

        Raises:
            ConnectionClosed: The connection is closed.
        """
        try:
            await self._send(text)
        except LibraryClosed as error:
            raise to_connection_closed(error) from error

    async def receive(self, timeout: float | None) -> bytes:
        """Wait for a message. One that comes too late, or after the call was canceled, is not lost.

        Raises:
            TimeoutError: No message came in time.
            ConnectionClosed: The connection is closed.
        """
        try:
            return await self._receive(timeout)
        except LibraryClosed as error:
            raise to_connection_closed(error) from error

    def start_heartbeat(self, interval: float) -> None:
        """Send a ping at each interval, unless the pong for the last one is missing."""
        self._heartbeat.start(self._send_pings, interval)

    async def _send_pings(self, interval: float) -> None:
        with suppress(LibraryClosed):
            while await self._heartbeat.sleep(interval):
                if self.unanswered_ping is None:
                    has_pong = await self._send_ping()
                    self._ping = (time.monotonic(), has_pong)

    @property
    def unanswered_ping(self) -> float | None:
        """When the latest ping was sent; None if its pong has arrived."""
        return None if self._ping is None or self._ping[1]() else self._ping[0]

    async def close(self, code: int, reason: str, timeout: float | None) -> None:
        """Close the connection. Messages that were not received by then are discarded."""
        draining = AsyncWorker("cozekit-drain")
        draining.start(self._drain)
        try:
            await self._close(code, reason, timeout)
        finally:
            await draining.stop()
        await self._heartbeat.stop()

    async def _drain(self) -> None:
        """Discard messages, because websockets reads nothing, not even a close frame, while its buffer is full."""
        # RuntimeError: another thread or task receives. TimeoutError: receiving ended before the close frame came.
        with suppress(ConnectionClosed, RuntimeError, TimeoutError):
            while True:
                await self.receive(None)
