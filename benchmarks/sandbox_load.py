"""Number of concurrent chat streams that the sandbox serves on one core: `python -m benchmarks.sandbox_load`.

The sandbox runs in a separate process, bound to the first core; the clients run on the others. They are plain sockets
that only count events, so that the sandbox is measured. Two questions:

- paced: each stream has an event every so many milliseconds; do they all end in time?
- unpaced: every stream as fast as possible; how many events per second in total?
"""

from __future__ import annotations

import argparse
import asyncio
import json
import math
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

_WORDS = 100  # of an answer
_NATURAL_PAUSE = 0.03  # seconds between events where --speed is 1
_UNPACED = 1e9
_ABOUT = "Measure how many chat streams the sandbox serves at once on one core."
_HEAD = " streams    whole   events  seconds    ideal   median      p99   events/s    core  events/core"
_BOT = "7300000000000000200"


@contextmanager
def _sandbox(speed: float, core: int) -> Iterator[tuple[dict[str, Any], subprocess.Popen[str]]]:
    command = [sys.executable, "-m", "coze_sandbox", "--print-json", "--exit-with-parent", "--speed", repr(speed)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        os.sched_setaffinity(process.pid, {core})
        yield json.loads(process.stdout.readline()), process
        process.stdin.close()


def _request(facts: dict[str, Any]) -> bytes:
    message = {"role": "user", "content": f"/long {_WORDS}", "content_type": "text"}
    chat = {"bot_id": _BOT, "user_id": "load", "stream": True, "additional_messages": [message]}
    body = json.dumps(chat).encode()
    head = (
        f"POST /v3/chat HTTP/1.1\r\nHost: {urlsplit(facts['base_url']).netloc}\r\n"
        f"Authorization: Bearer {facts['token']}\r\nContent-Type: application/json\r\n"
        f"Content-Length: {len(body)}\r\nConnection: close\r\n\r\n"
    )
    return head.encode() + body


async def _stream(port: int, request: bytes, start: asyncio.Event) -> tuple[int, float, bool]:
    """Return the number of events, the duration in seconds, and whether the stream completed."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=1 << 20)
    await start.wait()
    started = time.perf_counter()
    writer.write(request)
    events, tail = 0, b""
    while chunk := await reader.read(1 << 16):
        events += chunk.count(b"event:")
        tail = (tail + chunk)[-64:]
    writer.close()
    return events, time.perf_counter() - started, b"[DONE]" in tail


async def _all(facts: dict[str, Any], streams: int) -> tuple[list[tuple[int, float, bool]], float]:
    port, request, start = urlsplit(facts["base_url"]).port or 0, _request(facts), asyncio.Event()
    tasks = [asyncio.create_task(_stream(port, request, start)) for _ in range(streams)]
    await asyncio.sleep(0.5)
    begun = time.perf_counter()
    start.set()
    return await asyncio.gather(*tasks), time.perf_counter() - begun


def _processor_seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _measure(streams: int, speed: float, core: int) -> None:
    with _sandbox(speed, core) as (facts, process):
        asyncio.run(_all(facts, 1))  # warms up the caches
        before = _processor_seconds(process.pid)
        results, seconds = asyncio.run(_all(facts, streams))
        busy = _processor_seconds(process.pid) - before
    events = sum(result[0] for result in results)
    whole = sum(result[2] for result in results)
    times = sorted(result[1] for result in results)
    late = times[math.ceil(len(times) * 0.99) - 1]
    wanted = events / streams * _NATURAL_PAUSE / speed
    ideal = f"{wanted:8.2f}" if speed < _UNPACED else "       -"
    print(
        f"{streams:8} {whole:8} {events:8} {seconds:8.2f} {ideal} {statistics.median(times):8.2f} {late:8.2f}"
        f" {events / seconds:10.0f} {busy / seconds:7.0%} {events / busy:12.0f}",
        flush=True,
    )


def main() -> None:
    """Measure and print one line per number of streams."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.sandbox_load", description=_ABOUT)
    parser.add_argument("streams", nargs="*", type=int, default=[50, 200, 500], help="how many at once")
    parser.add_argument(
        "--pause", type=float, default=0.05, help="seconds between events, paced (default: %(default)s)"
    )
    options = parser.parse_args()
    core, *others = sorted(os.sched_getaffinity(0))
    if not others:
        sys.exit("two cores are needed")
    os.sched_setaffinity(0, others)
    for title, speed in ((f"paced, {options.pause} s", _NATURAL_PAUSE / options.pause), ("unpaced", _UNPACED)):
        print(f"\n{title}\n{_HEAD}")
        for streams in options.streams:
            _measure(streams, speed, core)


if __name__ == "__main__":
    main()
