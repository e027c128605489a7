"""Where tokens are kept, for all processes that share them."""

from __future__ import annotations

import os
from collections.abc import Callable
from threading import Lock
from typing import Protocol, runtime_checkable

from ._token import Token

__all__ = ["MemoryStore", "ProcessLocks", "TokenStore"]


@runtime_checkable
class TokenStore(Protocol):
    """Keeps tokens by name. All methods may be called from several threads.

    `AsyncCoze` calls them in worker threads, so they may block for as long as reading and writing take.
    """

    def load(self, key: str) -> Token | None:
        """Return the token of that name, or None.

        Raises:
            TokenStoreError: It cannot be read.
        """

    def save(self, key: str, token: Token) -> None:
        """Keep a token under that name. Once this returns, it must outlive the process.

        Raises:
            TokenStoreError: It cannot be kept. What was kept before stays.
        """

    def delete(self, key: str) -> None:
        """Forget the token of that name, if there is one.

        Raises:
            TokenStoreError: It cannot be forgotten.
        """

    def try_lock(self, key: str) -> Callable[[], None] | None:
        """Lock a name for all who share the store, without waiting.

        Returns:
            A function that releases it, to be called once from any thread; None if the lock is held. The lock of a
            process that ends must end with it, or soon after.

        Raises:
            TokenStoreError: It cannot be locked.
        """


class ProcessLocks:
    """Locks by name, for the threads of one process.

    In a forked process none of them is held: their holders are in the other process.
    """

    def __init__(self) -> None:
        self._locks: dict[tuple[int, str], Lock] = {}

    def __getitem__(self, name: str) -> Lock:
        return self._locks.setdefault((os.getpid(), name), Lock())


class MemoryStore:
    """Keeps tokens for this process alone."""

    def __init__(self) -> None:
        self._tokens: dict[str, Token] = {}
        self._locks = ProcessLocks()

    def load(self, key: str) -> Token | None:
        """Return the token of that name, or None."""
        return self._tokens.get(key)

    def save(self, key: str, token: Token) -> None:
        """Keep a token under that name."""
        self._tokens[key] = token

    def delete(self, key: str) -> None:
        """Forget the token of that name."""
        self._tokens.pop(key, None)

    def try_lock(self, key: str) -> Callable[[], None] | None:
        """Lock a name, without waiting."""
        lock = self._locks[key]
        return lock.release if lock.acquire(blocking=False) else None
