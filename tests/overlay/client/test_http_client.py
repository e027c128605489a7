"""HTTP clients that the caller passes, and closing."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest

from coze_sandbox import BOT_ID
from cozekit import APIConnectionError, AsyncCoze, Coze
from cozekit.errors import InvalidArgumentError
from tests.overlay._clients import Connect, Counter, at_once, unwrap


def hook(connect: Connect, function: Any) -> Any:
    """Create an event hook of the kind that the client requires."""

    async def awaited(message: Any) -> None:
        function(message)

    return awaited if connect.is_async else function


def test_headers_cookies_and_parameters_of_the_callers_client_are_sent(connect):
    """Headers, cookies and query parameters of the caller's HTTP client are in every request, and its transport sends
    it.
    """
    answers = Counter(200)
    http = connect.http(
        transport=httpx.MockTransport(answers), headers={"X-Mine": "1", "User-Agent": "mine"}, cookies={"c": "d"}
    )
    connect("pat_a", http_client=http).bots.retrieve(bot_id="7", is_published=True)
    request = answers.requests[0]
    assert (request.headers["X-Mine"], request.headers["User-Agent"]) == ("1", "mine")
    assert request.headers["Cookie"] == "c=d"
    assert dict(request.url.params) == {"is_published": "true"}


def test_timeout_precedence(connect):
    """The timeout of the call overrides `timeout`, which overrides that of the caller's HTTP client."""
    answers = Counter(200)
    http = connect.http(transport=httpx.MockTransport(answers), timeout=11)
    connect("pat_a", http_client=http).users.me()
    coze = connect("pat_a", http_client=http, timeout=12)
    coze.users.me()
    coze.users.me(timeout=13)
    coze.users.me(timeout=(1, 2, 3, 4))
    coze.with_options(timeout=None).users.me()
    timeouts = [tuple(request.extensions["timeout"].values()) for request in answers.requests]
    assert timeouts == [(11,) * 4, (12,) * 4, (13,) * 4, (1, 2, 3, 4), (11,) * 4]


def test_every_phase_but_the_wait_for_a_connection_has_a_default_timeout(connect):
    """By default every phase of a request has a timeout, except the wait for other calls of the same client to end."""
    timeout = unwrap(connect("pat_a"))._http.timeout
    assert (timeout.connect, timeout.read, timeout.write, timeout.pool) == (5, 60, 60, None)


def test_event_hooks_see_every_request_and_response(connect):
    """Event hooks of the caller's HTTP client receive every request and response, also those of retries."""
    seen: list[str] = []
    http = connect.http(transport=httpx.MockTransport(Counter(httpx.Response(503, json={}), 200)))
    http.event_hooks = {
        "request": [hook(connect, lambda request: seen.append(request.method))],
        "response": [hook(connect, lambda response: seen.append(str(response.status_code)))],
    }
    connect("pat_a", http_client=http, retry=at_once()).users.me()
    assert seen == ["GET", "503", "GET", "200"]


def test_exception_of_a_hook_is_raised_unchanged(connect):
    """An exception of an event hook reaches the caller unchanged, and nothing is sent again."""
    answers = Counter(httpx.Response(503, json={"code": 5000}))
    http = connect.http(transport=httpx.MockTransport(answers))
    http.event_hooks = {"response": [hook(connect, lambda response: response.raise_for_status())]}
    with pytest.raises(httpx.HTTPStatusError):
        connect("pat_a", http_client=http).users.me()
    assert len(answers) == 1


def test_mounts_and_proxies_of_the_callers_client_are_used(connect):
    """Mounted transports and proxies of the caller's HTTP client are used."""
    answers = Counter(200)
    http = connect.http(mounts={"all://api.coze.cn": httpx.MockTransport(answers)})
    connect("pat_a", http_client=http, base_url="https://api.coze.cn").users.me()
    assert answers.requests[0].url.host == "api.coze.cn"


def test_limits_of_the_callers_client_apply(connect, coze_sandbox):
    """Connection limits of the caller's HTTP client apply: no second connection is opened while a stream holds the only
    one.
    """
    http = connect.http(limits=httpx.Limits(max_connections=1), timeout=httpx.Timeout(5, pool=0.01))
    coze = connect(coze_sandbox.token, base_url=coze_sandbox.base_url, http_client=http, retry=0)
    free = pytest.raises(APIConnectionError, match=r"no free connection in time; .* higher limits")
    with coze.chat.stream(bot_id=BOT_ID, user_id="u", additional_messages=["hi"]), free as caught:
        coze.users.me()
    assert caught.value.sent is False
    assert coze.users.me().user_id


@pytest.fixture
def no_more_files() -> Iterator[Callable[[], None]]:
    """Return a function after which this process can open no file and no connection until the test ends."""
    resource = pytest.importorskip("resource")
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)

    def exhaust() -> None:
        lowest = os.dup(0)
        os.close(lowest)
        resource.setrlimit(resource.RLIMIT_NOFILE, (lowest, hard))

    yield exhaust
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_too_many_open_files_is_an_error_with_a_remedy(connect, coze_sandbox, no_more_files):
    """If the process can open no more files, a call raises an error with a remedy, and nothing was sent."""
    connect(
        coze_sandbox.token, base_url=coze_sandbox.base_url
    ).users.me()  # imports modules from files before the limit applies
    coze = connect(coze_sandbox.token, base_url=coze_sandbox.base_url, retry=at_once())
    no_more_files()
    with pytest.raises(APIConnectionError, match=r"too many open files; .*ulimit -n") as caught:
        coze.users.me()
    assert (caught.value.sent, caught.value.attempts) == (False, 3)


@pytest.mark.needs_asyncio
def test_too_many_open_files_for_a_websocket(connect, coze_sandbox, no_more_files):
    """If the process can open no more files, opening a WebSocket raises an error with a remedy."""
    for half in ("connection", "connection_async"):  # imported from a file at its first use
        pytest.importorskip(f"cozekit._websockets.{half}")
    coze = connect(coze_sandbox.token, base_url=coze_sandbox.base_url, retry=0)
    session = coze.websockets.chat.connect(bot_id=BOT_ID)
    no_more_files()
    with pytest.raises(APIConnectionError, match=r"too many open files; .*ulimit -n"), session:
        pass


def test_callers_client_stays_open(connect):
    """The caller's HTTP client is closed neither at the end of `with` nor by close()."""
    http = connect.http(transport=httpx.MockTransport(Counter(200)))
    coze = connect("pat_a", http_client=http)
    with coze:
        coze.users.me()
    coze.close()
    assert not http.is_closed


def test_with_closes_own_connections(connect):
    """At the end of `with` a client closes the connections that it opened; `with` returns the client."""
    coze = connect("pat_a")
    raw = unwrap(coze)
    with coze as same:
        assert unwrap(same) is raw
        assert not raw._http.is_closed
    assert raw._http.is_closed


@pytest.mark.parametrize(("client", "http"), [(Coze, httpx.AsyncClient), (AsyncCoze, httpx.Client)])
def test_http_client_of_the_wrong_kind_is_rejected(client, http):
    """An HTTP client of the wrong kind is rejected at construction, not at the first call."""
    with pytest.raises(InvalidArgumentError, match="http_client must be an httpx"):
        client("pat_a", http_client=http())


def test_client_headers_are_sent_and_can_be_replaced(connect):
    """The client's `headers` are in every request, and a call may replace them in any spelling."""
    answers = Counter(200)
    coze = connect(handler=answers, headers={"X-Trace": "1"})
    coze.users.me()
    coze.users.me(extra_headers={"x-trace": "2"})
    assert [request.headers.get_list("X-Trace") for request in answers.requests] == [["1"], ["2"]]
