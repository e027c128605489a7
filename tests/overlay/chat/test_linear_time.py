"""Accumulating takes time in proportion to the size of the data. The tests count steps and measure no time."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import anyio
import httpx
import pytest

from coze_api.models import (
    InterpretationText,
    InterpretationTranscriptionDelta,
    InterpretationTranslationDelta,
    Message,
    MessageDeltaEvent,
    MessageRole,
    MessageType,
    WorkflowMessage,
    WorkflowMessageEvent,
)
from cozekit import Coze, audio
from cozekit._type_guards import TextBuffer
from tests.overlay._clients import at_once, unwrap

PIECES = 2_000
OK = {"content-type": "text/event-stream"}


class Piece(str):
    """A text that counts the characters copied when it is added to another text."""

    copied = 0

    def __radd__(self, other: str) -> str:
        Piece.copied += len(other) + len(self)
        return str.__add__(other, self)


@pytest.fixture
def joined(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Return the list of how many pieces each join of a buffer took."""
    counts: list[int] = []

    def getitem(self: TextBuffer, key: Any) -> Any:
        part = list.__getitem__(self, key)
        counts.append(len(part) if isinstance(key, slice) else 1)
        return part

    monkeypatch.setattr(TextBuffer, "__getitem__", getitem, raising=False)
    return counts


@pytest.fixture(autouse=True)
def _nothing_copied() -> None:
    Piece.copied = 0


def begun(coze: Coze) -> Any:
    """Start a workflow run; nothing is sent before it is read."""
    return coze.workflows.runs.stream(workflow_id="1")


def node(text: str, **more: Any) -> WorkflowMessageEvent:
    """Create the event of an output piece of a node."""
    message = WorkflowMessage(content=text, node_title="t", node_seq_id="0", node_is_finish=False, **more)
    return WorkflowMessageEvent(data=message)


def test_node_output_is_joined_once_however_often_it_is_read(joined: list[int]) -> None:
    """Pieces of a node's output are not copied as others arrive, and each is joined once, however often the output is
    read.
    """
    with Coze("t") as coze:
        run = begun(coze)
        for number in range(PIECES):
            run._on_event(node(Piece("x"), node_id=str(number % 2)))
            assert len(run.nodes[0].content) == number // 2 + 1
    assert Piece.copied == 0
    assert sum(joined) <= 2 * PIECES
    assert [len(output.content) for output in run.nodes] == [PIECES // 2, PIECES // 2]


def test_output_of_an_ended_node_is_complete() -> None:
    """The output of an ended node is complete and equal however it was cut, and another execution starts empty."""
    with Coze("t") as coze:
        runs = [begun(coze), begun(coze)]
    for run, pieces in zip(runs, (["ab", "c"], ["abc"]), strict=True):
        for piece in pieces:
            run._on_event(node(piece))
        run._on_event(
            WorkflowMessageEvent(data=WorkflowMessage.from_dict({**node("!").data.to_dict(), "node_is_finish": True}))
        )
        run._on_event(node("again"))
    first, second = runs[0].nodes[0], runs[1].nodes[0]
    assert (first.content, first.is_finished, first.title) == ("abc!", True, "t")
    assert first.pieces.text == second.pieces.text
    assert repr(first) == "NodeOutput(title='t', content='abc!', is_finished=True)"
    assert [output.content for output in runs[0].nodes] == ["abc!", "again"]


def test_answer_read_with_each_event_is_joined_once(joined: list[int]) -> None:
    """If the answer is read with each event, each of its pieces is joined once."""
    with Coze("t") as coze:
        stream = coze.chat.stream(bot_id="1", user_id="u")
        for number in range(PIECES):
            data = Message.from_dict(
                {"id": "m", "role": MessageRole.ASSISTANT, "type": MessageType.ANSWER, "content": "x"}
            )
            stream._on_event(MessageDeltaEvent(data=data))
            assert len(stream.answer) == number + 1
    assert sum(joined) <= PIECES + 1


@pytest.mark.needs_asyncio
def test_interpretation_texts_are_joined_once(connect: Any, joined: list[int]) -> None:
    """The transcript and the translation of an interpretation are not copied as more arrives, and each piece is joined
    once.
    """
    coze = connect("t")
    session = coze.websockets.audio.simult_interpretation.connect(input_audio=audio.PCM(16000))
    interpretation = session.interpret(b"")
    interpretation = unwrap(interpretation)
    for number in range(PIECES):
        interpretation._on_message(InterpretationTranscriptionDelta(data=InterpretationText(delta=Piece("x"))))
        interpretation._on_message(InterpretationTranslationDelta(data=InterpretationText(delta=Piece("yy"))))
        assert (len(interpretation.original), len(interpretation.translation)) == (number + 1, 2 * number + 2)
    assert Piece.copied == 0
    assert sum(joined) <= 2 * PIECES


class Sound(bytes):
    """Audio data that counts the bytes copied when it is added to other data."""

    copied = 0

    def __radd__(self, other: bytes) -> bytes:
        Sound.copied += len(other) + len(self)
        return bytes.__add__(other, self)


@pytest.mark.parametrize("is_async", [False, True])
def test_tiny_audio_pieces_are_not_copied_again(is_async: bool) -> None:
    """Tiny pieces that form one huge chunk are not copied again with each new piece."""
    Sound.copied = 0
    pcm, pieces = audio.PCM(8000), [Sound(b"ab")] * PIECES

    async def source() -> AsyncIterator[bytes]:
        for piece in pieces:
            yield piece

    async def collect() -> list[bytes]:
        return [chunk async for chunk in pcm.achunks(source(), ms=1e6)]

    chunks = anyio.run(collect) if is_async else list(pcm.chunks(pieces, ms=1e6))
    assert chunks == [b"ab" * PIECES]
    assert all(type(chunk) is bytes for chunk in chunks)
    assert Sound.copied == 0


def test_text_appended_during_a_read_is_kept_once() -> None:
    """Text that is appended while another thread reads the buffer is neither lost nor duplicated."""
    buffer = TextBuffer("a")
    assert buffer.text == "a"
    buffer.append("b")
    stale = buffer._joined
    assert buffer.text == "ab"
    buffer._joined = stale  # as a slower reader would
    buffer.append("c")
    assert (buffer.text, buffer.text) == ("abc", "abc")


def test_run_text_is_the_output_of_all_nodes(connect: Any) -> None:
    """The text of a run is the output of all nodes in order of arrival, without pieces that are not text."""
    contents: list[Any] = ["a", ["b"], None, 1, {"c": 1}, "d"]
    stream = "".join(
        f"id: {number}\nevent: Message\ndata: {httpx.Response(200, json={'content': content, 'node_title': []}).text}\n\n"
        for number, content in enumerate(contents)
    )
    stream += f'id: {len(contents)}\nevent: Done\ndata: {{"debug_url":"http://["}}\n\n'
    coze = connect(handler=lambda _: httpx.Response(200, headers=OK, content=stream), retry=at_once())
    with coze.workflows.runs.stream(workflow_id="1") as run:
        assert list(run.text) == ["a", "d"]
    assert (run.nodes[0].content, run.nodes[0].title, run.execute_id, run.question) == ("ad", "", "", "")
    assert run.nodes[0].first.node_title == []
