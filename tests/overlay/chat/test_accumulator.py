"""How a stream puts its answer together, from events of any shape."""

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
    """Make a piece of a message."""
    return "conversation.message.delta", {"id": key, "type": kind, "content": text}


def complete(key: Any, text: Any, kind: Any = "answer") -> tuple[str, Any]:
    """Make a complete message."""
    return "conversation.message.completed", {"id": key, "type": kind, "content": text}


@pytest.fixture
def follow(connect: Connect) -> Follow:
    """Give a function that makes a stream of events."""

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
def test_answer(follow, case):
    """The answer is that of the complete messages, then of the pieces of those that are not complete."""
    expected, events = CASES[case]
    assert follow(*events, END).until_done().answer == expected


@pytest.mark.parametrize("case", [case for case in CASES if case != "without ids"])
def test_text(follow, case):
    """All pieces of text together are the answer, also where an answer came in one piece."""
    expected, events = CASES[case]
    stream = follow(*events, END)
    with stream:
        assert "".join(stream.text) == expected


def test_interleaved(follow):
    """Answers that come at the same time are told apart by the ids of their messages."""
    stream = follow(delta("1", "a"), delta("2", "c"), delta("1", "b"), complete("1", "ab"), delta("2", "d"), END)
    assert stream.until_done().answer == "ab\ncd"


def test_text_and_events_together(follow):
    """Text can be read on after events, and the other way round: both read the same stream."""
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


def test_complete_message_corrects(follow):
    """Where the pieces were not all, the complete message has the last word."""
    assert follow(delta("1", "a"), complete("1", "abc"), END).until_done().answer == "abc"


def test_pieces_are_let_go(follow):
    """A long answer is held once: its pieces are let go when the message is complete."""
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
    assert held < 2 * pieces * size + 500_000  # the message, and the body that the mock holds


def test_failure_without_chat(follow):
    """A failure that names only a code keeps the chat as it was before, and the answer so far."""
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


def test_error_without_frame(connect):
    """An error envelope in the middle of a stream, without an event around it, is a ChatFailed too."""
    body = b'{"code":4100,"msg":"expired","detail":{"logid":"L"}}\n\n'
    answer = httpx.Response(200, content=body, headers={"content-type": "text/event-stream"})
    with pytest.raises(ChatFailed) as caught:
        connect(handler=lambda _: answer).chat.stream(bot_id="1", user_id="u").until_done()
    assert (caught.value.code, caught.value.msg) == (4100, "expired")


def test_unknown_event(follow):
    """An event that the description does not know is handed over with name and data, and changes nothing."""
    stream = follow(("conversation.weather", {"id": "1", "status": "sunny"}), delta("1", "a"), END)
    first, *_ = list(stream)
    assert (first.event, first.data) == ("conversation.weather", {"id": "1", "status": "sunny"})
    assert (stream.chat, stream.answer) == (None, "a")
