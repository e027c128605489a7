"""The application without a server of its own."""

from __future__ import annotations

import asyncio
import gc
import json
import socket
import threading
import time
import warnings
import weakref
from typing import Any

import httpx
import pytest
from starlette.responses import Response

from coze_sandbox import BOT_ID, WORKSPACE_ID, Sandbox
from coze_sandbox._faults.injector import ConnectionDroppedError
from coze_sandbox._server import ThreadedServer


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


def test_sandboxes_that_nobody_closes(tmp_path):
    """A sandbox that was made and dropped, used or not, closes its file without a warning."""
    path = tmp_path / "state.db"
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        dropped = weakref.ref(Sandbox(db=path))
        gc.collect()
        assert dropped() is None
    assert [str(warning.message) for warning in caught] == []
    assert not path.with_name("state.db-wal").exists()  # which is there as long as the file is open


def test_delays_in_process(sandbox):
    """A delayed call takes effect after its delay also where no connection shows that the client is there."""
    sandbox.faults.add("delay", seconds=0.01)
    sandbox.faults.add("delay", seconds=0.01, handled=True)
    for _ in range(2):
        assert call(sandbox, "POST", "/v1/conversation/create", json={}).json()["code"] == 0
    assert not len(sandbox.faults)


def test_dropped_connections_in_process(sandbox):
    """Without a connection to close, a drop is raised to the caller."""
    sandbox.faults.add("drop")
    with pytest.raises(ConnectionDroppedError):
        call(sandbox, "GET", "/v1/users/me")


def test_lifespan_and_other_protocols(sandbox):
    """The application starts and stops on request, and refuses a WebSocket also where a server cannot send a reason."""
    incoming = iter([{"type": "lifespan.startup"}, {"type": "lifespan.shutdown"}, {"type": "websocket.connect"}])
    sent: list[dict[str, Any]] = []

    async def receive():
        return next(incoming)

    async def send(message):
        sent.append(message)

    asyncio.run(sandbox.app({"type": "lifespan"}, receive, send))
    asyncio.run(sandbox.app({"type": "websocket", "path": "/v1/chat", "headers": []}, receive, send))
    kinds = [message["type"] for message in sent]
    assert kinds == ["lifespan.startup.complete", "lifespan.shutdown.complete", "websocket.close"]
    with pytest.raises(ValueError, match="unsupported ASGI scope 'carrier pigeon'"):
        asyncio.run(sandbox.app({"type": "carrier pigeon"}, receive, send))


def test_defects_are_loud(sandbox, monkeypatch, capsys):
    """A handler that raises is answered with HTTP 500 and a message about it, and changes nothing."""
    from coze_sandbox._handlers import HANDLERS

    def broken(call):
        call.state.store.put("user", call.user_id, {})
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


def first_line(sandbox, target, *headers):
    """Send a GET with a target as it stands, and return the answer's status and text."""
    url = httpx.URL(sandbox.base_url)
    lines = [f"GET {target} HTTP/1.1", "Host: elsewhere.test", f"Authorization: Bearer {sandbox.token}", *headers]
    with socket.create_connection((url.host, url.port)) as connection:
        connection.sendall("\r\n".join([*lines, "Connection: close", "", ""]).encode())
        with connection.makefile("rb") as answer:
            head, _, body = answer.read().partition(b"\r\n\r\n")
    return int(head.split()[1]), body.decode()


@pytest.mark.parametrize("origin", ["http://{host}", "HTTP://{host}", "https://u:p@{host}", "http://api.example.test"])
def test_whole_url_as_target(coze_sandbox, origin):
    """A request for a whole URL, as proxies get it, is one for its path, whatever its host is."""
    origin = origin.format(host=httpx.URL(coze_sandbox.base_url).netloc.decode())
    status, body = first_line(coze_sandbox, f"{origin}/v1/bots/{BOT_ID}?is_published=false")
    assert (status, json.loads(body)["data"]["bot_id"]) == (200, BOT_ID)
    record = coze_sandbox.requests[-1]
    assert (record.operation, record.path, record.query) == (
        "bots.retrieve",
        f"/v1/bots/{BOT_ID}",
        "is_published=false",
    )
    assert first_line(coze_sandbox, f"{origin}/v1/bots/a%2Fb")[0] == 400
    assert coze_sandbox.requests[-1].operation == "bots.retrieve"
    for page in (origin, f"{origin}/", f"{origin}/_sandbox/"):
        assert first_line(coze_sandbox, page)[0] == 200
    assert first_line(coze_sandbox, f"{origin}/v1/chat?bot_id={BOT_ID}")[0] == 426


def test_whole_url_names_the_host(coze_sandbox):
    """The host in the target counts, and that of the header does not."""
    status, body = first_line(coze_sandbox, "http://named.test/_sandbox/openapi.json")
    assert (status, json.loads(body)["servers"][0]["url"]) == (200, "http://named.test")


def test_websocket_with_a_whole_url(coze_sandbox):
    """A WebSocket is opened for a whole URL too."""
    upgrade = ["Upgrade: websocket", "Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=="]
    url = httpx.URL(coze_sandbox.base_url)
    with socket.create_connection((url.host, url.port)) as connection:
        lines = [f"GET ws://{url.netloc.decode()}/v1/chat?bot_id={BOT_ID} HTTP/1.1", "Host: elsewhere.test"]
        lines += [f"Authorization: Bearer {coze_sandbox.token}", "Connection: Upgrade", *upgrade, "", ""]
        connection.sendall("\r\n".join(lines).encode())
        with connection.makefile("rb") as answer:
            assert answer.readline() == b"HTTP/1.1 101 Switching Protocols\r\n"


def test_small_answers_are_sent_at_once():
    """No connection waits for the network to fill a packet, which would cost 40 ms a call."""
    options = []

    async def app(scope, receive, send):
        connection = send.__self__.transport.get_extra_info("socket")
        options.append(connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY))
        await Response()(scope, receive, send)

    server = ThreadedServer(app, "127.0.0.1", 0)
    server.start()
    try:
        httpx.get(server.base_url)
    finally:
        server.stop()
    assert [bool(option) for option in options] == [True]


def test_server_stops_after_a_test_replaced_the_clock(monkeypatch):
    """`stop` returns although the event loop computed its next pause while a test had set the clock back."""
    turned = threading.Event()

    def earlier() -> float:
        if threading.current_thread().name == "coze-sandbox":
            turned.set()
        return 1.0

    server = ThreadedServer(Response(), "127.0.0.1", 0)
    server.start()
    with monkeypatch.context() as clock:
        clock.setattr(time, "monotonic", earlier)
        assert turned.wait(5)
        time.sleep(0.1)  # by then the loop has computed a pause, and waits
    stopping = threading.Thread(target=server.stop, daemon=True)
    stopping.start()
    stopping.join(5)
    assert not stopping.is_alive()
