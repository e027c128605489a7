"""Recorded streams, received through the public client over a real connection."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from cozekit import AsyncCoze, Coze
from cozekit.errors import ChatFailed, StreamFailed, StreamInterrupted
from tests.contract._calls import MODES, Mode, same, wire
from tests.contract._decoded import misread
from tests.contract._facts import skip_without_samples
from tests.contract._recordings import Frame, Recording, recordings
from tests.contract._stream_server import LOGID, stream_server
from tests.contract._streaming import start, waits

skip_without_samples()
ALL = recordings()
RECORDINGS = [pytest.param(recording, id=recording.file) for recording in ALL]
FAILURES = [
    pytest.param(recording, id=recording.file)
    for recording in ALL
    if recording.outcome(recording.frames[:1])[1] == "failed"
]
# Made-up samples of the official pages, which openapi/exceptions.yaml lists.
INACCURATE = {"chat_v3.1.sse", "chat_submit_tool_outputs.1.sse"}

# Made of several samples in a row, so that ids begin anew in it.
JOINED = "cozepy.workflow_run_stream.sse"


def received(recording: Recording, mode: Mode, url: str) -> tuple[Any, list[Any], Exception | None]:
    """Receive a stream: the stream, the events that it delivered, and the error that ended it."""
    events: list[Any] = []

    def read() -> tuple[Any, Exception | None]:
        with Coze("token", base_url=url, on_gap="ignore") as coze, start(coze, recording) as stream:
            try:
                for event in stream:
                    events.append(event)
            except Exception as error:
                return stream, error
            return stream, None

    async def aread() -> tuple[Any, Exception | None]:
        async with AsyncCoze("token", base_url=url, on_gap="ignore") as coze, start(coze, recording) as stream:
            try:
                async for event in stream:
                    events.append(event)
            except Exception as error:
                return stream, error
            return stream, None

    stream, error = read() if mode == "sync" else asyncio.run(aread())
    return stream, events, error


def check_events(recording: Recording, events: list[Any], frames: list[Frame]) -> None:
    """Compare decoded events with those of a recording: class, name, id and data."""
    assert [event.event for event in events] == [frame.name for frame in frames]
    assert [type(event).__name__ for event in events] == [recording.event(frame.name)["class"] for frame in frames]
    assert [event.id for event in events] == [frame.number for frame in frames]
    for event, frame in zip(events, frames, strict=True):
        same(wire(event.data), frame.data)


def check_end(recording: Recording, error: Exception | None, events: list[Any], ending: str) -> None:
    """Compare how a stream ended with what is described of its last event."""
    if ending == "ended":
        assert error is None
    elif ending == "failed":
        assert isinstance(error, ChatFailed if recording.method == "chat.stream" else StreamFailed)
        assert error.logid == LOGID
    else:
        assert isinstance(error, StreamInterrupted)
        assert error.events == len(events)
        assert error.last_event is (events[-1] if events else None)


@pytest.mark.parametrize("recording", RECORDINGS)
def test_recording_is_listed(recording: Recording) -> None:
    """The catalog lists the events that a recording has."""
    assert tuple(frame.name for frame in recording.frames) == recording.names


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("recording", RECORDINGS)
def test_recording(recording: Recording, mode: Mode) -> None:
    """A recording is delivered event by event, none lost, and ends or fails with its last event."""
    frames, ending = recording.outcome(recording.frames)
    pieces = recording.content.splitlines(keepends=True)
    with stream_server(pieces) as url:
        stream, events, error = received(recording, mode, url)
    if ending == "failed":
        assert isinstance(error, StreamFailed)
        events.append(error.event)
    check_events(recording, events, frames)
    check_end(recording, error, events, ending)
    assert stream.ended is (ending != "interrupted" and not waits(stream))
    assert stream.logid == LOGID
    assert [gap.repeated for gap in stream.gaps] == ([True] if recording.file == JOINED else [])
    assert recording.file in INACCURATE or [place for event in events for place in misread(event)] == []


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("recording", FAILURES)
def test_failure_after_events(recording: Recording, mode: Mode) -> None:
    """What came before a failure is delivered, and is on the error of a chat."""
    frames, _ = recording.outcome(recording.frames)
    before = next(entry for entry in ALL if entry.method == recording.method and len(entry.frames) > 3)
    first = list(before.frames[:3])
    content = before.content[: first[-1].complete] + recording.content
    with stream_server([content]) as url:
        stream, events, error = received(recording, mode, url)
    check_events(recording, events, first)
    assert isinstance(error, StreamFailed)
    check_events(recording, [error.event], frames)
    if isinstance(error, ChatFailed):
        assert error.stream is stream
        assert error.chat is stream.chat is not None


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("hangs_up", [False, True], ids=["ends", "hangs-up"])
@pytest.mark.parametrize("cut", [0.0, 0.2, 0.5, 0.9])
@pytest.mark.parametrize("file", ["cozepy.chat_audio_stream.sse", "workflow_stream_run.1.sse"])
def test_cut_connection(file: str, cut: float, hangs_up: bool, mode: Mode) -> None:
    """A connection that is cut delivers the events that came whole, then an error that the stream broke off."""
    recording = next(entry for entry in ALL if entry.file == file)
    content = recording.content[: int(cut * len(recording.content))]
    frames = [frame for frame in recording.frames if frame.complete <= len(content)]
    with stream_server([content], hangs_up=hangs_up) as url:
        stream, events, error = received(recording, mode, url)
    check_events(recording, events, frames)
    check_end(recording, error, events, "interrupted")
    assert isinstance(error, StreamInterrupted)
    assert error.stream is stream
    assert error.rest == content[frames[-1].complete if frames else 0 :]
