"""What sessions need of threads or of asyncio: locks, shields, iterables, and functions that run in the background."""

# Not derived: a thread is stopped by an event and joined, a task is canceled.
from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import AsyncIterable, AsyncIterator, Callable, Coroutine, Iterable
from contextlib import nullcontext
from functools import partial
from typing import Any, TypeVar

from anyio import CancelScope  # a dependency of httpx

from ..errors import CozeError

__all__ = [
    "AsyncLock",
    "AsyncShield",
    "AsyncSource",
    "AsyncWorker",
    "AsyncWorkerError",
    "Lock",
    "Shield",
    "Source",
    "Worker",
    "WorkerError",
    "aiter_items",
    "iter_items",
]

T = TypeVar("T")
Source = Iterable[T]
AsyncSource = Iterable[T] | AsyncIterable[T]
iter_items = iter
Lock = threading.Lock
Shield = nullcontext  # threads cannot be canceled
AsyncShield = partial(CancelScope, shield=True)
WorkerError = BaseException  # what ends a worker, and is raised elsewhere
AsyncWorkerError = Exception  # others are cancellation, or end the event loop
_TURN = 0.001  # seconds after which a task lets others run; to switch takes about as long as to send a message
_JOIN_TIMEOUT = 2.0  # seconds until the thread has to end; an iterable that yields nothing may block it


def aiter_items(source: AsyncSource[T]) -> AsyncIterable[T]:
    """Return an async iterable over the items of a sync or async one."""
    return source if isinstance(source, AsyncIterable) else _iterate(source)


async def _iterate(source: Iterable[T]) -> AsyncIterator[T]:
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


class Worker:
    """Runs a function in a thread, which can be stopped while it sleeps or proceeds."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self, function: Callable[..., None], *arguments: Any) -> None:
        """Start to run the function."""
        self._thread = threading.Thread(target=function, args=arguments, name=self._name, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Stop the function and wait for its end, unless the function itself calls this."""
        self._stopping.set()
        if self._thread is not None and self._thread is not threading.current_thread():
            self._thread.join(_JOIN_TIMEOUT)

    def proceed(self) -> bool:
        """Return whether the function may proceed. Call it before each step."""
        return not self._stopping.is_set()

    def sleep(self, seconds: float) -> bool:
        """Sleep, and return whether the function may proceed."""
        return not self._stopping.wait(seconds)


class AsyncWorker:
    """Runs a function in a task, which can be stopped wherever it awaits."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._task: asyncio.Task[None] | None = None
        self._turn_ends = 0.0

    def start(self, function: Callable[..., Coroutine[Any, Any, None]], *arguments: Any) -> None:
        """Start to run the function."""
        self._task = asyncio.create_task(function(*arguments), name=self._name)

    async def stop(self) -> None:
        """Stop the function and wait for its end, unless the function itself calls this."""
        if self._task is not None and self._task is not asyncio.current_task():
            self._task.cancel()
            await asyncio.wait([self._task])

    async def proceed(self) -> bool:
        """Return whether the function may proceed. Call it before each step: before some, other tasks run."""
        if time.monotonic() >= self._turn_ends:
            await asyncio.sleep(0)  # sending does not wait while buffers have room
            self._turn_ends = time.monotonic() + _TURN
        return True

    async def sleep(self, seconds: float) -> bool:
        """Sleep, and return whether the function may proceed."""
        await asyncio.sleep(seconds)
        return True
