"""Token strategies where another process writes into the store, or the store fails."""

from __future__ import annotations

import time
from collections.abc import Callable
from types import SimpleNamespace

import pytest

from cozekit import APIConnectionError
from cozekit.auth import MemoryStore, Token, _token_manager
from cozekit.errors import AuthenticationError, InvalidGrant, TokenStoreError
from tests.overlay.auth._flows import ahead
from tests.overlay.auth._token_service import Service, client, strategy, token


class SharedStore(MemoryStore):
    """A store that another process uses as well, which renews the token during our token request."""

    def __init__(self, service: Service) -> None:
        super().__init__()
        self._service = service
        self.loads = 0

    def load(self, key: str) -> Token | None:
        self.loads += 1
        if self.loads == 2:
            return token(self._service.access_token, self._service.refresh_token, 600)
        return super().load(key)


def test_token_renewed_by_another_process_is_loaded_from_the_store(connect):
    """A refresh token that another process has used up is not an error: the new one is loaded from the store."""
    service = Service()
    service.access_token, service.refresh_token = "a5", "r5"
    coze = client(connect, service, strategy(token(), store=SharedStore(service)))
    assert coze.users.me().user_id == "1"
    assert (service.refreshes, service.calls) == (["refused"], ["a5"])


def test_rejected_tokens_in_memory_and_store_are_refreshed(connect):
    """If Coze rejects both the token in memory and the one in the store, one new token is requested."""
    service, store = Service(), MemoryStore()
    coze = client(connect, service, strategy(token(seconds=600), store=store, key="k"))
    coze.users.me()
    store.save("k", token("a4", "r4", 700))
    service.access_token, service.refresh_token = "a9", "r4"
    assert coze.users.me().user_id == "1"
    assert (service.calls, service.refreshes) == (["a0", "a0", "a4", "a10"], ["r4"])
    service.refuse = lambda _: True
    with pytest.raises(AuthenticationError):
        coze.users.me()
    assert len(service.refreshes) == 2


def test_stored_token_wins_if_it_expires_later(connect):
    """A program that starts with an old token uses the token of its previous run, which the store holds."""
    service, store = Service(), MemoryStore()
    service.access_token = "a3"
    store.save("k", token("a3", "r3", 600))
    client(connect, service, strategy(token(), store=store, key="k")).users.me()
    assert (service.calls, service.refreshes) == (["a3"], [])


def test_token_deleted_from_the_store_stays_deleted(connect):
    """A token that was deleted from the store is not saved again by a process that still has it in memory."""
    service, store = Service(), MemoryStore()
    auth = strategy(token(seconds=600), store=store, key="k")
    coze = client(connect, service, auth)
    coze.users.me()
    store.delete("k")
    service.access_token = "a9"  # and Coze rejects the token, too
    with pytest.raises(InvalidGrant, match="The user must log in; perhaps another process logged out"):
        coze.users.me()
    assert store.load("k") is None
    assert service.refreshes == []


class FullDiskStore(MemoryStore):
    """A store on a full disk."""

    def save(self, key: str, token: Token) -> None:
        raise TokenStoreError("the token cannot be stored: No space left on device")


def test_failed_save_raises_once_and_the_token_stays_in_use(connect):
    """A token that cannot be saved raises one error; the process continues with that token instead of losing it."""
    service = Service()
    coze = client(connect, service, strategy(token(), store=FullDiskStore()))
    with pytest.raises(TokenStoreError, match="No space left"):
        coze.users.me()
    assert coze.users.me().user_id == "1"
    assert service.refreshes == ["r0"]


class JammedLockStore(MemoryStore):
    """A store whose lock raises on release."""

    def try_lock(self, key: str) -> Callable[[], None] | None:
        unlock = super().try_lock(key)
        assert unlock is not None

        def jam() -> None:
            unlock()
            raise TokenStoreError("the lock is jammed")

        return jam


def test_failed_lock_release_blocks_no_renewal(connect):
    """If a store cannot release its lock, calls continue, and the next renewal does not wait for the lock."""
    service = Service()
    coze = client(connect, service, strategy(token(), store=JammedLockStore()), timeout=10)
    assert coze.users.me().user_id == "1"
    service.refuse = lambda bearer: bearer == "a1"
    assert coze.users.me().user_id == "1"
    assert service.refreshes == ["r0", "r1"]


class UnreachableStore(MemoryStore):
    """A store that is unreachable for a while."""

    def __init__(self) -> None:
        super().__init__()
        self.reached = True

    def _reach(self) -> None:
        if not self.reached:
            raise TokenStoreError("the store does not answer")

    def load(self, key: str) -> Token | None:
        self._reach()
        return super().load(key)

    def save(self, key: str, token: Token) -> None:
        self._reach()
        super().save(key, token)

    def try_lock(self, key: str) -> Callable[[], None] | None:
        self._reach()
        return super().try_lock(key)


def test_unsaved_token_is_saved_by_the_next_call(connect):
    """A token that could not be saved is saved by the next call, since no other copy of its refresh token exists."""
    service, store = Service(), UnreachableStore()
    save, store.save = store.save, FullDiskStore().save
    coze = client(connect, service, strategy(token(), store=store, key="k"))
    with pytest.raises(TokenStoreError):
        coze.users.me()
    store.save = save
    assert coze.users.me().user_id == "1"
    assert store.load("k").refresh_token == "r1"
    assert (service.refreshes, service.calls) == (["r0"], ["a1"])


def test_failing_store_is_retried_every_ten_seconds(connect, monkeypatch, caplog):
    """While a store fails, calls continue, and saving is retried every ten seconds until it succeeds."""
    service, store, now, tried = Service(), UnreachableStore(), time.monotonic, []
    monkeypatch.setattr(store, "save", lambda *arguments: (tried.append(now()), FullDiskStore().save(*arguments)))
    coze = client(connect, service, strategy(token(), store=store, key="k"))
    with pytest.raises(TokenStoreError):
        coze.users.me()
    for _ in range(3):
        assert coze.users.me().user_id == "1"
    assert (len(tried), caplog.text.count("the store of the token 'k' fails: the token cannot be stored")) == (2, 1)
    monkeypatch.undo()
    monkeypatch.setattr(_token_manager, "time", SimpleNamespace(monotonic=ahead(now, 11), time=time.time))
    store.reached = False
    assert coze.users.me().user_id == "1"
    store.reached = True
    assert store.load("k") is None
    monkeypatch.setattr(_token_manager, "time", SimpleNamespace(monotonic=ahead(now, 22), time=time.time))
    assert coze.users.me().user_id == "1"
    assert store.load("k").refresh_token == "r1"
    assert (service.refreshes, service.calls) == (["r0"], ["a1"] * 5)


def test_token_expires_while_the_store_fails(connect, monkeypatch, caplog):
    """While its store fails, a token is used until it expires and no longer; a store that was never read must be
    readable.
    """
    service, store, now = Service(), UnreachableStore(), time.time
    store.save("k", token(seconds=30))
    coze = client(connect, service, strategy(store=store, key="k", leeway=10))
    coze.users.me()
    store.reached = False
    with pytest.raises(TokenStoreError):
        client(connect, service, strategy(token(seconds=30), store=store, key="k")).users.me()
    monkeypatch.setattr(time, "time", ahead(now, 25))
    coze.users.me()
    assert service.calls == ["a0", "a0"]
    assert "the store does not answer" in caplog.text
    monkeypatch.setattr(time, "time", ahead(now, 31))
    with pytest.raises(TokenStoreError):
        coze.users.me()
    assert (service.refreshes, len(service.calls)) == ([], 2)


def test_lock_held_too_long_is_a_timeout(connect):
    """A lock that another process never releases ends in a timeout that names the token."""
    service, store = Service(), MemoryStore()
    assert store.try_lock("k") is not None
    coze = client(connect, service, strategy(token(), store=store, key="k"), retry=0, timeout=0.05)
    with pytest.raises(APIConnectionError, match="could not be renewed"):
        coze.users.me()
