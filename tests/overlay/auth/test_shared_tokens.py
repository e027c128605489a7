"""Token strategies send one token request for all threads, tasks and processes, also after cancellation or a fork."""

from __future__ import annotations

import asyncio
import contextlib
import os
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import anyio
import anyio.lowlevel
import httpx
import pytest

from cozekit import APIConnectionError, AsyncCoze, Coze
from cozekit.auth import TokenAuth, WebOAuth
from cozekit.errors import InvalidGrant
from tests.overlay._clients import Connect
from tests.overlay.auth._flows import SECRET, WEB_APP, Flows, expired, token_requests
from tests.overlay.auth._token_service import BASE, Service, strategy, token


def test_200_threads_send_one_token_request(flows, coze_sandbox):
    """200 calls from threads with an expired token send exactly one token request."""
    flow = WebOAuth(WEB_APP, SECRET, base_url=flows.base_url)
    _, first = flows.web_token()
    coze_sandbox.requests.clear()
    with Coze(auth=flow.auth(expired(first)), timeout=60) as coze, ThreadPoolExecutor(200) as threads:
        user_ids = {job.result().user_id for job in [threads.submit(coze.users.me) for _ in range(200)]}
    assert len(user_ids) == 1
    assert token_requests(coze_sandbox) == 1
    assert len(coze_sandbox.requests.of("users.me")) >= 200  # a call whose connection breaks under load is sent again


@pytest.mark.anyio
async def test_200_tasks_send_one_token_request(coze_sandbox):
    """200 calls from tasks with an expired token send exactly one token request."""
    coze_sandbox.oauth.auto_consent = True
    _, first = Flows(Connect(None), coze_sandbox).web_token()
    coze_sandbox.requests.clear()
    flow = WebOAuth(WEB_APP, SECRET, base_url=coze_sandbox.base_url)
    async with AsyncCoze(auth=flow.auth(expired(first)), timeout=60) as coze, anyio.create_task_group() as tasks:
        for _ in range(200):
            tasks.start_soon(coze.users.me)
    assert token_requests(coze_sandbox) == 1
    assert len(coze_sandbox.requests.of("users.me")) >= 200  # a call whose connection breaks under load is sent again


def test_threads_and_event_loops_share_one_token_request():
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
    assert service.refreshes == ["r0"]
    assert service.calls == ["a1"] * 120


def test_simultaneous_rejections_send_one_token_request():
    """Many calls whose token is rejected at the same time send one token request."""
    service = Service()
    service.access_token = "a7"
    auth = strategy(token(seconds=600))
    with httpx.Client(transport=httpx.MockTransport(service)) as http, ThreadPoolExecutor(20) as threads:
        coze = Coze(auth=auth, http_client=http)
        for job in [threads.submit(coze.users.me) for _ in range(100)]:
            job.result()
    assert service.refreshes == ["r0"]


def gathered(service: Service, auth: TokenAuth, calls: int, **options: Any) -> list[BaseException | None]:
    """Call from that many threads at once and return the exceptions."""
    start = threading.Barrier(calls)
    with httpx.Client(transport=httpx.MockTransport(service)) as http, ThreadPoolExecutor(calls) as threads:
        coze = Coze(auth=auth, http_client=http, **options)

        def call() -> None:
            start.wait()
            coze.users.me()

        return [job.exception() for job in [threads.submit(call) for _ in range(calls)]]


def test_failed_token_request_fails_all_waiting_calls():
    """If Coze issues no token, all waiting calls fail with one response, and later calls send no new request."""
    service, auth = Service(), strategy(token(refresh="spent"))
    failures = gathered(service, auth, 50)
    assert {type(failure) for failure in failures} == {InvalidGrant}
    assert service.refreshes == ["refused"]
    assert {type(failure) for failure in gathered(service, auth, 5)} == {InvalidGrant}
    assert service.refreshes == ["refused"]
    assert service.calls == []


class Queue:
    """A lock that counts how many callers wait for it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.came = 0
        self.release = self._lock.release

    def acquire(self, timeout: float) -> bool:
        self.came += 1
        return self._lock.acquire(timeout=timeout)


def test_lost_token_request_fails_all_waiting_threads_at_once():
    """If the token request gets no response, all waiting calls fail at once and do not retry one after the other."""
    service, auth, queue = Service(), strategy(token()), Queue()
    auth._refresh_lock._locks = {auth._key: queue}  # type: ignore[assignment]  # has what is used of locks

    def late(text: str, request: httpx.Request) -> Exception:
        while queue.came < 20:
            time.sleep(0.001)
        return httpx.ConnectError(text, request=request)

    service.trouble = [late]
    failures = gathered(service, auth, 20, retry=0)
    assert {type(failure) for failure in failures} == {APIConnectionError}
    assert len(service.refreshes) == 1
    for failure in failures:
        assert "users.me: the access token could not be renewed: " in str(failure)
        assert failure.sent is False  # type: ignore[union-attr]  # see above


def stuck_at_first(service: Service, entered: anyio.Event) -> httpx.MockTransport:
    """Create a transport to a service that never responds to the first token request."""

    async def slow(request: httpx.Request) -> httpx.Response:
        if "/oauth2/" in request.url.path and not entered.is_set():
            entered.set()
            await anyio.sleep_forever()
        return service(request)

    return httpx.MockTransport(slow)


@pytest.mark.anyio
@pytest.mark.parametrize("anyio_backend", ["asyncio", "trio"])
async def test_canceled_refresh_releases_the_lock():
    """A task that is canceled during a refresh releases its lock."""
    service, auth, entered = Service(), strategy(token()), anyio.Event()

    slow = stuck_at_first(service, entered)
    async with httpx.AsyncClient(transport=slow) as http, anyio.create_task_group() as tasks:
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
    assert service.refreshes == ["r0"]


@pytest.mark.anyio
@pytest.mark.parametrize(("anyio_backend", "by"), [("asyncio", "scope"), ("asyncio", "task"), ("trio", "scope")])
async def test_another_task_takes_over_a_canceled_refresh(by):
    """If a task is canceled while it refreshes for many, one of the others refreshes, without a retry."""
    service, auth, entered = Service(), strategy(token()), anyio.Event()
    names: list[str] = []
    stop = anyio.Event()

    slow = stuck_at_first(service, entered)
    async with httpx.AsyncClient(transport=slow) as http, anyio.create_task_group() as tasks:
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
    assert service.refreshes == ["r0"]


@pytest.mark.anyio
@pytest.mark.parametrize("anyio_backend", ["asyncio", "trio"])
async def test_lost_token_request_fails_all_waiting_tasks_at_once():
    """Tasks that wait for a token request whose connection breaks fail at once, after one more request for all."""
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
    assert len(service.refreshes) == 1
    assert sum("the token request of another call got no response" in failure for failure in failures) == 19


FORKING = f"""
import os, sys, threading
import httpx
from cozekit import Coze
from cozekit.auth import Token, WebOAuth
from datetime import UTC, datetime, timedelta

old = Token(access_token="a0", refresh_token="r0", expires_at=datetime.now(UTC) - timedelta(hours=1))
auth = WebOAuth({WEB_APP!r}, {SECRET!r}, base_url={BASE!r}).auth(old)
parent, requested, forked = os.getpid(), threading.Event(), threading.Event()

def service(request):
    if "/oauth2/" not in request.url.path:
        return httpx.Response(200, json={{"code": 0, "data": {{"user_id": request.headers["Authorization"]}}}})
    if os.getpid() == parent:
        requested.set()
        forked.wait()
    return httpx.Response(200, json={{"access_token": "a1", "refresh_token": "r1", "expires_in": 2000000000}})

def call():
    with httpx.Client(transport=httpx.MockTransport(service), timeout=60) as http:
        return Coze(auth=auth, http_client=http, retry=0).users.me().user_id

thread = threading.Thread(target=call)
thread.start()
requested.wait()  # so the thread renews the token now
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
def test_forked_process_renews_by_itself():
    """A process that is forked while a thread renews the token renews it by itself and waits for no lock."""
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", FORKING], capture_output=True, text=True, timeout=120, check=True
    )
    assert done.stdout.splitlines() == ["child Bearer a1", "parent Bearer a1"], done.stderr
