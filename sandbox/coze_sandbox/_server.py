"""A server in a thread of this process."""

from __future__ import annotations

import socket
import threading
import time

import uvicorn
from starlette.types import ASGIApp

from ._certificates import Certificates

__all__ = ["KEEP_ALIVE_SECONDS", "ThreadedServer", "bind", "configure", "url_of"]

# The usual five seconds are those of httpx as well: both ends then close at once, and a call now
# and then fails.
KEEP_ALIVE_SECONDS = 30

# Five minutes of what a microphone sends, in Base64: more than anybody sends at once.
_MAX_MESSAGE_BYTES = 20 << 20

_START_SECONDS = 10.0


def bind(host: str, port: int) -> socket.socket:
    """Open the listening socket, so that port 0 is known as a real port before anything runs.

    Raises:
        OSError: The address is taken or not of this machine.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # asyncio turns Nagle's algorithm off only where the protocol is named; it costs 40 ms a call.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
    except OSError:
        listener.close()
        raise
    return listener


def url_of(listener: socket.socket, scheme: str = "http") -> str:
    """Return the address of a listening socket as a base URL, of this machine if it listens on all addresses."""
    host, port = listener.getsockname()[:2]
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104 - nothing is bound here
    return f"{scheme}://[{host}]:{port}" if ":" in host else f"{scheme}://{host}:{port}"


def configure(app: ASGIApp, certificates: Certificates | None, stop_seconds: int = 1) -> uvicorn.Config:
    """Return the settings with which the application is to be run.

    Args:
        app: The application.
        certificates: What it proves its identity with; None for HTTP without TLS.
        stop_seconds: How long streams under way may go on when it is told to stop.
    """
    config = uvicorn.Config(
        app,
        lifespan="off",
        log_level="critical",
        access_log=False,
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=stop_seconds,
        ssl_certfile=None if certificates is None else certificates.chain_file,
        server_header=False,
        date_header=False,  # the engine's own follows the clock that tests move
        # The only implementation that neither warns that it is outdated nor needs another library.
        ws="websockets-sansio",
        ws_max_size=_MAX_MESSAGE_BYTES,
        # Base64 of sound hardly shrinks, and frames that are cut short are simple to write.
        ws_per_message_deflate=False,
    )
    config.load()
    if config.ssl is not None:
        # A ticket that is read while a request is written makes threaded clients lose the request: OpenSSL allows one
        # thread at a time in a connection, which few of them see to.
        config.ssl.num_tickets = 0
    return config


class ThreadedServer:
    """Runs an application on a thread until it is stopped.

    Args:
        app: The application.
        host: Address to listen on.
        port: Port to listen on; 0 for a free one.
        certificates: What it proves its identity with; None for HTTP without TLS.

    Attributes:
        base_url: The address.
    """

    def __init__(self, app: ASGIApp, host: str, port: int, certificates: Certificates | None = None) -> None:
        self._listener = bind(host, port)
        self.base_url = url_of(self._listener, "http" if certificates is None else "https")
        self._server = uvicorn.Server(configure(app, certificates))
        self._thread = threading.Thread(
            target=self._server.run, args=([self._listener],), name="coze-sandbox", daemon=True
        )

    def start(self) -> None:
        """Start and wait until calls are accepted.

        Raises:
            RuntimeError: The server did not start.
        """
        self._thread.start()
        deadline = time.monotonic() + _START_SECONDS
        while not self._server.started:
            if not self._thread.is_alive() or time.monotonic() > deadline:
                raise RuntimeError(f"the sandbox did not start on {self.base_url}")
            time.sleep(0.001)

    def stop(self) -> None:
        """Stop and wait until the thread has ended. Streams under way are cut after a second."""
        self._server.should_exit = True
        self._thread.join()
        self._listener.close()
