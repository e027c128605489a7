"""Strategies: one token request for everybody who needs it, and what happens when it fails."""

from __future__ import annotations

import asyncio
import contextlib
import io
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from email.utils import formatdate
from typing import Any

import anyio
import anyio.lowlevel
import httpx
import pytest
from _auth import SECRET, WEB_APP, Flows, ahead, expired, jwt_config, token_requests
from _both import Connect, at_once
from hypothesis import given, settings
from hypothesis import strategies as st

from coze_sandbox import BOT_ID, USER_ID
from cozekit import APIConnectionError, APIError, AsyncCoze, Coze
from cozekit.auth import JWTAuth, MemoryStore, Token, TokenAuth, WebOAuth, _renewals, async_authorization, authorization
from cozekit.errors import AuthenticationError, InvalidArgumentError, InvalidGrant, OAuthError, TokenStoreError

BASE = "https://api.coze.com"
REFUSED = httpx.Response(401, json={"code": 4100, "msg": "authentication is invalid"})


@pytest.fixture
def flows(connect, coze_sandbox):
    """Give a maker of flows whose users agree at once."""
    coze_sandbox.oauth.auto_consent = True
    return Flows(connect, coze_sandbox)


class Clock:
    """Stands in for the module `time`.

    Attributes:
        now: Seconds by which `monotonic` is ahead.
    """

    def __init__(self) -> None:
        self.now = 0.0

    def monotonic(self) -> float:
        return time.monotonic() + self.now

    def time(self) -> float:
        return time.time()


class Service:
    """A Coze that knows one access token and one refresh token at a time.

    Attributes:
        asked: What the token requests were answered with: a refresh token, or what went wrong.
        trouble: What the next token requests are answered with instead of a token.
    """

    def __init__(self, lifetime: float = 900, skew: float = 0) -> None:
        self.asked: list[str] = []
        self.trouble: list[Any] = []
        self.calls: list[str] = []
        self.lifetime = lifetime
        self.clock = ahead(time.time, skew)
        self.dated = True
        self.rotates = True
        self.refresh_token: str | None = "r0"
        self.access_token = "a0"
        self.refuse: Callable[[str], bool] = lambda bearer: bearer != self.access_token
        self.refusal: Callable[[], httpx.Response] = lambda: REFUSED
        self._lock = threading.Lock()

    def __call__(self, request: httpx.Request) -> httpx.Response:
        with self._lock:
            response = self._token(request) if "/oauth2/" in request.url.path else self._call(request)
        if self.dated:
            response.headers["Date"] = formatdate(self.clock(), usegmt=True)
        return response

    def _call(self, request: httpx.Request) -> httpx.Response:
        bearer = request.headers["Authorization"].removeprefix("Bearer ")
        self.calls.append(bearer)
        if self.refuse(bearer):
            made = self.refusal()
            return httpx.Response(made.status_code, content=made.content, headers=made.headers)
        return httpx.Response(200, json={"code": 0, "data": {"user_id": "1"}})

    def _token(self, request: httpx.Request) -> httpx.Response:
        import json

        given = json.loads(request.read()).get("refresh_token")
        if self.trouble:
            trouble = self.trouble.pop(0)
            self.asked.append(str(trouble))
            if trouble == "lost":
                self._rotate()
                raise httpx.ReadTimeout("lost", request=request)
            if isinstance(trouble, int):
                return httpx.Response(trouble, json={"error_code": "internal_error"})
            raise trouble("mocked", request=request)
        if given != self.refresh_token:
            self.asked.append("refused")
            return httpx.Response(
                400, json={"error_code": "invalid_request", "error_message": "invalid request: refresh_token"}
            )
        self.asked.append(given)
        self._rotate()
        answer = {"access_token": self.access_token, "expires_in": int(self.clock() + self.lifetime)}
        return httpx.Response(200, json={**answer, "refresh_token": self.refresh_token} if self.rotates else answer)

    def _rotate(self) -> None:
        number = int(self.access_token[1:]) + 1
        self.access_token, self.refresh_token = f"a{number}", f"r{number}" if self.rotates else self.refresh_token


def token(access: str = "a0", refresh: str | None = "r0", seconds: float = -3600) -> Token:
    return Token(access_token=access, refresh_token=refresh, expires_at=datetime.now(UTC) + timedelta(seconds=seconds))


def strategy(given: Token | None = None, **options: Any) -> TokenAuth:
    return WebOAuth(WEB_APP, SECRET, base_url=BASE).auth(given, **options)


def client(connect: Connect, service: Service, auth: TokenAuth, **options: Any) -> Any:
    return connect(handler=service, auth=auth, **{"retry": at_once(), **options})


def test_every_flow(connect, flows):
    """The token of every flow authorises a client, and is renewed by it once it has expired."""
    for flow, first in (flows.web_token(), flows.pkce_token()):
        auth = flow.auth(expired(first))
        coze = connect(auth=auth, base_url=flows.base_url)
        assert coze.users.me().user_id
        assert coze.users.me().user_id
    assert token_requests(flows.sandbox) == 4


def test_address_comes_from_the_strategy(connect, monkeypatch):
    """A client needs no address beside that of its strategy, and refuses another one."""
    monkeypatch.setenv("COZE_API_BASE", "https://api.coze.cn")
    auth = strategy(token())
    assert connect(auth=auth).base_url == BASE
    assert connect(auth=auth, base_url=f"{BASE}/").base_url == f"{BASE}/".rstrip("/")
    with pytest.raises(InvalidArgumentError, match=r"the tokens of auth are for https://api\.coze\.com, not for"):
        connect(auth=auth, base_url="https://api.coze.cn")
    flow = f"WebOAuth(client_id='{WEB_APP}', base_url='{BASE}')"
    assert repr(auth) == f"TokenAuth({flow}, key='{WEB_APP}@api.coze.com')"


def test_good_token_is_used(connect):
    """A token that is good is sent as it is, and kept in the store at the first use."""
    service, store = Service(), MemoryStore()
    auth = strategy(token(seconds=600), store=store, key="k")
    client(connect, service, auth).users.me()
    assert (service.calls, service.asked) == (["a0"], [])
    assert store.load("k").refresh_token == "r0"


@pytest.mark.parametrize(("left", "leeway", "renewed"), [(61, 60, 0), (59, 60, 1), (59, 0, 0), (-1, 0, 1)])
def test_leeway(connect, left, leeway, renewed):
    """A token is renewed some seconds before it expires."""
    service = Service()
    client(connect, service, strategy(token(seconds=left), leeway=leeway)).users.me()
    assert len(service.asked) == renewed
    assert service.calls == [f"a{renewed}"]


def test_short_life(connect):
    """A token that lives for less than the leeway is not renewed at every call."""
    service = Service(lifetime=50)
    coze = client(connect, service, strategy(token()))
    for _ in range(5):
        coze.users.me()
    assert len(service.asked) == 1


def test_rotation(connect):
    """Each refresh spends a token and brings the next; the last one is in the store before it is used."""
    service, store, kept = Service(), MemoryStore(), []
    coze = client(connect, service, strategy(token(), store=store, key="k"))

    def look(bearer: str) -> bool:
        found = store.load("k")
        kept.append((bearer, found and found.refresh_token))
        return bearer != service.access_token

    service.refuse = look
    for number in (0, 10, 20):
        service.access_token = f"a{number}"  # which ends the token that was given out last
        coze.users.me()
    assert service.asked == ["r0", "r1", "r11"]
    assert kept == [("a1", "r1"), ("a1", "r1"), ("a11", "r11"), ("a11", "r11"), ("a21", "r21")]


def test_answer_without_a_refresh_token(connect):
    """A refresh token that is not replaced stays the one to refresh by, in memory and in the store."""
    service, store = Service(), MemoryStore()
    service.rotates = False
    coze = client(connect, service, strategy(token(), store=store, key="k"))
    for number in (0, 10):
        service.access_token = f"a{number}"
        coze.users.me()
        kept = store.load("k")
        assert (kept.access_token, kept.refresh_token) == (f"a{number + 1}", "r0")
    assert service.asked == ["r0", "r0"]


@pytest.mark.parametrize("told_in_200", [False, True])
def test_refused_token_is_renewed_once(connect, told_in_200):
    """A token that Coze refuses, by status or by code, is renewed and the call sent again; a second refusal is raised."""
    service = Service()
    if told_in_200:
        service.refusal = lambda: httpx.Response(200, json={"code": 700012006, "msg": "access token invalid"})
    service.access_token = "a7"
    coze = client(connect, service, strategy(token(seconds=600)))
    assert coze.users.me().user_id == "1"
    assert (service.calls, service.asked) == (["a0", "a8"], ["r0"])
    service.refuse = lambda _: True
    with pytest.raises(AuthenticationError) as caught:
        coze.users.me()
    assert service.calls[2:] == ["a8", "a9"]
    assert service.asked == ["r0", "r8"]
    assert caught.value.operation == "users.me"


@pytest.mark.parametrize("told_in_200", [False, True])
def test_new_token_that_is_refused(connect, told_in_200, monkeypatch):
    """Where Coze refuses even a token that it gave out only now, no other is asked for in the next 30 seconds, and then
    one is, however often there were calls meanwhile."""
    service, clock = Service(), Clock()
    monkeypatch.setattr(_renewals, "time", clock)
    service.refuse = lambda _: True
    if told_in_200:
        service.refusal = lambda: httpx.Response(200, json={"code": 4100, "msg": "authentication is invalid"})
    coze = client(connect, service, strategy(token(seconds=600)))
    for _ in range(3):
        with pytest.raises(AuthenticationError, match="no other is asked for in the next 30 seconds"):
            coze.users.me()
        clock.now += 9
    assert service.asked == ["r0"]
    assert service.calls == ["a0", "a1", "a1", "a1"]  # each call is sent once
    clock.now += 4
    with pytest.raises(AuthenticationError):
        coze.users.me()
    assert service.asked == ["r0", "r1"]


def test_token_that_was_refused_at_first(connect):
    """A token that was refused while new is used again, and so serves as soon as Coze takes it."""
    service = Service()
    service.refuse = lambda _: True
    coze = client(connect, service, strategy(token(seconds=600)))
    with pytest.raises(AuthenticationError):
        coze.users.me()
    service.refuse = lambda bearer: bearer != service.access_token
    assert coze.users.me().user_id == "1"
    assert service.asked == ["r0"]


def test_operation_that_refuses_every_token(connect):
    """Where one operation refuses every token and others take them, calling both in turn renews nothing either."""
    service = Service()
    coze = client(connect, service, strategy(token(seconds=600)))
    service.refuse = lambda _: True
    with pytest.raises(AuthenticationError):
        coze.users.me()
    for refuses in (False, True, False, True):
        service.refuse = lambda _, refuses=refuses: refuses
        with pytest.raises(AuthenticationError) if refuses else contextlib.nullcontext():
            coze.users.me()
    assert service.asked == ["r0"]


def test_token_that_opened_a_websocket(connect):
    """A token that opened a WebSocket is not new any longer: where it is refused later, another is asked for at once."""
    service, auth = Service(), strategy(token())
    flow = auth.sync_auth_flow(httpx.Request("GET", "wss://ws.coze.com/v1/chat"))
    asked = next(flow)
    told = service(asked)
    told.request = asked
    assert flow.send(told).headers["Authorization"] == "Bearer a1"
    with pytest.raises(StopIteration):
        flow.send(httpx.Response(101))
    service.refuse = lambda bearer: bearer == "a1"
    assert client(connect, service, auth).users.me().user_id == "1"
    assert service.asked == ["r0", "r1"]


def test_new_token_that_another_process_replaced(connect):
    """A new token that is refused makes way for one that another process has put into the store meanwhile."""
    service, store = Service(), MemoryStore()
    coze = client(connect, service, strategy(token(seconds=600), store=store, key="k"))
    service.refuse = lambda _: True
    with pytest.raises(AuthenticationError):
        coze.users.me()
    store.save("k", token("a5", "r5", seconds=900))
    service.refuse = lambda bearer: bearer != "a5"
    assert coze.users.me().user_id == "1"
    assert service.asked == ["r0"]


@pytest.mark.parametrize("answer", [{"code": 4101}, {"code": 0, "data": {"user_id": "4100"}}])
def test_other_answers_renew_nothing(connect, answer):
    """An error that is not about the token, and an answer that only looks like one, is left alone."""
    service = Service()
    service.refuse, service.refusal = (lambda _: True), lambda: httpx.Response(200, json=answer)
    coze = client(connect, service, strategy(token(seconds=600)))
    try:
        coze.users.me()
    except APIError as error:
        assert error.code == answer["code"]
    assert (len(service.calls), service.asked) == (1, [])


class Pipe(io.RawIOBase):
    """A file that can be read once."""

    def __init__(self) -> None:
        self._left = [b"x" * 10]

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        return self._left.pop() if size and self._left else b""


def test_upload_that_cannot_be_repeated(connect, flows, coze_sandbox):
    """A body that is gone is not sent again, as nothing; one that is not is, and later calls have a new token."""
    web, first = flows.web_token()
    later = datetime.now(UTC) + timedelta(hours=1)
    wrong = Token(access_token="czu_unknown", refresh_token=first.refresh_token, expires_at=later)
    coze_sandbox.requests.clear()
    coze = connect(auth=web.auth(wrong), base_url=flows.base_url)
    with pytest.raises(AuthenticationError):
        coze.files.upload(("a.txt", Pipe()))
    assert [record.operation for record in coze_sandbox.requests] == ["files.upload"]
    assert coze.files.upload(("a.txt", Pipe())).bytes == 10


def test_upload_that_can_be_repeated(connect, flows, coze_sandbox):
    """A file that can be rewound is sent again in full."""
    web, first = flows.web_token()
    later = datetime.now(UTC) + timedelta(hours=1)
    wrong = Token(access_token="czu_unknown", refresh_token=first.refresh_token, expires_at=later)
    coze = connect(auth=web.auth(wrong), base_url=flows.base_url)
    assert coze.files.upload(("a.txt", io.BytesIO(b"x" * 1000))).bytes == 1000


def test_stream_is_authorised(connect, flows, coze_sandbox):
    """A stream that is refused is opened again with a new token, and read as it comes."""
    web, first = flows.web_token()
    later = datetime.now(UTC) + timedelta(hours=1)
    wrong = Token(access_token="czu_unknown", refresh_token=first.refresh_token, expires_at=later)
    coze = connect(auth=web.auth(wrong), base_url=flows.base_url)
    with coze.chat.stream(bot_id=BOT_ID, user_id="u", additional_messages=["hi"]) as stream:
        stream.until_done()
    assert token_requests(coze_sandbox) == 2


def test_200_threads(flows, coze_sandbox):
    """200 calls of threads over an expired token make exactly one token request."""
    flow = WebOAuth(WEB_APP, SECRET, base_url=flows.base_url)
    _, first = flows.web_token()
    coze_sandbox.requests.clear()
    with Coze(auth=flow.auth(expired(first)), timeout=60) as coze, ThreadPoolExecutor(200) as threads:
        found = {job.result().user_id for job in [threads.submit(coze.users.me) for _ in range(200)]}
    assert len(found) == 1
    assert token_requests(coze_sandbox) == 1
    assert len(coze_sandbox.requests.of("users.me")) >= 200  # a connection that breaks under load costs another call


@pytest.mark.anyio
async def test_200_tasks(coze_sandbox):
    """200 calls of tasks over an expired token make exactly one token request."""
    coze_sandbox.oauth.auto_consent = True
    _, first = Flows(Connect(None), coze_sandbox).web_token()
    coze_sandbox.requests.clear()
    flow = WebOAuth(WEB_APP, SECRET, base_url=coze_sandbox.base_url)
    async with AsyncCoze(auth=flow.auth(expired(first)), timeout=60) as coze, anyio.create_task_group() as tasks:
        for _ in range(200):
            tasks.start_soon(coze.users.me)
    assert token_requests(coze_sandbox) == 1
    assert len(coze_sandbox.requests.of("users.me")) >= 200  # a connection that breaks under load costs another call


def test_threads_and_event_loops_share():
    """One strategy serves threads and several event loops at once with one token request."""
    service = Service()
    auth = strategy(token())
    transport = httpx.MockTransport(service)
    start = threading.Barrier(12)

    def in_thread() -> None:
        with httpx.Client(transport=transport) as http:
            start.wait()
            for _ in range(10):
                Coze(auth=auth, http_client=http).users.me()

    async def in_tasks() -> None:
        async with httpx.AsyncClient(transport=transport) as http, anyio.create_task_group() as tasks:
            for _ in range(10):
                tasks.start_soon(AsyncCoze(auth=auth, http_client=http).users.me)

    def in_loop() -> None:
        start.wait()
        anyio.run(in_tasks)

    with ThreadPoolExecutor(12) as threads:
        for job in [threads.submit(work) for work in (in_thread, in_loop) for _ in range(6)]:
            job.result()
    assert service.asked == ["r0"]
    assert service.calls == ["a1"] * 120


def test_refusals_at_once_renew_once():
    """Many calls whose token is refused at the same time make one token request."""
    service = Service()
    service.access_token = "a7"
    auth = strategy(token(seconds=600))
    with httpx.Client(transport=httpx.MockTransport(service)) as http, ThreadPoolExecutor(20) as threads:
        coze = Coze(auth=auth, http_client=http)
        for job in [threads.submit(coze.users.me) for _ in range(100)]:
            job.result()
    assert service.asked == ["r0"]


def gathered(service: Service, auth: TokenAuth, calls: int, **options: Any) -> list[BaseException | None]:
    """Call at once from that many threads, and return what was raised."""
    start = threading.Barrier(calls)
    with httpx.Client(transport=httpx.MockTransport(service)) as http, ThreadPoolExecutor(calls) as threads:
        coze = Coze(auth=auth, http_client=http, **options)

        def call() -> None:
            start.wait()
            coze.users.me()

        return [job.exception() for job in [threads.submit(call) for _ in range(calls)]]


def test_failure_is_shared():
    """Where Coze gives no token, all who wait for it hear so from one answer; later calls do not ask again."""
    service, auth = Service(), strategy(token(refresh="spent"))
    failures = gathered(service, auth, 50)
    assert {type(failure) for failure in failures} == {InvalidGrant}
    assert service.asked == ["refused"]
    assert {type(failure) for failure in gathered(service, auth, 5)} == {InvalidGrant}
    assert service.asked == ["refused"]
    assert service.calls == []


class Queue:
    """A lock that knows how many came for it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.came = 0
        self.release = self._lock.release

    def acquire(self, timeout: float) -> bool:
        self.came += 1
        return self._lock.acquire(timeout=timeout)


def test_lost_connection_is_shared():
    """Where the token request gets no answer, all who wait for it hear so at once, rather than to try one by one."""
    service, auth, queue = Service(), strategy(token()), Queue()
    auth._turns._locks = {auth._key: queue}  # type: ignore[assignment]  # has what is used of locks

    def late(text: str, request: httpx.Request) -> Exception:
        while queue.came < 20:
            time.sleep(0.001)
        return httpx.ConnectError(text, request=request)

    service.trouble = [late]
    failures = gathered(service, auth, 20, retry=0)
    assert {type(failure) for failure in failures} == {APIConnectionError}
    assert len(service.asked) == 1
    for failure in failures:
        assert "users.me: the access token could not be renewed: " in str(failure)
        assert failure.sent is False  # type: ignore[union-attr]  # see above


@pytest.mark.parametrize("trouble", [httpx.ConnectError, httpx.ReadTimeout, 503, 400])
def test_failed_renewal_is_repeated(connect, trouble):
    """A token request that fails for a while is repeated for every operation, since the operation was not sent."""
    service = Service()
    service.trouble = [trouble, trouble]
    coze = client(connect, service, strategy(token()))
    coze.conversations.create()
    assert len(service.asked) == 3
    assert service.calls == ["a1"]


def test_failed_renewal_is_told(connect):
    """A token request that goes on failing is told as what it is."""
    service = Service()
    service.trouble = [httpx.ReadTimeout] * 3
    with pytest.raises(APIConnectionError) as caught:
        client(connect, service, strategy(token())).users.me()
    assert str(caught.value).startswith("users.me: the access token could not be renewed: no answer came in time")
    assert caught.value.sent is False
    service.trouble = [503] * 3
    with pytest.raises(APIError) as failed:
        client(connect, service, strategy(token())).users.me()
    assert failed.value.operation == "oauth.token"


def test_failed_renewal_of_a_good_token(connect):
    """A token that is about to expire serves as long as it is valid, while Coze gives no new one."""
    service = Service()
    service.trouble = [503]
    coze = client(connect, service, strategy(token(seconds=30)), retry=0)
    for _ in range(3):
        assert coze.users.me().user_id == "1"
    assert (service.asked, service.calls) == (["503"], ["a0"] * 3)


def test_lost_answer(connect):
    """Where the answer to a refresh was lost, the refusal of the spent token says so."""
    service = Service()
    service.trouble = ["lost"]
    with pytest.raises(InvalidGrant, match="The answer to an earlier refresh was lost with its connection"):
        client(connect, service, strategy(token())).users.me()
    assert service.asked == ["lost", "refused"]


def test_no_token(connect):
    """Without any token the user is sent to log in, and nothing is sent."""
    service = Service()
    with pytest.raises(InvalidGrant, match=r"there is no token\. The user must log in"):
        client(connect, service, strategy()).users.me()
    with pytest.raises(InvalidGrant, match=r"has no refresh token\. The user must log in again"):
        client(connect, service, strategy(token(refresh=None))).users.me()
    assert service.asked == service.calls == []


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


@pytest.mark.parametrize("skew", [-7200, 7200])
@pytest.mark.parametrize("dated", [True, False])
def test_wrong_clock(connect, skew, dated):
    """With a clock that is hours wrong a token is neither renewed at every call nor used beyond its end."""
    service = Service(skew=skew)
    service.dated = dated
    coze = client(connect, service, strategy(token()))
    for _ in range(5):
        coze.users.me()
    assert service.calls == ["a1"] * 5
    service.access_token = "a7"  # the token ends
    coze.users.me()
    assert service.calls[5:] == ["a1", "a8"]
    for _ in range(5):
        coze.users.me()
    assert len(service.asked) == 2


def test_half_of_a_short_life(connect, monkeypatch):
    """A token that lives for less than twice the leeway is renewed in the middle of its life."""
    now, service = time.time, Service(lifetime=60)
    coze = client(connect, service, strategy(token()))
    for passed in (0, 20, 40):
        service.clock = ahead(now, passed)
        monkeypatch.setattr(time, "time", service.clock)
        coze.users.me()
    assert service.calls == ["a1", "a1", "a2"]


@pytest.mark.parametrize("skew", [-7200, 7200])
def test_end_by_the_clock_of_coze(connect, monkeypatch, skew):
    """A token is renewed before it ends, although the clock of this machine says that it ends hours off."""
    now, service = time.time, Service(skew=skew)
    coze = client(connect, service, strategy(token()))
    coze.users.me()
    service.clock = ahead(now, skew + service.lifetime - 30)
    monkeypatch.setattr(time, "time", ahead(now, service.lifetime - 30))
    coze.users.me()
    assert service.calls == ["a1", "a2"]


def test_sent_the_way_of_the_client(connect):
    """Token requests go through the client's own transport, with its headers, and without the call's token and body."""
    service, seen = Service(), []

    def look(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return service(request)

    http = connect.http(transport=httpx.MockTransport(look), headers={"X-Gate": "1", "User-Agent": "mine"})
    coze = connect(auth=strategy(token()), http_client=http, headers={"X-Team": "2"})
    coze.conversations.create(name="n")
    first, second = seen
    assert (first.url.path.rsplit("/", 1)[-1], first.headers["Authorization"]) == ("token", f"Bearer {SECRET}")
    assert {first.headers[name] for name in ("X-Gate", "User-Agent", "X-Team")} == {"1", "mine", "2"}
    assert second.headers["Authorization"] == "Bearer a1"
    assert first.extensions["timeout"] == second.extensions["timeout"]


def test_foreign_address():
    """A strategy gives its token to its own service alone: not to another host, port or scheme."""
    service = Service()
    auth = strategy(token())
    with httpx.Client(transport=httpx.MockTransport(service), auth=auth) as http:
        for address in (
            "https://api.coze.cn/",
            "http://api.coze.com/",
            "https://api.coze.com:8443/",
            "https://evil.com/",
            "https://pages.coze.com/",
        ):
            with pytest.raises(InvalidArgumentError, match="does not authorise requests to"):
                http.get(address)
        assert http.get("https://ws.coze.com/").status_code == 200
    assert service.calls == ["a1"]


def test_authorization(connect):
    """The header by itself is renewed like that of a call, for strategies, functions and tokens alike."""
    service = Service()
    show = async_authorization if connect.is_async else authorization

    def header(coze: Any) -> str:
        return connect.run(show, getattr(coze, "raw", coze))

    coze = client(connect, service, strategy(token()))
    assert header(coze) == header(coze) == "Bearer a1"
    assert (service.asked, service.calls) == (["r0"], [])
    assert header(connect("pat_a")) == "Bearer pat_a"
    assert header(connect(lambda: "pat_b")) == "Bearer pat_b"
    http = connect.http(headers={"Authorization": "Bearer own"})
    assert header(connect(http_client=http)) == "Bearer own"
    service.trouble = [503]
    with pytest.raises(OAuthError):
        header(client(connect, service, strategy(token())))
    assert header(coze) == "Bearer a1"


def test_jwt_tokens_follow_each_other(connect, coze_sandbox):
    """A service signs anew whenever its token ends or is refused, and shares the token by its store."""
    config, store = jwt_config(coze_sandbox), MemoryStore()

    def made(**options: Any) -> Any:
        arguments = (config["client_id"], config["private_key"], config["public_key_id"])
        auth = JWTAuth(*arguments, base_url=coze_sandbox.base_url, store=store, **options)
        return connect(auth=auth)

    coze = made(duration=300)
    for _ in range(3):
        coze.users.me()
    made(duration=300).users.me()
    assert token_requests(coze_sandbox) == 1
    coze_sandbox.clock.advance(400)
    assert coze.users.me().user_id
    assert token_requests(coze_sandbox) == 2
    for options in ({"session_name": "a"}, {"session_name": "b"}, {"duration": 60}, {"account_id": USER_ID}):
        made(**options).users.me()
        made(**options).users.me()
    assert token_requests(coze_sandbox) == 6


EVENTS = st.sampled_from(["call", "call", "expire", "refuse", "down", "timeout", "elsewhere", "restart", "clock"])


@given(events=st.lists(EVENTS, max_size=12))
@settings(max_examples=120, deadline=None)
def test_whatever_happens(events):
    """As long as no answer is lost, every call gets through in the end, each refresh token is spent once, and the store
    has the one that comes next."""
    service, store = Service(), MemoryStore()
    spent: list[str] = service.asked
    store.save("k", token())
    with httpx.Client(transport=httpx.MockTransport(service)) as http:

        def started() -> Coze:
            return Coze(auth=strategy(store=store, key="k"), http_client=http, retry=at_once())

        coze = started()
        for event in [*events, "call"]:
            match event:
                case "call":
                    assert coze.users.me().user_id == "1"
                case "expire":
                    store.save("k", expired(store.load("k") or token()))
                    coze = started()
                case "refuse":
                    service.access_token = f"a{int(service.access_token[1:]) + 1}"
                case "down":
                    service.trouble = [503]
                case "timeout":
                    service.trouble = [httpx.ConnectTimeout]
                case "elsewhere":
                    assert started().users.me().user_id == "1"
                case "restart":
                    coze = started()
                case "clock":
                    service.clock = ahead(service.clock, 3600)
    refreshes = [each for each in spent if each.startswith("r") and each != "refused"]
    assert len(set(refreshes)) == len(refreshes)
    assert "refused" not in spent
    kept = store.load("k")
    assert kept is not None
    assert kept.refresh_token == service.refresh_token


@pytest.mark.anyio
async def test_cancelled_refresh_frees_the_lock():
    """A task that is cancelled in the middle of a refresh leaves no lock behind."""
    service, auth, entered = Service(), strategy(token()), anyio.Event()

    async def slow(request: httpx.Request) -> httpx.Response:
        if "/oauth2/" in request.url.path and not entered.is_set():
            entered.set()
            await anyio.sleep_forever()
        return service(request)

    async with httpx.AsyncClient(transport=httpx.MockTransport(slow)) as http, anyio.create_task_group() as tasks:
        coze = AsyncCoze(auth=auth, http_client=http)

        async def give_up() -> None:
            with anyio.CancelScope() as scope:
                tasks.start_soon(cancel, scope)
                await coze.users.me()

        async def cancel(scope: anyio.CancelScope) -> None:
            await entered.wait()
            scope.cancel()

        await give_up()
        assert (await coze.users.me()).user_id == "1"
    assert service.asked == ["r0"]


@pytest.mark.anyio
@pytest.mark.parametrize("by", ["scope", "task"])
async def test_cancelled_refresh_fails_nobody_else(by):
    """A task that is cancelled while it refreshes for many leaves that to one of them, without a retry."""
    service, auth, entered = Service(), strategy(token()), anyio.Event()
    names: list[str] = []
    stop = anyio.Event()

    async def slow(request: httpx.Request) -> httpx.Response:
        if "/oauth2/" in request.url.path and not entered.is_set():
            entered.set()
            await anyio.sleep_forever()
        return service(request)

    async with httpx.AsyncClient(transport=httpx.MockTransport(slow)) as http, anyio.create_task_group() as tasks:
        coze = AsyncCoze(auth=auth, http_client=http, retry=0)
        first = anyio.CancelScope()

        async def call_first() -> None:
            with first:
                if by == "scope":
                    await coze.users.me()
                    return
                task = asyncio.create_task(coze.users.me())
                with contextlib.suppress(asyncio.CancelledError):
                    while not stop.is_set():
                        await anyio.lowlevel.checkpoint()
                    task.cancel()
                    await task

        async def call() -> None:
            names.append((await coze.users.me()).user_id or "")

        tasks.start_soon(call_first)
        await entered.wait()
        for _ in range(20):
            tasks.start_soon(call)
        for _ in range(20):
            await anyio.lowlevel.checkpoint()
        stop.set()
        if by == "scope":
            first.cancel()
    assert names == ["1"] * 20
    assert service.asked == ["r0"]


@pytest.mark.anyio
async def test_lost_connection_is_shared_by_tasks():
    """Tasks that wait for a token request which breaks hear of it at once, and make one more together."""
    service, auth, failures = Service(), strategy(token()), []
    service.trouble = [httpx.ReadError]
    waiting = anyio.Event()

    async def late(request: httpx.Request) -> httpx.Response:
        if service.trouble:
            await waiting.wait()
        return service(request)

    async with httpx.AsyncClient(transport=httpx.MockTransport(late)) as http, anyio.create_task_group() as tasks:
        coze = AsyncCoze(auth=auth, http_client=http, retry=0)

        async def call() -> None:
            try:
                await coze.users.me()
            except APIConnectionError as error:
                failures.append(str(error))

        for _ in range(20):
            tasks.start_soon(call)
        await anyio.wait_all_tasks_blocked()
        waiting.set()
    assert len(failures) == 20
    assert len(service.asked) == 1
    assert sum("the token request of another call got no answer" in failure for failure in failures) == 19


FORKING = f"""
import os, sys, threading
import httpx
from cozekit import Coze
from cozekit.auth import Token, WebOAuth
from datetime import UTC, datetime, timedelta

old = Token(access_token="a0", refresh_token="r0", expires_at=datetime.now(UTC) - timedelta(hours=1))
auth = WebOAuth({WEB_APP!r}, {SECRET!r}, base_url={BASE!r}).auth(old)
parent, asked, forked = os.getpid(), threading.Event(), threading.Event()

def service(request):
    if "/oauth2/" not in request.url.path:
        return httpx.Response(200, json={{"code": 0, "data": {{"user_id": request.headers["Authorization"]}}}})
    if os.getpid() == parent:
        asked.set()
        forked.wait()
    return httpx.Response(200, json={{"access_token": "a1", "refresh_token": "r1", "expires_in": 2000000000}})

def call():
    with httpx.Client(transport=httpx.MockTransport(service), timeout=20) as http:
        return Coze(auth=auth, http_client=http, retry=0).users.me().user_id

thread = threading.Thread(target=call)
thread.start()
asked.wait()  # so the thread renews the token now
child = os.fork()
if child == 0:
    try:
        print("child", call(), flush=True)
    finally:
        os._exit(0)
os.waitpid(child, 0)
forked.set()
thread.join()
print("parent", call())
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
def test_forked_while_a_thread_renews():
    """A process that is forked while a thread renews the token renews it by itself, and waits for nobody."""
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", FORKING], capture_output=True, text=True, timeout=120, check=True
    )
    assert done.stdout.splitlines() == ["child Bearer a1", "parent Bearer a1"], done.stderr
