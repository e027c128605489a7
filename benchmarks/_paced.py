"""Paced streams: many chat streams at once, each with an event per interval, as people read them.

Each client runs in a process of its own, against a server in a process of its own. All streams start at once, so the
ideal wall time is that of one stream.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial

from ._files import most_connections
from ._measure import BASE, Case, Runs, Table, UnavailableError
from ._paced_server import paced_server

__all__ = ["COUNTS", "tables"]

COUNTS = (1000, 5000)
"""Streams at once."""
_DELTAS = 60
_INTERVAL = 0.05
_LIMIT = 60.0  # seconds
_SPARE = 30.0  # seconds to start and to end
_IDEAL = "ideal"
_ROUNDS = 3
_OURS = "cozekit"
_CPU_AIMS = {_OURS: 2.0}  # factors over cozepy's processor time of 1,000 streams
_AIMED = 1000


def _run(
    client: str, streams: int, deltas: int, interval: float, limit: float
) -> tuple[dict[str, float], dict[str, float]]:
    """Run one client and return what it took, and the facts.

    Raises:
        UnavailableError: It did not finish in time, or a process may not open so many connections here.
    """
    if (most := most_connections()) < streams:
        raise UnavailableError(f"skipped, since this process may open only {most:,} connections")
    with paced_server(streams, deltas, interval) as server:
        command = [sys.executable, "-m", f"{__package__}._paced_client", client, server.url]
        command += map(repr, (streams, deltas, interval, limit))
        try:
            done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, timeout=limit + _SPARE)
        except subprocess.TimeoutExpired:
            raise UnavailableError(f"did not finish in {limit:g} s, nor end after it") from None
    facts = json.loads(done.stdout)
    if facts["pending"]:
        raise UnavailableError(
            f"did not finish in {limit:g} s: {facts['pending']:,} of {streams:,} streams were open after"
            f" {facts['cpu']:.0f} s of processor time, {facts['failed']:,} had failed"
        )
    numbers = {"wall": facts["wall"], "cpu": facts["cpu"], "memory": max(facts["memory"], 1) / streams}
    return numbers, {
        "failed": facts["failed"],
        **{f"failed with {name}": count for name, count in facts["failures"].items()},
        "threads": facts["threads"],
        "files": facts["files"],
        "server's cpu s": round(server.cpu, 2),
        "server's delay ms": round(server.latest * 1000),
    }


def tables(
    counts: Sequence[int] = COUNTS,
    deltas: int = _DELTAS,
    interval: float = _INTERVAL,
    limit: float = _LIMIT,
) -> Iterator[Table]:
    """Yield the tables of this part.

    Args:
        counts: Streams at once, for one set of tables each.
        deltas: Events of each stream, beside those of its begin and end.
        interval: Seconds between events.
        limit: Seconds after which a client is stopped.
    """
    ideal = deltas * interval
    for count in counts:
        clients = {name: Runs(partial(_run, name, count, deltas, interval, limit)) for name in (BASE, _OURS)}
        aims = _CPU_AIMS if count == _AIMED else {}
        title = f"{count:,} streams of {ideal:g} s"
        cpu = [replace(case, facts=clients[name].facts) for name, case in _cases(clients, "cpu", aims).items()]
        yield Table("paced", f"{title}, CPU time", "s", "run", cpu, rounds=_ROUNDS)
        finished = {name: runs for name, runs in clients.items() if not runs.failed}
        wall = [Case(_IDEAL, lambda: ideal), *_cases(finished, "wall", {}).values()]
        yield Table("paced", f"{title}, wall time", "s", "run", wall, base=_IDEAL, rounds=_ROUNDS)
        memory = _cases(finished, "memory", {}).values()
        yield Table("paced", f"{title}, memory", "KiB", "stream", [*memory], rounds=_ROUNDS)


def _cases(clients: Mapping[str, Runs], number: str, aims: Mapping[str, float]) -> dict[str, Case]:
    return {name: Case(name, runs.sample(number), aims.get(name)) for name, runs in clients.items()}
