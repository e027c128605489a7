"""What a reset ends: nothing that was under way before it changes the state after it."""

from __future__ import annotations

import threading
import time

import httpx
import pytest
from websockets.exceptions import ConnectionClosedError, InvalidStatus

from coze_sandbox import BOT_ID, WORKFLOW_ECHO, Sandbox
from coze_sandbox._http.event_source import ScopedEventIterator
from tests.sandbox.websockets._connection import CHAT, talk


@pytest.fixture
def sandbox():
    """Give a sandbox whose events come slowly enough to be interrupted."""
    with Sandbox(event_seconds=0.05) as sandbox:
        yield sandbox


@pytest.fixture
def client(sandbox):
    """Give a client with its token."""
    headers = {"Authorization": f"Bearer {sandbox.token}"}
    with httpx.Client(base_url=sandbox.base_url, headers=headers) as client:
        yield client


def chat(text, **members):
    message = {"role": "user", "content": text, "content_type": "text"}
    return {"bot_id": BOT_ID, "user_id": "u", "additional_messages": [message], **members}


def document_counts(sandbox):
    return sandbox.store.kinds()


def wait_for_fault(sandbox):
    """Wait until the fault that was ordered has hit a call."""
    while not len(sandbox.requests) or len(sandbox.faults):
        time.sleep(0.01)


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/v3/chat", chat("/long 200", stream=True)),
        ("/v1/workflow/stream_run", {"workflow_id": WORKFLOW_ECHO, "parameters": {"input": "x " * 200}}),
    ],
)
def test_streams_end_with_their_state(sandbox, client, path, body):
    """A stream that was begun before a reset ends early, and keeps nothing in the state after it."""
    before = document_counts(sandbox)
    with client.stream("POST", path, json=body) as answer:
        lines = answer.iter_lines()
        next(lines)
        sandbox.reset()
        rest = [*lines]
    assert not any(line in {"event:done", "event: Done"} for line in rest)
    assert document_counts(sandbox) == before


def test_old_streams_leave_new_chats_alone(sandbox, client):
    """Ids begin again after a reset, and the end of an old stream does not end the new chat with the same id."""
    with client.stream("POST", "/v3/chat", json=chat("/long 200", stream=True)) as answer:
        lines = answer.iter_lines()
        next(lines)
        sandbox.reset()
        new = client.post("/v3/chat", json=chat("/slow 60 Hello")).json()["data"]
        assert [*lines]
    query = {"conversation_id": new["conversation_id"], "chat_id": new["id"]}
    assert client.get("/v3/chat/retrieve", params=query).json()["data"]["status"] == "in_progress"


def test_chats_that_were_left_end_with_their_state(sandbox, client):
    """A chat whose client has left is gone after a reset."""
    with client.stream("POST", "/v3/chat", json=chat("/slow 60 Hello", stream=True)) as answer:
        next(answer.iter_lines())
    while sandbox.requests[0].seconds is None:
        time.sleep(0.01)
    assert len(sandbox.store.list("chat")) == 1
    sandbox.reset()
    sandbox.clock.advance(3600)
    assert sandbox.store.list("chat") == sandbox.store.list("message") == []


def test_pauses_of_streams_end(sandbox, client):
    """A stream that is far from its next event ends at once, too."""
    with client.stream("POST", "/v3/chat", json=chat("/slow 600 Hello", stream=True)) as answer:
        lines = answer.iter_lines()
        next(lines)
        sandbox.reset()
        assert "event:done" not in [*lines]


def test_sockets_are_closed(sandbox):
    """A WebSocket that was opened before a reset is closed with code 1012, and keeps nothing in the state after it."""
    before = document_counts(sandbox)
    with talk(sandbox, CHAT) as talking, talk(sandbox, CHAT) as idle:
        talking.send_text("/long 200")
        talking.until("conversation.message.delta")
        sandbox.reset()
        for session in (talking, idle):
            with pytest.raises(ConnectionClosedError) as caught:
                session.until("conversation.chat.completed")
            assert (caught.value.rcvd.code, caught.value.rcvd.reason) == (1012, "the sandbox was reset")
    assert document_counts(sandbox) == before


def test_delayed_calls_are_refused(sandbox, client):
    """A call that was delayed before a reset changes nothing after it, and gets an error at once."""
    before = document_counts(sandbox)
    sandbox.faults.add("delay", "conversations.create", seconds=600)
    answers = []
    caller = threading.Thread(target=lambda: answers.append(client.post("/v1/conversation/create", json={})))
    caller.start()
    wait_for_fault(sandbox)
    sandbox.reset()
    caller.join()
    assert (answers[0].status_code, document_counts(sandbox)) == (503, before)
    assert "reset" in answers[0].json()["msg"]


def test_late_streams_are_closed(sandbox, client, monkeypatch):
    """A stream whose answer was late when the state was reset is closed, rather than left to the memory's collection."""
    closed = []
    close = ScopedEventIterator.close
    monkeypatch.setattr(ScopedEventIterator, "close", lambda steps: (closed.append(steps), close(steps)))
    sandbox.faults.add("delay", "chat.create", seconds=600, handled=True)
    answers = []
    caller = threading.Thread(target=lambda: answers.append(client.post("/v3/chat", json=chat("Hi", stream=True))))
    caller.start()
    wait_for_fault(sandbox)
    while not sandbox.store.list("chat"):
        time.sleep(0.01)
    sandbox.reset()
    caller.join()
    assert (answers[0].status_code, len(closed)) == (503, 1)


def test_delayed_handshakes_are_refused(sandbox):
    """A handshake that was delayed before a reset is refused at once."""
    sandbox.faults.add("delay", "websockets.chat", seconds=600)
    resetting = threading.Thread(target=lambda: (wait_for_fault(sandbox), sandbox.reset()))
    resetting.start()
    with pytest.raises(InvalidStatus) as caught, talk(sandbox, CHAT):
        pass
    resetting.join()
    assert caught.value.response.status_code == 503


@pytest.mark.parametrize("fault", [{"kind": "delay", "seconds": 600}, {"kind": "stall"}], ids=["delay", "stall"])
def test_waits_within_answers_end(sandbox, client, fault):
    """A stream and a WebSocket that stand still because of a fault end at a reset, too."""
    sandbox.faults.add(operation="chat.create", events=1, **fault)
    with client.stream("POST", "/v3/chat", json=chat("Hello", stream=True)) as answer:
        lines = answer.iter_lines()
        next(lines)
        sandbox.reset()
        assert "event:done" not in [*lines]
    sandbox.faults.add(operation="websockets.chat", events=1, **fault)
    with talk(sandbox, CHAT) as talking:
        talking.until("chat.created")
        talking.send_text("Hello")
        sandbox.reset()
        with pytest.raises(ConnectionClosedError) as caught:
            talking.receive()
    assert caught.value.rcvd.code == 1012


def test_ids_begin_again(sandbox, client):
    """Ids of everything are the same after a reset: of what is made, of calls and of messages over WebSockets."""

    def run():
        created = client.post("/v1/conversation/create", json={}).json()
        with talk(sandbox, CHAT) as client_session:
            first = client_session.until("chat.created")[-1]["id"]
        return created["data"]["id"], created["detail"]["logid"][14:], first

    first = run()
    sandbox.reset()
    assert run() == first


@pytest.mark.parametrize("kind", ["status", "drop", "html"])
def test_lost_answers_of_streams(sandbox, client, kind):
    """A chat whose answer is lost ends all the same, so that its conversation is free for the next."""
    conversation = client.post("/v1/conversation/create", json={}).json()["data"]["id"]
    sandbox.faults.add(kind, "chat.create", handled=True)
    query = {"conversation_id": conversation}
    try:
        assert client.post("/v3/chat", params=query, json=chat("Hi", stream=True)).status_code >= 500
    except httpx.TransportError:
        assert kind == "drop"
    while sandbox.requests[-1].seconds is None:
        time.sleep(0.01)
    sandbox.clock.advance(10)
    assert client.post("/v3/chat", params=query, json=chat("Hi")).json()["code"] == 0
    kinds = [message["type"] for message in sandbox.store.list("message", conversation)]
    assert sorted(kinds) == ["answer", "question", "question", "verbose"]


def test_run_ends_although_its_client_left(sandbox, client):
    """A run of a workflow ends, and can be looked up, when nobody reads its stream."""
    body = {"workflow_id": WORKFLOW_ECHO, "parameters": {"input": "Hello"}}
    with client.stream(
        "POST", "/v1/workflow/stream_run", json=body, headers={"X-Sandbox-Fault": "cut; events=1"}
    ) as response:
        with pytest.raises(httpx.TransportError):
            response.read()
    while sandbox.requests[0].seconds is None:
        time.sleep(0.01)
    [run] = sandbox.store.list("run")
    assert run["status"] == "Success"
