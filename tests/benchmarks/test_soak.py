"""A small run of the soak test in benchmarks/."""

from __future__ import annotations

import threading

import pytest

from benchmarks import soak


@pytest.mark.anyio
async def test_async_streams_leak_nothing() -> None:
    """After many interrupted, canceled and recovered async streams no connection is in use and no task remains."""
    with soak.sandbox() as service:
        report = await soak.run(service, streams=6, rounds=4)
    assert (report.busy, report.left) == (0, 0)
    assert report.ended.total() == 24


def test_sync_streams_leak_nothing() -> None:
    """After many interrupted, closed and recovered sync streams no connection is in use and no thread remains."""
    with soak.sandbox() as service:
        report = soak.run_threads(service, streams=6, rounds=4)
    assert (report.busy, report.left) == (0, 0)
    assert report.ended.total() == 24


def test_memory_counts_live_objects_only() -> None:
    """Memory that threads freed does not count, whatever their allocators keep; live objects count."""
    held: list[bytes] = []

    def take() -> None:
        held.extend(bytes(1000) for _ in range(2000))

    with soak._tracing():
        before = soak._memory()
        workers = [threading.Thread(target=take) for _ in range(4)]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
        assert soak._memory() - before > 7
        held.clear()
        assert abs(soak._memory() - before) < 0.5
