"""Many streams at once against a sandbox that breaks them: does anything leak?

`python -m benchmarks.soak` keeps 200 streams of chats, chatflows and workflows open for a minute, with faults on most
of them, read in every way: to the end, in part, closed, cancelled, recovered. It fails if afterwards a connection is
not free, a task or thread is left, or memory grew.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import random
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from cozekit import AsyncCoze, Coze
from cozekit.errors import APIError, ChatFailed, CozeError, StreamFailed, StreamGap, StreamInterrupted

__all__ = ["Report", "run", "run_threads", "sandbox"]

_HARMLESS = (
    "",
    "",
    "delay; events={n}; seconds=0.2",
    "stall; events={n}; seconds=0.3",
    "garbage; events={n}",
    "duplicate; events={n}",
    "lost; events={n}",
    "huge; events={n}; bytes=200000",
)
_FAULTS = (
    *_HARMLESS,
    "cut; events={n}; bytes={b}",
    "cut; events={n}",
    "close; events={n}",
    "drop",
    "rate_limit; seconds=0",
    "html",
    "status; status=503",
    "code; code=5000",
)
_WAYS = ("until_done", "events", "text", "part", "closed", "cancelled")
_READ_SECONDS = 20.0
_SERVER = """
import sys
from coze_sandbox import BOT_ID, WORKFLOW_CHAT, WORKFLOW_INTERLEAVED, Sandbox
with Sandbox() as sandbox:
    print(sandbox.base_url, sandbox.token, BOT_ID, WORKFLOW_CHAT, WORKFLOW_INTERLEAVED, flush=True)
    sys.stdin.read()
"""


@dataclass(frozen=True)
class Service:
    """Where the sandbox is, and what it knows."""

    base_url: str
    token: str
    bot: str
    chatflow: str
    workflow: str


@dataclass
class Report:
    """What came of it.

    Attributes:
        ended: How often streams ended in which way.
        memory: Resident memory in MiB, sampled during the run.
        busy: Connections that were not free afterwards.
        left: Tasks or threads that were left.
    """

    ended: Counter[str] = field(default_factory=Counter)
    memory: list[float] = field(default_factory=list)
    busy: int = 0
    left: int = 0

    @property
    def growth(self) -> float:
        """How many MiB memory grew from the first third of the run to its end."""
        settled = self.memory[len(self.memory) // 3 :]
        return settled[-1] - settled[0]

    def __str__(self) -> str:
        ways = ", ".join(f"{name} {count:,}" for name, count in self.ended.most_common())
        return (
            f"{self.ended.total():,} streams: {ways}\n"
            f"memory {self.memory[0]:.1f} MiB at first, {self.memory[len(self.memory) // 3]:.1f} after a third, "
            f"{self.memory[-1]:.1f} at the end; {self.busy} connections busy, {self.left} tasks or threads left"
        )


@contextmanager
def sandbox() -> Iterator[Service]:
    """Run a sandbox in a process of its own."""
    with subprocess.Popen(
        [sys.executable, "-c", _SERVER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdin is not None
        try:
            yield Service(*process.stdout.readline().split())
        finally:
            process.stdin.close()


def _begin(coze: Any, service: Service, chance: random.Random, way: str) -> Any:
    """Begin a stream of a random kind with a random fault."""
    # What is cancelled is neither opening nor breaking: httpcore 1.0.9 loses a place in its pool when `Task.cancel`
    # strikes while it makes a connection, or while it closes a broken one by itself.
    fault = chance.choice(_HARMLESS if way == "cancelled" else _FAULTS).format(
        n=chance.randrange(12), b=chance.randrange(60)
    )
    options: dict[str, Any] = {"extra_headers": {"X-Sandbox-Fault": fault}} if fault else {}
    match chance.randrange(3):
        case 0:
            text = chance.choice(["/long 30", "/suggest Hi", "/fail 5000 no", "/think Hi"])
            return coze.chat.stream(bot_id=service.bot, user_id="u", additional_messages=[text], **options)
        case 1:
            chatflow = {"workflow_id": service.chatflow, "bot_id": service.bot, "parameters": {}}
            return coze.workflows.chat.stream(**chatflow, additional_messages=["/long 20"], **options)
    return coze.workflows.runs.stream(workflow_id=service.workflow, parameters={"input": "word " * 20}, **options)


def _told(error: CozeError) -> str:
    """Name how a stream ended."""
    kinds = (StreamGap, ChatFailed, StreamFailed, StreamInterrupted, APIError, CozeError)
    return next(kind.__name__ for kind in kinds if isinstance(error, kind))


async def _read(stream: Any, way: str, chance: random.Random) -> str:
    if way == "cancelled":
        await stream.open()
        task = asyncio.ensure_future(stream.until_done())
        await asyncio.sleep(chance.random() * 0.05)
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
        return "ended" if stream.ended else "cancelled"
    if way == "until_done":
        await stream.until_done()
        return "ended"
    count, stop = 0, chance.randrange(1, 8)
    async for _ in stream.text if way == "text" and hasattr(stream, "text") else stream:
        count += 1
        if way == "part" and count == stop:
            return "left"
        if way == "closed" and count == stop:
            await stream.close()
    return "ended"


async def _recover(stream: Any, chance: random.Random) -> str:
    if not hasattr(stream, "recover") or stream.chat is None or chance.random() < 0.7:
        return "StreamInterrupted"
    async for _ in stream.recover(poll_interval=0.05, poll_timeout=_READ_SECONDS):
        pass
    return "recovered"


async def _work(coze: AsyncCoze, service: Service, chance: random.Random, until: float, report: Report) -> None:
    while time.monotonic() < until:
        way = chance.choice(_WAYS)
        stream = _begin(coze, service, chance, way)
        try:
            if chance.random() < 0.5:
                async with stream:
                    how = await _read(stream, way, chance)
            else:
                how = await _read(stream, way, chance)
                await stream.close()
        except StreamInterrupted:
            try:
                how = await _recover(stream, chance)
            except CozeError as error:
                how = f"recover: {_told(error)}"
        except CozeError as error:
            how = _told(error)
            await stream.close()
        report.ended[how] += 1


def _work_in_thread(coze: Coze, service: Service, chance: random.Random, until: float, report: Report) -> None:
    while time.monotonic() < until:
        way, how = chance.choice(_WAYS), "ended"
        stream = _begin(coze, service, chance, way)
        try:
            with stream:
                timer = threading.Timer(chance.random() * 0.05, stream.close) if way == "cancelled" else None
                if timer is not None:
                    timer.start()
                for number, _ in enumerate(stream):
                    if way == "part" and number == 3:
                        how = "left"
                        break
                    if way == "closed" and number == 3:
                        stream.close()
        except CozeError as error:
            how = _told(error)
        except RuntimeError as error:  # a run that was closed just when it could have been resumed
            how = str(error)
        report.ended[how] += 1


def _memory() -> float:
    gc.collect()
    return int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1]) * 4096 / 2**20


def _busy(http: Any) -> int:
    return sum(not connection.is_idle() for connection in http._transport._pool.connections)


def _options(streams: int) -> dict[str, Any]:
    limits = httpx.Limits(max_connections=streams, max_keepalive_connections=streams)
    return {"limits": limits, "timeout": httpx.Timeout(_READ_SECONDS, pool=60), "trust_env": False}


async def run(service: Service, streams: int, seconds: float, seed: int = 1) -> Report:
    """Keep *streams* streams open at once for some seconds."""
    report, before = Report(), len(asyncio.all_tasks())
    async with httpx.AsyncClient(**_options(streams)) as http:
        coze = AsyncCoze(service.token, base_url=service.base_url, http_client=http, retry=0, on_gap="raise")
        until, pause = time.monotonic() + seconds, max(seconds / 30, 0.1)
        workers = [
            asyncio.create_task(_work(coze, service, random.Random(seed + number), until, report))
            for number in range(streams)
        ]
        while time.monotonic() < until:
            report.memory.append(_memory())
            await asyncio.sleep(pause)
        await asyncio.gather(*workers)
        await asyncio.sleep(0.1)
        report.memory.append(_memory())
        report.busy, report.left = _busy(http), len(asyncio.all_tasks()) - before
    return report


def run_threads(service: Service, streams: int, seconds: float, seed: int = 1) -> Report:
    """Keep *streams* streams open at once for some seconds, each in a thread of its own."""
    report, before = Report(), threading.active_count()
    with httpx.Client(**_options(streams)) as http:
        coze = Coze(service.token, base_url=service.base_url, http_client=http, retry=0, on_gap="raise")
        until, pause = time.monotonic() + seconds, max(seconds / 30, 0.1)
        workers = [
            threading.Thread(target=_work_in_thread, args=(coze, service, random.Random(seed + number), until, report))
            for number in range(streams)
        ]
        for worker in workers:
            worker.start()
        while time.monotonic() < until:
            report.memory.append(_memory())
            time.sleep(pause)
        for worker in workers:
            worker.join()
        time.sleep(0.1)  # for timers that have nothing to close any more
        report.memory.append(_memory())
        report.busy, report.left = _busy(http), threading.active_count() - before
    return report


def main() -> int:
    """Run it, print what came of it, and tell by the exit status whether something leaked."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.soak", description=__doc__)
    parser.add_argument("--streams", type=int, default=200, help="how many at once (default: %(default)s)")
    parser.add_argument("--seconds", type=float, default=60.0, help="for how long (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=1, help="of what is random (default: %(default)s)")
    parser.add_argument("--threads", action="store_true", help="use the sync client")
    parser.add_argument("--growth", type=float, default=8.0, help="MiB that memory may grow (default: %(default)s)")
    given = parser.parse_args()
    with sandbox() as service:
        if given.threads:
            report = run_threads(service, given.streams, given.seconds, given.seed)
        else:
            report = asyncio.run(run(service, given.streams, given.seconds, given.seed))
    print(report)
    leaks = report.busy or report.left or report.growth > given.growth
    print("leaked" if leaks else "nothing leaked")
    return 1 if leaks else 0


if __name__ == "__main__":
    sys.exit(main())
