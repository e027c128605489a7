"""Streams of chats: the bytes, the order, and what happens when one side leaves."""

from __future__ import annotations

import base64
import json
import re
import threading
import time

import httpx
import pytest

from coze_sandbox import BOT_ID, Clock, Sandbox

DELTA = "conversation.message.delta"
COMPLETED = "conversation.message.completed"


def names(events):
    """Return the names of events, each run of deltas as one."""
    result = []
    for name, _ in events:
        if name != DELTA or result[-1:] != [DELTA]:
            result.append(name)
    return result


def deltas(events, member="content"):
    return "".join(data.get(member, "") for name, data in events if name == DELTA)


def test_bytes_on_the_wire(api):
    """Each event is `event:NAME`, `data:JSON` and a blank line, without spaces, ids or comments."""
    response = api.http.post("/v3/chat", json=api.chat("Hi", stream=True))
    assert response.headers["content-type"] == "text/event-stream; charset=utf-8"
    assert re.fullmatch(r"(event:[a-z_.]+\ndata:[^ \n][^\n]*\n\n)+", response.text)
    assert response.text.startswith('event:conversation.chat.created\ndata:{"id":"')
    assert response.text.endswith('event:done\ndata:"[DONE]"\n\n')
    assert '"content":"You","content_type":"text"' in response.text


def test_order_of_events(api):
    """The stream of a plain chat has the events in the documented order."""
    assert names(api.stream("Hi")) == [
        "conversation.chat.created",
        "conversation.chat.in_progress",
        DELTA,
        COMPLETED,
        COMPLETED,
        "conversation.chat.completed",
        "done",
    ]


def test_deltas_add_up(api):
    """The pieces of an answer are those of its completed message, under one id."""
    events = api.stream("/say 一二三四五六七八九十 and more")
    answer = next(data for name, data in events if name == COMPLETED)
    pieces = [data for name, data in events if name == DELTA]
    assert deltas(events) == answer["content"] == "一二三四五六七八九十 and more"
    assert {piece["id"] for piece in pieces} == {answer["id"]}
    assert all(0 < len(piece["content"]) <= 5 for piece in pieces)


def test_end_of_all_answers(api):
    """A verbose message marks the end of all answers; suggestions follow it."""
    events = api.stream("/suggest Hi")
    kinds = [data["type"] for name, data in events if name == COMPLETED]
    assert kinds == ["answer", "verbose", "follow_up", "follow_up", "follow_up"]
    verbose = next(data for name, data in events if data != "[DONE]" and data.get("type") == "verbose")
    assert json.loads(verbose["content"])["msg_type"] == "generate_answer_finish"


def test_reasoning(api):
    """Reasoning is streamed before the answer, in a member of its own."""
    events = api.stream("/think hm")
    assert deltas(events, "reasoning_content") == "The user says 'hm'. I repeat it."  # codespell:ignore says
    assert deltas(events) == "You said: hm"


def test_plugin_of_the_bot(api):
    """A plugin's call and result come as completed messages before the answer."""
    events = api.stream("/plugin abc")
    kinds = [data["type"] for name, data in events if name == COMPLETED]
    assert kinds == ["function_call", "tool_response", "answer", "verbose"]


def test_sound(api):
    """A question with sound is also answered with sound, after the end of the chat."""
    parts = json.dumps([{"type": "audio", "file_url": "https://example.invalid/a.wav"}])
    body = api.chat(parts, stream=True)
    body["additional_messages"][0]["content_type"] = "object_string"
    events = api.events("/v3/chat", json=body)
    tail = [name for name, _ in events][-5:]
    audio = "conversation.audio.delta"
    assert tail == ["conversation.chat.completed", audio, audio, audio, "done"]
    sound = base64.b64decode(events[-2][1]["content"])
    assert (events[-2][1]["content_type"], len(sound)) == ("audio", 960)


def test_tools(api):
    """A stream ends when tool results are required; a new stream continues with them."""
    events = api.stream('/tool get_weather {"city": "Oslo"}')
    assert names(events)[-2:] == ["conversation.chat.requires_action", "done"]
    chat = events[-2][1]
    call = chat["required_action"]["submit_tool_outputs"]["tool_calls"][0]
    more = api.events(
        "/v3/chat/submit_tool_outputs",
        params={"conversation_id": chat["conversation_id"], "chat_id": chat["id"]},
        json={"stream": True, "tool_outputs": [{"tool_call_id": call["id"], "output": "rain"}]},
    )
    assert names(more)[0] == "conversation.chat.created"
    assert deltas(more) == "get_weather says: rain"
    assert {data["id"] for name, data in more if name.startswith("conversation.chat.")} == {chat["id"]}


def test_failure(api):
    """A failed chat ends its stream without `done`, as in recordings."""
    events = api.stream("/fail 4011 no tokens left")
    name, chat = events[-1]
    assert (name, chat["status"]) == ("conversation.chat.failed", "failed")
    assert chat["last_error"] == {"code": 4011, "msg": "no tokens left"}


def test_broken_off(api):
    """A stream can break off with an `error` event."""
    assert api.stream("/error 5000 oops")[-1] == ("error", {"code": 5000, "msg": "oops"})


def test_line_separators_are_escaped(api):
    """Unicode's line separators are escaped: some clients take them for line ends."""
    response = api.http.post("/v3/chat", json=api.chat("/say a\u2028b\u2029c", stream=True))
    assert "\u2028" not in response.text
    assert "a\\u2028b\\u2029c" in response.text


def test_errors_before_the_stream_are_json(api):
    """An invalid call gets a JSON error, not an event."""
    response = api.send("POST", "/v3/chat", json=api.chat("Hi", stream=True, bot_id="1"))
    assert response.headers["content-type"] == "application/json"
    assert response.json()["code"] == 4200


def authorized(sandbox):
    return {"Authorization": f"Bearer {sandbox.token}"}


def streamed(text):
    """Return the body of a chat that is streamed."""
    message = {"role": "user", "content": text, "content_type": "text"}
    return {"bot_id": BOT_ID, "user_id": "u", "stream": True, "additional_messages": [message]}


def leave(sandbox, http, text, events=2, **members):
    """Read some events of a chat, close its stream, wait until the sandbox has noticed, and return what names the chat."""
    with http.stream("POST", "/v3/chat", json={**streamed(text), **members}) as response:
        lines = response.iter_lines()
        assert next(lines) == "event:conversation.chat.created"
        chat = json.loads(next(lines).removeprefix("data:"))
        for _ in range(3 * (events - 1)):
            next(lines)
    while sandbox.requests[-1].seconds is None:
        time.sleep(0.01)
    return {"conversation_id": chat["conversation_id"], "chat_id": chat["id"]}


@pytest.fixture
def slow():
    """Give a sandbox whose clock moves only when it is moved, with events that come slowly, and a client of it."""
    with Sandbox(event_seconds=0.05, answer_seconds=5, clock=Clock(lambda: 1_000_000_000.0)) as sandbox:
        with httpx.Client(base_url=sandbox.base_url, headers=authorized(sandbox)) as http:
            yield sandbox, http


def test_client_that_leaves(slow):
    """When the client disconnects, the chat continues for as long as the rest of its stream would have taken, then it
    ends.
    """
    sandbox, http = slow
    query = leave(sandbox, http, "/long 200")
    for _ in range(2):
        assert http.get("/v3/chat/retrieve", params=query).json()["data"]["status"] == "in_progress"
        assert http.get("/v3/chat/message/list", params=query).json()["data"] == []
        again = http.post("/v3/chat", params={"conversation_id": query["conversation_id"]}, json=streamed("Hi"))
        assert again.json()["code"] == 4016
        sandbox.clock.advance(9)  # 370 events, of which each takes a twentieth of a second
    sandbox.clock.advance(1)
    chat = http.get("/v3/chat/retrieve", params=query).json()["data"]
    listed = http.get("/v3/chat/message/list", params=query).json()["data"]
    assert (chat["status"], chat["usage"]["output_count"] > 0) == ("completed", True)
    assert len(listed[0]["content"].split()) == 200


def test_messages_of_a_client_that_left(slow):
    """The answer is in the conversation as soon as the chat has ended, whatever is looked at first."""
    sandbox, http = slow
    query = {"conversation_id": leave(sandbox, http, "/say Good morning")["conversation_id"]}
    path = "/v1/conversation/message/list"
    assert [message["type"] for message in http.post(path, params=query, json={}).json()["data"]] == ["question"]
    sandbox.clock.advance(5)
    contents = [message["content"] for message in http.post(path, params=query, json={}).json()["data"]]
    assert contents == ["Good morning", "/say Good morning"]


def test_thinking_time_of_a_client_that_left(slow):
    """A bot that was still thinking when the client left thinks on, and no longer than it would have."""
    sandbox, http = slow
    query = leave(sandbox, http, "/slow 60 Hello", events=1)
    sandbox.clock.advance(59)
    assert http.get("/v3/chat/retrieve", params=query).json()["data"]["status"] == "in_progress"
    sandbox.clock.advance(2)
    assert http.get("/v3/chat/retrieve", params=query).json()["data"]["status"] == "completed"


@pytest.mark.parametrize("saved", [True, False])
def test_cancel_after_leaving(slow, saved):
    """Only a cancellation ends a chat before its time: nothing of its answer is kept, and its conversation is free."""
    sandbox, http = slow
    query = leave(sandbox, http, "/long 200", auto_save_history=saved)
    assert http.post("/v3/chat/cancel", json=query).json()["data"]["status"] == "canceled"
    assert http.post("/v3/chat/cancel", json=query).json()["code"] == 4104
    assert [message["role"] for message in sandbox.store.list("message")] == ["user"] * saved
    conversation = {"conversation_id": query["conversation_id"]}
    assert http.post("/v3/chat", params=conversation, json=streamed("Hi")).status_code == 200


@pytest.mark.parametrize(
    ("text", "status"), [("/tool get_weather {}", "requires_action"), ("/fail 5000 no model", "failed")]
)
def test_other_ends_of_a_client_that_left(slow, text, status):
    """A chat continues until its end, whatever its end is."""
    sandbox, http = slow
    query = leave(sandbox, http, text)
    sandbox.clock.advance(60)
    chat = http.get("/v3/chat/retrieve", params=query).json()["data"]
    assert (chat["status"], "required_action" in chat) == (status, status == "requires_action")


def test_clients_that_leave_at_the_end_of_the_process(tmp_path):
    """A chat that was streamed when the sandbox stopped ends in its time, too, when the state is used again."""
    clock = Clock(lambda: 1_000_000_000.0)
    options = {"event_seconds": 0.05, "db": tmp_path / "state.db", "clock": clock}
    with Sandbox(**options) as sandbox:
        with httpx.Client(base_url=sandbox.base_url, headers=authorized(sandbox)) as http:
            with http.stream("POST", "/v3/chat", json=streamed("/long 2000")) as response:
                lines = response.iter_lines()
                next(lines)
                chat = json.loads(next(lines).removeprefix("data:"))
                sandbox.stop()
    query = {"conversation_id": chat["conversation_id"], "chat_id": chat["id"]}
    with Sandbox(**options) as sandbox:
        with httpx.Client(base_url=sandbox.base_url, headers=authorized(sandbox)) as http:
            assert http.get("/v3/chat/retrieve", params=query).json()["data"]["status"] == "in_progress"
            sandbox.clock.advance(200)
            assert http.get("/v3/chat/retrieve", params=query).json()["data"]["status"] == "completed"


@pytest.mark.parametrize("saved", [True, False])
def test_cancel_ends_the_stream(saved):
    """A canceled chat sends no more messages and ends with `done`, also if it cannot be retrieved."""
    with Sandbox(event_seconds=0.01) as sandbox:
        headers = authorized(sandbox)
        with httpx.Client(base_url=sandbox.base_url, headers=headers) as http:
            with http.stream(
                "POST", "/v3/chat", json={**streamed("/long 2000"), "auto_save_history": saved}
            ) as response:
                lines = response.iter_lines()
                next(lines)
                chat = json.loads(next(lines).removeprefix("data:"))
                query = {"conversation_id": chat["conversation_id"], "chat_id": chat["id"]}
                canceler = threading.Thread(
                    target=httpx.post,
                    args=(f"{sandbox.base_url}/v3/chat/cancel",),
                    kwargs={"json": query, "headers": headers},
                )
                canceler.start()
                rest = [line for line in lines if line]
                canceler.join()
            again = http.post("/v3/chat/cancel", json=query)
            retrieved = http.get("/v3/chat/retrieve", params=query)
    assert (again.status_code, again.json()["code"]) == (409, 4104)
    assert retrieved.status_code == (200 if saved else 404)
    assert rest[-2:] == ["event:done", 'data:"[DONE]"']
    assert "event:conversation.chat.completed" not in rest


def test_streams_run_beside_each_other():
    """A slow stream does not hold up other calls."""
    with Sandbox() as sandbox:
        sandbox.faults.add("stall", "chat.create", events=1)
        with httpx.Client(base_url=sandbox.base_url, headers=authorized(sandbox), timeout=30) as http:
            with http.stream("POST", "/v3/chat", json=streamed("Hi")) as response:
                assert next(response.iter_raw())  # nothing more will come
                assert http.get("/v1/users/me").status_code == 200


@pytest.mark.parametrize("dialect", ["chat", "chatflow", "workflow"])
def test_dialects(dialect):
    """Chats write no space after the colon, chatflows one, workflows one and an id as well."""
    from coze_sandbox._http.context import StreamEvent
    from coze_sandbox._http.sse import encode_event

    expected = {
        "chat": b'event:done\ndata:{"a":"&"}\n\n',
        "chatflow": b'event: done\ndata: {"a":"\\u0026"}\n\n',
        "workflow": b'id: 3\nevent: done\ndata: {"a":"\\u0026"}\n\n',
    }
    assert encode_event(StreamEvent("done", {"a": "&"}), 3, dialect) == expected[dialect]
