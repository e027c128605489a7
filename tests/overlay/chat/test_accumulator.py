"""How a stream assembles its answer from events in any order."""

from __future__ import annotations

import json
import tracemalloc
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from cozekit.errors import ChatFailed
from tests.overlay._clients import Connect

Follow = Callable[..., Any]
END = ("done", "[DONE]")


def delta(key: Any, text: Any, kind: Any = "answer") -> tuple[str, Any]:
    """Create a delta of a message."""
    return "conversation.message.delta", {"id": key, "type": kind, "content": text}


def complete(key: Any, text: Any, kind: Any = "answer") -> tuple[str, Any]:
    """Create a complete message."""
    return "conversation.message.completed", {"id": key, "type": kind, "content": text}


@pytest.fixture
def follow(connect: Connect) -> Follow:
    """Return a function that creates a stream of the given events."""

    def make(*events: tuple[str, Any]) -> Any:
        text = "".join(f"event: {name}\ndata: {json.dumps(data)}\n\n" for name, data in events)
        answer = httpx.Response(200, text=text, headers={"content-type": "text/event-stream"})
        return connect(handler=lambda _: answer).chat.stream(bot_id="1", user_id="u")

    return make


CASES: dict[str, tuple[str, list[tuple[str, Any]]]] = {
    "pieces": ("ab", [delta("1", "a"), delta("1", "b"), complete("1", "ab")]),
    "in one piece": ("ab", [complete("1", "ab")]),
    "two, one in one piece": ("ab\ncd", [delta("1", "ab"), complete("1", "ab"), complete("2", "cd")]),
    "never completed": ("ab", [delta("1", "a"), delta("1", "b")]),
    "second never completed": ("ab\nc", [delta("1", "ab"), complete("1", "ab"), delta("2", "c")]),
    "without ids": ("ab\nab", [delta(None, "a"), complete(None, "ab"), delta(None, "ab"), complete(None, "ab")]),
    "without type": ("ab", [delta("1", "a", None), delta("1", "b", None), complete("1", "ab")]),
    "other kinds": ("a", [delta("9", "x", "verbose"), delta("1", "a"), complete("1", "a"), complete("2", "q", "new")]),
    "empty pieces": ("a", [delta("1", ""), delta("1", None), delta("1", "a"), complete("1", "a")]),
    "empty answer": ("", [delta("1", ""), complete("1", ""), complete("2", None)]),
    "no messages": ("a", [("conversation.message.delta", "x"), ("conversation.message.completed", [1]), delta("1", "a")]),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_answer_consists_of_complete_messages_then_of_deltas(follow, case):
    """The answer consists of the complete messages, then of the deltas of messages that are not complete."""
    expected, events = CASES[case]
    assert follow(*events, END).until_done().answer == expected


@pytest.mark.parametrize("case", [case for case in CASES if case != "without ids"])
def test_text_deltas_add_up_to_the_answer(follow, case):
    """All text deltas together are the answer, also if an answer came in one delta."""
    expected, events = CASES[case]
    stream = follow(*events, END)
    with stream:
        assert "".join(stream.text) == expected


def test_interleaved_answers_are_separated_by_message_id(follow):
    """The deltas of simultaneous answers are separated by the ids of their messages."""
    stream = follow(delta("1", "a"), delta("2", "c"), delta("1", "b"), complete("1", "ab"), delta("2", "d"), END)
    assert stream.until_done().answer == "ab\ncd"


def test_text_and_events_read_the_same_stream(follow):
    """Iterating over the text can continue after events, and the other way round: both read the same stream."""
    stream = follow(delta("1", "a"), delta("1", "b"), delta("1", "c"), complete("1", "abc"), END)
    with stream:
        assert next(iter(stream)).data.content == "a"
        assert next(iter(stream.text)) == "b"
        assert [event.event for event in stream] == [
            "conversation.message.delta",
            "conversation.message.completed",
            "done",
        ]
    assert stream.answer == "abc"


def test_complete_message_replaces_its_deltas(follow):
    """If deltas are missing, the complete message replaces them."""
    assert follow(delta("1", "a"), complete("1", "abc"), END).until_done().answer == "abc"


def test_deltas_are_freed_when_their_message_is_complete(follow):
    """A long answer is in memory once: its deltas are freed when the message is complete."""
    pieces, size = 4, 500_000
    text = "x" * size
    events = [delta("1", text) for _ in range(pieces)]
    stream = follow(*events, complete("1", text * pieces), END)
    tracemalloc.start()
    try:
        stream.until_done()
        held = tracemalloc.get_traced_memory()[0]
    finally:
        tracemalloc.stop()
    assert len(stream.answer) == pieces * size
    assert held < 2 * pieces * size + 500_000  # the message, and the body in the mock transport


def test_failure_event_without_a_chat_keeps_chat_and_answer(follow):
    """A failure event that holds only a code keeps the previous chat and the answer so far."""
    chat = {"id": "7", "conversation_id": "8", "status": "in_progress"}
    stream = follow(
        ("conversation.chat.in_progress", chat),
        delta("1", "half"),
        ("conversation.chat.failed", {"code": "4011", "msg": "no tokens"}),
    )
    with pytest.raises(ChatFailed) as caught:
        stream.until_done()
    assert (caught.value.code, caught.value.msg) == (4011, "no tokens")
    assert (caught.value.chat.id, caught.value.stream.answer) == ("7", "half")


def test_bare_error_envelope_is_a_chat_failed(connect):
    """An error envelope in the middle of a stream, without an event around it, raises ChatFailed."""
    body = b'{"code":4100,"msg":"expired","detail":{"logid":"L"}}\n\n'
    answer = httpx.Response(200, content=body, headers={"content-type": "text/event-stream"})
    with pytest.raises(ChatFailed) as caught:
        connect(handler=lambda _: answer).chat.stream(bot_id="1", user_id="u").until_done()
    assert (caught.value.code, caught.value.msg) == (4100, "expired")


def test_unknown_event_is_yielded_and_changes_nothing(follow):
    """An event that the description does not know is yielded with name and data, and does not change the answer."""
    stream = follow(("conversation.weather", {"id": "1", "status": "sunny"}), delta("1", "a"), END)
    first, *_ = list(stream)
    assert (first.event, first.data) == ("conversation.weather", {"id": "1", "status": "sunny"})
    assert (stream.chat, stream.answer) == (None, "a")
