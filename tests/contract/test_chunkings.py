"""Recorded streams over a real connection, in chunks of every kind."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cozekit import Coze
from cozekit.errors import StreamFailed, StreamInterrupted
from tests.contract._calls import same, wire
from tests.contract._facts import FACTS, skip_without_samples
from tests.contract._recordings import Recording, recordings
from tests.contract._stream_server import stream_server
from tests.contract._streaming import start

skip_without_samples()
ALL = recordings()
EXAMPLES = max(int(os.environ.get("COZEKIT_MAX_EXAMPLES", "200")) // 20, 1)


@pytest.fixture(scope="module")
def line() -> Iterator[tuple[list[bytes], Coze]]:
    """Give a server's pieces, to be changed, and a client of it."""
    pieces: list[bytes] = []
    # The server closes each connection after its response, so none is to be used again.
    options: dict[str, Any] = {"on_gap": "ignore", "headers": {"Connection": "close"}}
    with stream_server(pieces) as url, Coze("token", base_url=url, **options) as coze:
        yield pieces, coze


def expected(recording: Recording) -> list[list[Any]]:
    """Return the events of a recording up to its end."""
    return [[frame.name, frame.number, frame.data] for frame in recording.outcome(recording.frames)[0]]


def received(coze: Coze, recording: Recording) -> list[list[Any]]:
    """Receive a stream and return its events, with the one that it failed by."""
    events = []
    with start(coze, recording) as stream:
        try:
            for event in stream:
                events.append(event)
        except StreamFailed as error:
            events.append(error.event)
        except StreamInterrupted:
            assert recording.outcome(recording.frames)[1] == "interrupted"
    return [[event.event, event.id, wire(event.data)] for event in events]


@pytest.mark.parametrize("recording", [pytest.param(sample, id=sample.file) for sample in ALL])
@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_chunks(recording: Recording, line: tuple[list[bytes], Coze], data: st.DataObject) -> None:
    """However the server cuts a recording into chunks, the same events arrive."""
    pieces, coze = line
    content = recording.content
    if data.draw(st.booleans(), label="few cuts"):
        cuts = sorted(data.draw(st.lists(st.integers(0, len(content)), max_size=20), label="cuts"))
    else:
        cuts = list(range(0, len(content), data.draw(st.integers(1, 40), label="size")))
    pieces[:] = [content[begin:end] for begin, end in zip([0, *cuts], [*cuts, len(content)], strict=True)]
    same(received(coze, recording), expected(recording))


@pytest.mark.parametrize(
    "recording", [pytest.param(sample, id=sample.file) for sample in ALL if "resume" in sample.file]
)
def test_without_blank_lines(recording: Recording, line: tuple[list[bytes], Coze]) -> None:
    """A sample of the documentation that has no blank lines between its events is read as those events."""
    pieces, coze = line
    pieces[:] = [(FACTS / "examples" / "streams" / recording.file).read_bytes()]
    assert b"\n\n" not in pieces[0].rstrip()
    same(received(coze, recording), expected(recording))
