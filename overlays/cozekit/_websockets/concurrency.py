"""What sessions need of threads or of asyncio: locks, shields, and sending in the background."""

# Not derived: a thread is joined and stopped by an event, a task is canceled.
from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterable, AsyncIterator, Awaitable, Callable, Iterable
from contextlib import nullcontext
from functools import partial
from typing import Any, Generic, Self, TypeVar

from anyio import CancelScope  # a dependency of httpx

from ..errors import CozeError, SocketClosed

__all__ = [
    "AsyncItems",
    "AsyncLock",
    "AsyncSender",
    "AsyncShield",
    "AsyncSource",
    "Items",
    "Lock",
    "Sender",
    "Shield",
    "Source",
]

T = TypeVar("T")
Source = Iterable[T]
AsyncSource = Iterable[T] | AsyncIterable[T]
Items = iter
Lock = threading.Lock
Shield = nullcontext  # threads cannot be canceled
AsyncShield = partial(CancelScope, shield=True)
_JOIN_TIMEOUT = 2.0  # seconds until the thread has to end; an iterable that yields nothing may block it


class AsyncItems(Generic[T]):
    """An async iterable over the items of a sync or async one."""

    def __init__(self, source: AsyncSource[T]) -> None:
        self._source = source

    def __aiter__(self) -> AsyncIterator[T]:
        return aiter(self._source) if isinstance(self._source, AsyncIterable) else self._iterate(self._source)

    async def _iterate(self, source: Iterable[T]) -> AsyncIterator[T]:
        for item in source:
            yield item


class AsyncLock(asyncio.Lock):
    """An `asyncio.Lock` that raises a `CozeError` where asyncio does not run."""

    async def __aenter__(self) -> None:
        try:
            asyncio.get_running_loop()
        except RuntimeError:
            raise CozeError("async WebSockets need asyncio; on trio use the sync client in a thread") from None
        await super().__aenter__()


class _SenderBase:
    _failure: BaseException | None = None

    def raise_failure(self) -> None:
        """Raise the exception that ended sending, if there was one."""
        if self._failure is not None:
            failure, self._failure = self._failure, None
            raise failure


class Sender(_SenderBase):
    """Sends messages: those of a list at once, those of other iterables in a thread.

    Args:
        send: Sends a message.
        messages: The messages.
        running: The senders that are running now, to which this one adds itself.
    """

    def __init__(self, send: Callable[[Any], object], messages: Iterable[Any], running: set[Sender]) -> None:
        self._send = send
        self._messages = messages
        self._running = running
        self._stopped = threading.Event()
        self._thread: threading.Thread | None = None

    def __enter__(self) -> Self:
        if isinstance(self._messages, list):
            for message in self._messages:
                self._send(message)
        else:
            self._running.add(self)
            self._thread = threading.Thread(target=self._run, name="cozekit-sender", daemon=True)
            self._thread.start()
        return self

    def _run(self) -> None:
        try:
            for message in self._messages:
                if self._stopped.is_set():
                    return
                self._send(message)
        except SocketClosed:
            pass  # the receiver raises it, after the messages that arrived before
        except BaseException as error:
            self._failure = error
        finally:
            self._running.discard(self)
            if hasattr(self._messages, "close"):
                self._messages.close()  # a generator should end in the thread that runs it

    def stop(self) -> None:
        """Stop sending."""
        self._stopped.set()
        if self._thread is not None and self._thread is not threading.current_thread():
            self._thread.join(_JOIN_TIMEOUT)

    def __exit__(self, *_: object) -> None:
        self.stop()


class AsyncSender(_SenderBase):
    """Sends messages: those of a list at once, those of async iterables in a task.

    Args:
        send: Sends a message.
        messages: The messages.
        running: The senders that are running now, to which this one adds itself.
    """

    def __init__(
        self,
        send: Callable[[Any], Awaitable[object]],
        messages: list[Any] | AsyncIterable[Any],
        running: set[AsyncSender],
    ) -> None:
        self._send = send
        self._messages = messages
        self._running = running
        self._task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        if isinstance(self._messages, list):
            for message in self._messages:
                await self._send(message)
        else:
            self._running.add(self)
            self._task = asyncio.create_task(self._run(self._messages), name="cozekit-sender")
        return self

    async def _run(self, messages: AsyncIterable[Any]) -> None:
        try:
            async for message in messages:
                await self._send(message)
                await asyncio.sleep(0)  # sending does not wait while buffers have room; let the receiver run
        except SocketClosed:
            pass  # the receiver raises it, after the messages that arrived before
        except Exception as error:
            self._failure = error
        finally:
            self._running.discard(self)
            if hasattr(messages, "aclose"):
                await messages.aclose()  # a generator should end in the task that runs it

    async def stop(self) -> None:
        """Stop sending."""
        if self._task is not None and self._task is not asyncio.current_task():
            self._task.cancel()
            await asyncio.wait([self._task])

    async def __aexit__(self, *_: object) -> None:
        await self.stop()
