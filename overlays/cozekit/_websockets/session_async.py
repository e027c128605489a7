"""Sessions over a WebSocket: open, send, receive, close. Subclasses add what is special to a protocol."""

from __future__ import annotations

import time
from collections.abc import AsyncGenerator, AsyncIterable, AsyncIterator, Callable
from typing import TYPE_CHECKING, Generic, Self, TypeVar

from coze_api._core._handshake import Handshake
from coze_api._core._messages import EncodedMessage

from ..errors import SocketClosed
from .concurrency import AsyncLock, AsyncShield, AsyncSource, aiter_items
from .handshake_async import open_connection
from .options import SocketOptions
from .sender_async import AsyncSender
from .session_state import NORMAL_CLOSE_CODES, ConnectionClosed, SessionState

if TYPE_CHECKING:
    from coze_api._core._client_async import AsyncBaseClient

    from .connection_async import AsyncConnection

__all__ = ["AsyncSession"]

U = TypeVar("U")
D = TypeVar("D")
T = TypeVar("T")


class AsyncSession(Generic[U, D]):
    """A WebSocket. Opened by `async with` or by the first message sent or received; closed on exit from `async with`.

    One thread or task may receive while others send. Async sessions need asyncio: websockets does not support trio.

    Iterating over it yields every message of any kind until the connection is closed. A message that reports a
    failure is raised as `SocketFailed` or `ChatFailed`; the session can be used after it.
    """

    def __init__(
        self, client: AsyncBaseClient, handshake: Handshake[U, D], options: SocketOptions, settings: U | None = None
    ) -> None:
        self._client = client
        self._state = SessionState(handshake, options)
        self._connection: AsyncConnection | None = None
        self._settings = settings
        self._senders: set[AsyncSender] = set()
        self._closing = False
        self._is_closed = False
        self._opening = AsyncLock()
        if settings is not None:
            self._state.encode(settings)  # raises before a connection is made

    @property
    def logid(self) -> str:
        """Log id of the connection, which Coze support needs; "" until it is open."""
        return self._state.logid

    @property
    def is_open(self) -> bool:
        """Whether the connection was opened and is not known to be closed."""
        return self._connection is not None and self._state.closed is None and not self._closing

    @property
    def received(self) -> int:
        """Number of messages that arrived."""
        return self._state.received

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._state.operation}, logid={self.logid!r}, open={self.is_open})"

    async def open(self) -> Self:
        """Connect, send the settings if there are any, and return when Coze has confirmed them.

        Raises:
            APIError: Coze rejected the handshake.
            APIConnectionError: There was no response.
            SocketFailed: Coze rejected the settings.
        """
        async with self._opening:
            if self._connection is not None:
                return self
            state = self._state
            self._connection, state.logid = await open_connection(self._client, state.handshake, state.options)
            if state.options.ping_interval is not None:
                self._connection.start_heartbeat(state.options.ping_interval)
        if self._settings is not None:
            try:
                await self._configure(self._settings)
            except BaseException:
                await self.close()
                raise
        return self

    async def _configure(self, settings: U) -> None:
        """Send settings and wait for their confirmation, if Coze sends one. Other messages become pending."""
        await self.send(settings)
        confirmations = self._confirmations(settings)
        while confirmations:
            message = await self._receive()
            if self._state.kind_of(message) in confirmations:
                return
            self._state.pending.append(message)

    def _confirmations(self, settings: U) -> frozenset[str]:
        """Return the kinds of message that confirm settings."""
        return self._state.confirmations(settings)

    async def send(self, message: U) -> str:
        """Send a message.

        Args:
            message: One of the protocol's uplink messages, or a dict of the same form. An `Unknown` is sent unchecked.

        Returns:
            The message's id; a new one if the message has none.

        Raises:
            InvalidArgumentError: The message does not match the description; nothing was sent.
            SocketClosed: The connection is closed.
        """
        number, frame = self._state.encode(message)
        await self._send_frame(frame)
        return number

    async def _send_frame(self, frame: bytes) -> None:
        """Send an encoded message."""
        if self._connection is None:
            await self.open()
        assert self._connection is not None
        try:
            await self._connection.send(frame)
        except ConnectionClosed as closed:
            raise self._state.closed_by_peer(closed, self) from closed
        self._state.sent()

    async def recv(self, timeout: float | None = None) -> D:
        """Wait for the next message. In async code, canceling the call loses no message.

        Args:
            timeout: Seconds to wait. Default: the option `idle_timeout`.

        Returns:
            The message; an `Unknown` if the description does not have its kind.

        Raises:
            SocketFailed: The message reports a failure; the session can still be used.
            ChatFailed: The message reports a failed chat; the session can still be used.
            SocketClosed: The connection is closed, and no message is left.
            APITimeoutError: No message came in time. The session is still open.
        """
        return self._state.pending.popleft() if self._state.pending else await self._receive(timeout=timeout)

    async def _receive(self, sender: AsyncSender | None = None, *, timeout: float | None = None) -> D:
        """Receive a message from the connection."""
        if self._connection is None:
            await self.open()
        assert self._connection is not None
        began, polls = 0.0, 0
        while True:
            if self._is_closed:
                raise self._state.closed_locally(self)
            if sender is not None:
                sender.raise_failure()
            frame = self._connection.received()
            if frame is None:
                began = began or time.monotonic()
                wait = self._state.next_timeout(began, polls, timeout, sending=sender is not None)
                try:
                    frame = await self._connection.receive(wait)
                except TimeoutError:
                    polls += 1
                    await self._check_pong(self._connection, began)
                    continue
                except ConnectionClosed as closed:
                    if sender is not None:
                        sender.raise_failure()
                    raise self._state.closed_by_peer(closed, self) from closed
            message = self._state.decode(frame)
            if self._state.last_fails:
                raise self._state.failure(message, self)
            return message

    async def _check_pong(self, connection: AsyncConnection, began: float) -> None:
        """Abort the connection if a pong is overdue."""
        pinged = connection.unanswered_ping
        if pinged is not None and self._state.is_ping_overdue(pinged, began):
            await connection.abort()

    def __aiter__(self) -> AsyncIterator[D]:
        return self

    async def __anext__(self) -> D:
        try:
            return await self.recv()
        except SocketClosed as closed:
            if self._closing or (closed.clean and closed.code in NORMAL_CLOSE_CODES):
                raise StopAsyncIteration from None
            raise

    async def _exchange(
        self,
        messages: list[U] | AsyncIterable[U | EncodedMessage],
        is_end: Callable[[D], bool] | None = None,
        *,
        closes: bool = True,
    ) -> AsyncGenerator[D, None]:
        """Send messages, and yield the messages that arrive until the last one of the response.

        Args:
            messages: Messages to send: a list before receiving, another iterable in the background.
            is_end: Returns whether a message is the last one. Default: as the description defines it.
            closes: Whether an early exit closes the session. If it did not, the rest of the response would be taken
                for the response to the next request.
        """
        is_end = is_end or self._state.is_end
        await self.open()
        ended = False
        async with AsyncSender(self._send_frame, self._state.frame_of, messages, self._senders) as sender:
            try:
                while not ended:
                    message = await self.recv() if self._state.pending else await self._receive(sender)
                    ended = is_end(message)
                    yield message
            finally:
                await sender.stop()
                if not ended and closes:
                    await self.close()

    async def _messages(
        self, source: AsyncSource[T], message: Callable[[T], U | EncodedMessage], last: U | None = None
    ) -> AsyncGenerator[U | EncodedMessage, None]:
        """Yield a message for each item, and then the last one."""
        async for item in aiter_items(source):
            yield message(item)
        if last is not None:
            yield last

    async def close(self, code: int = 1000, reason: str = "") -> None:
        """Close the connection, even while being canceled. Safe to call at any time and more than once."""
        self._closing = True
        with AsyncShield():
            for sender in list(self._senders):
                await sender.stop()
            if self._connection is not None and not self._is_closed:
                self._is_closed = True
                await self._connection.close(code, reason, self._state.options.close_timeout)

    async def __aenter__(self) -> Self:
        return await self.open()

    async def __aexit__(self, *_: object) -> None:
        await self.close()
