"""Hostile servers: raw TCP with malformed data, to clients over real connections."""

from __future__ import annotations

import gzip
import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from random import Random
from typing import Any, Self

from cozekit import AsyncCoze, Coze
from cozekit.errors import CozeError
from tests.fuzz._answers import TOKEN, method, secrets_of
from tests.fuzz._cases import Case, drive, on_loop
from tests.fuzz._description import operation, operations
from tests.fuzz._replies import valid
from tests.fuzz._use import each, end_by, settled, use
from tests.fuzz._values import dumps

__all__ = ["hostile_sockets"]

_TIMEOUT = 0.4  # timeout of the client, which ends the cases that block
_OPERATIONS = ("bots.list", "files.upload", "audio.speech.create", "chat.retrieve", "oauth.token", "users.me")
_STREAMS = ("chat.stream", "workflows.runs.stream")


@dataclass
class Script:
    """What a server does with a connection.

    Attributes:
        pieces: Sent one after the other.
        reads: Whether the request is read before anything is sent.
        ends: "close", "reset", or "wait" until the client closes.
    """

    pieces: list[bytes] = field(default_factory=list)
    reads: bool = True
    ends: str = "close"
    done: str = ""


def _answer(body: bytes, *headers: str, status: str = "HTTP/1.1 200 OK") -> bytes:
    lines = [status, "content-type: application/json", *headers]
    return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + body


def _script(rng: Random, body: bytes) -> Script:
    length = f"content-length: {len(body)}"
    good = _answer(body, length)
    head, _, _ = good.partition(b"\r\n\r\n")
    zipped = gzip.compress(body)
    cut = rng.randrange(len(good) + 1)
    chunk = f"{len(body):x}\r\n".encode() + body + b"\r\n0\r\n\r\n"
    chunked = "transfer-encoding: chunked"
    junk = rng.randbytes(rng.randrange(1, 300))
    scripts: list[tuple[str, list[bytes]]] = [
        ("nothing", []),
        ("random bytes", [junk]),
        ("cut off", [good[:cut]]),
        ("cut off", [good[:cut]]),
        ("one byte after the other", [good[n : n + 1] for n in range(min(len(good), 300))]),
        ("too long a length", [_answer(body, f"content-length: {len(body) + 100}")]),
        ("too short a length", [_answer(body, f"content-length: {len(body) // 2}")]),
        ("negative length", [_answer(body, "content-length: -1")]),
        ("length is text", [_answer(body, "content-length: ten")]),
        ("huge length", [_answer(body, "content-length: " + "9" * 40)]),
        ("5,000 digits of length", [_answer(body, "content-length: " + "9" * 5000)]),
        ("two lengths", [_answer(body, length, "content-length: 1")]),
        ("length and chunks", [_answer(chunk, length, chunked)]),
        ("chunks", [_answer(chunk, chunked)]),
        ("chunks cut off", [_answer(chunk[: rng.randrange(len(chunk))], chunked)]),
        ("size of chunk is text", [_answer(b"zz\r\n" + body, chunked)]),
        ("negative size of chunk", [_answer(b"-5\r\n" + body, chunked)]),
        ("huge size of chunk", [_answer(b"f" * 40 + b"\r\n" + body, chunked)]),
        ("long extension of chunk", [_answer(b"5;" + b"x" * 100_000 + b"\r\n" + body, chunked)]),
        ("odd trailers", [_answer(chunk[:-2] + b"x\xff: \x00\r\n\r\n", chunked)]),
        ("unknown transfer encoding", [_answer(body, "transfer-encoding: gzip, chunked")]),
        ("status line without a number", [_answer(body, length, status="HTTP/1.1 OK")]),
        ("status line of HTTP/9.9", [_answer(body, length, status="HTTP/9.9 200 OK")]),
        ("status 99", [_answer(body, length, status="HTTP/1.1 99 Odd")]),
        ("status 1000", [_answer(body, length, status="HTTP/1.1 1000 Odd")]),
        ("status 600", [_answer(body, length, status="HTTP/1.1 600 Odd")]),
        ("status without a reason", [_answer(body, length, status="HTTP/1.1 200")]),
        ("reason of other bytes", [_answer(body, length, status="HTTP/1.1 500 \xe9\xff")]),
        ("ICY", [_answer(body, length, status="ICY 200 OK")]),
        ("SSH", [b"SSH-2.0-OpenSSH_9.6\r\n"]),
        ("SMTP", [b"220 mail.example.com ESMTP\r\n"]),
        ("preface of HTTP/2", [b"\x00\x00\x12\x04\x00\x00\x00\x00\x00" + junk]),
        ("request for a request", [b"GET / HTTP/1.1\r\nhost: x\r\n\r\n"]),
        ("10,000 headers", [_answer(body, length, *(f"x-{n}: {n}" for n in range(10_000)))]),
        ("header of 1 MB", [_answer(body, length, "x-long: " + "x" * (1 << 20))]),
        ("header without a colon", [_answer(body, length, "nonsense")]),
        ("header without a name", [_answer(body, length, ": x")]),
        ("header with NUL", [_answer(body, length, "x-nul: a\x00b")]),
        ("header with a bare CR", [_answer(body, length, "x-cr: a\rb")]),
        ("folded header", [_answer(body, length, "x-a: b\r\n c")]),
        ("blank before the colon", [_answer(body, length, "x-a : b")]),
        ("header of other bytes", [_answer(body, length, "x-\xff: \xfe")]),
        ("100 Continue, 200 times", [b"HTTP/1.1 100 Continue\r\n\r\n" * 200, good]),
        ("100 Continue and no end", [b"HTTP/1.1 100 Continue\r\n\r\n" * 5] * 40),
        ("103 Early Hints", [b"HTTP/1.1 103 Early Hints\r\nlink: x\r\n\r\n", good]),
        ("101 Switching Protocols", [b"HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\n\r\n", junk]),
        ("204 with a body", [_answer(body, length, status="HTTP/1.1 204 No Content")]),
        ("304 with a body", [_answer(body, length, status="HTTP/1.1 304 Not Modified")]),
        ("gzip cut off", [_answer(zipped[:-9], "content-encoding: gzip")]),
        ("gzip of nothing known", [_answer(junk, "content-encoding: gzip")]),
        (
            "gzip in chunks, cut off",
            [_answer(f"{len(zipped):x}\r\n".encode() + zipped[:10], chunked, "content-encoding: gzip")],
        ),
        ("deflate of nothing known", [_answer(junk, "content-encoding: deflate")]),
        ("two answers", [good, good]),
        ("answer and more", [good, junk]),
        ("record of TLS", [b"\x15\x03\x01\x00\x02\x02\x28" + junk]),
        ("server hello of TLS", [b"\x16\x03\x03\x00\x7a\x02\x00\x00\x76\x03\x03" + rng.randbytes(120)]),
        (
            "redirect to javascript",
            [_answer(b"", "location: javascript:x", "content-length: 0", status="HTTP/1.1 302 x")],
        ),
        ("redirect to a bad host", [_answer(b"", "location: http://[", "content-length: 0", status="HTTP/1.1 307 x")]),
        ("only line feeds", [good.replace(b"\r\n", b"\n")]),
        ("blank lines first", [b"\r\n\r\n" + good]),
        ("head alone", [head]),
        ("head, and the body later", [head + b"\r\n\r\n", body]),
    ]
    events = b'event: Message\ndata: {"content": "x", "node_seq_id": "0"}\n\n' * 3
    stream = _answer(b"", "content-type: text/event-stream", chunked).replace(
        b"content-type: application/json\r\n", b""
    )
    piece = f"{len(events):x}\r\n".encode() + events + b"\r\n"
    scripts += [
        ("stream cut off", [stream, piece, piece[: rng.randrange(len(piece))]]),
        ("stream with odd chunks", [stream, piece, b"x\r\n"]),
        ("stream and nothing more", [stream, piece]),
        ("blank lines without end", [stream, *[b"400\r\n" + b"\n" * 1024 + b"\r\n"] * 300]),
        (
            "stream in gzip, cut off",
            [stream[:-2] + b"content-encoding: gzip\r\n\r\n", b"a\r\n" + junk[:10].ljust(10) + b"\r\n"],
        ),
    ]
    done, pieces = rng.choice(scripts)
    ends = rng.choice(("close", "close", "reset", "wait"))
    reads = rng.random() < 0.9
    return Script(pieces, reads, ends, f"{done}, {'' if reads else 'unasked, '}then {ends}")


class _Server:
    """A server on this machine that runs one script for each connection."""

    def __init__(self, script: Script) -> None:
        self._script = script
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listening.getsockname()[1]
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._serve, daemon=True)

    def _serve(self) -> None:
        while not self._over.is_set():
            try:
                connection, _ = self._listening.accept()
            except OSError:
                return
            with connection, suppress(OSError):
                connection.settimeout(2)
                self._play(connection)

    def _play(self, connection: socket.socket) -> None:
        if self._script.reads:
            seen = b""
            while b"\r\n\r\n" not in seen:
                read = connection.recv(65536)
                if not read:
                    return
                seen += read
        for piece in self._script.pieces:
            connection.sendall(piece)
        if self._script.ends == "wait":
            while connection.recv(65536):
                pass
        elif self._script.ends == "reset":
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        else:
            connection.shutdown(socket.SHUT_WR)
            while connection.recv(65536):
                pass

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        with suppress(OSError):  # this ends accept()
            self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()
        self._thread.join(10)


@contextmanager
def _nobody() -> Iterator[int]:
    """Yield a port on which no server listens."""
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        yield bound.getsockname()[1]


def hostile_sockets(case: Case) -> None:
    """Call an operation of a server that sends malformed data."""
    rng = case.rng()
    name = rng.choice((*_OPERATIONS, *_STREAMS, rng.choice(operations()).id))
    called = operation("chat.create" if name == "chat.stream" else name)
    tree, _ = valid(called, rng, ("czu_x", "rft_x"))
    script = _script(rng, tree if isinstance(tree, bytes) else dumps(tree).encode())
    secure, wait = rng.random() < 0.12, rng.random() < 0.5
    case.operation = name
    case.done.append(f"[{'async' if wait else 'sync'}] {'https, ' if secure else ''}{script.done}")
    options: dict[str, Any] = {"retry": 0 if rng.random() < 0.8 else 1, "timeout": _TIMEOUT}
    if rng.random() < 0.1:
        options["deadline"] = 2 * _TIMEOUT
    with _Server(script) as server:
        base = f"{'https' if secure else 'http'}://127.0.0.1:{server.port}"
        if rng.random() < 0.03:
            with _nobody() as port:
                base = f"http://127.0.0.1:{port}"
        client = (AsyncCoze if wait else Coze)(TOKEN, base_url=base, **options)
        coroutine = _call(case, client, name, dict(called.arguments))
        on_loop(coroutine) if wait else drive(coroutine)


async def _call(case: Case, client: Coze | AsyncCoze, name: str, arguments: dict[str, Any]) -> None:
    secrets = secrets_of()
    try:
        result = method(client, name)(**arguments)
        if name in _STREAMS:
            try:
                await each(result, 3000)
            finally:
                await settled(result.close())
            return
        case.step = "use of the result"
        await use(result if hasattr(result, "__aiter__") else await settled(result), secrets)
    except CozeError as error:
        end_by(error, case, secrets, variables=True)
    finally:
        await settled(client.close())
