"""Sessions over a WebSocket, awaited. See `session`, of which this is the counterpart for asyncio."""

# Not derived: threads receive, send and ping side by side with locks and events; tasks need neither.
from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, AsyncIterable, AsyncIterator, Callable
from typing import TYPE_CHECKING, Any, Generic, Self, TypeVar

from coze_api._core._handshake import Handshake

from ..errors import CozeError, SocketClosed
from .handshake import aopen_wire
from .options import SocketOptions
from .sender import AsyncSender
from .session import NORMAL, wire_closed
from .session_state import SocketState

if TYPE_CHECKING:
    from coze_api._core._client_async import AsyncBaseClient

    from .connection import AsyncWire

__all__ = ["AsyncSession"]

U = TypeVar("U")
D = TypeVar("D")


class AsyncSession(Generic[U, D]):
    """A WebSocket. Opened by `async with`, or by the first message sent or awaited; closed by leaving `async with`.

    One task may receive while others send. Needs asyncio; websockets does not work with trio.

    Iterating over it yields every message, whatever it is, until the connection is closed. A message that tells a
    failure is raised as `SocketFailed` or `ChatFailed`, after which one may go on.
    """

    def __init__(
        self, client: AsyncBaseClient, handshake: Handshake[U, D], options: SocketOptions, settings: U | None = None
    ) -> None:
        self._client = client
        self._state = SocketState(handshake, options)
        self._wire: AsyncWire | None = None
        self._settings = settings
        self._senders: set[AsyncSender] = set()
        self._over = False
        self._is_closed = False
        self._heart: asyncio.Task[None] | None = None
        self._ping: tuple[float, Any] | None = None
        self._opening = asyncio.Lock()
        if settings is not None:
            self._state.encode(settings)  # what does not fit is told before a connection is made

    @property
    def logid(self) -> str:
        """Log id of the connection, which Coze support asks for; "" until it is open."""
        return self._state.logid

    @property
    def is_open(self) -> bool:
        """Whether the connection was opened and is not closed, as far as is known here."""
        return self._wire is not None and self._state.closed is None and not self._over

    @property
    def received(self) -> int:
        """How many messages arrived."""
        return self._state.received

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._state.operation}, logid={self.logid!r}, open={self.is_open})"

    async def open(self) -> Self:
        """Connect, and send the settings where there are any; returns when Coze has confirmed them. See `Session`."""
        async with self._opening:
            if self._wire is not None:
                return self
            _need_asyncio()
            self._wire, self._state.logid = await aopen_wire(self._client, self._state.handshake, self._state.options)
            if self._state.options.ping_interval is not None:
                self._heart = asyncio.create_task(self._beat(self._wire), name="cozekit-heartbeat")
        if self._settings is not None:
            try:
                await self._apply(self._settings)
            except BaseException:
                await self.close()
                raise
        return self

    async def _apply(self, settings: U) -> None:
        """Send settings, and wait until Coze confirms them where it does. What arrives until then stays for later."""
        await self.send(settings)
        awaited = self._confirmations(settings)
        while awaited:
            message = await self._receive()
            if self._state.kind_of(message) in awaited:
                return
            self._state.pending.append(message)

    def _confirmations(self, settings: U) -> frozenset[str]:
        """Name the kinds of message that confirm settings."""
        return self._state.confirmations(settings)

    async def send(self, message: U) -> str:
        """Send a message. See `Session.send`."""
        number, frame = self._state.encode(message)
        await self.open()
        assert self._wire is not None
        try:
            await self._wire.send(frame)
        except wire_closed() as closed:
            raise self._state.over(closed, self) from closed
        self._state.sent()
        return number

    async def recv(self, timeout: float | None = None) -> D:  # noqa: ASYNC109  (as for the sync client)
        """Wait for the next message. See `Session.recv`. Cancelling it loses nothing."""
        return self._state.pending.popleft() if self._state.pending else await self._receive(timeout=timeout)

    async def _receive(
        self,
        sender: AsyncSender | None = None,
        *,
        timeout: float | None = None,  # noqa: ASYNC109  (as above)
    ) -> D:
        """Wait for a message that was not seen yet."""
        await self.open()
        assert self._wire is not None
        began, looked = time.monotonic(), 0
        while True:
            if self._is_closed:
                raise self._state.left(self)
            if sender is not None:
                sender.raise_failure()
            wait = self._state.wait(began, looked, timeout, beside=sender is not None)
            try:
                frame = await self._wire.receive(wait)
            except TimeoutError:
                looked += 1
                await self._look_alive(self._wire, began)
                continue
            except wire_closed() as closed:
                if sender is not None:
                    sender.raise_failure()
                raise self._state.over(closed, self) from closed
            message = self._state.decode(frame)
            if (failure := self._state.failure(message, self)) is not None:
                raise failure
            return message

    async def _look_alive(self, wire: AsyncWire, began: float) -> None:
        """Hang up where a ping was not answered in time."""
        ping = self._ping
        if ping is not None and not ping[1].done() and self._state.gives_up(ping[0], began):
            await wire.abort()

    async def _beat(self, wire: AsyncWire) -> None:
        assert self._state.options.ping_interval is not None
        while True:
            await asyncio.sleep(self._state.options.ping_interval)
            if self._ping is None or self._ping[1].done():
                pong = await wire.ping()
                if pong is None:
                    return
                self._ping = (time.monotonic(), pong)

    def __aiter__(self) -> AsyncIterator[D]:
        return self

    async def __anext__(self) -> D:
        try:
            return await self.recv()
        except SocketClosed as closed:
            if self._over or (closed.clean and closed.code in NORMAL):
                raise StopAsyncIteration from None
            raise

    async def _exchange(
        self,
        messages: list[U] | AsyncIterable[U],
        is_end: Callable[[D], bool] | None = None,
        *,
        closes: bool = True,
    ) -> AsyncGenerator[D, None]:
        """Send messages, and yield what arrives until the end of what was asked. See `Session`."""
        is_end = is_end or self._state.is_end
        await self.open()
        ended = False
        async with AsyncSender(self, messages, self._senders) as sender:
            try:
                while not ended:
                    message = await self.recv() if self._state.pending else await self._receive(sender)
                    ended = is_end(message)
                    yield message
            finally:
                await sender.stop()
                if not ended and closes:
                    await self.close()

    async def close(self, code: int = 1000, reason: str = "") -> None:
        """Say goodbye and hang up, even while being cancelled. Safe to call at any time and more than once."""
        from anyio import CancelScope, move_on_after  # comes with httpx

        self._over = True
        with CancelScope(shield=True):
            for sender in list(self._senders):
                await sender.stop()
            if self._wire is not None and not self._is_closed:
                self._is_closed = True
                with move_on_after(self._state.options.close_timeout) as scope:
                    await self._wire.close(code, reason)
                if scope.cancelled_caught:
                    await self._wire.abort()
            if self._heart is not None:
                self._heart.cancel()
                await asyncio.wait([self._heart])

    async def __aenter__(self) -> Self:
        return await self.open()

    async def __aexit__(self, *_: object) -> None:
        await self.close()


def _need_asyncio() -> None:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        raise CozeError("async WebSockets need asyncio; on trio use the sync client in a thread") from None
