"""The one place that knows websockets: connections that carry texts, sync and async."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

import attrs
from websockets import exceptions as _ws
from websockets.asyncio.client import connect as _aconnect
from websockets.sync import client as _sync
from websockets.version import version as _version

from coze_api._core._http import ConnectError, ConnectTimeout, HTTPRequest, HTTPResponse

from ..errors import InvalidArgumentError
from ._tls import GuardedTLS

__all__ = ["AsyncWire", "Dial", "Wire", "WireClosed", "adial", "dial"]

_KNOWS_PROXIES = int(_version.partition(".")[0]) >= 15
_SECRET = {"authorization", "cookie", "proxy-authorization", "set-cookie"}
_log = logging.getLogger("cozekit.websockets")


def _hide_secrets(record: logging.LogRecord) -> bool:
    """Take tokens out of what websockets logs of a handshake."""
    if isinstance(record.args, tuple) and len(record.args) == 2 and str(record.args[0]).lower() in _SECRET:
        record.args = (record.args[0], "[hidden]")
    return True


_log.addFilter(_hide_secrets)


class WireClosed(Exception):
    """The connection is closed, or broke."""

    def __init__(self, code: int, reason: str, *, clean: bool, here: bool) -> None:
        super().__init__(code, reason)
        self.code = code
        self.reason = reason
        self.clean = clean
        self.here = here


@attrs.frozen
class Dial:
    """What is needed to connect.

    Attributes:
        url: Address.
        headers: Headers besides those that a handshake always has.
        request: The request that this is made of.
        ssl: TLS settings, for `wss://`.
        proxy: Address of a proxy, True for that of the environment, None for none.
        open_timeout: Seconds for everything until the connection is open.
        close_timeout: Seconds for the goodbye.
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

    def settings(self) -> dict[str, Any]:
        """Write it as arguments of websockets."""
        settings: dict[str, Any] = {
            "additional_headers": self.headers,
            "user_agent_header": None,  # it is among the headers
            "compression": None,  # sound in Base64 hardly shrinks, and every piece would wait for it
            "open_timeout": self.open_timeout,
            "close_timeout": self.close_timeout,
            "max_size": self.max_size,
            "logger": _log,
        }
        if self.ssl is not None:
            settings["ssl"] = self.ssl
        if _KNOWS_PROXIES:
            settings |= {"proxy": self.proxy, "ping_interval": None}
        elif isinstance(self.proxy, str):
            raise InvalidArgumentError(f"a proxy for WebSockets needs websockets 15 or later; this is {_version}")
        return settings

    def answer(self, status: int, headers: Any, body: bytes | bytearray | None) -> HTTPResponse:
        """Write the answer to the handshake as HTTP has it."""
        pairs = [(key, value) for key, value in headers.raw_items() if key.lower() != "content-encoding"]
        return HTTPResponse(status, headers=pairs, content=bytes(body or b""), request=self.request)

    def failure(self, error: Exception) -> HTTPResponse | Exception:
        """Tell what came of a handshake that failed: an answer, or why there is none."""
        if isinstance(error, _ws.InvalidStatus):
            answer = error.response
            return self.answer(answer.status_code, answer.headers, answer.body)
        if type(error).__name__ == "InvalidProxy":  # unknown to websockets 14; its text shows the proxy's password
            return InvalidArgumentError("the proxy for WebSockets has an address that cannot be used")
        where = self.url.partition("?")[0]
        if isinstance(error, TimeoutError):
            return ConnectTimeout(f"{where}: not open in time", request=self.request)
        return ConnectError(f"{where}: {str(error) or type(error).__name__}", request=self.request)


class _StaysHere:
    """Does not follow redirects: they would take the token elsewhere."""

    def process_redirect(self, exc: Exception) -> Exception | str:
        return exc


class _NoRedirects(_StaysHere, _aconnect):
    """Connects, awaited."""


def _without_redirects(connect: Any) -> Any:
    """Keep websockets 17 from following redirects; earlier versions of its sync client do not know them."""
    follows = getattr(_sync, "reconnect", None)
    return connect if follows is None else type("_NoRedirectsSync", (_StaysHere, follows), {})


_connect = _without_redirects(_sync.connect)


_FAILURES = (OSError, _ws.WebSocketException, EOFError, ValueError)


def dial(to: Dial) -> tuple[Wire | None, HTTPResponse]:
    """Connect.

    Returns:
        The connection, or None where it was refused, and the answer.

    Raises:
        ConnectError, ConnectTimeout: There was no answer.
    """
    settings = to.settings()
    if to.ssl is not None:
        settings["ssl"] = GuardedTLS(to.ssl)  # websockets calls nothing but its `wrap_socket`
    try:
        made = _connect(to.url, **settings).__enter__()  # later versions connect here, earlier ones before
    except _FAILURES as error:
        failure = to.failure(error)
        if isinstance(failure, Exception):
            raise failure from error
        return None, failure
    assert made.response is not None
    return Wire(made), to.answer(made.response.status_code, made.response.headers, None)


async def adial(to: Dial) -> tuple[AsyncWire | None, HTTPResponse]:
    """Connect. See `dial`."""
    settings = {**to.settings(), "ping_interval": None}
    try:
        made = await _NoRedirects(to.url, **settings)
    except _FAILURES as error:
        failure = to.failure(error)
        if isinstance(failure, Exception):
            raise failure from error
        return None, failure
    assert made.response is not None
    return AsyncWire(made), to.answer(made.response.status_code, made.response.headers, None)


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
