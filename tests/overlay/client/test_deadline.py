"""A deadline that ends a call however slowly the response arrives."""

from __future__ import annotations

import json
import socketserver
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from cozekit import APITimeoutError

PAUSE = 0.02
ENDLESS = 1500  # pieces: half a minute, after which a client without a bound fails the test instead of hanging

HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n"
USER = json.dumps({"code": 0, "data": {"user_id": "1"}}).encode()
SLOW = {
    "headers": (HEAD, b"x-more: yes\r\n"),
    "informational responses": (b"", b"HTTP/1.1 103 Early Hints\r\nlink: </x>\r\n\r\n"),
    "a body": (HEAD + b"transfer-encoding: chunked\r\n\r\n", b"1\r\n \r\n"),
    "a body without a length": (HEAD + b"connection: close\r\n\r\n", b" "),
}


class SlowServer(socketserver.ThreadingTCPServer):
    """Answers `/v1/users/me` at once when it is called for the first time, and everything else endlessly.

    Attributes:
        slow: What it sends once, and what it then repeats.
        quick: How many requests are still answered at once.
        ended: How each endless response ended: whether the client closed the connection.
    """

    daemon_threads = True
    allow_reuse_address = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.slow = (b"", b"")
        self.quick = 0
        self.ended: list[bool] = []
        self.over = threading.Event()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


class _Handler(socketserver.StreamRequestHandler):
    server: SlowServer

    def handle(self) -> None:
        while self._read_request():
            if self.server.quick:
                self.server.quick -= 1
                self.wfile.write(HEAD + b"content-length: %d\r\n\r\n" % len(USER) + USER)
            else:
                self.server.ended.append(self._trickle())
                self.server.over.set()
                return

    def _read_request(self) -> bool:
        lines = list(iter(self.rfile.readline, b"\r\n")) if self.rfile.peek(1) else []
        self.rfile.read(next((int(line[15:]) for line in lines if line.lower().startswith(b"content-length:")), 0))
        return bool(lines)

    def _trickle(self) -> bool:
        first, piece = self.server.slow
        pause = threading.Event()
        try:
            self.wfile.write(first)
            for _ in range(ENDLESS):
                self.wfile.write(piece)
                pause.wait(PAUSE)
        except OSError:
            return True
        return False


@pytest.fixture
def server() -> Iterator[SlowServer]:
    """Run a server whose responses do not end."""
    with SlowServer() as server:
        thread = threading.Thread(target=server.serve_forever, args=[0.01], daemon=True)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def ended_by_the_client(server: SlowServer) -> bool:
    """Return whether the client closed the connection of the one slow response."""
    assert server.over.wait(60)
    return server.ended == [True]


@pytest.mark.parametrize("reused", [False, True], ids=["new connection", "reused connection"])
@pytest.mark.parametrize("kind", SLOW)
def test_call_ends_at_its_deadline(connect: Any, server: SlowServer, kind: str, reused: bool) -> None:
    """A call ends at its deadline and closes its connection, although more of the response arrives."""
    server.slow, server.quick = SLOW[kind], int(reused)
    coze = connect("pat_a", base_url=server.url, retry=0)
    if reused:
        assert coze.users.me().user_id == "1"
    with pytest.raises(APITimeoutError, match=r"^users.me: the deadline of 0.2 s passed \(tried once, "):
        coze.with_options(deadline=0.2).users.me()
    assert ended_by_the_client(server)


def test_stream_that_does_not_open_ends_at_its_deadline(connect: Any, server: SlowServer) -> None:
    """A stream whose headers do not end is given up at the deadline."""
    server.slow = SLOW["headers"]
    coze = connect("pat_a", base_url=server.url, deadline=0.2)
    with pytest.raises(APITimeoutError, match=r"^chat.stream: the deadline of 0.2 s passed"):
        coze.chat.stream(bot_id="1", user_id="u", additional_messages=["hi"]).open()
    assert ended_by_the_client(server)


def test_client_is_usable_after_a_deadline(connect: Any, server: SlowServer) -> None:
    """The next call after one that its deadline ended gets a new connection, and its response."""
    server.slow = SLOW["a body"]
    coze = connect("pat_a", base_url=server.url, deadline=0.2, retry=0)
    with pytest.raises(APITimeoutError):
        coze.users.me()
    server.quick = 2
    assert [coze.users.me().user_id for _ in range(2)] == ["1", "1"]


def test_open_stream_outlives_the_deadline(connect: Any, server: SlowServer) -> None:
    """The deadline of a stream that has opened does not end it."""
    server.slow = (
        b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\n",
        b'event: conversation.message.delta\ndata: {"content": "x"}\n\n',
    )
    coze = connect("pat_a", base_url=server.url, deadline=0.2)
    with coze.chat.stream(bot_id="1", user_id="u", additional_messages=["hi"]) as stream:
        events = iter(stream)
        for _ in range(int(0.5 / PAUSE)):
            next(events)
