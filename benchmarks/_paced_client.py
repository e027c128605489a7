"""One client in a process of its own, which reads many paced chat streams at once.

    python -m benchmarks._paced_client CLIENT URL STREAMS DELTAS INTERVAL LIMIT

It prints what that took, as JSON.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
import time
from collections import Counter
from collections.abc import Callable, Coroutine
from typing import Any

from ._clients import connected_client
from ._files import memory, open_files, peak_memory, raise_file_limit, threads
from ._measure import BASE
from ._traffic import BOT_ID, TOKEN, USER_ID, text

__all__ = ["main"]

Read = Callable[[], Coroutine[Any, Any, str]]


def _vendor(base_url: str) -> Read:
    import cozepy

    client = cozepy.AsyncCoze(auth=cozepy.AsyncTokenAuth(TOKEN), base_url=base_url)
    question = cozepy.Message.build_user_question_text("你好")
    delta = cozepy.ChatEventType.CONVERSATION_MESSAGE_DELTA

    async def read() -> str:
        events = client.chat.stream(bot_id=BOT_ID, user_id=USER_ID, additional_messages=[question])
        return "".join(
            [event.message.content async for event in events if event.event == delta and event.message is not None]
        )

    return read


def _ours(base_url: str, streams: int) -> Read:
    from coze_api.models import MessageDeltaEvent

    client = connected_client(base_url, streams)

    async def read() -> str:
        async with client.chat.stream(bot_id=BOT_ID, user_id=USER_ID, additional_messages=["你好"]) as stream:
            return "".join([event.data.content async for event in stream if isinstance(event, MessageDeltaEvent)])

    return read


async def _measured(client: str, url: str, streams: int, deltas: int, interval: float, limit: float) -> dict[str, Any]:
    read = _vendor(url) if client == BASE else _ours(url, streams)
    expected = text(deltas)
    files, before = 0, memory()
    cpu, start = time.process_time(), time.perf_counter()
    tasks = [asyncio.create_task(read()) for _ in range(streams)]
    pending = set(tasks)
    while pending and (left := start + limit - time.perf_counter()) > 0:
        _, pending = await asyncio.wait(pending, timeout=min(left, interval * deltas / 2))
        files = max(files, open_files())
    wall, cpu = time.perf_counter() - start, time.process_time() - cpu
    failures = Counter(
        type(error).__name__ if (error := task.exception()) else "wrong text"
        for task in tasks
        if task.done() and (task.exception() or task.result() != expected)
    )
    return {
        "wall": wall,
        "cpu": cpu,
        "memory": peak_memory() - before,
        "failed": failures.total(),
        "failures": dict(failures),
        "pending": len(pending),
        "threads": threads(),
        "files": files,
    }


def main() -> None:
    """Measure, print, and end without waiting for streams that did not end."""
    client, url, streams, deltas, interval, limit = sys.argv[1:]
    raise_file_limit(int(streams))
    arguments = client, url, int(streams), int(deltas), float(interval), float(limit)

    async def run() -> None:
        print(json.dumps(await _measured(*arguments)), flush=True)
        os._exit(0)

    asyncio.run(run())


if __name__ == "__main__":
    main()
