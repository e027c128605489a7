"""A small run of the soak in benchmarks/."""

from __future__ import annotations

import threading

import pytest

from benchmarks import soak


@pytest.mark.anyio
async def test_async_streams_leak_nothing() -> None:
    """After a crowd of broken, cancelled and recovered async streams no connection is busy and no task is left."""
    with soak.sandbox() as service:
        report = await soak.run(service, streams=6, rounds=4)
    assert (report.busy, report.left) == (0, 0)
    assert report.ended.total() == 24


def test_sync_streams_leak_nothing() -> None:
    """So for threads, some of which are closed by others."""
    with soak.sandbox() as service:
        report = soak.run_threads(service, streams=6, rounds=4)
    assert (report.busy, report.left) == (0, 0)
    assert report.ended.total() == 24


def test_memory_is_what_objects_take() -> None:
    """Memory that threads took and gave back counts no more, whatever their allocators keep; what is held counts."""
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
