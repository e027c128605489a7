"""Peculiarities of hosted Coze's streams, for each of the five streaming operations, sync and async."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from coze_sandbox import WORKFLOW_ASK, WORKFLOW_ECHO
from cozekit.errors import APIError, AuthenticationError, GatewayError, StreamFailed, StreamGap, StreamInterrupted
from tests.overlay._clients import at_once

Begin = Callable[[Any], Any]
CHATS: dict[str, Begin] = {
    "chat.stream": lambda coze: coze.chat.stream(bot_id="1", user_id="u"),
    "chat.submit_tool_outputs_stream": lambda coze: coze.chat.submit_tool_outputs_stream(
        conversation_id="v", chat_id="c", tool_outputs=[{"tool_call_id": "t", "output": "o"}]
    ),
    "workflows.chat.stream": lambda coze: coze.workflows.chat.stream(
        workflow_id="1", bot_id="1", additional_messages=["Hi"]
    ),
}
RUNS: dict[str, Begin] = {
    "workflows.runs.stream": lambda coze: coze.workflows.runs.stream(workflow_id="1"),
    "workflows.runs.stream_resume": lambda coze: coze.workflows.runs.stream_resume(
        workflow_id="1", event_id="1/2", interrupt_type=2, resume_data="Ulm"
    ),
}
ALL = {**CHATS, **RUNS}
every = pytest.mark.parametrize("begin", ALL.values(), ids=ALL)
chats = pytest.mark.parametrize("begin", CHATS.values(), ids=CHATS)
runs = pytest.mark.parametrize("begin", RUNS.values(), ids=RUNS)

CHAT = {"id": "c", "conversation_id": "v", "status": "in_progress"}
CREATED = f"event:conversation.chat.created\ndata:{json.dumps(CHAT)}\n\n"
DONE = 'event:done\ndata:"[DONE]"\n\n'


def answered(connect: Any, begin: Begin, content: str, kind: str = "text/event-stream", status: int = 200) -> Any:
    """Open a stream whose response is *content*."""
    headers = {"content-type": kind, "x-tt-logid": "log-1"}
    coze = connect(handler=lambda _: httpx.Response(status, headers=headers, content=content), retry=at_once())
    return begin(coze)


def message(number: int, seq: int, content: str = "x") -> str:
    data = {"content": content, "node_title": "Message", "node_seq_id": str(seq), "node_is_finish": False}
    return f"id: {number}\nevent: Message\ndata: {json.dumps(data)}\n\n"


@chats
@pytest.mark.parametrize("data", ['"[DONE]"', "[DONE]", "", "{}", '{"debug_url":"https://debug?a=1\\u0026b=2"}'])
@pytest.mark.parametrize("end", ["\n\n", "\n", ""], ids=["blank-line", "line-end", "nothing"])
def test_done_event_ends_a_chat_stream(connect, begin, data, end):
    """`done` ends a chat's stream: quoted, bare, empty or an object, with or without the final line breaks."""
    stream = answered(connect, begin, f"{CREATED}event: done\ndata: {data}{end}")
    if not data and end != "\n\n":
        with pytest.raises(StreamInterrupted):  # the data may have been cut off
            stream.until_done()
        return
    stream.until_done()
    assert stream.ended
    assert stream.debug_url == ("https://debug?a=1&b=2" if "debug" in data else None)


@chats
@pytest.mark.parametrize("code", [4028, "4028"])
@pytest.mark.parametrize("shape", ["bare", "chat"])
def test_failed_chat_needs_no_done(connect, begin, code, shape):
    """A failed chat needs no `done`; its code may be a number or a string, at the top level or in `last_error`."""
    error = {"code": code, "msg": "no credits"}
    data = error if shape == "bare" else {**CHAT, "status": "failed", "last_error": error}
    stream = answered(connect, begin, f"{CREATED}event:conversation.chat.failed\ndata:{json.dumps(data)}\n\n")
    with pytest.raises(StreamFailed, match="no credits") as caught:
        stream.until_done()
    assert caught.value.code == 4028
    assert caught.value.logid == "log-1"


@chats
def test_chat_that_requires_action_needs_no_done(connect, begin):
    """A chat that waits for tool outputs may end without `done`."""
    data = json.dumps({**CHAT, "status": "requires_action", "required_action": {"type": "submit_tool_outputs"}})
    stream = answered(connect, begin, f"{CREATED}event:conversation.chat.requires_action\ndata:{data}\n\n")
    assert stream.until_done().chat.status == "requires_action"


@every
def test_json_error_instead_of_a_stream_is_raised(connect, begin):
    """A JSON error in place of a stream is raised, also with HTTP 200."""
    for status in (200, 401):
        body = '{"code":4100,"msg":"authentication is invalid","detail":{"logid":"log-2"}}'
        with pytest.raises(AuthenticationError, match="authentication is invalid") as caught:
            answered(connect, begin, body, "application/json", status).until_done()
        assert caught.value.logid == "log-2"


@every
def test_html_page_instead_of_a_stream_is_a_gateway_error(connect, begin):
    """An HTML page in place of a stream raises GatewayError."""
    for status in (200, 502):
        with pytest.raises(GatewayError, match="text/html"):
            answered(connect, begin, "<html>Bad Gateway", "text/html", status).until_done()


@every
@pytest.mark.parametrize("end", ["\n\n", "\n", ""], ids=["blank-line", "line-end", "nothing"])
def test_json_error_inside_a_stream_is_raised(connect, begin, end):
    """An error as a line of JSON inside a stream is raised."""
    stream = answered(connect, begin, '{"code":4100,"msg":"authentication is invalid"}' + end)
    with pytest.raises(StreamFailed, match="authentication is invalid") as caught:
        stream.until_done()
    assert caught.value.code == 4100


@every
@pytest.mark.parametrize("end", ["\n\n", "\n", ""], ids=["blank-line", "line-end", "nothing"])
def test_json_error_right_after_an_event_loses_no_event(connect, begin, end):
    """A JSON error line right after an event, without a blank line, does not drop that event."""
    content = 'event: later\ndata: {"content":"last words"}\n{"code":4100,"msg":"authentication is invalid"}' + end
    stream = answered(connect, begin, content)
    assert next(stream).data == {"content": "last words"}
    with pytest.raises(StreamFailed, match="authentication is invalid"):
        next(stream)


@every
def test_stream_cut_in_a_too_large_event_is_interrupted(connect, begin):
    """A stream that ends inside an event that is too large raises StreamInterrupted after the events before it."""
    content = "event: later\ndata: {}\n\nevent: later\ndata: " + "x" * 1000
    headers = {"content-type": "text/event-stream"}
    coze = connect(
        handler=lambda _: httpx.Response(200, headers=headers, content=content), retry=0, max_event_bytes=100
    )
    stream = begin(coze)
    assert next(stream).event == "later"
    with pytest.raises(StreamInterrupted, match="larger than 100 bytes") as caught:
        next(stream)
    assert caught.value.events == 1
    assert caught.value.rest.startswith(b"event: later")


@runs
def test_heartbeats_are_unnumbered_and_no_gap(connect, begin):
    """Heartbeats, with and without data, are events without a number and cause no gap."""
    content = (
        message(0, 0) + "event: PING\n\n" + message(1, 1) + "event: PING\ndata: {}\n\nid: 2\nevent: Done\ndata: {}\n\n"
    )
    stream = answered(connect, begin, content)
    assert [event.id for event in stream] == ["0", None, "1", None, "2"]


@runs
def test_failed_run_uses_other_field_names(connect, begin):
    """A failed run has other field names for code and message than a failed chat."""
    content = message(0, 0) + 'id: 1\nevent: Error\ndata: {"error_code":4000,"error_message":"wrong"}\n\n'
    with pytest.raises(StreamFailed, match="wrong") as caught:
        answered(connect, begin, content).until_done()
    assert caught.value.code == 4000


@every
def test_stream_without_its_last_event_is_interrupted(connect, begin):
    """A stream without its last event raises StreamInterrupted, whatever came before."""
    content = CREATED if begin in CHATS.values() else message(0, 0)
    with pytest.raises((StreamInterrupted, APIError)) as caught:
        answered(connect, begin, content).until_done()
    assert isinstance(caught.value, StreamInterrupted)
    assert caught.value.events == 1


def test_ids_restart_on_resume_without_a_gap(coze):
    """The event ids of a resumed run restart at 0, which is no gap."""
    run = coze.workflows.runs.stream(workflow_id=WORKFLOW_ASK, parameters={})
    assert [event.id for event in run] == ["0", "1"]
    run.resume("Ulm")
    first, *_ = (event.id for event in run)
    assert first == "0"


@pytest.mark.parametrize("kind", ["lost", "duplicate"])
def test_run_lists_the_gaps_of_its_streams(coze, coze_sandbox, kind):
    """A run lists the gaps of its streams, and `with_options` sets how gaps are handled."""
    coze_sandbox.faults.add(kind, operation="workflows.runs.stream", events=1, times=2)
    arguments = {"workflow_id": WORKFLOW_ECHO, "parameters": {"input": "Hello to you all"}}
    run = coze.with_options(on_gap="ignore").workflows.runs.stream(**arguments).until_done()
    assert [(gap.counter, gap.repeated) for gap in run.gaps] == [("id", kind == "duplicate")]
    with pytest.raises(StreamGap):
        coze.with_options(on_gap="raise").workflows.runs.stream(**arguments).until_done()
