"""Servers that send malformed data over real connections: each call raises a subclass of CozeError."""

from __future__ import annotations

import gzip
import socketserver
from collections.abc import Iterator
from typing import Any

import pytest

from cozekit.errors import APIConnectionError, CozeError, DownloadInterrupted, GatewayError, StreamInterrupted
from tests._serving import serving
from tests.overlay._clients import at_once

OK = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n"
BODY = b'{"code": 0, "data": {"id": "1"}}'
CHUNKED = OK + b"transfer-encoding: chunked\r\n\r\n"
NO_ANSWER = {
    "nothing": b"",
    "random bytes": bytes(range(256)),
    "zeros": bytes(1000),
    "status is text": b"HTTP/1.1 OK\r\n\r\n",
    "status of four digits": b"HTTP/1.1 9999 OK\r\n\r\n",
    "other protocol": b"SSH-2.0-OpenSSH_9.9\r\n",
    "TLS": b"\x15\x03\x03\x00\x02\x02\x28",
    "informational answers without end": b"HTTP/1.1 100 Continue\r\n\r\n" * 300,
    "switching protocols": b"HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\n\r\n",
    "header without name": OK + b": x\r\n\r\n",
    "header without colon": OK + b"nonsense\r\n\r\n",
    "header with NUL": OK + b"a: \x00\r\n\r\n",
    "headers without end": OK + b"a: b\r\n" * 100_000,
    "endless header": OK + b"a: " + b"x" * 500_000,
    "length is text": OK + b"content-length: x\r\n\r\n",
    "length of 5,000 digits": OK + b"content-length: " + b"9" * 5000 + b"\r\n\r\n",
    "negative length": OK + b"content-length: -1\r\n\r\n",
    "two lengths": OK + b"content-length: 1\r\ncontent-length: 2\r\n\r\n",
    "too long a length": OK + b"content-length: 999\r\n\r\n" + BODY,
    "unknown transfer encoding": OK + b"transfer-encoding: x\r\n\r\n",
    "size of chunk is text": CHUNKED + b"zz\r\n",
    "negative size of chunk": CHUNKED + b"-1\r\n",
    "huge size of chunk": CHUNKED + b"f" * 100 + b"\r\n",
    "chunks cut off": CHUNKED + b"5\r\nab",
    "chunk without line end": CHUNKED + b"1\r\nabc\r\n",
    "not gzip": OK + b"content-encoding: gzip\r\ncontent-length: 3\r\n\r\nabc",
    "address of nothing": b"HTTP/1.1 302 Found\r\nlocation: javascript:x\r\ncontent-length: 0\r\n\r\n",
    "address that is not a name": b"HTTP/1.1 302 Found\r\nlocation: http://xn--/\r\ncontent-length: 0\r\n\r\n",
}
ANSWERS = {
    "compressed twice": OK + b"content-encoding: gzip, gzip\r\n\r\n" + gzip.compress(b"abc"),
    "unknown version": b"HTTP/9.9 200 OK\r\n\r\n",
    "not deflate": OK + b"content-encoding: deflate\r\ncontent-length: 3\r\n\r\nabc",
    "bytes in headers": OK + b"x-tt-logid: \xff\xfe\r\nset-cookie: a=\xff\r\ncontent-length: 2\r\n\r\n\xff\xfe",
    "reason of bytes": b"HTTP/1.1 500 \xff\xfe\r\ncontent-length: 0\r\n\r\n",
    "charset of no text": b"HTTP/1.1 502 x\r\ncontent-type: text/html; charset=hex\r\ncontent-length: 3\r\n\r\nabc",
    "brotli": OK + b"content-encoding: br\r\ncontent-length: 3\r\n\r\nabc",
    "zstd": OK + b"content-encoding: zstd\r\ncontent-length: 3\r\n\r\nabc",
}


class _Server(socketserver.ThreadingTCPServer):
    """Sends the same bytes over every connection, whatever the request."""

    allow_reuse_address = True
    daemon_threads = True
    data = b""


class _Handler(socketserver.BaseRequestHandler):
    def handle(self) -> None:
        self.request.settimeout(5)
        try:
            self.request.recv(65536)
            self.request.sendall(self.server.data)  # type: ignore[attr-defined]  # of `_Server`
        except OSError:
            pass  # the client closed the connection


@pytest.fixture(scope="module")
def line() -> Iterator[tuple[str, _Server]]:
    """Start a server and return it with its URL."""
    server = _Server(("127.0.0.1", 0), _Handler)
    with serving(server) as url:
        yield url, server


def client_of(connect: Any, line: tuple[str, _Server], data: bytes) -> Any:
    """Create a client of a server that sends only these bytes."""
    url, server = line
    server.data = data
    return connect("pat_a", base_url=url, retry=at_once(1), timeout=5)


@pytest.mark.parametrize("data", NO_ANSWER.values(), ids=NO_ANSWER)
def test_malformed_http_is_a_connection_error(connect, line, data):
    """Malformed HTTP raises a connection error for every kind of call, and an idempotent call is retried."""
    coze = client_of(connect, line, data)
    with pytest.raises(APIConnectionError) as caught:
        coze.chat.retrieve(chat_id="1", conversation_id="2")
    assert caught.value.attempts == 2
    with pytest.raises(APIConnectionError) as caught:
        coze.files.upload(b"x")
    assert (caught.value.attempts, caught.value.sent) == (1, True)
    with pytest.raises((APIConnectionError, DownloadInterrupted, GatewayError)):
        coze.audio.speech.create(input="hi", voice_id="1").read()
    with pytest.raises((APIConnectionError, StreamInterrupted, GatewayError)):
        coze.chat.stream(bot_id="1", user_id="u").until_done()


@pytest.mark.parametrize("data", ANSWERS.values(), ids=ANSWERS)
def test_responses_with_odd_bytes_raise_coze_errors(connect, line, data):
    """A response with odd bytes raises GatewayError, APIConnectionError, or the error of its status."""
    with pytest.raises(CozeError) as caught:
        client_of(connect, line, data).users.me()
    assert isinstance(caught.value, GatewayError | APIConnectionError) or caught.value.status == 500
