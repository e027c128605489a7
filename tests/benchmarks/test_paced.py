"""Paced streams of the benchmarks, with few streams and short ones."""

from __future__ import annotations

import asyncio
import time

import pytest

from benchmarks import _paced
from benchmarks._clients import connected_client
from benchmarks._measure import Result, UnavailableError, measure
from benchmarks._paced_server import paced_server
from benchmarks._traffic import BOT_ID, USER_ID, text
from coze_api.models import MessageDeltaEvent


async def _texts(url: str, streams: int) -> list[str]:
    async with connected_client(url) as client:

        async def read() -> str:
            async with client.chat.stream(bot_id=BOT_ID, user_id=USER_ID, additional_messages=["hi"]) as stream:
                return "".join([event.data.content async for event in stream if isinstance(event, MessageDeltaEvent)])

        first = await asyncio.gather(*(read() for _ in range(streams)))
        return [*first, await read()]


def test_the_server_writes_every_event_of_every_stream() -> None:
    """Streams at once, and one that uses the same connections again, each get all events, at the pace of the server."""
    with paced_server(5, 4, 0.05) as server:
        start = time.perf_counter()
        assert asyncio.run(_texts(server.url, 5)) == [text(4)] * 6
        took = time.perf_counter() - start
    assert took > 2 * 3 * 0.05  # never faster than the pace
    assert server.cpu > 0


def test_clients_are_compared_in_processes_of_their_own() -> None:
    """Both clients read all streams: there are processor time, wall time over the ideal, and memory, without failures."""
    tables = _paced.tables([3], deltas=4, interval=0.02)
    results: list[Result] = [measure(table, 1) for table in tables]
    cpu, wall, memory = results
    assert [figure.case for figure in cpu.figures] == ["cozepy", "cozekit"]
    assert [figure.facts["failed"] for figure in cpu.figures] == [0, 0]
    assert all(figure.ratio is not None and figure.ratio <= 1 for figure in wall.figures)
    assert all(figure.cost > 0 for figure in (*cpu.figures, *memory.figures))


def test_a_client_that_does_not_finish_in_time_is_reported() -> None:
    """A client whose streams are open at the limit is stopped, and the reason has their number."""
    with pytest.raises(UnavailableError, match=r"did not finish in 0\.2 s: 3 of 3 streams were open"):
        _paced._run("cozekit", 3, deltas=50, interval=0.05, limit=0.2)


def test_streams_beyond_the_file_limit_are_skipped_visibly() -> None:
    """More streams than the hard limit of open files allows are not tried; the note names the limit."""
    resource = pytest.importorskip("resource")
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    if hard == resource.RLIM_INFINITY:
        pytest.skip("this system has no hard limit")
    result = measure(next(_paced.tables([hard + 1])), 1)
    assert not result.figures
    assert all("may open only" in note for note in result.notes)
