"""Open connections that carry texts, sync and async: those of the library websockets."""

# Not derived: websockets has another API for threads, which receives, pings and closes under locks.
from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from typing import Any, Self

import attrs
from anyio import move_on_after  # a dependency of httpx
from websockets import exceptions as _ws
from websockets.asyncio.client import connect as _aconnect
from websockets.sync import client as _sync
from websockets.version import version as _version

from coze_api._core._http import ConnectError, ConnectTimeout, HTTPRequest, HTTPResponse

from ..errors import InvalidArgumentError
from .session_state import ConnectionClosed
from .thread_safe_tls import ThreadSafeSSLContext

__all__ = ["AsyncConnection", "ConnectParams", "Connection"]

_KNOWS_PROXIES = int(_version.partition(".")[0]) >= 15
_SECRET = {"authorization", "cookie", "proxy-authorization", "set-cookie"}
_log = logging.getLogger("cozekit.websockets")


def _hide_secrets(record: logging.LogRecord) -> bool:
    """Hide tokens in the log that websockets writes of a handshake."""
    if isinstance(record.args, tuple) and len(record.args) == 2 and str(record.args[0]).lower() in _SECRET:
        record.args = (record.args[0], "[hidden]")
    return True


_log.addFilter(_hide_secrets)


@attrs.frozen
class ConnectParams:
    """Parameters of a connection.

    Attributes:
        url: Address.
        headers: Headers in addition to those of every handshake.
        request: The request that these parameters come from.
        ssl: TLS settings, for `wss://`.
        proxy: Address of a proxy, True for that of the environment, None for none.
        open_timeout: Seconds until the connection must be open.
        close_timeout: Seconds for the closing handshake.
        max_size: Largest message in bytes.
    """

    url: str
    headers: Mapping[str, str] = attrs.field(repr=False)
    request: HTTPRequest = attrs.field(repr=False)
    ssl: Any
    proxy: str | bool | None = attrs.field(repr=False)
    open_timeout: float | None
    close_timeout: float | None
    max_size: int

    def arguments(self) -> dict[str, Any]:
        """Return the arguments for websockets."""
        arguments: dict[str, Any] = {
            "additional_headers": self.headers,
            "user_agent_header": None,  # it is among the headers
            "compression": None,  # audio in Base64 hardly shrinks, and compression would delay each message
            "open_timeout": self.open_timeout,
            "close_timeout": self.close_timeout,
            "max_size": self.max_size,
            "logger": _log,
        }
        if self.ssl is not None:
            arguments["ssl"] = self.ssl
        if _KNOWS_PROXIES:
            arguments |= {"proxy": self.proxy, "ping_interval": None}
        elif isinstance(self.proxy, str):
            raise InvalidArgumentError(f"a proxy for WebSockets needs websockets 15 or later; this is {_version}")
        return arguments

    def to_response(self, status: int, headers: Any, body: bytes | bytearray | None) -> HTTPResponse:
        """Convert the response to the handshake."""
        pairs = [(key, value) for key, value in headers.raw_items() if key.lower() != "content-encoding"]
        return HTTPResponse(status, headers=pairs, content=bytes(body or b""), request=self.request)

    def response_or_raise(self, error: Exception) -> HTTPResponse:
        """Return the response to a rejected handshake.

        Raises:
            ConnectError, ConnectTimeout: There was no response.
            InvalidArgumentError: The proxy's address cannot be used.
        """
        if isinstance(error, MemoryError):
            raise error
        if isinstance(error, _ws.InvalidStatus):
            response = error.response
            return self.to_response(response.status_code, response.headers, response.body)
        if type(error).__name__ == "InvalidProxy":  # unknown to websockets 14; its text shows the proxy's password
            raise InvalidArgumentError("the proxy for WebSockets has an unusable address") from error
        where = self.url.partition("?")[0]
        if isinstance(error, TimeoutError):
            raise ConnectTimeout(f"{where}: not open in time", request=self.request) from error
        raise ConnectError(f"{where}: {str(error) or type(error).__name__}", request=self.request) from error


class _NoRedirects:
    """Follows no redirect, which would send the token to another address."""

    def process_redirect(self, exc: Exception) -> Exception | str:
        return exc


class _AsyncConnect(_NoRedirects, _aconnect):
    """Connects."""


def _without_redirects(connect: Any) -> Any:
    """Keep websockets 17 from following redirects; earlier versions of its sync client do not know them."""
    follows = getattr(_sync, "reconnect", None)
    return connect if follows is None else type("_Connect", (_NoRedirects, follows), {})


_connect = _without_redirects(_sync.connect)


def _closed(error: _ws.ConnectionClosed) -> ConnectionClosed:
    frame = error.rcvd or error.sent
    if frame is None:
        cause = error.__cause__
        return ConnectionClosed(1006, str(cause or ""), clean=False, locally=False)
    locally = error.rcvd is None or error.rcvd_then_sent is False
    clean = isinstance(error, _ws.ConnectionClosedOK)
    return ConnectionClosed(frame.code, frame.reason, clean=clean, locally=locally)


class Connection:
    """A connection. One thread may receive while others send."""

    def __init__(self, connection: Any) -> None:
        self._connection = connection
        self._send_lock = threading.Lock()
        self._closing = threading.Event()
        self._heartbeat: threading.Thread | None = None
        self._ping: tuple[float, threading.Event] | None = None

    @classmethod
    def connect(cls, params: ConnectParams) -> tuple[Self | None, HTTPResponse]:
        """Connect.

        Returns:
            The connection, or None if the server rejected it, and the response.

        Raises:
            ConnectError, ConnectTimeout: There was no response.
        """
        arguments = params.arguments()
        if params.ssl is not None:
            arguments["ssl"] = ThreadSafeSSLContext(params.ssl)  # websockets calls only its `wrap_socket`
        try:
            connection = _connect(
                params.url, **arguments
            ).__enter__()  # later versions connect here, earlier ones before
        except Exception as error:
            return None, params.response_or_raise(error)
        assert connection.response is not None
        response = connection.response
        return cls(connection), params.to_response(response.status_code, response.headers, None)

    def send(self, text: str) -> None:
        """Send a text.

        Raises:
            ConnectionClosed: The connection is closed.
        """
        try:
            with self._send_lock:
                self._connection.send(text)
        except _ws.ConnectionClosed as error:
            raise _closed(error) from error

    def receive(self, timeout: float) -> bytes:
        """Wait for a message.

        Raises:
            TimeoutError: No message came in time. A later one is not lost.
            ConnectionClosed: The connection is closed.
        """
        try:
            received: str | bytes = self._connection.recv(timeout, decode=False)
        except _ws.ConnectionClosed as error:
            raise _closed(error) from error
        except _ws.ConcurrencyError:
            raise RuntimeError("another thread is waiting for messages of this session") from None
        return received.encode() if isinstance(received, str) else received

    def start_heartbeat(self, interval: float) -> None:
        """Send a ping at each interval, unless the pong for the last one is missing."""
        self._heartbeat = threading.Thread(
            target=self._heartbeat_loop, args=[interval], name="cozekit-heartbeat", daemon=True
        )
        self._heartbeat.start()

    def _heartbeat_loop(self, interval: float) -> None:
        with suppress(_ws.ConnectionClosed):
            while not self._closing.wait(interval):
                if self.unanswered_ping is None:
                    self._ping = (time.monotonic(), self._connection.ping())

    @property
    def unanswered_ping(self) -> float | None:
        """When the latest ping was sent; None if its pong has arrived."""
        return None if self._ping is None or self._ping[1].is_set() else self._ping[0]

    def close(self, code: int, reason: str, timeout: float | None) -> None:
        """Close the connection. Messages that were not received by then are discarded."""
        self._closing.set()
        # If the server does not read, a thread may be blocked while sending, which would block the close frame, too.
        if self._send_lock.acquire(timeout=timeout or -1):
            self._send_lock.release()
            draining = threading.Thread(target=self._drain, name="cozekit-drain", daemon=True)
            draining.start()
            self._connection.close(code, reason)
            draining.join()
        else:
            self.abort()
        if self._heartbeat is not None:
            self._heartbeat.join()

    def _drain(self) -> None:
        """Discard messages, because websockets reads nothing, not even a close frame, while its buffer is full."""
        with suppress(_ws.ConnectionClosed, _ws.ConcurrencyError):
            while True:
                self._connection.recv(decode=False)

    def abort(self) -> None:
        """Close the connection at once, without a closing handshake."""
        self._connection.close_socket()
        self._connection.recv_events_thread.join()


class AsyncConnection:
    """A connection. One task may receive while others send.

    A task of its own receives, also while nobody waits: if a call to `recv` of websockets is canceled, it loses a
    message that consists of fragments, or fails.
    """

    def __init__(self, connection: Any) -> None:
        self._connection = connection
        self._receiving: asyncio.Future[Any] | None = None
        self._is_awaited = False
        self._heartbeat: asyncio.Task[None] | None = None
        self._ping: tuple[float, asyncio.Future[float]] | None = None

    @classmethod
    async def connect(cls, params: ConnectParams) -> tuple[Self | None, HTTPResponse]:
        """Connect.

        Returns:
            The connection, or None if the server rejected it, and the response.

        Raises:
            ConnectError, ConnectTimeout: There was no response.
        """
        try:
            connection = await _AsyncConnect(params.url, **{**params.arguments(), "ping_interval": None})
        except Exception as error:
            return None, params.response_or_raise(error)
        assert connection.response is not None
        response = connection.response
        return cls(connection), params.to_response(response.status_code, response.headers, None)

    async def send(self, text: str) -> None:
        """Send a text.

        Raises:
            ConnectionClosed: The connection is closed.
        """
        try:
            await self._connection.send(text)
        except _ws.ConnectionClosed as error:
            raise _closed(error) from error

    async def receive(self, timeout: float | None) -> bytes:  # noqa: ASYNC109  (as for threads)
        """Wait for a message. Canceling the call loses none.

        Raises:
            TimeoutError: No message came in time. A later one is not lost.
            ConnectionClosed: The connection is closed.
        """
        if self._is_awaited:
            raise RuntimeError("another task is waiting for messages of this session")
        if self._receiving is None:
            self._receiving = asyncio.ensure_future(self._connection.recv(decode=False))
            self._receiving.add_done_callback(_retrieve_exception)
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

    def start_heartbeat(self, interval: float) -> None:
        """Send a ping at each interval, unless the pong for the last one is missing."""
        self._heartbeat = asyncio.create_task(self._heartbeat_loop(interval), name="cozekit-heartbeat")

    async def _heartbeat_loop(self, interval: float) -> None:
        with suppress(_ws.ConnectionClosed):
            while True:
                await asyncio.sleep(interval)
                if self.unanswered_ping is None:
                    pong = await self._connection.ping()
                    pong.add_done_callback(_retrieve_exception)
                    self._ping = (time.monotonic(), pong)

    @property
    def unanswered_ping(self) -> float | None:
        """When the latest ping was sent; None if its pong has arrived."""
        return None if self._ping is None or self._ping[1].done() else self._ping[0]

    async def close(self, code: int, reason: str, timeout: float | None) -> None:  # noqa: ASYNC109  (as for threads)
        """Close the connection. Messages that were not received by then are discarded."""
        with move_on_after(timeout) as scope:
            await self._close(code, reason)
        if scope.cancelled_caught:
            await self.abort()
        if self._heartbeat is not None:
            self._heartbeat.cancel()
            await asyncio.wait([self._heartbeat])

    async def _close(self, code: int, reason: str) -> None:
        draining = asyncio.ensure_future(self._drain())
        try:
            await self._connection.close(code, reason)
        finally:
            draining.cancel()
            await asyncio.wait([draining])
            await self._stop_receiving()

    async def _drain(self) -> None:
        """Discard messages, because websockets reads nothing, not even a close frame, while its buffer is full."""
        with suppress(
            ConnectionClosed, RuntimeError
        ):  # RuntimeError: another task receives, which empties the buffer, too
            while True:
                await self.receive(None)

    async def _stop_receiving(self) -> None:
        if self._receiving is not None:
            self._receiving.cancel()
            await asyncio.wait([self._receiving])

    async def abort(self) -> None:
        """Close the connection at once, without a closing handshake."""
        self._connection.transport.abort()
        with suppress(_ws.ConnectionClosed):
            await self._connection.wait_closed()


def _retrieve_exception(done: asyncio.Future[Any]) -> None:
    """Retrieve the exception, so that asyncio does not log it as unhandled. The next call to receive raises it."""
    if not done.cancelled():
        done.exception()
