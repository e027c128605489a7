"""Holding the lock of a store, whatever becomes of those who wait for it."""

from __future__ import annotations

from collections.abc import Callable
from threading import Lock

from ._token_store import TokenStore

__all__ = ["Claim"]


class Claim:
    """One attempt to hold a lock.

    A task that is cancelled leaves the worker thread behind that takes the lock for it. Such a lock is given back by
    whichever of both comes last.
    """

    def __init__(self, store: TokenStore, key: str) -> None:
        self._store = store
        self._key = key
        self._guard = Lock()
        self._unlock: Callable[[], None] | None = None
        self._dropped = False

    def take(self) -> bool:
        """Try to take the lock.

        Raises:
            TokenStoreError: The store cannot be used.
        """
        unlock = self._store.try_lock(self._key)
        with self._guard:
            if not self._dropped:
                self._unlock, unlock = unlock, None
        if unlock is not None:
            unlock()
        return self._unlock is not None

    def drop(self) -> None:
        """Give the lock back, now or once it was taken."""
        with self._guard:
            self._dropped = True
            unlock, self._unlock = self._unlock, None
        if unlock is not None:
            unlock()
