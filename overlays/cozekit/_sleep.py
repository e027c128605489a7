"""Sleeping, in threads and in tasks."""

from __future__ import annotations

import time

__all__ = ["sleep", "sleep_async"]


def sleep(seconds: float) -> None:
    """Sleep in a thread."""
    time.sleep(seconds)


async def sleep_async(seconds: float) -> None:
    """Sleep in a task."""
    import anyio  # comes with httpx; works on asyncio and trio

    await anyio.sleep(seconds)
