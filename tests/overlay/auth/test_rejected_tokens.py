"""Token strategies where Coze rejects a token, an old or a new one."""

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
    """Replaces the module `time`.

    Attributes:
        now: Seconds by which `monotonic` is ahead.
    """

    def __init__(self) -> None:
        self.now = 0.0

    def monotonic(self) -> float:
        return time.monotonic() + self.now

    def time(self) -> float:
        return time.time()


@pytest.mark.parametrize("status_200", [False, True])
def test_rejected_token_is_renewed_once(connect, status_200):
    """A token that Coze rejects, by status or by code, is renewed and the call sent again; a second rejection is
    raised.
    """
    service = Service()
    if status_200:
        service.refusal = lambda: httpx.Response(200, json={"code": 700012006, "msg": "access token invalid"})
    service.access_token = "a7"
    coze = client(connect, service, strategy(token(seconds=600)))
    assert coze.users.me().user_id == "1"
    assert (service.calls, service.refreshes) == (["a0", "a8"], ["r0"])
    service.refuse = lambda _: True
    with pytest.raises(AuthenticationError) as caught:
        coze.users.me()
    assert service.calls[2:] == ["a8", "a9"]
    assert service.refreshes == ["r0", "r8"]
    assert caught.value.operation == "users.me"


@pytest.mark.parametrize("status_200", [False, True])
def test_rejected_new_token_is_renewed_again_after_30_seconds(connect, status_200, monkeypatch):
    """If Coze rejects a token that it has just issued, no other is requested for 30 seconds, however many calls are
    made; then one is.
    """
    service, clock = Service(), Clock()
    monkeypatch.setattr(_token_manager, "time", clock)
    service.refuse = lambda _: True
    if status_200:
        service.refusal = lambda: httpx.Response(200, json={"code": 4100, "msg": "authentication is invalid"})
    coze = client(connect, service, strategy(token(seconds=600)))
    for _ in range(3):
        with pytest.raises(AuthenticationError, match="no other one is requested in the next 30 seconds"):
            coze.users.me()
        clock.now += 9
    assert service.refreshes == ["r0"]
    assert service.calls == ["a0", "a1", "a1", "a1"]  # each call is sent once
    clock.now += 4
    with pytest.raises(AuthenticationError):
        coze.users.me()
    assert service.refreshes == ["r0", "r1"]


def test_new_token_that_is_rejected_at_first_stays_in_use(connect):
    """A new token that was rejected is sent again by later calls, and so is used as soon as Coze accepts it."""
    service = Service()
    service.refuse = lambda _: True
    coze = client(connect, service, strategy(token(seconds=600)))
    with pytest.raises(AuthenticationError):
        coze.users.me()
    service.refuse = lambda bearer: bearer != service.access_token
    assert coze.users.me().user_id == "1"
    assert service.refreshes == ["r0"]


def test_one_rejecting_operation_causes_no_renewals(connect):
    """If one operation rejects every token and others accept them, calling both in turn renews no token."""
    service = Service()
    coze = client(connect, service, strategy(token(seconds=600)))
    service.refuse = lambda _: True
    with pytest.raises(AuthenticationError):
        coze.users.me()
    for refuses in (False, True, False, True):
        service.refuse = lambda _, refuses=refuses: refuses
        with pytest.raises(AuthenticationError) if refuses else contextlib.nullcontext():
            coze.users.me()
    assert service.refreshes == ["r0"]


def test_token_accepted_by_a_websocket_counts_as_accepted(connect):
    """A token that opened a WebSocket counts as accepted: if it is rejected later, a new one is requested at once."""
    service, auth = Service(), strategy(token())
    flow = auth.sync_auth_flow(httpx.Request("GET", "wss://ws.coze.com/v1/chat"))
    request = next(flow)
    response = service(request)
    response.request = request
    assert flow.send(response).headers["Authorization"] == "Bearer a1"
    with pytest.raises(StopIteration):
        flow.send(httpx.Response(101))
    service.refuse = lambda bearer: bearer == "a1"
    assert client(connect, service, auth).users.me().user_id == "1"
    assert service.refreshes == ["r0", "r1"]


def test_rejected_new_token_is_replaced_from_the_store(connect):
    """A new token that is rejected is replaced by one that another process has saved in the meantime."""
    service, store = Service(), MemoryStore()
    coze = client(connect, service, strategy(token(seconds=600), store=store, key="k"))
    service.refuse = lambda _: True
    with pytest.raises(AuthenticationError):
        coze.users.me()
    store.save("k", token("a5", "r5", seconds=900))
    service.refuse = lambda bearer: bearer != "a5"
    assert coze.users.me().user_id == "1"
    assert service.refreshes == ["r0"]


@pytest.mark.parametrize("answer", [{"code": 4101}, {"code": 0, "data": {"user_id": "4100"}}])
def test_other_errors_renew_no_token(connect, answer):
    """An error that is not about the token renews nothing, nor does a response that only resembles one."""
    service = Service()
    service.refuse, service.refusal = (lambda _: True), lambda: httpx.Response(200, json=answer)
    coze = client(connect, service, strategy(token(seconds=600)))
    try:
        coze.users.me()
    except APIError as error:
        assert error.code == answer["code"]
    assert (len(service.calls), service.refreshes) == (1, [])
