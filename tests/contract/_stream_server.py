"""A server that responds to every call with the same stream, in given pieces, and may hang up in between."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from tests._serving import serving

__all__ = ["LOGID", "stream_server"]

LOGID = "20241210152726467C48D89D6DB2A1B2C3"


@contextmanager
def stream_server(pieces: Sequence[bytes], *, hangs_up: bool = False) -> Iterator[str]:
    """Listen on a free port of this machine.

    Args:
        pieces: What is sent, each as a chunk of its own.
        hangs_up: Whether the connection is closed without the chunk that ends the response.

    Yields:
        The address.
    """

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(200)
            self.send_header("Content-Type", "text/event-stream; charset=utf-8")
            self.send_header("Transfer-Encoding", "chunked")
            self.send_header("X-Tt-Logid", LOGID)
            self.end_headers()
            with suppress(ConnectionError):  # a client that has read the last event may leave
                for piece in filter(None, pieces):
                    self.wfile.write(b"%x\r\n%b\r\n" % (len(piece), piece))
                    self.wfile.flush()
                if not hangs_up:
                    self.wfile.write(b"0\r\n\r\n")
            self.close_connection = True

        def log_message(self, *_: object) -> None:
            """Keep the test output clean."""

    with serving(ThreadingHTTPServer(("127.0.0.1", 0), Handler)) as url:
        yield url
