"""Recorded streams, cut at every byte: by the network, which loses nothing, and by a server or proxy, which does."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator, Sequence
from typing import Any

import httpx
import pytest

from cozekit import AsyncCoze, Coze
from cozekit.errors import StreamFailed, StreamInterrupted
from tests.contract._calls import MODES, Mode, same, wire
from tests.contract._facts import skip_without_samples
from tests.contract._recordings import Recording, recordings
from tests.contract._streaming import start, waits

skip_without_samples()
LARGEST = 3_000
STEPS: dict[Mode, int] = {"sync": 1, "async": 7}  # both decode by the same code
SMALL = [recording for recording in recordings() if len(recording.content) < LARGEST]
RECORDINGS = [pytest.param(recording, id=recording.file) for recording in SMALL]


class Line:
    """Clients whose transport sends `pieces`, and then breaks if `breaks` is true."""

    def __init__(self) -> None:
        self.pieces: Sequence[bytes] = ()
        self.breaks = False
        self._transport = httpx.MockTransport(self._handle)
        self._atransport = httpx.MockTransport(self._ahandle)

    def receive_all(self, recording: Recording, mode: Mode, cases: Iterator[Sequence[bytes]]) -> Iterator[Any]:
        """Receive a stream once for each way in which it is cut.

        Yields:
            The stream, its events, and the error that ended it.
        """
        if mode == "sync":
            with httpx.Client(transport=self._transport) as http:
                coze = Coze("token", base_url="https://coze.test", http_client=http, on_gap="ignore")
                for self.pieces in cases:
                    yield self._receive(start(coze, recording))
        else:
            with asyncio.Runner() as runner:
                http_client = httpx.AsyncClient(transport=self._atransport)
                acoze = AsyncCoze("token", base_url="https://coze.test", http_client=http_client, on_gap="ignore")
                for self.pieces in cases:
                    yield runner.run(self._areceive(start(acoze, recording)))
                runner.run(http_client.aclose())

    def _receive(self, stream: Any) -> tuple[Any, list[Any], Exception | None]:
        events: list[Any] = []
        try:
            for event in stream:
                events.append(event)
        except Exception as error:
            return stream, events, error
        return stream, events, None

    async def _areceive(self, stream: Any) -> tuple[Any, list[Any], Exception | None]:
        events: list[Any] = []
        try:
            async for event in stream:
                events.append(event)
        except Exception as error:
            return stream, events, error
        return stream, events, None

    def _handle(self, _: httpx.Request) -> httpx.Response:
        return httpx.Response(200, headers={"Content-Type": "text/event-stream"}, content=self._sent())

    async def _ahandle(self, _: httpx.Request) -> httpx.Response:
        return httpx.Response(200, headers={"Content-Type": "text/event-stream"}, content=self._asent())

    def _sent(self) -> Iterator[bytes]:
        yield from self.pieces
        if self.breaks:
            raise httpx.RemoteProtocolError("peer closed connection without sending complete message body")

    async def _asent(self) -> AsyncIterator[bytes]:
        for piece in self._sent():
            yield piece


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("recording", RECORDINGS)
def test_split(recording: Recording, mode: Mode) -> None:
    """Where the bytes of a stream are split makes no difference, be it inside a line end or a character."""
    content = recording.content
    frames, ending = recording.outcome(recording.frames)
    expected = [[frame.name, frame.number, frame.data] for frame in frames]
    cases = ((content[:cut], content[cut:]) for cut in range(0, len(content) + 1, STEPS[mode]))
    for stream, events, error in Line().receive_all(recording, mode, cases):
        received = [*events, error.event] if isinstance(error, StreamFailed) else events
        same([[event.event, event.id, wire(event.data)] for event in received], expected)
        assert stream.ended is (ending != "interrupted" and not waits(stream))


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("breaks", [False, True], ids=["ends", "breaks"])
@pytest.mark.parametrize("recording", RECORDINGS)
def test_truncation(recording: Recording, breaks: bool, mode: Mode) -> None:
    """A stream that is cut off delivers the events that came whole and raises an error, unless it was over.

    An event came whole with its blank line. Where the server ended the response properly, its data is enough.
    """
    line, content = Line(), recording.content
    line.breaks = breaks
    cuts = range(0, len(content), STEPS[mode])
    outcomes = line.receive_all(recording, mode, ((content[:cut],) for cut in cuts))
    for cut, (stream, events, error) in zip(cuts, outcomes, strict=True):
        arrived = [frame for frame in recording.frames if (frame.complete if breaks else frame.readable) <= cut]
        frames, ending = recording.outcome(arrived)
        received = [*events, error.event] if isinstance(error, StreamFailed) else events
        assert [event.event for event in received] == [frame.name for frame in frames], cut
        assert stream.ended is (ending != "interrupted" and not waits(stream))
        if ending == "interrupted":
            assert isinstance(error, StreamInterrupted)
            assert (error.stream, error.events) == (stream, len(events))
            assert content[:cut].endswith(error.rest)
