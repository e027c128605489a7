"""WebSockets with audio, sent and received as fast as possible, and one message at a time in each direction."""

from __future__ import annotations

import gc
import statistics
from collections.abc import Iterator, Mapping
from typing import Any

from ._measure import BASE, Case, Runs, Table
from ._socket_clients import WORK, Client, Stopwatch, Work, bare, bare_async, ours, ours_async, vendor, vendor_async
from ._socket_server import socket_server
from ._socket_traffic import CHUNKS, COUNT, DIGEST, ROUND_TRIPS, SOUND

__all__ = ["tables"]

_PARSERS = ("json", "orjson")
_AIM = round(1 / 1.5, 2)  # of the bare client's cost divided by ours
_TITLES = {
    "send": "audio sent",
    "speech": "audio received as speech",
    "chat": "audio received in a chat",
    "call": "audio sent and received, one by one",
}
_EXPECTED = {"send": DIGEST, "speech": SOUND, "chat": SOUND, "call": CHUNKS[0] * ROUND_TRIPS}
_UNITS = {"send": COUNT, "speech": COUNT, "chat": COUNT, "call": 2 * ROUND_TRIPS}


class _Work:
    """Work of one client, which is checked each time."""

    def __init__(self, name: str, kind: str, work: Work) -> None:
        self._name, self._kind, self._work = name, kind, work
        self._wall: list[float] = []
        self._run()
        self._wall.clear()
        self.runs = Runs(self._run)

    def _run(self) -> tuple[Mapping[str, float], Mapping[str, float]]:
        gc.collect()
        watch = Stopwatch()
        result: Any = self._work(watch)
        expected = _EXPECTED[self._kind]
        assert result == expected, f"{self._name} returned {result!r:.100}, not {expected!r:.100}"
        units = _UNITS[self._kind]
        self._wall.append(watch.wall / units)
        return {"cpu": watch.cpu / units}, {}

    def facts(self) -> Mapping[str, float]:
        return {"messages per second": round(1 / statistics.median(self._wall))}


def _clients(url: str, *, is_async: bool) -> Iterator[tuple[str, Client]]:
    yield BASE, (vendor_async if is_async else vendor)(url)
    for parser in _PARSERS:
        yield f"cozekit {parser}", (ours_async if is_async else ours)(url, parser)
    for parser in _PARSERS:
        yield f"websockets {parser}", (bare_async if is_async else bare)(url, parser)


def tables() -> Iterator[Table]:
    """Yield the tables of this part."""
    with socket_server() as url:
        for is_async in (False, True):
            clients = dict(_clients(url, is_async=is_async))
            for kind in WORK:
                works = {name: _Work(name, kind, client[kind]) for name, client in clients.items()}
                title = f"{_TITLES[kind]}, {'async' if is_async else 'sync'}"
                cases = [
                    Case(name, work.runs.sample("cpu"), 1.0 if name.startswith("cozekit") else None, work.facts)
                    for name, work in works.items()
                ]
                yield Table("sockets", title, "us", "message", cases)
                for parser in _PARSERS:
                    base = f"websockets {parser}"
                    pair = [
                        Case(base, works[base].runs.sample("cpu")),
                        Case(f"cozekit {parser}", works[f"cozekit {parser}"].runs.sample("cpu"), _AIM),
                    ]
                    yield Table("sockets", title, "us", "message", pair, base=base)
