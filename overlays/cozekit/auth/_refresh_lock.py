"""Taking turns: one thread or task at a time renews a token, in this process and outside."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import TYPE_CHECKING, Any, TypeVar
from weakref import WeakKeyDictionary

from coze_api._core._http import HTTPRequest, TimeoutException
from coze_api._core._token_requests import token_request

from ._lock_handle import Claim
from ._token_store import MemoryStore, ProcessLocks, TokenStore

if TYPE_CHECKING:
    from anyio import Lock
    from anyio.lowlevel import RunVar

__all__ = ["Turns"]

R = TypeVar("R")
_PATIENCE = 60.0
"""Seconds to wait for a token that somebody else renews, where the request has no timeout."""

_PAUSES = (0.005, 0.01, 0.02, 0.05)


class Turns:
    """Keeps all others, in this process and outside, from renewing a token while one does."""

    def __init__(self, store: TokenStore, key: str) -> None:
        self._store = store
        self._key = key
        self._locks = ProcessLocks()

    @contextmanager
    def alone(self, request: HTTPRequest) -> Iterator[None]:
        """Wait for the turn of the token that *request* needs, and hold it.

        Raises:
            TimeoutException: It did not come while the request may wait.
            TokenStoreError: The store cannot be locked.
        """
        limit = _patience(request)
        end = time.monotonic() + limit
        lock = self._locks[self._key]
        if not lock.acquire(timeout=limit):
            raise self._late(request)
        claim = Claim(self._store, self._key)
        try:
            for pause in _pauses(end):
                if claim.take():
                    break
                time.sleep(pause)
            else:
                raise self._late(request)
            yield
        finally:
            try:
                claim.drop()
            finally:  # whatever became of the store's lock
                lock.release()

    @asynccontextmanager
    async def alone_async(self, request: HTTPRequest) -> AsyncIterator[None]:
        """Wait for the turn, and hold it. See `alone`."""
        from anyio import CancelScope, move_on_after, sleep

        limit = _patience(request)
        end = time.monotonic() + limit
        lock = _lock_of_this_loop(self)
        with move_on_after(limit) as waiting:
            await lock.acquire()
        if waiting.cancelled_caught:
            raise self._late(request)
        claim = Claim(self._store, self._key)
        try:
            for pause in _pauses(end):
                if await self.in_thread(claim.take):
                    break
                await sleep(pause)
            else:
                raise self._late(request)
            yield
        finally:
            try:
                with CancelScope(shield=True):
                    await self.in_thread(claim.drop)
            finally:  # as in `alone`; and asyncio itself may cancel what anyio shields
                lock.release()

    async def in_thread(self, call: Callable[[], R]) -> R:
        """Call something of the store, which may block."""
        if isinstance(self._store, MemoryStore):
            return call()
        from anyio.to_thread import run_sync

        return await run_sync(call)

    def _late(self, request: HTTPRequest) -> TimeoutException:
        text = f"another call or process holds the lock of the token {self._key!r} for too long"
        return TimeoutException(text, request=token_request(None, request.url, request))


_locks: RunVar[WeakKeyDictionary[Turns, Lock]] | None = None


def _lock_of_this_loop(turns: Turns) -> Lock:
    """Return the lock in the running event loop, which is fair and can be waited for without a thread."""
    global _locks
    from anyio import Lock
    from anyio.lowlevel import RunVar

    if _locks is None:
        _locks = RunVar("cozekit.auth")
    known = _locks.get(None)
    if known is None:
        known = WeakKeyDictionary()
        _locks.set(known)
    return known.setdefault(turns, Lock())


def _patience(request: HTTPRequest) -> float:
    seconds: Any = request.extensions.get("timeout", {}).get("read")
    return _PATIENCE if seconds is None else float(seconds)


def _pauses(end: float) -> Iterator[float]:
    """Give ever longer pauses between attempts, at least one, until a moment."""
    yield _PAUSES[0]
    yield from _PAUSES[1:]
    while time.monotonic() < end:
        yield _PAUSES[-1]
