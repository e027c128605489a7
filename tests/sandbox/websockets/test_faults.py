"""Faults of WebSockets on demand."""

from __future__ import annotations

import json
import socket
import time

import pytest
from websockets.exceptions import ConnectionClosedError, ConnectionClosedOK, InvalidMessage, InvalidStatus
from websockets.sync.client import connect

from tests.sandbox.websockets._connection import CHAT, SPEECH, address, talk

SPOKEN = "Nice weather today."


def session(sandbox, **talking):
    """Have a text spoken; return the frames as they came, and the error that broke it off, or None."""
    frames = []
    with talk(sandbox, SPEECH, **talking) as client:
        try:
            client.send("input_text_buffer.append", {"delta": SPOKEN})
            client.send("input_text_buffer.complete")
            while not frames or "speech.audio.completed" not in frames[-1]:
                frames.append(client.connection.recv(timeout=60))
        except ConnectionClosedError as end:
            return frames, end
    return frames, None


def kinds(frames):
    """Return the event types."""
    return [json.loads(frame)["event_type"] for frame in frames]


@pytest.fixture
def whole(coze_sandbox):
    """Return the event types of the session without a fault."""
    frames, end = session(coze_sandbox)
    assert end is None
    return kinds(frames)


@pytest.mark.parametrize(
    ("kind", "settings", "status"),
    [
        ("status", {"status": 503}, 503),
        ("code", {"code": 4101}, 403),
        ("rate_limit", {"seconds": 7}, 429),
        ("html", {}, 502),
    ],
)
def test_refused_handshakes(coze_sandbox, kind, settings, status):
    """A handshake can be refused as any call can, and the next is as usual."""
    coze_sandbox.faults.add(kind, "websockets.audio.speech", **settings)
    with pytest.raises(InvalidStatus) as caught:
        session(coze_sandbox)
    assert caught.value.response.status_code == status
    assert caught.value.response.headers["x-tt-logid"] == coze_sandbox.requests[0].logid
    assert coze_sandbox.requests[0].verdict == "fault"
    assert session(coze_sandbox)[1] is None


def test_dropped_handshake(coze_sandbox):
    """The connection can end without an answer to the handshake."""
    coze_sandbox.faults.add("drop")
    with pytest.raises(InvalidMessage):
        session(coze_sandbox)
    assert coze_sandbox.requests[0].status is None


def test_delayed_handshake(coze_sandbox):
    """A handshake can be late, and other sessions are not."""
    coze_sandbox.faults.add("delay", seconds=30)
    with pytest.raises(TimeoutError):
        connect(address(coze_sandbox, SPEECH, authorization=f"Bearer {coze_sandbox.token}"), open_timeout=2)
    assert session(coze_sandbox)[1] is None


def test_delayed_handshake_of_a_client_that_leaves(coze_sandbox):
    """A client that leaves while its handshake is delayed is noticed at once, and no session begins."""
    coze_sandbox.faults.add("delay", seconds=600)
    with pytest.raises(TimeoutError):
        connect(address(coze_sandbox, SPEECH, authorization=f"Bearer {coze_sandbox.token}"), open_timeout=2)
    [record] = coze_sandbox.requests
    deadline = time.monotonic() + 30
    while record.seconds is None and time.monotonic() < deadline:
        time.sleep(0.01)
    assert (record.verdict, record.reason, record.status, record.messages) == ("fault", "delay", 499, [])


def test_lost_doubled_and_delayed_messages(coze_sandbox, whole):
    """One message can be lost, come twice, or come late; the others come as usual."""
    coze_sandbox.faults.add("lost", events=1)
    assert kinds(session(coze_sandbox)[0]) == [whole[0], *whole[2:]]
    coze_sandbox.faults.add("duplicate", events=2)
    frames, _ = session(coze_sandbox)
    assert kinds(frames) == [*whole[:3], *whole[2:]]
    assert frames[2] == frames[3]
    coze_sandbox.faults.add("delay", events=2, seconds=0.01)
    assert kinds(session(coze_sandbox)[0]) == whole


def test_garbage(coze_sandbox, whole):
    """A message that is not JSON can come between others."""
    coze_sandbox.faults.add("garbage", events=2)
    frames, _ = session(coze_sandbox)
    with pytest.raises(ValueError, match="Expecting value"):
        json.loads(frames.pop(2))
    assert kinds(frames) == whole


def test_huge(coze_sandbox, whole):
    """A message can be huge, longer than clients take by default, and still mean the same."""
    coze_sandbox.faults.add("huge", events=2)
    frames, _ = session(coze_sandbox)
    assert len(frames[2]) == 4 << 20
    assert kinds(frames) == whole
    coze_sandbox.faults.add("huge", events=0)
    url = address(coze_sandbox, SPEECH, authorization=f"Bearer {coze_sandbox.token}")
    with connect(url) as client, pytest.raises(ConnectionClosedError) as caught:
        client.recv(timeout=60)
    assert caught.value.sent.code == 1009


def test_stall(coze_sandbox):
    """The server can fall silent while the connection stays: it still answers pings, and takes messages."""
    coze_sandbox.faults.add("stall", "websockets.audio.speech", events=2)
    with talk(coze_sandbox, SPEECH) as client:
        client.send("input_text_buffer.append", {"delta": SPOKEN})
        client.send("input_text_buffer.complete")
        client.until("input_text_buffer.completed")
        with pytest.raises(TimeoutError):
            client.connection.recv(timeout=0.2)
        assert client.connection.ping().wait(timeout=60)
    coze_sandbox.faults.add("stall", events=2, seconds=0.01)
    assert session(coze_sandbox)[1] is None


@pytest.mark.parametrize(("events", "size"), [(0, 0), (2, 0), (2, 1), (3, 2000)])
def test_cut(coze_sandbox, whole, events, size):
    """The fault `cut` ends the connection between frames or inside one, without a close frame."""
    coze_sandbox.faults.add("cut", events=events, bytes=size)
    frames, end = session(coze_sandbox)
    assert isinstance(end, ConnectionClosedError)
    assert end.rcvd is None
    assert kinds(frames) == whole[:events]


def test_cut_frame_on_the_wire(coze_sandbox):
    """The fault `cut` inside a frame sends the frame's header with the whole length, and the bytes before the cut."""
    coze_sandbox.faults.add("cut", events=0, bytes=7)
    host, port = coze_sandbox.base_url.removeprefix("http://").split(":")
    request = (
        f"GET {SPEECH} HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {coze_sandbox.token}\r\n"
        "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
        "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
    )
    with socket.create_connection((host, int(port)), timeout=60) as raw:
        raw.sendall(request.encode())
        received = b"".join(iter(lambda: raw.recv(4096), b""))
    head, _, frame = received.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 101")
    assert frame[:2] == b"\x81\x7e"
    assert int.from_bytes(frame[2:4], "big") > 100
    assert frame[4:] == b'{"event'


@pytest.mark.parametrize(("settings", "code"), [({}, 1011), ({"code": 4001, "msg": "enough"}, 4001)])
def test_early_close(coze_sandbox, whole, settings, code):
    """The server can close in good order, with any code and reason."""
    coze_sandbox.faults.add("close", events=2, **settings)
    frames, end = session(coze_sandbox)
    assert kinds(frames) == whole[:2]
    assert isinstance(end, ConnectionClosedError)
    assert (end.rcvd.code, end.rcvd.reason) == (code, settings.get("msg", "ordered fault"))
    coze_sandbox.faults.add("close", events=0, code=1000)
    with talk(coze_sandbox, CHAT) as client, pytest.raises(ConnectionClosedOK):
        client.receive()


def test_fault_of_a_single_handshake(coze_sandbox, whole):
    """A header orders a fault for its own session; a wrong order is refused."""
    frames, _ = session(coze_sandbox, headers={"X-Sandbox-Fault": "lost; events=1"})
    assert kinds(frames) == [whole[0], *whole[2:]]
    with pytest.raises(InvalidStatus) as caught:
        session(coze_sandbox, headers={"X-Sandbox-Fault": "explode"})
    assert caught.value.response.status_code == 400


@pytest.mark.parametrize("kind", ["stall", "delay", "cut", "close", "huge"])
def test_sessions_end_with_their_clients(api, coze_sandbox, kind):
    """However a session goes wrong, it is over for the sandbox when its client has left; its chat ends in its time."""
    coze_sandbox.faults.add(kind, events=3, seconds=3600)
    with talk(coze_sandbox, CHAT) as client:
        client.send_text("/long 300")
        client.until("conversation.chat.created")
    record = coze_sandbox.requests[0]
    while record.seconds is None:
        pass
    [chat] = coze_sandbox.store.list("chat")
    coze_sandbox.clock.advance(3600)
    query = {"conversation_id": chat["conversation_id"], "chat_id": chat["id"]}
    assert api.ok("GET", "/v3/chat/retrieve", params=query)["status"] == "completed"


def test_log_of_faults(coze_sandbox):
    """The log shows which messages a fault hit."""
    coze_sandbox.faults.add("lost", events=1)
    session(coze_sandbox)
    record = coze_sandbox.requests[0]
    assert (record.verdict, record.reason, record.status) == ("fault", "lost", 101)
    hit = [entry.event for entry in record.messages if entry.verdict == "fault"]
    assert hit == ["input_text_buffer.completed"]
