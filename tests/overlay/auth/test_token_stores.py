"""Token stores: memory, files, Redis, also if processes share them or are killed."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cozekit.auth import FileStore, MemoryStore, RedisStore, Token, TokenStore, WebOAuth
from cozekit.auth._refresh_lock import _LockHandle
from cozekit.errors import InvalidArgumentError, TokenStoreError
from tests.overlay._clients import Connect
from tests.overlay.auth._flows import SECRET, WEB_APP, Flows, expired, token_requests

TOKEN = Token(
    access_token="czu_Secret1",
    refresh_token="Secret2",
    expires_at=datetime(2031, 1, 2, 3, 4, 5, tzinfo=UTC),
    obtained_at=datetime(2031, 1, 2, 2, 4, 5, tzinfo=UTC),
)


@pytest.fixture(scope="session")
def redis_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Start a separate Redis without persistence and return its URL."""
    pytest.importorskip("redis")
    program = shutil.which("redis-server")
    if program is None:
        pytest.skip("redis-server is not installed")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    options = ["--port", str(port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]
    folder = str(tmp_path_factory.mktemp("redis"))
    with subprocess.Popen([program, *options, "--dir", folder], stdout=subprocess.DEVNULL) as server:
        try:
            wait_for(port)
            yield f"redis://127.0.0.1:{port}/0"
        finally:
            server.terminate()


def wait_for(port: int) -> None:
    for _ in range(500):
        with socket.socket() as attempt:
            if attempt.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.02)
    raise AssertionError("redis-server does not answer")


@pytest.fixture(params=["memory", "file", "redis"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[TokenStore]:
    """Return an empty store of each kind."""
    if request.param == "memory":
        yield MemoryStore()
    elif request.param == "file":
        yield FileStore(tmp_path / "tokens")
    else:
        import redis

        with redis.Redis.from_url(request.getfixturevalue("redis_url")) as server:
            server.flushdb()
            yield RedisStore(server)


@pytest.mark.parametrize("key", ["default", "user 1", "../../etc/passwd", "ü" * 300, "a", "A", "CON.", ""])
def test_token_is_loaded_as_saved_until_it_is_deleted(store, key):
    """A token is loaded exactly as it was saved, under any name, until it is deleted."""
    assert isinstance(store, TokenStore)
    assert store.load(key) is None
    store.delete(key)
    store.save(key, TOKEN)
    store.save(f"{key}2", expired(TOKEN))
    assert store.load(key) == TOKEN
    store.save(key, expired(TOKEN))
    assert store.load(key).expired()
    store.delete(key)
    assert store.load(key) is None
    assert store.load(f"{key}2") is not None


def test_different_names_never_collide(store):
    """Names that differ in case, or in characters that file names cannot hold, are different names."""
    names = ["a", "A", "a b", "a_b", "a/b", "ab.", "ab"]
    if isinstance(store, FileStore):
        names.append(store.path_of("A").stem)  # users choose the names, and may know how names become file names
    for number, name in enumerate(names):
        store.save(name, Token(access_token=str(number), expires_at=TOKEN.expires_at))
    assert [store.load(name).access_token for name in names] == [str(number) for number in range(len(names))]


def test_name_that_is_no_string_is_rejected(tmp_path):
    """A name that is not a string, such as a numeric user id, is rejected by strategy and store."""
    wrong: Any = 17
    with pytest.raises(InvalidArgumentError, match="key must be a str, not int"):
        WebOAuth(WEB_APP, SECRET).auth(TOKEN, key=wrong)
    with pytest.raises(InvalidArgumentError, match="the name of a token must be a str, not int"):
        FileStore(tmp_path).save(wrong, TOKEN)


def test_lock_is_exclusive_per_name(store):
    """A lock has one holder at a time, separately for each name."""
    unlock = store.try_lock("a")
    assert unlock is not None
    assert store.try_lock("a") is None
    other = store.try_lock("b")
    assert other is not None
    other()
    unlock()
    again = store.try_lock("a")
    assert again is not None
    again()


def test_lock_acquired_after_the_timeout_is_released():
    """A lock that is acquired for a caller who has timed out is released at once."""

    class Late(MemoryStore):
        def try_lock(self, key: str) -> Any:
            lock = super().try_lock(key)
            claim.release()
            return lock

    store = Late()
    claim = _LockHandle(store, "k")
    assert claim.try_acquire() is False
    assert MemoryStore.try_lock(store, "k") is not None


def test_released_lock_is_free_even_after_a_fork(tmp_path, monkeypatch):
    """A released lock is free even if a process was forked in the meantime and has the same file open."""
    opened: list[int] = []

    def open_(*arguments: Any) -> int:
        opened.append(real(*arguments))
        return opened[-1]

    real, store = os.open, FileStore(tmp_path)
    with monkeypatch.context() as patch:
        patch.setattr(os, "open", open_)
        unlock = store.try_lock("k")
    assert unlock is not None
    forked = os.dup(opened[0])  # shares the open file, as a child process does
    try:
        unlock()
        again = store.try_lock("k")
        assert again is not None
        again()
    finally:
        os.close(forked)


def test_repr_of_a_store_shows_no_secret(store):
    """The repr of a store shows neither tokens nor the password of its server."""
    store.save("k", TOKEN)
    assert "Secret" not in repr(store)
    assert "hidden" not in repr(RedisStore("redis://user:hidden@127.0.0.1:1/0"))


def test_files_are_readable_by_the_owner_only(tmp_path):
    """Folder and files are readable by their owner only, whatever the umask, and no other file remains."""
    before = os.umask(0)
    try:
        store = FileStore(tmp_path / "deep" / "tokens")
        store.save("k", TOKEN)
        unlock = store.try_lock("k")
    finally:
        os.umask(before)
    assert unlock is not None
    unlock()
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in store.folder.iterdir()}
    assert modes == {"k.json": 0o600, "k.lock": 0o600}
    assert stat.S_IMODE(store.folder.stat().st_mode) == 0o700


@pytest.mark.parametrize(
    "content", [b"", b"{", b"[]", b"\xff\xfe", b'{"access_token": "Secret"}', b'{"expires_at": "x"}']
)
def test_damaged_file_is_an_error_with_its_path(tmp_path, content):
    """A damaged token file raises an error with its path and a remedy, but without its content."""
    store = FileStore(tmp_path)
    (tmp_path / "k.json").write_bytes(content)
    with pytest.raises(TokenStoreError) as caught:
        store.load("k")
    assert str(caught.value) == f"{tmp_path / 'k.json'} contains no token; remove it and log in again"
    assert caught.value.__context__ is None
    store.save("k", TOKEN)
    assert store.load("k") == TOKEN


@given(content=st.binary(max_size=60))
@settings(max_examples=60)
def test_any_file_is_a_token_or_a_token_store_error(tmp_path_factory, content):
    """Any file content is read as a token or raises a TokenStoreError."""
    store = FileStore(tmp_path_factory.getbasetemp() / "any")
    store.folder.mkdir(exist_ok=True)
    store.path_of("k").write_bytes(content)
    with pytest.raises(TokenStoreError):
        store.load("k")


def test_unusable_folder_is_an_error_with_the_reason(tmp_path):
    """If files cannot be created, reading, writing and locking raise an error with the reason."""
    (tmp_path / "file").write_text("", encoding="utf-8")
    store = FileStore(tmp_path / "file" / "tokens")
    with pytest.raises(TokenStoreError, match=r"k\.json cannot be read: Not a directory"):
        store.load("k")
    with pytest.raises(TokenStoreError, match=r"cannot be stored in .*k\.json: Not a directory"):
        store.save("k", TOKEN)
    with pytest.raises(TokenStoreError, match=r"k\.lock cannot be created: Not a directory"):
        store.try_lock("k")


def test_failed_write_keeps_the_old_token(tmp_path, monkeypatch):
    """A write that fails halfway keeps the previous token and leaves no temporary file."""
    store = FileStore(tmp_path)
    store.save("k", TOKEN)

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(TokenStoreError, match="No space left on device"):
        store.save("k", expired(TOKEN))
    assert store.load("k") == TOKEN
    assert [path.name for path in tmp_path.iterdir()] == ["k.json"]


def test_saved_token_is_flushed_to_disk(tmp_path, monkeypatch):
    """Content and name of a token file are flushed to disk once it is saved."""
    synced: list[bool] = []
    monkeypatch.setattr(os, "fsync", lambda descriptor: synced.append(stat.S_ISDIR(os.fstat(descriptor).st_mode)))
    FileStore(tmp_path).save("k", TOKEN)
    assert synced == [False, True]


def test_old_temporary_files_are_removed(tmp_path):
    """Temporary files of killed processes are removed later, but not files that are being written."""
    store = FileStore(tmp_path)
    old, new = tmp_path / ".k.json.old", tmp_path / ".k.json.new"
    for scrap in (old, new):
        scrap.write_text("{", encoding="utf-8")
    os.utime(old, (1, 1))
    store.save("k", TOKEN)
    assert (old.exists(), new.exists()) == (False, True)


@pytest.mark.parametrize(
    ("lasts", "refresh_token", "options", "seconds"),
    [
        (900, None, {}, 900),
        (-900, None, {}, 0),
        (900, "r", {}, 30 * 86400),
        (900, "r", {"refresh_seconds": 7200}, 7200),
        (90 * 86400, "r", {}, 90 * 86400),
        (7900 * 365 * 86400, None, {}, 100 * 365 * 86400),
    ],
    ids=["access", "expired", "refresh", "own-refresh", "long", "endless"],
)
def test_redis_keys_expire_with_the_token(redis_url, lasts, refresh_token, options, seconds):
    """Redis keeps a token as long as its refresh token is valid, else as long as the access token, plus an hour for
    wrong clocks.
    """
    import redis

    expires_at = datetime.now(UTC) + timedelta(seconds=lasts)
    token = Token(access_token="a", refresh_token=refresh_token, expires_at=expires_at)
    with redis.Redis.from_url(redis_url) as server:
        server.flushdb()
        store = RedisStore(server, **options)
        store.save("k", token)
        store.save("k", token)  # a second save restarts the expiry
        assert store.load("k") is not None
        (name,) = server.keys()
        lifetime = server.pttl(name) / 1000
        assert min(seconds + 3600, 100 * 365 * 86400) - 300 < lifetime <= seconds + 3600


def test_redis_locks_expire(redis_url):
    """Redis removes a lock that is never released; a lock that is released is removed at once."""
    import redis

    with redis.Redis.from_url(redis_url) as server:
        server.flushdb()
        store = RedisStore(server, lock_seconds=500)
        unlock = store.try_lock("k")
        assert unlock is not None
        assert 0 < server.pttl("cozekit:lock:k") <= 500_000
        unlock()
        assert server.keys() == []


@pytest.mark.parametrize("options", [{"lock_seconds": 0}, {"lock_seconds": 1e12}, {"refresh_seconds": -1}])
def test_redis_rejects_invalid_seconds(options):
    """A number of seconds that Redis cannot use is rejected by argument name."""
    pytest.importorskip("redis")
    with pytest.raises(InvalidArgumentError, match=f"{next(iter(options))} must be above 0 and below"):
        RedisStore("redis://127.0.0.1:1/0", **options)


def test_redis_rejects_an_invalid_url_without_showing_its_password():
    """An invalid Redis URL is rejected without showing the password that it may hold."""
    pytest.importorskip("redis")
    with pytest.raises(InvalidArgumentError, match="redis must be an address such as") as caught:
        RedisStore("http://user:hidden@127.0.0.1")
    assert "hidden" not in f"{caught.value!r} {caught.value.__context__!r}"


def test_unreachable_redis_is_an_error_without_the_token():
    """If no server is reachable, the error names the key and what to check, and shows no token."""
    pytest.importorskip("redis")
    store = RedisStore("redis://127.0.0.1:1/0")
    for call in (
        lambda: store.load("k"),
        lambda: store.save("k", TOKEN),
        lambda: store.try_lock("k"),
        lambda: store.delete("k"),
    ):
        with pytest.raises(TokenStoreError, match="check that Redis is running and accepts this client") as caught:
            call()
        assert caught.value.__context__ is None


def test_async_redis_client_is_rejected_with_a_remedy():
    """An async Redis client is rejected with the sync client to pass instead."""
    redis = pytest.importorskip("redis.asyncio")
    with pytest.raises(InvalidArgumentError, match=r"give a redis\.Redis, for AsyncCoze too"):
        RedisStore(redis.Redis())


def test_redis_value_that_is_no_token_is_an_error_with_its_key(redis_url):
    """A Redis value that is not a token raises an error with its key, but without its content."""
    import redis

    with redis.Redis.from_url(redis_url) as server:
        for content in ("nonsense", "[]", b"\xff"):
            server.set("cozekit:token:k", content)
            with pytest.raises(
                TokenStoreError, match="'cozekit:token:k' cannot be read: its value is not a token; delete it"
            ):
                RedisStore(server).load("k")
        server.delete("cozekit:token:k")
        server.lpush("cozekit:token:k", "x")
        with pytest.raises(TokenStoreError, match="ResponseError"):
            RedisStore(server).load("k")


def test_expired_redis_lock_is_not_released_by_its_old_holder(redis_url):
    """A Redis lock expires by itself, and its former holder does not release the lock of the next one."""
    import redis

    with redis.Redis.from_url(redis_url) as server:
        short, store = RedisStore(server, prefix="t:", lock_seconds=0.05), RedisStore(server, prefix="t:")
        late = short.try_lock("k")
        assert late is not None
        while (unlock := store.try_lock("k")) is None:
            time.sleep(0.01)
        late()
        assert store.try_lock("k") is None
        unlock()
        assert store.try_lock("k") is not None
    with pytest.raises(InvalidArgumentError, match="lock_seconds must be above 0"):
        RedisStore(redis_url, lock_seconds=0)


PROGRAM = f"""
import sys
from concurrent.futures import ThreadPoolExecutor
from cozekit import Coze
from cozekit.auth import FileStore, RedisStore, WebOAuth

base_url, place = sys.argv[1:3]
store = RedisStore(place) if place.startswith("redis:") else FileStore(place)
auth = WebOAuth({WEB_APP!r}, {SECRET!r}, base_url=base_url).auth(store=store, key="k")
with Coze(auth=auth, timeout=60) as coze, ThreadPoolExecutor(5) as threads:
    coze._http  # all is imported
    print("ready", flush=True)
    sys.stdin.readline()
    for job in [threads.submit(coze.users.me) for _ in range(5)]:
        job.result()
print("done", flush=True)
"""


def start(base_url: str, place: str) -> subprocess.Popen[str]:
    """Start a process that waits for a line and then makes five calls with the token of a store."""
    arguments = [sys.executable, "-c", PROGRAM, base_url, place]
    pipes: dict[str, Any] = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    return subprocess.Popen(arguments, text=True, **pipes)


@pytest.fixture
def place(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[str, TokenStore]:
    """Return the location of a store, and the store."""
    if request.param == "file":
        return str(tmp_path / "tokens"), FileStore(tmp_path / "tokens")
    url = request.getfixturevalue("redis_url")
    return url, RedisStore(url)


@pytest.mark.parametrize("place", ["file", "redis"], indirect=True)
def test_processes_send_one_token_request(place, coze_sandbox):
    """Several processes that share one expired token send exactly one token request."""
    address, store = place
    coze_sandbox.oauth.auto_consent = True
    _, first = Flows(Connect(None), coze_sandbox).web_token()
    store.save("k", expired(first))
    coze_sandbox.requests.clear()
    processes = [start(coze_sandbox.base_url, address) for _ in range(4)]
    try:
        for process in processes:
            assert process.stdout.readline() == "ready\n"
        for process in processes:
            process.stdin.write("\n")
            process.stdin.flush()
        assert [process.stdout.readline() for process in processes] == ["done\n"] * 4
    finally:
        for process in processes:
            process.communicate()
    assert token_requests(coze_sandbox) == 1
    assert len(coze_sandbox.requests.of("users.me")) == 20
    if isinstance(store, RedisStore):
        store._redis.close()


WRITER = """
import sys
from datetime import UTC, datetime, timedelta
from cozekit.auth import FileStore, Token

store, number = FileStore(sys.argv[1]), 0
print("ready", flush=True)
while True:
    number += 1
    unlock = store.try_lock("k")
    moment = datetime.fromtimestamp(2_000_000_000 + number, UTC)
    store.save("k", Token(access_token=f"a{number}" * 200, refresh_token=f"r{number}", expires_at=moment))
    unlock()
"""


@pytest.mark.parametrize("seconds", [0.001, 0.004, 0.011, 0.023, 0.04])
def test_process_killed_during_a_write_leaves_a_whole_token(tmp_path, seconds):
    """A process that is killed at any moment of a write leaves a complete token and no lock."""
    with subprocess.Popen([sys.executable, "-c", WRITER, str(tmp_path)], text=True, stdout=subprocess.PIPE) as process:
        assert process.stdout.readline() == "ready\n"
        store = FileStore(tmp_path)
        while store.load("k") is None:
            time.sleep(0.001)
        time.sleep(seconds)
        process.send_signal(signal.SIGKILL)
        process.wait()
    left = store.load("k")
    number = left.refresh_token[1:]
    assert left.access_token == f"a{number}" * 200
    unlock = store.try_lock("k")
    assert unlock is not None
    unlock()
    assert json.loads(store.path_of("k").read_text(encoding="utf-8"))["refresh_token"] == f"r{number}"


def test_next_process_refreshes_after_a_kill(tmp_path, coze_sandbox):
    """If a process is killed while it waits for a token, the old token remains, and the next process refreshes it."""
    coze_sandbox.oauth.auto_consent = True
    _, first = Flows(Connect(None), coze_sandbox).web_token()
    store = FileStore(tmp_path)
    store.save("k", expired(first))
    before = store.load("k")
    with socket.create_server(("127.0.0.1", 0)) as silent:
        process = start(f"http://127.0.0.1:{silent.getsockname()[1]}", str(tmp_path))
        assert process.stdout.readline() == "ready\n"
        process.stdin.write("\n")
        process.stdin.flush()
        connection, _ = silent.accept()
        with connection:
            assert connection.recv(100).startswith(b"POST ")
            assert store.try_lock("k") is None
            process.send_signal(signal.SIGKILL)
            process.communicate()
    assert store.load("k") == before
    process = start(coze_sandbox.base_url, str(tmp_path))
    output, _ = process.communicate("\n")
    assert output == "ready\ndone\n"
    assert not store.load("k").expired()
