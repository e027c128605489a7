"""Strategies: what follows where Coze refuses a token, an old one or a new one."""

from __future__ import annotations

import contextlib
import time

import httpx
import pytest

from cozekit import APIError
from cozekit.auth import MemoryStore, _token_manager
from cozekit.errors import AuthenticationError
from tests.overlay.auth._token_service import Service, client, strategy, token


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
    monkeypatch.setattr(_token_manager, "time", clock)
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
