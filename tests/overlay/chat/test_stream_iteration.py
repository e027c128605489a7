"""The ways of iterating over the stream of a chat."""

from __future__ import annotations

import base64
import json
from typing import Any

import httpx
import pytest

from coze_sandbox import BOT_ID, WORKFLOW_CHAT
from cozekit.errors import DecodeError


def event(name: str, data: Any) -> bytes:
    return f"event:{name}\ndata:{data if isinstance(data, str) else json.dumps(data)}\n\n".encode()


def message(content: str = "", **members: Any) -> dict[str, Any]:
    return {"id": "m", "role": "assistant", "type": "answer", "content": content, "content_type": "text", **members}


CREATED = event("conversation.chat.created", {"id": "c", "conversation_id": "v", "status": "created"})
COMPLETED = event("conversation.chat.completed", {"id": "c", "conversation_id": "v", "status": "completed"})
DONE = event("done", '"[DONE]"')
SOUND = bytes(range(256)) * 3


def delta(content: str = "", **members: Any) -> bytes:
    return event("conversation.message.delta", message(content, **members))


def complete(content: str, **members: Any) -> bytes:
    return event("conversation.message.completed", message(content, **members))


def sound(data: bytes | str) -> bytes:
    content = data if isinstance(data, str) else base64.b64encode(data).decode()
    return event("conversation.audio.delta", message(content, content_type="audio"))


def chat(connect: Any, *events: bytes) -> Any:
    """Start a chat that responds with *events*."""
    content = b"".join([CREATED, *events])
    answer = httpx.Response(200, headers={"content-type": "text/event-stream"}, content=content)
    coze = connect(handler=lambda _: httpx.Response(200, headers=answer.headers, content=content))
    return coze.chat.stream(bot_id="1", user_id="u", additional_messages=["Hi"])


def test_reasoning_is_yielded_apart_from_the_answer(connect):
    """Reasoning deltas are yielded apart from the answer, also if one event holds both."""
    events = (
        delta(reasoning_content="Let me "),
        delta("H", reasoning_content="think."),
        delta("i"),
        complete("Hi", reasoning_content="Let me think."),
        DONE,
    )
    stream = chat(connect, *events)
    assert list(stream.reasoning) == ["Let me ", "think."]
    assert stream.answer == "Hi"
    assert stream.messages[0].reasoning_content == "Let me think."
    assert list(chat(connect, *events).text) == ["H", "i"]


def test_reasoning_of_a_complete_message_is_yielded(connect):
    """Reasoning that arrives only with the complete message is yielded."""
    stream = chat(connect, delta("Hi"), complete("Hi", reasoning_content="Simple."), DONE)
    assert list(stream.reasoning) == ["Simple."]


def test_audio_is_yielded_as_bytes(connect):
    """The spoken answer is yielded as bytes, also after the chat has completed, and is not part of the text."""
    events = (delta("Hi"), complete("Hi"), COMPLETED, *[sound(SOUND[at : at + 100]) for at in range(0, 768, 100)], DONE)
    stream = chat(connect, *events)
    pieces = list(stream.audio)
    assert b"".join(pieces) == SOUND
    assert len(pieces) == 8
    assert stream.answer == "Hi"
    assert stream.chat.status == "completed"
    assert list(chat(connect, *events).text) == ["Hi"]


def test_invalid_base64_audio_is_a_decode_error(connect):
    """An audio delta that is not Base64 raises a DecodeError with the operation; an empty one is skipped."""
    stream = chat(connect, sound(""), sound(b"ab"), sound("abc"), DONE)
    pieces = []
    with pytest.raises(DecodeError, match=r"chat\.stream: a piece of the spoken answer is not Base64"):
        for piece in stream.audio:
            pieces.append(piece)
    assert pieces == [b"ab"]


def test_messages_are_yielded_when_complete(connect):
    """Each message is yielded when it is complete, and all are kept."""
    stream = chat(connect, delta("H"), complete("Hi"), complete("More?", id="f", type="follow_up"), COMPLETED, DONE)
    yielded = [(each.content, len(stream.messages)) for each in stream.completed_messages]
    assert yielded == [("Hi", 1), ("More?", 2)]
    assert stream.follow_ups == ["More?"]
    assert stream.ended


def test_iterators_continue_where_another_stopped(connect):
    """One way of iterating continues where another one stopped."""
    stream = chat(connect, delta("H"), delta("i"), complete("Hi"), delta("Bye", id="n"), complete("Bye", id="n"), DONE)
    source = iter(stream)
    next(source)
    for piece in stream.text:
        assert piece == "H"
        break
    assert next(stream).data.content == "i"
    assert list(stream.text) == ["\nBye"]
    assert stream.answer == "Hi\nBye"


@pytest.mark.parametrize("ending", ['"[DONE]"', "[DONE]", "", "null", "{}", '{"debug_url": null}'])
def test_chats_with_bots_have_no_debug_url(connect, ending):
    """Chats with bots have no debug URL, however they end."""
    stream = chat(connect, event("done", ending)).until_done()
    assert stream.debug_url is None
    assert stream.ended


def test_chatflow_has_a_debug_url(coze):
    """A chatflow has the debug URL of its run; chat, usage and log id are available as soon as they arrive."""
    stream = coze.workflows.chat.stream(
        workflow_id=WORKFLOW_CHAT, bot_id=BOT_ID, additional_messages=["/say Good day"], parameters={}
    )
    assert (stream.chat, stream.usage, stream.debug_url, stream.logid) == (None, None, None, "")
    with stream:
        assert stream.logid
        first = next(iter(stream))
        assert stream.chat.id == first.data.id
        assert "".join(stream.text) == "Good day"
    assert stream.debug_url.startswith("https://")
    assert stream.usage.token_count > 0


@pytest.mark.parametrize("usage", [None, {"token_count": 0, "output_count": 0, "input_count": 0}])
@pytest.mark.parametrize("error", [None, {"code": 0, "msg": ""}])
def test_null_usage_and_zero_error_are_no_failure(connect, usage, error):
    """Usage and last error may be null or zeros in a chat that succeeds."""
    data = {"id": "c", "conversation_id": "v", "status": "in_progress", "usage": usage, "last_error": error}
    stream = chat(connect, event("conversation.chat.in_progress", data), DONE).until_done()
    assert (stream.usage is None) == (usage is None)
    assert stream.usage is None or stream.usage.token_count == 0
    assert stream.ended


def test_question_of_a_chatflow_is_the_answer(connect):
    """A chatflow that stops with a question ends without `completed`: the question is the answer, and a verbose message
    marks the interrupt.
    """
    verbose = json.dumps({"msg_type": "interrupt", "data": "", "from_module": None, "from_unit": None})
    stream = chat(connect, delta("Where?"), complete("Where?"), complete(verbose, id="v", type="verbose"), DONE)
    stream.until_done()
    assert stream.answer == "Where?"
    assert [each.type for each in stream.messages] == ["answer", "verbose"]
    assert stream.chat.status == "created"
