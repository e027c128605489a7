"""Streams of chats over the sandbox."""

from __future__ import annotations

import json
from typing import Any

import pytest

from coze_api import models
from coze_sandbox import BOT_ID
from cozekit.errors import ChatFailed, StreamInterrupted


def said(text: str, **arguments: Any) -> dict[str, Any]:
    """Return the arguments of a chat in which the user says *text*."""
    return {"bot_id": BOT_ID, "user_id": "u", "additional_messages": [text], **arguments}


def test_events_are_typed(coze):
    """Each event is an object of its own class, whose data is a model."""
    with coze.chat.stream(**said("/say Good day")) as stream:
        events = list(stream)
    kinds = [type(event) for event in events]
    assert kinds == [
        models.ChatCreatedEvent,
        models.ChatInProgressEvent,
        *[models.MessageDeltaEvent] * 3,
        *[models.MessageCompletedEvent] * 2,
        models.ChatCompletedEvent,
        models.ChatDoneEvent,
    ]
    assert [event.data.content for event in events[2:6]] == ["Goo", "d ", "day", "Good day"]
    assert isinstance(events[0].data, models.Chat)
    assert events[-2].event == "conversation.chat.completed"


def test_what_is_known_afterwards(coze, coze_sandbox):
    """After its end a stream tells answer, messages, suggestions, chat, usage, log id and its HTTP answer."""
    with coze.chat.stream(**said("/suggest Hi")) as stream:
        pieces = list(stream.text)
    assert len(pieces) > 1
    assert "".join(pieces) == stream.answer == "You said: Hi"
    assert [message.type for message in stream.messages] == ["answer", "verbose", *["follow_up"] * 3]
    assert stream.follow_ups == [message.content for message in stream.messages[2:]]
    assert stream.chat.status is models.ChatStatus.COMPLETED
    assert stream.chat.bot_id == BOT_ID
    assert stream.usage.token_count == stream.usage.input_count + stream.usage.output_count > 0
    assert stream.logid == stream.response.logid == coze_sandbox.requests[-1].logid
    assert stream.response.headers["content-type"].startswith("text/event-stream")
    assert stream.ended


def test_what_is_known_meanwhile(coze):
    """Answer and chat grow with the events; before the first there are none."""
    stream = coze.chat.stream(**said("/say Good day"))
    assert (stream.answer, stream.messages, stream.follow_ups, stream.chat, stream.usage, stream.logid) == (
        "", [], [], None, None, "",
    )  # fmt: skip
    with stream:
        found = [(stream.chat.status, stream.answer) for _ in stream]
    assert found == [
        ("created", ""),
        ("in_progress", ""),
        ("in_progress", "Goo"),
        ("in_progress", "Good "),
        ("in_progress", "Good day"),
        ("in_progress", "Good day"),
        ("in_progress", "Good day"),
        ("completed", "Good day"),
        ("completed", "Good day"),
    ]


def test_nothing_is_sent_before_it_is_entered(coze, coze_sandbox):
    """Making a stream sends nothing, entering it sends one request, entering it again sends no other."""
    stream = coze.chat.stream(**said("hi"))
    assert not coze_sandbox.requests
    with pytest.raises(RuntimeError, match="the stream is not open yet: enter it with `with`, or iterate"):
        _ = stream.response
    with stream:
        assert len(coze_sandbox.requests) == 1
        with stream:
            pass
    assert len(coze_sandbox.requests) == 1


def test_iterating_without_with(coze):
    """The first event opens a stream too; until_done returns the stream."""
    stream = coze.chat.stream(**said("/say hi"))
    assert [event.event for event in stream][-1] == "done"
    assert coze.chat.stream(**said("/say hi")).until_done().answer == "hi"


def test_end_stays(coze):
    """A stream that has ended stays ended, and its failure is raised again rather than taken for an end."""
    stream = coze.chat.stream(**said("hi")).until_done()
    assert list(stream) == []
    stream = coze.chat.stream(**said("/fail 5000 no"))
    for _ in range(2):
        with pytest.raises(ChatFailed, match="no"):
            stream.until_done()


@pytest.mark.parametrize(
    ("text", "code", "status"), [("/fail 4011 tokens", 4011, "failed"), ("/error 4013 tokens", 4013, "in_progress")]
)
def test_failure(coze, text, code, status):
    """A failed chat and an error event end a stream by ChatFailed, which has code, text, chat and stream."""
    stream = coze.chat.stream(**said(text))
    with pytest.raises(ChatFailed) as caught, stream:
        stream.until_done()
    error = caught.value
    assert (error.code, error.msg, error.operation, error.logid) == (code, "tokens", "chat.stream", stream.logid)
    assert error.chat is stream.chat
    assert error.chat.status == status
    assert error.stream.answer == ""
    assert error.event.event in {"conversation.chat.failed", "error"}
    assert error.hint
    assert error.retryable is (code == 4013)


@pytest.mark.parametrize("events", range(8))
def test_cut_anywhere(coze, coze_sandbox, events):
    """Wherever the connection breaks before the last event, the stream ends by StreamInterrupted with what arrived."""
    coze_sandbox.faults.add("cut", operation="chat.create", events=events)
    stream = coze.chat.stream(**said("/say Good day"))
    with pytest.raises(StreamInterrupted) as caught, stream:
        stream.until_done()
    error = caught.value
    assert error.events == events
    assert error.stream is getattr(stream, "raw", stream)
    assert error.stream.answer == ["", "", "", "Goo", "Good ", *["Good day"] * 3][events]
    assert len(error.stream.messages) == max(0, events - 5)
    assert ("chat.retrieve" in str(error)) is (events > 0)


def test_several_answers(coze):
    """Several answers are kept apart by line breaks, in the text as well, and as in a chat without stream."""
    with coze.chat.stream(**said("/answers 3")) as stream:
        text = "".join(stream.text)
    assert text == stream.answer == "Answer 1 of 3.\nAnswer 2 of 3.\nAnswer 3 of 3."
    assert coze.chat.create_and_poll(**said("/answers 3"), poll_interval=0).text == text


def test_thoughts_are_no_answer(coze):
    """What a bot thinks before it answers is neither text nor answer."""
    with coze.chat.stream(**said("/think Hi")) as stream:
        assert "".join(stream.text) == stream.answer == "You said: Hi"


def test_tools(coze):
    """A chat that waits for tools ends its stream; the outputs are handed over and the chat goes on as a stream."""
    with coze.chat.stream(**said('/tool get_weather {"city": "Ulm"}')) as stream:
        stream.until_done()
    assert stream.chat.status is models.ChatStatus.REQUIRES_ACTION
    (call,) = stream.chat.required_action.submit_tool_outputs.tool_calls
    assert (call.function.name, json.loads(call.function.arguments)) == ("get_weather", {"city": "Ulm"})
    going_on = coze.chat.submit_tool_outputs_stream(
        conversation_id=stream.chat.conversation_id,
        chat_id=stream.chat.id,
        tool_outputs=[{"tool_call_id": call.id, "output": "rain"}],
    )
    with going_on:
        assert "".join(going_on.text) == "get_weather says: rain"
    assert going_on.chat.id == stream.chat.id
    assert going_on.chat.status is models.ChatStatus.COMPLETED


def test_options_of_a_request(coze, coze_sandbox):
    """Streams take extra headers, query and body and a timeout, as every call does."""
    options = {
        "extra_headers": {"X-Trace": "1"},
        "extra_query": {"q": "2"},
        "extra_body": {"shade": 3},
        "timeout": 44,
    }
    with coze.chat.stream(**said("hi"), **options) as stream:
        assert stream.response.http.request.extensions["timeout"]["read"] == 44
    record = coze_sandbox.requests[-1]
    assert record.headers["x-trace"] == "1"
    assert record.query == "q=2"
    assert (record.body["shade"], record.body["stream"]) == (3, True)
    assert record.headers["accept"] == "text/event-stream"


@pytest.mark.parametrize("kind", ["garbage", "duplicate", "lost"])
def test_spoilt_events(coze, coze_sandbox, kind):
    """Garbage between events and a lost or doubled one do not end a stream; the complete message heals the answer."""
    coze_sandbox.faults.add(kind, operation="chat.create", events=3)
    with coze.chat.stream(**said("/say Good day")) as stream:
        assert stream.until_done().answer == "Good day"
