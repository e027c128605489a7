"""The application without a server of its own."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import httpx
import pytest

from coze_sandbox import WORKSPACE_ID, Sandbox
from coze_sandbox._inject import ConnectionDroppedError


@pytest.fixture
def sandbox():
    """Give a sandbox that does not listen."""
    sandbox = Sandbox()
    yield sandbox
    sandbox.close()


def call(sandbox, *arguments, **options):
    async def send():
        transport = httpx.ASGITransport(sandbox.app)
        headers = {"Authorization": f"Bearer {sandbox.token}"}
        async with httpx.AsyncClient(transport=transport, base_url="http://sandbox", headers=headers) as client:
            return await client.request(*arguments, **options)

    return asyncio.run(send())


def test_calls_in_process(sandbox):
    """The application answers without any socket."""
    assert call(sandbox, "GET", "/v1/users/me").json()["code"] == 0
    assert call(sandbox, "GET", "/_sandbox/").status_code == 200


def test_dropped_connections_in_process(sandbox):
    """Without a connection to close, a drop is raised to whoever called."""
    sandbox.faults.add("drop")
    with pytest.raises(ConnectionDroppedError):
        call(sandbox, "GET", "/v1/users/me")


def test_lifespan_and_other_protocols(sandbox):
    """The application starts and stops when asked, and says no to a WebSocket also where a server has no words for it."""
    asked = iter([{"type": "lifespan.startup"}, {"type": "lifespan.shutdown"}, {"type": "websocket.connect"}])
    sent: list[dict[str, Any]] = []

    async def receive():
        return next(asked)

    async def send(message):
        sent.append(message)

    asyncio.run(sandbox.app({"type": "lifespan"}, receive, send))
    asyncio.run(sandbox.app({"type": "websocket", "path": "/v1/chat", "headers": []}, receive, send))
    kinds = [message["type"] for message in sent]
    assert kinds == ["lifespan.startup.complete", "lifespan.shutdown.complete", "websocket.close"]
    with pytest.raises(ValueError, match="serves no 'carrier pigeon'"):
        asyncio.run(sandbox.app({"type": "carrier pigeon"}, receive, send))


def test_defects_are_loud(sandbox, monkeypatch, capsys):
    """A handler that raises is answered with HTTP 500 that says so, and changes nothing."""
    from coze_sandbox._handlers import HANDLERS

    def broken(call):
        call.world.store.put("user", call.user_id, {})
        raise KeyError("boom")

    monkeypatch.setitem(HANDLERS, "users.me", broken)
    response = call(sandbox, "GET", "/v1/users/me")
    assert (response.status_code, response.json()["code"]) == (500, 5000)
    assert "defect of the sandbox" in response.json()["msg"]
    assert sandbox.requests[-1].verdict == "failed"
    assert "boom" in capsys.readouterr().err
    monkeypatch.undo()
    assert call(sandbox, "GET", "/v1/users/me").json()["data"]["user_id"]


def test_moved_clock(sandbox):
    """Moments in answers follow the sandbox's clock."""
    before = call(sandbox, "POST", "/v1/conversation/create", json={}).json()["data"]
    sandbox.clock.advance(3600)
    after = call(sandbox, "POST", "/v1/conversation/create", json={}).json()["data"]
    assert after["created_at"] - before["created_at"] >= 3600
    with pytest.raises(ValueError, match="forward"):
        sandbox.clock.advance(-1)


def test_reset_takes_the_clock_back_first(sandbox):
    """After a reset, what is there from the start was made then, not at the time to which the clock was moved."""
    sandbox.clock.advance(3600)
    sandbox.reset()
    bots = call(sandbox, "GET", "/v1/bots", params={"workspace_id": WORKSPACE_ID}).json()["data"]["items"]
    assert {bot["updated_at"] <= sandbox.clock.seconds() for bot in bots} == {True}


def test_small_answers_are_sent_at_once(api):
    """No call waits for the network to fill a packet, which would cost 40 ms each."""
    before = time.perf_counter()
    for _ in range(20):
        api.http.get("/v1/users/me")
    assert time.perf_counter() - before < 20 * 0.04
