"""A server in a separate process that writes an event to every chat stream once per interval.

One timer wheel serves all streams: they are spread over a few slots, each slot has its turn once per interval, and a
stream stays in its slot. So the server costs one write for each event, which it measures, and how late it was.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from ._files import raise_file_limit
from ._process import serve, server_process
from ._traffic import chat_chunks

__all__ = ["PacedServer", "paced_server"]

_SLOTS = 10
_HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
_END = 3  # events after the last delta


def _chunk(events: list[bytes]) -> bytes:
    """Return each event as an HTTP chunk."""
    return b"".join(b"%x\r\n%b\r\n" % (len(event), event) for event in events)


class _Wheel:
    """Gives each stream its turn once per interval."""

    def __init__(self, deltas: int, interval: float) -> None:
        events = chat_chunks(whole_events=True, deltas=deltas)
        self.begin = _HEAD + _chunk(events[: -_END - deltas])
        *others, last = events[-_END - deltas : -_END]
        self.writes = [*(_chunk([event]) for event in others), _chunk([last, *events[-_END:]]) + b"0\r\n\r\n"]
        self.latest = 0.0
        self._pause = interval / _SLOTS
        self._slots: list[set[_Connection]] = [set() for _ in range(_SLOTS)]
        self._turn = 0

    def add(self, connection: _Connection) -> None:
        """Give a stream its first turn in one interval."""
        self._slots[(self._turn - 1) % _SLOTS].add(connection)  # whose turn was last

    def remove(self, connection: _Connection) -> None:
        """Give a stream no further turn."""
        for slot in self._slots:
            slot.discard(connection)

    async def run(self) -> None:
        """Write events until canceled."""
        loop = asyncio.get_running_loop()
        due = loop.time()
        while True:
            due += self._pause
            await asyncio.sleep(due - loop.time())
            slot = self._slots[self._turn % _SLOTS]
            if slot:
                self.latest = max(self.latest, loop.time() - due)
            self._turn += 1
            for connection in [*slot]:
                if not connection.write_next():
                    slot.discard(connection)


class _Connection(asyncio.Protocol):
    """A connection, which has one stream at a time."""

    transport: asyncio.Transport

    def __init__(self, wheel: _Wheel) -> None:
        self._wheel = wheel
        self._received = b""
        self._written = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        self._received += data
        head, found, body = self._received.partition(b"\r\n\r\n")
        if not found:
            return
        _, length_found, length = head.lower().partition(b"\r\ncontent-length:")
        if not length_found:
            self.transport.abort()  # counts as a failure in the client
        elif len(body) >= int(length.partition(b"\r\n")[0]):
            self._received = b""
            self._written = 0
            self.transport.write(self._wheel.begin)
            self._wheel.add(self)

    def write_next(self) -> bool:
        """Write the next event, and return whether another follows."""
        self.transport.write(self._wheel.writes[self._written])
        self._written += 1
        return self._written < len(self._wheel.writes)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002  # asyncio's name
        self._wheel.remove(self)


async def _main(streams: int, deltas: int, interval: float) -> None:
    raise_file_limit(streams)
    wheel, loop = _Wheel(deltas, interval), asyncio.get_running_loop()
    server = await loop.create_server(lambda: _Connection(wheel), "127.0.0.1", 0, backlog=streams)
    turning = asyncio.create_task(wheel.run())

    def report() -> str:
        turning.cancel()
        return json.dumps({"cpu": time.process_time(), "latest": wheel.latest})

    await serve(server.sockets[0].getsockname()[1], report)


@dataclass
class PacedServer:
    """A running server.

    Attributes:
        url: Its base URL.
        cpu: Processor time that it took in seconds, once it has ended.
        latest: Maximum delay of its events in seconds, once it has ended.
    """

    url: str
    cpu: float = 0.0
    latest: float = 0.0


@contextmanager
def paced_server(streams: int, deltas: int, interval: float) -> Iterator[PacedServer]:
    """Run a server for so many streams at once, each with so many deltas, one per *interval* in seconds."""
    with server_process("_paced_server", str(streams), str(deltas), repr(interval)) as running:
        server = PacedServer(f"http://127.0.0.1:{running.port}")
        yield server
    facts = json.loads(running.report)
    server.cpu, server.latest = facts["cpu"], facts["latest"]


if __name__ == "__main__":
    asyncio.run(_main(int(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3])))
