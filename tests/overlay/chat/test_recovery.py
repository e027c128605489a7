"""Recovery of the messages that an interrupted stream did not deliver."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from coze_api.models import Chat, ChatStatus
from coze_sandbox import BOT_ID, WORKFLOW_CHAT
from cozekit.errors import APIError, ChatFailed, PollTimeout, StreamInterrupted
from tests.overlay._clients import Counter, unwrap

Start = Callable[[Any, str], Any]


def of_bot(coze: Any, text: str, **others: Any) -> Any:
    """Start a chat with a bot."""
    return coze.chat.stream(bot_id=BOT_ID, user_id="u", additional_messages=[text], **others)


def of_chatflow(coze: Any, text: str) -> Any:
    """Start a chat with a chatflow."""
    return coze.workflows.chat.stream(
        workflow_id=WORKFLOW_CHAT, bot_id=BOT_ID, additional_messages=[text], parameters={}
    )


def whole(coze: Any, start: Start, text: str) -> list[tuple[str, str]]:
    """Return type and content of all messages of an uninterrupted chat."""
    return contents(start(coze, text).until_done().messages)


def contents(messages: list[Any]) -> list[tuple[str, str]]:
    return [(message.type, message.content) for message in messages]


def interrupted(stream: Any) -> StreamInterrupted:
    with pytest.raises(StreamInterrupted) as caught:
        stream.until_done()
    return caught.value


@pytest.mark.parametrize("events", [1, 2, 4, 6, 8])
@pytest.mark.parametrize(
    ("start", "operation"), [(of_bot, "chat.create"), (of_chatflow, "workflows.chat.stream")], ids=["bot", "chatflow"]
)
def test_received_and_recovered_messages_are_complete(coze, coze_sandbox, start, operation, events):
    """Wherever a stream is cut, the received and the recovered messages together are all messages, each once and
    complete.
    """
    expected = whole(coze, start, "/suggest Good day to you")
    coze_sandbox.faults.add("cut", operation=operation, events=events, bytes=20)
    stream = start(coze, "/suggest Good day to you")
    interrupted(stream)
    before = contents(stream.messages)
    missing = contents(stream.recover(poll_interval=0))
    assert before + missing == contents(stream.messages) == expected
    assert stream.answer == "You said: Good day to you"
    assert len(stream.follow_ups) == 3
    assert stream.ended
    assert stream.chat.status is ChatStatus.COMPLETED
    assert stream.usage.token_count > 0


def test_recovery_works_inside_the_exception_handler(coze, coze_sandbox):
    """Recovery works inside `with`, in the exception handler, through the stream of the exception."""
    coze_sandbox.faults.add("cut", operation="chat.create", events=4)
    with of_bot(coze, "/say Good day") as stream:
        try:
            stream.until_done()
        except StreamInterrupted as error:
            assert error.stream.answer == "Good "
            assert "call recover() of the stream to get the rest" in str(error)
            assert [text for kind, text in contents(stream.recover(poll_interval=0)) if kind == "answer"] == [
                "Good day"
            ]
    assert stream.ended
    assert list(stream) == []


def test_closed_or_partly_read_stream_can_be_recovered(coze):
    """A stream that its reader closed, or did not read to its end, can be recovered."""
    for close in (True, False):
        stream = of_bot(coze, "/say Good day").open()
        source = iter(stream)
        for _ in range(3):
            next(source)
        if close:
            stream.close()
        assert ("answer", "Good day") in contents(stream.recover(poll_interval=0))
        assert stream.answer == "Good day"


def test_recovery_of_a_complete_stream_sends_nothing(coze, coze_sandbox):
    """If no message is missing, recovery sends no request; a second recovery yields nothing."""
    stream = of_bot(coze, "/say Good day").until_done()
    sent = len(coze_sandbox.requests)
    assert list(stream.recover()) == []
    assert len(coze_sandbox.requests) == sent
    coze_sandbox.faults.add("cut", operation="chat.create", events=3)
    stream = of_bot(coze, "/say Good day")
    interrupted(stream)
    assert list(stream.recover(poll_interval=0))
    assert list(stream.recover(poll_interval=0)) == []


def test_known_messages_are_not_yielded(coze, coze_sandbox):
    """Recovery does not yield messages that are already known, for example from before a submission of tool outputs."""
    first = of_bot(coze, "/tool get_weather {}").until_done()
    [call] = first.chat.required_action.submit_tool_outputs.tool_calls
    coze_sandbox.faults.add("cut", operation="chat.submit_tool_outputs", events=0)
    second = coze.chat.submit_tool_outputs_stream(
        conversation_id=first.chat.conversation_id,
        chat_id=first.chat.id,
        tool_outputs=[{"tool_call_id": call.id, "output": "rain"}],
    )
    assert interrupted(second).events == 0
    missing = contents(second.recover(poll_interval=0, known=first.messages))
    assert ("answer", "get_weather says: rain") in missing
    assert not set(missing) & set(contents(first.messages))


def test_chat_that_waits_for_tools_ends_the_recovery(coze, coze_sandbox):
    """A chat that waits for tool outputs ends the recovery as it would have ended the stream."""
    coze_sandbox.faults.add("cut", operation="chat.create", events=2)
    stream = of_bot(coze, "/tool get_weather {}")
    interrupted(stream)
    list(stream.recover(poll_interval=0))
    assert stream.chat.status is ChatStatus.REQUIRES_ACTION
    assert stream.chat.required_action.submit_tool_outputs.tool_calls
    assert stream.ended


def test_failed_chat_raises_the_same_error_as_the_stream(coze, coze_sandbox):
    """A chat that has failed raises what the stream would have raised, each time it is recovered."""
    coze_sandbox.faults.add("cut", operation="chat.create", events=2)
    stream = of_bot(coze, "/fail 4028 no credits")
    interrupted(stream)
    for _ in range(2):
        with pytest.raises(ChatFailed, match="no credits") as caught:
            list(stream.recover(poll_interval=0))
        assert caught.value.code == 4028
        assert caught.value.stream is unwrap(stream)
    with pytest.raises(ChatFailed, match="no credits"):
        stream.until_done()


def test_recovery_times_out_and_can_continue(connect):
    """A chat that runs for too long raises PollTimeout, after which recovery can continue."""
    chat = {"id": "1", "conversation_id": "2", "status": "in_progress"}
    first = f"event: conversation.chat.created\ndata: {json.dumps(chat)}\n\n"
    messages = [{"id": "3", "role": "assistant", "type": "answer", "content": "Hi"}]
    answers = Counter(
        httpx.Response(200, headers={"content-type": "text/event-stream"}, content=first),
        *[{"code": 0, "data": chat}] * 4,
        {"code": 0, "data": {**chat, "status": "completed"}},
        {"code": 0, "data": messages},
    )
    stream = of_bot(connect(handler=answers), "Hello")
    interrupted(stream)
    with pytest.raises(PollTimeout) as caught:
        list(stream.recover(poll_interval=0, poll_timeout=0))
    assert isinstance(caught.value.chat, Chat)
    assert contents(stream.recover(poll_interval=0)) == [("answer", "Hi")]
    assert stream.answer == "Hi"
    assert len(answers) == 7


def test_stream_without_events_cannot_be_recovered(coze, coze_sandbox):
    """A stream that was interrupted before its first event raises an error: there is no chat id to poll."""
    coze_sandbox.faults.add("cut", operation="chat.create", events=0)
    stream = of_bot(coze, "/say Hi")
    interrupted(stream)
    for _ in range(2):
        with pytest.raises(
            StreamInterrupted, match="after 0 events: it contained no chat id, so nothing can be recovered"
        ):
            list(stream.recover())
    assert len(coze_sandbox.requests) == 1


def test_recovery_needs_saved_history(coze, coze_sandbox):
    """If the chat's history was not saved, the error names the option that recovery needs."""
    coze_sandbox.faults.add("cut", operation="chat.create", events=3)
    stream = of_bot(coze, "/say Hi", auto_save_history=False)
    interrupted(stream)
    with pytest.raises(APIError) as caught:
        list(stream.recover(poll_interval=0))
    assert "auto_save_history" in caught.value.__notes__[0]


def test_stream_options_apply_to_recovery_requests(coze, coze_sandbox):
    """The headers and timeout of the stream's request apply to the requests of the recovery."""
    coze_sandbox.faults.add("cut", operation="chat.create", events=3)
    stream = of_bot(coze, "/say Hi", extra_headers={"X-Trace": "7"})
    interrupted(stream)
    list(stream.recover(poll_interval=0))
    assert {record.operation for record in coze_sandbox.requests} == {
        "chat.create",
        "chat.retrieve",
        "chat.messages.list",
    }
    assert {record.headers.get("x-trace") for record in coze_sandbox.requests} == {"7"}


def test_interrupted_second_round_is_recovered_alone(coze, coze_sandbox):
    """If the second round of a tool run is interrupted, recovery yields the missing messages of that round only."""

    def get_weather(city: str) -> str:
        return f"rain in {city}"

    coze_sandbox.faults.add("cut", operation="chat.submit_tool_outputs", events=2)
    run = coze.chat.run_stream(
        bot_id=BOT_ID, user_id="u", additional_messages=['/tool get_weather {"city": "Ulm"}'], tools=[get_weather]
    )
    interrupted(run)
    before = contents(run.messages)
    missing = contents(run.recover(poll_interval=0))
    assert ("answer", "get_weather says: rain in Ulm") in missing
    assert not set(before) & set(missing)
    assert before + missing == contents(run.messages)
    assert run.answer == "get_weather says: rain in Ulm"
