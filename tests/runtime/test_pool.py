"""Requests that wait for a free connection."""

from __future__ import annotations

import threading
import time
from collections.abc import AsyncIterator

import anyio
import anyio.lowlevel
import httpx
import pytest

from coze_api._core import _pool, _pool_async
from coze_api._core._http import max_connections
from coze_api._core._pool import ConnectionLimit, ConnectionPool
from coze_api._core._pool_async import AsyncConnectionLimit, AsyncConnectionPool

pytestmark = pytest.mark.anyio


@pytest.fixture(params=["asyncio", "trio"])
def anyio_backend(request: pytest.FixtureRequest) -> str:
    """Run each test on both event loops."""
    return str(request.param)


class Service:
    """Sends requests whose responses stay open, at most two at once.

    Attributes:
        sent: The paths of the requests that were sent, in order.
    """

    def __init__(self) -> None:
        self.sent: list[str] = []
        self.limit = AsyncConnectionLimit(2)
        pool = AsyncConnectionPool(lambda: httpx.MockTransport(self._respond), self.limit)
        self._http = httpx.AsyncClient(transport=pool)

    async def _respond(self, request: httpx.Request) -> httpx.Response:
        await anyio.lowlevel.checkpoint()  # sending awaits, too
        self.sent.append(request.url.path[1:])
        if request.url.path == "/broken":
            raise httpx.ConnectError("refused", request=request)
        return httpx.Response(200, content=self._content())

    @staticmethod
    async def _content() -> AsyncIterator[bytes]:
        yield b"x"

    async def send(self, name: str, pool: float | None = None) -> httpx.Response:
        request = self._http.build_request("GET", f"http://x/{name}", timeout=httpx.Timeout(None, pool=pool))
        response = await self._http.send(request, stream=True)
        if name == "read":
            await response.aread()
        return response


async def test_waiting_requests_are_sent_in_order() -> None:
    """A request beyond the limit waits until a response is closed, and waiting requests are sent in order."""
    service = Service()
    first, second = [await service.send(name) for name in ("first", "second")]
    async with anyio.create_task_group() as tasks:
        for name in ("third", "fourth"):
            tasks.start_soon(service.send, name)
            await anyio.wait_all_tasks_blocked()
        assert service.sent == ["first", "second"]
        await second.aclose()
        await second.aclose()  # frees one connection, once
        await anyio.wait_all_tasks_blocked()
        assert service.sent == ["first", "second", "third"]
        await first.aread()  # reading to the end closes the response
        await anyio.wait_all_tasks_blocked()
    assert service.sent == ["first", "second", "third", "fourth"]


@pytest.mark.parametrize("name", ["broken", "read"])
async def test_failed_or_complete_response_frees_its_connection(name: str) -> None:
    """A request that failed, and one whose response has arrived completely, free their connection at once."""
    service = Service()
    for _ in range(3):
        if name == "broken":
            with pytest.raises(httpx.ConnectError):
                await service.send(name)
        else:
            await service.send(name)
    assert len(service.sent) == 3


async def test_request_that_times_out_leaves_the_queue() -> None:
    """A request that gets no connection in time is not sent, and leaves the queue."""
    service = Service()
    first = await service.send("first")
    await service.send("second")
    with pytest.raises(httpx.PoolTimeout):
        await service.send("third", pool=0)
    await first.aclose()
    await service.send("fourth", pool=0)
    assert service.sent == ["first", "second", "fourth"]


async def test_long_wait_is_logged_but_does_not_end(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """A request without a limit waits on after a long time, and one log line counts what is under way and what waits."""
    monkeypatch.setattr(_pool_async, "LONG_WAIT", 0.01)
    service = Service()
    first, second = [await service.send(name) for name in ("first", "second")]
    async with anyio.create_task_group() as tasks:
        for name in ("third", "fourth"):
            tasks.start_soon(service.send, name)
        await anyio.sleep(0.1)  # several long waits of both
        assert service.sent == ["first", "second"]
        await first.aclose()
        await second.aclose()
    assert sorted(service.sent[2:]) == ["fourth", "third"]
    (record,) = caplog.records
    assert (record.name, record.levelname) == ("coze_api.connections", "WARNING")
    assert record.getMessage().startswith("2 requests and streams are under way, which is the limit; 2 more wait for")


async def test_limit_of_the_wait_may_be_longer_than_a_long_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    """A request whose limit is longer than what counts as a long wait ends at its limit."""
    monkeypatch.setattr(_pool_async, "LONG_WAIT", 0.01)
    service = Service()
    for name in ("first", "second"):
        await service.send(name)
    with anyio.fail_after(60), pytest.raises(httpx.PoolTimeout):
        await service.send("third", pool=0.035)
    assert not service.limit._waiting


@pytest.mark.parametrize("freed", [False, True])
async def test_canceled_request_takes_no_connection(freed: bool) -> None:
    """A request that is canceled while it waits takes no connection, even if it becomes free at the same moment."""
    service = Service()
    first = await service.send("first")
    await service.send("second")
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(service.send, "third")
        await anyio.wait_all_tasks_blocked()
        if freed:
            service.limit.release()  # closing a response calls this, but first lets the other task run
        tasks.cancel_scope.cancel()
    if not freed:
        await first.aclose()
    with anyio.fail_after(60):
        await service.send("fourth")
    assert service.sent == ["first", "second", "fourth"]


class Connection(httpx.MockTransport):
    """A connection that records whether it was closed."""

    def __init__(self) -> None:
        super().__init__(lambda _: httpx.Response(200, content=iter([b"x"])))
        self.is_closed = False

    def close(self) -> None:
        self.is_closed = True


class Pool(ConnectionPool):
    """A pool that lists all connections that it made."""

    def __init__(self) -> None:
        self.connections: list[Connection] = []
        super().__init__(self._connect, ConnectionLimit(1000))

    def _connect(self) -> Connection:
        self.connections.append(Connection())
        return self.connections[-1]

    def send(self) -> httpx.Response:
        return self.handle_request(httpx.Request("GET", "http://x/"))


def test_connections_are_reused() -> None:
    """A request gets the connection that was used last; there are as many as requests were under way at once."""
    pool = Pool()
    for _ in range(3):
        pool.send().close()
    assert len(pool.connections) == 1
    responses = [pool.send() for _ in range(3)]
    for response in responses:
        response.close()
    responses = [pool.send() for _ in range(4)]
    assert len(pool.connections) == 4
    pool.close()
    assert all(connection.is_closed for connection in pool.connections)


def test_connections_that_are_not_used_are_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    """The first request after a connection was idle for 30 seconds closes it."""
    now = 0.0
    monkeypatch.setattr(_pool, "monotonic", lambda: now)
    pool = Pool()
    for response in [pool.send() for _ in range(3)]:
        response.close()
    first, *others = reversed(pool.connections)
    now = 29.0
    pool.send().close()
    assert not any(connection.is_closed for connection in pool.connections)
    now = 31.0
    pool.send().close()
    assert [connection.is_closed for connection in (first, *others)] == [False, True, True]
    pool.send().close()
    assert len(pool.connections) == 3


def test_threads_wait_in_order() -> None:
    """Of threads that wait for a connection, the first gets the first one, and one that waits too long gets none."""
    limit, request, order = ConnectionLimit(1), httpx.Request("GET", "http://x/"), []

    def run(number: int) -> None:
        limit.acquire(request)
        order.append(number)
        limit.release()

    limit.acquire(request)
    threads = [threading.Thread(target=run, args=[number], daemon=True) for number in range(3)]
    for count, thread in enumerate(threads, 1):
        thread.start()
        while len(limit._waiting) < count:
            time.sleep(0.001)
    with pytest.raises(httpx.PoolTimeout):
        limit.acquire(httpx.Request("GET", "http://x/", extensions={"timeout": {"pool": 0}}))
    limit.release()
    for thread in threads:
        thread.join(60)
    assert order == [0, 1, 2]
    limit.acquire(request)  # which would wait if a place had been lost


def test_long_wait_of_a_thread_is_logged_but_does_not_end(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """A thread without a limit waits on after a long time, and a log line repeats after a pause that counts its wait."""
    monkeypatch.setattr(_pool, "LONG_WAIT", 0.01)
    monkeypatch.setattr(_pool, "LOG_PAUSE", 0.02)
    limit, request = ConnectionLimit(1), httpx.Request("GET", "http://x/")
    limit.acquire(request)
    thread = threading.Thread(target=limit.acquire, args=[request], daemon=True)
    thread.start()
    while len(caplog.records) < 2:
        thread.join(0.001)
        assert thread.is_alive()
    limit.release()
    thread.join(60)
    assert not thread.is_alive()
    assert "1 more wait for" in caplog.records[1].getMessage()


@pytest.mark.parametrize(("files", "most"), [(256, 224), (1024, 896), (1200, 1000), (-1, 1000)])
def test_default_limit_depends_on_open_files(monkeypatch: pytest.MonkeyPatch, files: int, most: int) -> None:
    """The default limit is 1,000 connections, or fewer if the process may not open so many files."""
    resource = pytest.importorskip("resource")
    limit = resource.RLIM_INFINITY if files < 0 else files
    monkeypatch.setattr(resource, "getrlimit", lambda _: (limit, limit))
    assert max_connections() == most
