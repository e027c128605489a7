"""Strategies: what becomes of tokens where others write into the store, or it fails."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest

from cozekit import APIConnectionError
from cozekit.auth import MemoryStore, Token
from cozekit.errors import AuthenticationError, InvalidGrant, TokenStoreError
from tests.overlay.auth._flows import ahead
from tests.overlay.auth._token_service import Service, client, strategy, token


class Shared(MemoryStore):
    """A store that another process uses as well: it renews the token while we ask."""

    def __init__(self, service: Service) -> None:
        super().__init__()
        self._service = service
        self.loads = 0

    def load(self, key: str) -> Token | None:
        self.loads += 1
        if self.loads == 2:
            return token(self._service.access_token, self._service.refresh_token, 600)
        return super().load(key)


def test_renewed_elsewhere(connect):
    """A refresh token that another process has spent is no end: its new one is read from the store."""
    service = Service()
    service.access_token, service.refresh_token = "a5", "r5"
    coze = client(connect, service, strategy(token(), store=Shared(service)))
    assert coze.users.me().user_id == "1"
    assert (service.asked, service.calls) == (["refused"], ["a5"])


def test_refused_here_and_in_the_store(connect):
    """Where Coze refuses both the token in memory and the one that another process kept, a new one is asked for."""
    service, store = Service(), MemoryStore()
    coze = client(connect, service, strategy(token(seconds=600), store=store, key="k"))
    coze.users.me()
    store.save("k", token("a4", "r4", 700))
    service.access_token, service.refresh_token = "a9", "r4"
    assert coze.users.me().user_id == "1"
    assert (service.calls, service.asked) == (["a0", "a0", "a4", "a10"], ["r4"])
    service.refuse = lambda _: True
    with pytest.raises(AuthenticationError):
        coze.users.me()
    assert len(service.asked) == 2


def test_token_of_the_store_that_lives_longer_wins(connect):
    """A program that starts with an old token goes on with the one that it kept when it ran before."""
    service, store = Service(), MemoryStore()
    service.access_token = "a3"
    store.save("k", token("a3", "r3", 600))
    client(connect, service, strategy(token(), store=store, key="k")).users.me()
    assert (service.calls, service.asked) == (["a3"], [])


def test_logged_out_elsewhere(connect):
    """A token that was deleted from the store is not brought back by those who remember it."""
    service, store = Service(), MemoryStore()
    auth = strategy(token(seconds=600), store=store, key="k")
    coze = client(connect, service, auth)
    coze.users.me()
    store.delete("k")
    service.access_token = "a9"  # and the token is refused, too
    with pytest.raises(InvalidGrant, match="The user must log in, or did log out elsewhere"):
        coze.users.me()
    assert store.load("k") is None
    assert service.asked == []


class Full(MemoryStore):
    """A store on a full disk."""

    def save(self, key: str, token: Token) -> None:
        raise TokenStoreError("the token cannot be kept: No space left on device")


def test_store_that_keeps_nothing(connect):
    """A token that cannot be kept is told once; the process goes on with it, rather than to lose it."""
    service = Service()
    coze = client(connect, service, strategy(token(), store=Full()))
    with pytest.raises(TokenStoreError, match="No space left"):
        coze.users.me()
    assert coze.users.me().user_id == "1"
    assert service.asked == ["r0"]


class Jammed(MemoryStore):
    """A store that complains whenever its lock is given back."""

    def try_lock(self, key: str) -> Callable[[], None] | None:
        unlock = super().try_lock(key)
        assert unlock is not None

        def jam() -> None:
            unlock()
            raise TokenStoreError("the lock is jammed")

        return jam


def test_lock_that_cannot_be_given_back(connect):
    """Where a store fails to give its lock back, calls go on, and the next renewal waits for nobody."""
    service = Service()
    coze = client(connect, service, strategy(token(), store=Jammed()), timeout=10)
    assert coze.users.me().user_id == "1"
    service.refuse = lambda bearer: bearer == "a1"
    assert coze.users.me().user_id == "1"
    assert service.asked == ["r0", "r1"]


class Away(MemoryStore):
    """A store that cannot be reached for a while."""

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


def test_token_is_kept_by_the_next_call(connect):
    """A token that could not be kept is kept by the next call: its refresh token is in no other place."""
    service, store = Service(), Away()
    save, store.save = store.save, Full().save
    coze = client(connect, service, strategy(token(), store=store, key="k"))
    with pytest.raises(TokenStoreError):
        coze.users.me()
    store.save = save
    assert coze.users.me().user_id == "1"
    assert store.load("k").refresh_token == "r1"
    assert (service.asked, service.calls) == (["r0"], ["a1"])


def test_store_that_is_away_for_long(connect, monkeypatch, caplog):
    """While a store fails, calls go on; it is tried again every ten seconds, until it has kept the token."""
    service, store, now, tried = Service(), Away(), time.monotonic, []
    monkeypatch.setattr(store, "save", lambda *given: (tried.append(now()), Full().save(*given)))
    coze = client(connect, service, strategy(token(), store=store, key="k"))
    with pytest.raises(TokenStoreError):
        coze.users.me()
    for _ in range(3):
        assert coze.users.me().user_id == "1"
    assert (len(tried), caplog.text.count("the store of the token 'k' fails: the token cannot be kept")) == (2, 1)
    monkeypatch.undo()
    monkeypatch.setattr(time, "monotonic", ahead(now, 11))
    store.reached = False
    assert coze.users.me().user_id == "1"
    store.reached = True
    assert store.load("k") is None
    monkeypatch.setattr(time, "monotonic", ahead(now, 22))
    assert coze.users.me().user_id == "1"
    assert store.load("k").refresh_token == "r1"
    assert (service.asked, service.calls) == (["r0"], ["a1"] * 5)


def test_store_that_is_away_when_a_token_ends(connect, monkeypatch, caplog):
    """Without its store a token serves until its end, and no longer; a store that was never read must be."""
    service, store, now = Service(), Away(), time.time
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
    assert (service.asked, len(service.calls)) == ([], 2)


def test_lock_that_is_never_given_back(connect):
    """A lock that somebody holds for too long ends in a timeout that names the token."""
    service, store = Service(), MemoryStore()
    assert store.try_lock("k") is not None
    coze = client(connect, service, strategy(token(), store=store, key="k"), retry=0, timeout=0.05)
    with pytest.raises(APIConnectionError, match="could not be renewed"):
        coze.users.me()
