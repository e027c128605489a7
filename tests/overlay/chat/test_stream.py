"""Chat streams against the sandbox."""

from __future__ import annotations

import json
from typing import Any

import pytest

from coze_api import models
from coze_sandbox import BOT_ID
from cozekit.errors import ChatFailed, StreamInterrupted
from tests.overlay._clients import unwrap


def user_message(text: str, **arguments: Any) -> dict[str, Any]:
    """Return the arguments of a chat in which the user writes *text*."""
    return {"bot_id": BOT_ID, "user_id": "u", "additional_messages": [text], **arguments}


def test_each_event_has_its_class_and_model(coze):
    """Each event is an instance of its own class, whose data is a model."""
    with coze.chat.stream(**user_message("/say Good day")) as stream:
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


def test_ended_stream_has_answer_chat_usage_and_response(coze, coze_sandbox):
    """An ended stream has answer, messages, suggestions, chat, usage, log id and HTTP response."""
    with coze.chat.stream(**user_message("/suggest Hi")) as stream:
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


def test_answer_and_chat_are_updated_by_events(coze):
    """Events update answer and chat; before the first event there are none."""
    stream = coze.chat.stream(**user_message("/say Good day"))
    assert (stream.answer, stream.messages, stream.follow_ups, stream.chat, stream.usage, stream.logid) == (
        "", [], [], None, None, "",
    )  # fmt: skip
    with stream:
        snapshots = [(stream.chat.status, stream.answer) for _ in stream]
    assert snapshots == [
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


def test_request_is_sent_once_on_enter(coze, coze_sandbox):
    """Creating a stream sends nothing, entering it sends one request, entering it again sends no other."""
    stream = coze.chat.stream(**user_message("hi"))
    assert not coze_sandbox.requests
    with pytest.raises(RuntimeError, match="the stream is not open yet: enter it with `with`, or iterate"):
        _ = stream.response
    with stream:
        assert len(coze_sandbox.requests) == 1
        with stream:
            pass
    assert len(coze_sandbox.requests) == 1


def test_iteration_opens_a_stream_without_with(coze):
    """Iteration opens a stream too, and `until_done` returns the stream."""
    stream = coze.chat.stream(**user_message("/say hi"))
    assert [event.event for event in stream][-1] == "done"
    assert coze.chat.stream(**user_message("/say hi")).until_done().answer == "hi"


def test_ended_stream_stays_ended_and_failure_is_raised_again(coze):
    """An ended stream stays ended, and a failed one raises its failure again."""
    stream = coze.chat.stream(**user_message("hi")).until_done()
    assert list(stream) == []
    stream = coze.chat.stream(**user_message("/fail 5000 no"))
    for _ in range(2):
        with pytest.raises(ChatFailed, match="no"):
            stream.until_done()


@pytest.mark.parametrize(
    ("text", "code", "status"), [("/fail 4011 tokens", 4011, "failed"), ("/error 4013 tokens", 4013, "in_progress")]
)
def test_failed_chat_raises_chat_failed_with_details(coze, text, code, status):
    """A failed chat and an error event raise ChatFailed, which has code, message, chat and stream."""
    stream = coze.chat.stream(**user_message(text))
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
def test_cut_stream_raises_stream_interrupted(coze, coze_sandbox, events):
    """Wherever the connection breaks before the last event, the stream raises StreamInterrupted with what arrived."""
    coze_sandbox.faults.add("cut", operation="chat.create", events=events)
    stream = coze.chat.stream(**user_message("/say Good day"))
    with pytest.raises(StreamInterrupted) as caught, stream:
        stream.until_done()
    error = caught.value
    assert error.events == events
    assert error.stream is unwrap(stream)
    assert error.stream.answer == ["", "", "", "Goo", "Good ", *["Good day"] * 3][events]
    assert len(error.stream.messages) == max(0, events - 5)
    assert ("chat.retrieve" in str(error)) is (events > 0)


def test_answers_are_separated_by_line_breaks(coze):
    """Several answers are separated by line breaks, in `text` as well, as in a chat without a stream."""
    with coze.chat.stream(**user_message("/answers 3")) as stream:
        text = "".join(stream.text)
    assert text == stream.answer == "Answer 1 of 3.\nAnswer 2 of 3.\nAnswer 3 of 3."
    assert coze.chat.create_and_poll(**user_message("/answers 3"), poll_interval=0).text == text


def test_reasoning_is_not_part_of_the_answer(coze):
    """The reasoning of a bot is neither in `text` nor in the answer."""
    with coze.chat.stream(**user_message("/think Hi")) as stream:
        assert "".join(stream.text) == stream.answer == "You said: Hi"


def test_stream_ends_for_tools_and_continues_after_submission(coze):
    """A chat that waits for tools ends its stream; after the outputs are submitted it continues as a stream."""
    with coze.chat.stream(**user_message('/tool get_weather {"city": "Ulm"}')) as stream:
        stream.until_done()
    assert stream.chat.status is models.ChatStatus.REQUIRES_ACTION
    (call,) = stream.chat.required_action.submit_tool_outputs.tool_calls
    assert (call.function.name, json.loads(call.function.arguments)) == ("get_weather", {"city": "Ulm"})
    continued = coze.chat.submit_tool_outputs_stream(
        conversation_id=stream.chat.conversation_id,
        chat_id=stream.chat.id,
        tool_outputs=[{"tool_call_id": call.id, "output": "rain"}],
    )
    with continued:
        assert "".join(continued.text) == "get_weather says: rain"
    assert continued.chat.id == stream.chat.id
    assert continued.chat.status is models.ChatStatus.COMPLETED


def test_streams_take_request_options(coze, coze_sandbox):
    """Streams take extra headers, query, body and timeout, like every call."""
    options = {
        "extra_headers": {"X-Trace": "1"},
        "extra_query": {"q": "2"},
        "extra_body": {"shade": 3},
        "timeout": 44,
    }
    with coze.chat.stream(**user_message("hi"), **options) as stream:
        assert stream.response.http.request.extensions["timeout"]["read"] == 44
    record = coze_sandbox.requests[-1]
    assert record.headers["x-trace"] == "1"
    assert record.query == "q=2"
    assert (record.body["shade"], record.body["stream"]) == (3, True)
    assert record.headers["accept"] == "text/event-stream"


@pytest.mark.parametrize("kind", ["garbage", "duplicate", "lost"])
def test_malformed_lost_and_duplicate_events_do_not_end_a_stream(coze, coze_sandbox, kind):
    """Malformed, lost or duplicate events do not end a stream; the complete message corrects the answer."""
    coze_sandbox.faults.add(kind, operation="chat.create", events=3)
    with coze.chat.stream(**user_message("/say Good day")) as stream:
        assert stream.until_done().answer == "Good day"
