"""Single-flight lock: one thread, task or process at a time refreshes a token."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from threading import Lock as ThreadLock
from typing import TYPE_CHECKING, Any, TypeVar
from weakref import WeakKeyDictionary

from coze_api._core._http import HTTPRequest, TimeoutException
from coze_api._core._token_requests import token_request

from ._token_store import MemoryStore, ProcessLocks, TokenStore

if TYPE_CHECKING:
    from anyio import Lock
    from anyio.lowlevel import RunVar

__all__ = ["RefreshLock"]

R = TypeVar("R")
_LOCK_TIMEOUT = 60.0
"""Seconds to wait for a refresh by another call, if the request has no timeout."""

_RETRY_DELAYS = (0.005, 0.01, 0.02, 0.05)


class RefreshLock:
    """Lets one call at a time refresh a token, across threads, tasks and processes."""

    def __init__(self, store: TokenStore, key: str) -> None:
        self._store = store
        self._key = key
        self._locks = ProcessLocks()

    @contextmanager
    def acquire(self, request: HTTPRequest) -> Iterator[None]:
        """Wait for the lock of the token that *request* needs, and hold it.

        Raises:
            TimeoutException: It was not released within the timeout of the request.
            TokenStoreError: The store cannot be locked.
        """
        limit = _lock_timeout(request)
        end = time.monotonic() + limit
        lock = self._locks[self._key]
        if not lock.acquire(timeout=limit):
            raise self._timeout_error(request)
        handle = _LockHandle(self._store, self._key)
        try:
            for delay in _retry_delays(end):
                if handle.try_acquire():
                    break
                time.sleep(delay)
            else:
                raise self._timeout_error(request)
            yield
        finally:
            try:
                handle.release()
            finally:  # even if releasing the store's lock failed
                lock.release()

    @asynccontextmanager
    async def acquire_async(self, request: HTTPRequest) -> AsyncIterator[None]:
        """Wait for the lock in a task, and hold it.

        Raises:
            TimeoutException: It was not released within the timeout of the request.
            TokenStoreError: The store cannot be locked.
        """
        from anyio import CancelScope, move_on_after, sleep

        limit = _lock_timeout(request)
        end = time.monotonic() + limit
        lock = _event_loop_lock(self)
        with move_on_after(limit) as waiting:
            await lock.acquire()
        if waiting.cancelled_caught:
            raise self._timeout_error(request)
        handle = _LockHandle(self._store, self._key)
        try:
            for delay in _retry_delays(end):
                if await self.run_in_thread(handle.try_acquire):
                    break
                await sleep(delay)
            else:
                raise self._timeout_error(request)
            yield
        finally:
            try:
                with CancelScope(shield=True):
                    await self.run_in_thread(handle.release)
            finally:  # even if that failed; and asyncio itself may cancel what anyio shields
                lock.release()

    async def run_in_thread(self, call: Callable[[], R]) -> R:
        """Call the store, which may block, in a thread."""
        if isinstance(self._store, MemoryStore):
            return call()
        from anyio.to_thread import run_sync

        return await run_sync(call)

    def _timeout_error(self, request: HTTPRequest) -> TimeoutException:
        text = f"another call or process has held the lock of the token {self._key!r} for too long"
        return TimeoutException(text, request=token_request(None, request.url, request))


class _LockHandle:
    """A lock of a store that a canceled task can abandon safely.

    A worker thread may still acquire the lock after its task was canceled. Then the last of the two to finish releases
    it.
    """

    def __init__(self, store: TokenStore, key: str) -> None:
        self._store = store
        self._key = key
        self._guard = ThreadLock()
        self._unlock: Callable[[], None] | None = None
        self._released = False

    def try_acquire(self) -> bool:
        """Try to acquire the lock.

        Raises:
            TokenStoreError: The store cannot be used.
        """
        unlock = self._store.try_lock(self._key)
        with self._guard:
            if not self._released:
                self._unlock, unlock = unlock, None
        if unlock is not None:
            unlock()
        return self._unlock is not None

    def release(self) -> None:
        """Release the lock now, or when `try_acquire` gets it later."""
        with self._guard:
            self._released = True
            unlock, self._unlock = self._unlock, None
        if unlock is not None:
            unlock()


_locks: RunVar[WeakKeyDictionary[RefreshLock, Lock]] | None = None


def _event_loop_lock(refresh_lock: RefreshLock) -> Lock:
    """Return the lock of the running event loop, which is fair and needs no thread."""
    global _locks
    from anyio import Lock
    from anyio.lowlevel import RunVar

    if _locks is None:
        _locks = RunVar("cozekit.auth")
    known = _locks.get(None)
    if known is None:
        known = WeakKeyDictionary()
        _locks.set(known)
    return known.setdefault(refresh_lock, Lock())


def _lock_timeout(request: HTTPRequest) -> float:
    seconds: Any = request.extensions.get("timeout", {}).get("read")
    return _LOCK_TIMEOUT if seconds is None else float(seconds)


def _retry_delays(end: float) -> Iterator[float]:
    """Yield growing delays between attempts until *end*, at least one."""
    yield _RETRY_DELAYS[0]
    yield from _RETRY_DELAYS[1:]
    while time.monotonic() < end:
        yield _RETRY_DELAYS[-1]
