"""Requests that wait for a free connection."""

from __future__ import annotations

from collections.abc import AsyncIterator

import anyio
import anyio.lowlevel
import httpx
import pytest

from coze_api._core._http import default_limits
from coze_api._core._pool_async import AsyncConnectionLimit

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
        self._http = httpx.AsyncClient(transport=httpx.MockTransport(self._answer))

    async def _answer(self, request: httpx.Request) -> httpx.Response:
        await anyio.lowlevel.checkpoint()  # sending awaits, too
        self.sent.append(request.url.path[1:])
        if request.url.path == "/broken":
            raise httpx.ConnectError("refused", request=request)
        return httpx.Response(200, content=b"read" if request.url.path == "/read" else self._content())

    @staticmethod
    async def _content() -> AsyncIterator[bytes]:
        yield b"x"

    async def send(self, name: str, pool: float | None = None) -> httpx.Response:
        request = self._http.build_request("GET", f"http://x/{name}", timeout=httpx.Timeout(None, pool=pool))
        return await self.limit.send(self._http, request, {})


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
            service.limit._release()  # closing a response calls this, but first lets the other task run
        tasks.cancel_scope.cancel()
    if not freed:
        await first.aclose()
    with anyio.fail_after(60):
        await service.send("fourth")
    assert service.sent == ["first", "second", "fourth"]


@pytest.mark.parametrize(("files", "most"), [(256, 224), (1024, 896), (1200, 1000), (-1, 1000)])
async def test_default_limit_depends_on_open_files(monkeypatch: pytest.MonkeyPatch, files: int, most: int) -> None:
    """The default limit is 1,000 connections, or fewer if the process may not open so many files."""
    resource = pytest.importorskip("resource")
    limit = resource.RLIM_INFINITY if files < 0 else files
    monkeypatch.setattr(resource, "getrlimit", lambda _: (limit, limit))
    limits = default_limits()
    assert (limits.max_connections, limits.max_keepalive_connections) == (most, 20)
