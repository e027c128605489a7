"""Token stores, which any number of processes can share."""

from __future__ import annotations

import os
from collections.abc import Callable
from threading import Lock
from typing import Protocol, runtime_checkable

from ._token import Token

__all__ = ["MemoryStore", "ProcessLocks", "TokenStore"]


@runtime_checkable
class TokenStore(Protocol):
    """Stores tokens by name. All methods may be called from several threads.

    `AsyncCoze` calls them in worker threads, so they may block for as long as reading and writing take.
    """

    def load(self, key: str) -> Token | None:
        """Return the token with the name *key*, or None.

        Raises:
            TokenStoreError: The token cannot be read.
        """

    def save(self, key: str, token: Token) -> None:
        """Store a token under the name *key*. Once this returns, the token must outlive the process.

        Raises:
            TokenStoreError: The token cannot be stored. The previous token of that name stays.
        """

    def delete(self, key: str) -> None:
        """Delete the token with the name *key*, if there is one.

        Raises:
            TokenStoreError: The token cannot be deleted.
        """

    def try_lock(self, key: str) -> Callable[[], None] | None:
        """Lock the name *key* for all processes that share the store, without waiting.

        Returns:
            A function that releases the lock, to be called once from any thread; None if the lock is held. The lock of
            a process that ends must end with it, or soon after.

        Raises:
            TokenStoreError: The name cannot be locked.
        """


class ProcessLocks:
    """Locks by name, for the threads of one process.

    A forked process starts with none of them held, since the threads that hold them are in the other process.
    """

    def __init__(self) -> None:
        self._locks: dict[tuple[int, str], Lock] = {}

    def __getitem__(self, name: str) -> Lock:
        return self._locks.setdefault((os.getpid(), name), Lock())


class MemoryStore:
    """Stores tokens in memory, for this process only."""

    def __init__(self) -> None:
        self._tokens: dict[str, Token] = {}
        self._locks = ProcessLocks()

    def load(self, key: str) -> Token | None:
        """Return the token with the name *key*, or None."""
        return self._tokens.get(key)

    def save(self, key: str, token: Token) -> None:
        """Store a token under the name *key*."""
        self._tokens[key] = token

    def delete(self, key: str) -> None:
        """Delete the token with the name *key*."""
        self._tokens.pop(key, None)

    def try_lock(self, key: str) -> Callable[[], None] | None:
        """Lock the name *key*, without waiting. Returns the function that releases it; None if the lock is held."""
        lock = self._locks[key]
        return lock.release if lock.acquire(blocking=False) else None
