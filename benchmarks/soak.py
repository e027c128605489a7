"""Many concurrent streams against a sandbox that breaks them: does anything leak?

`python -m benchmarks.soak` keeps 200 streams of chats, chatflows and workflows open for a minute, with faults on most
of them, read in every way: to the end, in part, closed, canceled, recovered. It fails if a connection is not released,
a task or thread is left, or memory grew.
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
import tracemalloc
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
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
_WAYS = ("until_done", "events", "text", "part", "closed", "canceled")
_READ_SECONDS = 60.0
_SETTLE_LOOKS = 6000
_SERVER = """
import sys
from coze_sandbox import BOT_ID, WORKFLOW_CHAT, WORKFLOW_INTERLEAVED, Sandbox
with Sandbox() as sandbox:
    print(sandbox.base_url, sandbox.token, BOT_ID, WORKFLOW_CHAT, WORKFLOW_INTERLEAVED, flush=True)
    sys.stdin.read()
"""


@dataclass(frozen=True)
class Service:
    """Address and ids of the sandbox."""

    base_url: str
    token: str
    bot: str
    chatflow: str
    workflow: str


@dataclass
class Report:
    """The report.

    Attributes:
        ended: Number of streams by the way they ended.
        memory: Memory that Python objects take, in MiB, sampled during the run.
        busy: Connections that were not free afterwards.
        left: Tasks or threads that were left.
    """

    ended: Counter[str] = field(default_factory=Counter)
    memory: list[float] = field(default_factory=list)
    busy: int = 0
    left: int = 0

    @property
    def growth(self) -> float:
        """Growth of memory in MiB from the first third of the run to its end."""
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
    """Run a sandbox in a separate process."""
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
    """Start a stream of a random kind with a random fault."""
    # Streams are not canceled while they open or break: httpcore 1.0.9 loses a place in its pool if `Task.cancel`
    # interrupts the opening of a connection, or the closing of a broken one.
    fault = chance.choice(_HARMLESS if way == "canceled" else _FAULTS).format(
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


def _ending(error: CozeError) -> str:
    """Name how a stream ended."""
    kinds = (StreamGap, ChatFailed, StreamFailed, StreamInterrupted, APIError, CozeError)
    return next(kind.__name__ for kind in kinds if isinstance(error, kind))


async def _read(stream: Any, way: str, chance: random.Random) -> str:
    if way == "canceled":
        await stream.open()
        reached, stop = asyncio.Event(), chance.randrange(8)

        async def read() -> None:
            for number in range(stop):
                if await anext(stream, None) is None:
                    return
                if number + 1 == stop:
                    reached.set()
            await stream.until_done()

        task = asyncio.ensure_future(read())
        if stop:
            waiting = asyncio.ensure_future(reached.wait())
            await asyncio.wait({task, waiting}, return_when=asyncio.FIRST_COMPLETED)
            waiting.cancel()
        for _ in range(chance.randrange(4)):
            await asyncio.sleep(0)
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
        return "ended" if stream.ended else "canceled"
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


def _turns(seconds: float, rounds: int | None) -> Iterator[None]:
    """Iterate for some seconds, or for a number of rounds."""
    if rounds is not None:
        yield from [None] * rounds
        return
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        yield


async def _work(
    coze: AsyncCoze, service: Service, chance: random.Random, turns: Iterator[None], report: Report
) -> None:
    for _ in turns:
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
                how = f"recover: {_ending(error)}"
        except CozeError as error:
            how = _ending(error)
            await stream.close()
        report.ended[how] += 1


def _work_in_thread(coze: Coze, service: Service, chance: random.Random, turns: Iterator[None], report: Report) -> None:
    for _ in turns:
        way, how = chance.choice(_WAYS), "ended"
        stream = _begin(coze, service, chance, way)
        reached, stop = threading.Event(), chance.randrange(8)
        closer = threading.Thread(target=lambda go, close: (go.wait(), close()), args=(reached, stream.close))
        try:
            with stream:
                if way == "canceled":
                    closer.start()
                for number, _ in enumerate(stream):
                    if number == stop:
                        reached.set()
                    if way == "part" and number == 3:
                        how = "left"
                        break
                    if way == "closed" and number == 3:
                        stream.close()
        except CozeError as error:
            how = _ending(error)
        except RuntimeError as error:  # a run that was closed just when it could have been resumed
            how = str(error)
        finally:
            reached.set()
            if closer.ident is not None:
                closer.join()
        report.ended[how] += 1


def _memory() -> float:
    """Return the memory of Python objects in MiB. The memory of the process depends on the allocator."""
    gc.collect()
    return tracemalloc.get_traced_memory()[0] / 2**20


@contextmanager
def _tracing() -> Iterator[None]:
    tracemalloc.start()
    try:
        yield
    finally:
        tracemalloc.stop()


def _settled(report: Report, http: Any, count: Callable[[], int]) -> bool:
    """Return whether nothing is left. Closing takes a moment after a task was canceled; a leak stays."""
    report.busy, report.left = _busy(http), count()
    return not (report.busy or report.left)


def _busy(http: Any) -> int:
    return sum(not connection.is_idle() for connection in http._transport._pool.connections)


def _options(streams: int) -> dict[str, Any]:
    limits = httpx.Limits(max_connections=streams, max_keepalive_connections=streams)
    return {"limits": limits, "timeout": httpx.Timeout(_READ_SECONDS, pool=60), "trust_env": False}


async def run(
    service: Service, streams: int, seconds: float = 0, seed: int = 1, *, rounds: int | None = None
) -> Report:
    """Keep *streams* streams open at once, for some seconds or for a number of rounds."""
    report, before = Report(), len(asyncio.all_tasks())
    with _tracing():
        async with httpx.AsyncClient(**_options(streams)) as http:
            coze = AsyncCoze(service.token, base_url=service.base_url, http_client=http, retry=0, on_gap="raise")
            workers = {
                asyncio.create_task(_work(coze, service, random.Random(seed + number), _turns(seconds, rounds), report))
                for number in range(streams)
            }
            waiting = workers
            while waiting:
                report.memory.append(_memory())
                _, waiting = await asyncio.wait(waiting, timeout=max(seconds / 30, 0.1))
            await asyncio.gather(*workers)
            for _ in range(_SETTLE_LOOKS):
                if _settled(report, http, lambda: len(asyncio.all_tasks()) - before):
                    break
                await asyncio.sleep(0.01)
            report.memory.append(_memory())
    return report


def run_threads(
    service: Service, streams: int, seconds: float = 0, seed: int = 1, *, rounds: int | None = None
) -> Report:
    """Do the same with one thread for each of the *streams*."""
    report, before = Report(), threading.active_count()
    with _tracing(), httpx.Client(**_options(streams)) as http:
        coze = Coze(service.token, base_url=service.base_url, http_client=http, retry=0, on_gap="raise")
        workers = [
            threading.Thread(
                target=_work_in_thread,
                args=(coze, service, random.Random(seed + number), _turns(seconds, rounds), report),
            )
            for number in range(streams)
        ]
        for worker in workers:
            worker.start()
        while any(worker.is_alive() for worker in workers):
            report.memory.append(_memory())
            time.sleep(max(seconds / 30, 0.1))
        for _ in range(_SETTLE_LOOKS):
            if _settled(report, http, lambda: threading.active_count() - before):
                break
            time.sleep(0.01)
        report.memory.append(_memory())
    return report


def main() -> int:
    """Run it and print the report; the exit status is 1 after a leak."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.soak", description=__doc__)
    parser.add_argument("--streams", type=int, default=200, help="how many at once (default: %(default)s)")
    parser.add_argument("--seconds", type=float, default=60.0, help="for how long (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=1, help="of what is random (default: %(default)s)")
    parser.add_argument("--threads", action="store_true", help="use the sync client")
    parser.add_argument("--growth", type=float, default=8.0, help="MiB that memory may grow (default: %(default)s)")
    options = parser.parse_args()
    with sandbox() as service:
        if options.threads:
            report = run_threads(service, options.streams, options.seconds, options.seed)
        else:
            report = asyncio.run(run(service, options.streams, options.seconds, options.seed))
    print(report)
    leaks = report.busy or report.left or report.growth > options.growth
    print("leaked" if leaks else "nothing leaked")
    return 1 if leaks else 0


if __name__ == "__main__":
    sys.exit(main())
