"""Very many simultaneous calls and streams, by clients with default settings."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import Awaitable, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest

from cozekit import AsyncCoze, Coze

resource = pytest.importorskip("resource", reason="limits of open files can be raised on Unix alone")

STREAMS, SYNC_STREAMS = 1000, 200
SERVER = Path(__file__).parent / "_paced_server.py"


@pytest.fixture(autouse=True)
def _many_files() -> Iterator[None]:
    """Let this process, and the server that it starts, open as many files as the machine allows."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    needed = STREAMS * 8 // 7 + 1
    if hard != resource.RLIM_INFINITY and hard < needed:
        pytest.skip(f"this process may open {hard} files; {STREAMS} streams need {needed}")
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, min(hard, 4096)) if hard > 0 else 4096, hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@contextmanager
def paced_server(streams: int) -> Iterator[str]:
    """Start the server and return its URL."""
    with subprocess.Popen(
        [sys.executable, SERVER, str(streams)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as server:
        assert server.stdout is not None
        yield f"http://127.0.0.1:{int(server.stdout.readline())}"
        server.communicate()


def outcomes(streams: int, calls: int, call: Callable[[AsyncCoze], Awaitable[object]], at_once: int = 0) -> set[object]:
    """Call that many times with a client with default settings, and return the outcomes."""

    async def run() -> set[object]:
        places = asyncio.Semaphore(at_once or calls)

        async def call_once(coze: AsyncCoze) -> object:
            async with places:
                return await call(coze)

        with paced_server(streams) as address:
            async with AsyncCoze("pat_a", base_url=address) as coze:
                return set(await asyncio.gather(*(call_once(coze) for _ in range(calls))))

    return asyncio.run(run())


async def stream(coze: AsyncCoze) -> bool:
    """Return whether a stream was read to its end."""
    async with coze.chat.stream(bot_id="3", user_id="u", additional_messages=["hi"]) as stream:
        await stream.until_done()
    return stream.ended


def test_1000_simultaneous_streams():
    """A client with default settings holds 1,000 simultaneous streams, and each is read to its end."""
    assert outcomes(STREAMS, STREAMS, stream) == {True}


def test_streams_beyond_the_connection_limit_wait(monkeypatch):
    """Streams beyond the connection limit wait until others end, and none is lost."""
    monkeypatch.setattr("coze_api._core._http._MOST_CONNECTIONS", 50)
    assert outcomes(50, 300, stream) == {True}


def test_5000_streams_succeed():
    """A client with default settings reads 5,000 streams to their end, at most 1,000 of them simultaneously."""
    assert outcomes(500, 5000, stream) == {True}


def test_2000_calls_succeed():
    """2,000 calls, 400 of them simultaneously, all succeed."""

    async def call(coze: AsyncCoze) -> str:
        return (await coze.users.me()).user_id

    assert outcomes(0, 2000, call, at_once=400) == {"1"}


def test_800_polled_chats_succeed():
    """800 chats that are started simultaneously and polled to their end all have their answer."""

    async def chat(coze: AsyncCoze) -> str:
        return (await coze.chat.create_and_poll(bot_id="3", user_id="u", additional_messages=["hi"])).text

    assert outcomes(0, 800, chat) == {"x"}


def test_200_simultaneous_streams_in_threads():
    """A sync client with default settings holds 200 simultaneous streams, one in each thread."""
    with paced_server(SYNC_STREAMS) as address, Coze("pat_a", base_url=address) as coze:

        def stream(_: int) -> bool:
            with coze.chat.stream(bot_id="3", user_id="u", additional_messages=["hi"]) as stream:
                return stream.until_done().ended

        with ThreadPoolExecutor(SYNC_STREAMS) as threads:
            assert set(threads.map(stream, range(SYNC_STREAMS))) == {True}
