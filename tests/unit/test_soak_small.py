"""A small run of the soak in benchmarks/."""

from __future__ import annotations

import pytest

from benchmarks import soak


@pytest.mark.anyio
async def test_async_streams_leak_nothing() -> None:
    """After a crowd of broken, cancelled and recovered async streams no connection is busy and no task is left."""
    with soak.sandbox() as service:
        report = await soak.run(service, streams=6, seconds=1.5)
    assert (report.busy, report.left) == (0, 0)
    assert report.ended.total() >= 6


def test_sync_streams_leak_nothing() -> None:
    """So for threads, some of which are closed by others."""
    with soak.sandbox() as service:
        report = soak.run_threads(service, streams=6, seconds=1.5)
    assert (report.busy, report.left) == (0, 0)
    assert report.ended.total() >= 6
