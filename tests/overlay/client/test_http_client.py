"""HTTP clients of the caller's own, and closing."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest

from coze_sandbox import BOT_ID
from cozekit import APIConnectionError, AsyncCoze, Coze
from cozekit.errors import InvalidArgumentError
from tests.overlay._clients import Connect, Counter, at_once


def hook(connect: Connect, function: Any) -> Any:
    """Make an event hook of the kind that the client wants."""

    async def awaited(message: Any) -> None:
        function(message)

    return awaited if connect.is_async else function


def test_is_used_as_it_is(connect):
    """Headers, cookies and query parameters of one's own client go with every request, and its transport sends it."""
    answers = Counter(200)
    http = connect.http(
        transport=httpx.MockTransport(answers), headers={"X-Mine": "1", "User-Agent": "mine"}, cookies={"c": "d"}
    )
    connect("pat_a", http_client=http).bots.retrieve(bot_id="7", is_published=True)
    request = answers.requests[0]
    assert (request.headers["X-Mine"], request.headers["User-Agent"]) == ("1", "mine")
    assert request.headers["Cookie"] == "c=d"
    assert dict(request.url.params) == {"is_published": "true"}


def test_timeouts(connect):
    """The timeout is that of the call, else that of `timeout`, else that of one's own client."""
    answers = Counter(200)
    http = connect.http(transport=httpx.MockTransport(answers), timeout=11)
    connect("pat_a", http_client=http).users.me()
    coze = connect("pat_a", http_client=http, timeout=12)
    coze.users.me()
    coze.users.me(timeout=13)
    coze.users.me(timeout=(1, 2, 3, 4))
    coze.with_options(timeout=None).users.me()
    found = [tuple(request.extensions["timeout"].values()) for request in answers.requests]
    assert found == [(11,) * 4, (12,) * 4, (13,) * 4, (1, 2, 3, 4), (11,) * 4]


def test_default_timeouts(connect):
    """Without any word on it there is a timeout for everything."""
    timeout = getattr(connect("pat_a"), "raw", connect("pat_a"))._http.timeout
    assert (timeout.connect, timeout.read, timeout.write, timeout.pool) == (5, 60, 60, 600)


def test_event_hooks(connect):
    """Event hooks of one's own client see every request and every answer, retries too."""
    seen: list[str] = []
    http = connect.http(transport=httpx.MockTransport(Counter(httpx.Response(503, json={}), 200)))
    http.event_hooks = {
        "request": [hook(connect, lambda request: seen.append(request.method))],
        "response": [hook(connect, lambda response: seen.append(str(response.status_code)))],
    }
    connect("pat_a", http_client=http, retry=at_once()).users.me()
    assert seen == ["GET", "503", "GET", "200"]


def test_hook_that_refuses(connect):
    """What an event hook of one's own client raises reaches the caller as it is, and nothing is sent again."""
    answers = Counter(httpx.Response(503, json={"code": 5000}))
    http = connect.http(transport=httpx.MockTransport(answers))
    http.event_hooks = {"response": [hook(connect, lambda response: response.raise_for_status())]}
    with pytest.raises(httpx.HTTPStatusError):
        connect("pat_a", http_client=http).users.me()
    assert len(answers) == 1


def test_proxy(connect):
    """Mounted transports and proxies of one's own client are used."""
    answers = Counter(200)
    http = connect.http(mounts={"all://api.coze.cn": httpx.MockTransport(answers)})
    connect("pat_a", http_client=http, base_url="https://api.coze.cn").users.me()
    assert answers.requests[0].url.host == "api.coze.cn"


def test_limits(connect, coze_sandbox):
    """Limits of one's own client hold: a second connection is not made while a stream holds the only one."""
    http = connect.http(limits=httpx.Limits(max_connections=1), timeout=httpx.Timeout(5, pool=0.01))
    coze = connect(coze_sandbox.token, base_url=coze_sandbox.base_url, http_client=http, retry=0)
    free = pytest.raises(APIConnectionError, match=r"no free connection in time; .* higher limits")
    with coze.chat.stream(bot_id=BOT_ID, user_id="u", additional_messages=["hi"]), free as caught:
        coze.users.me()
    assert caught.value.sent is False
    assert coze.users.me().user_id


@pytest.fixture
def no_more_files() -> Iterator[Callable[[], None]]:
    """Give a function after which this process can open no file and no connection until the test ends."""
    resource = pytest.importorskip("resource")
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)

    def exhaust() -> None:
        lowest = os.dup(0)
        os.close(lowest)
        resource.setrlimit(resource.RLIMIT_NOFILE, (lowest, hard))

    yield exhaust
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_too_many_open_files(connect, coze_sandbox, no_more_files):
    """Where the process may open nothing more, a call fails with what to do about it, and nothing was sent."""
    connect(coze_sandbox.token, base_url=coze_sandbox.base_url).users.me()  # imports what it needs, from files
    coze = connect(coze_sandbox.token, base_url=coze_sandbox.base_url, retry=at_once())
    no_more_files()
    with pytest.raises(APIConnectionError, match=r"too many open files; .*ulimit -n") as caught:
        coze.users.me()
    assert (caught.value.sent, caught.value.attempts) == (False, 3)


@pytest.mark.needs_asyncio
def test_too_many_open_files_for_a_socket(connect, coze_sandbox, no_more_files):
    """Where the process may open nothing more, a WebSocket fails with what to do about it, too."""
    pytest.importorskip("cozekit._websockets.connect")  # which is imported when it is needed, from a file
    coze = connect(coze_sandbox.token, base_url=coze_sandbox.base_url, retry=0)
    session = coze.websockets.chat.connect(bot_id=BOT_ID)
    no_more_files()
    with pytest.raises(APIConnectionError, match=r"too many open files; .*ulimit -n"), session:
        pass


def test_stays_open(connect):
    """One's own client is not closed by leaving `with`, nor by close()."""
    http = connect.http(transport=httpx.MockTransport(Counter(200)))
    coze = connect("pat_a", http_client=http)
    with coze:
        coze.users.me()
    coze.close()
    assert not http.is_closed


def test_context_manager(connect):
    """Leaving `with` closes the connections of a client that made them itself; `with` gives the client."""
    coze = connect("pat_a")
    raw = getattr(coze, "raw", coze)
    with coze as same:
        assert getattr(same, "raw", same) is raw
        assert not raw._http.is_closed
    assert raw._http.is_closed


@pytest.mark.parametrize(("client", "http"), [(Coze, httpx.AsyncClient), (AsyncCoze, httpx.Client)])
def test_wrong_kind(client, http):
    """A client of the wrong kind is refused at once rather than at the first call."""
    with pytest.raises(InvalidArgumentError, match="http_client must be an httpx"):
        client("pat_a", http_client=http())


def test_headers_of_the_client(connect):
    """`headers=` go with every request, and a call may replace them in whatever spelling."""
    answers = Counter(200)
    coze = connect(handler=answers, headers={"X-Trace": "1"})
    coze.users.me()
    coze.users.me(extra_headers={"x-trace": "2"})
    assert [request.headers.get_list("X-Trace") for request in answers.requests] == [["1"], ["2"]]
