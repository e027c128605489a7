"""A server on a thread of this process."""

from __future__ import annotations

import asyncio
import socket
import threading
import time

import uvicorn
from starlette.types import ASGIApp

from ._certificates import Certificates

__all__ = ["KEEP_ALIVE_SECONDS", "ThreadedServer", "bind", "configure", "url_of"]

# The default of five seconds is also that of httpx: when both sides close at the same time, a request fails now
# and then.
KEEP_ALIVE_SECONDS = 30

# Five minutes of microphone audio in Base64.
_MAX_MESSAGE_BYTES = 20 << 20

_START_SECONDS = 10.0


def bind(host: str, port: int) -> socket.socket:
    """Open the listening socket, so that the actual port is known before the server starts.

    Raises:
        OSError: The address is in use or does not belong to this machine.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # asyncio disables Nagle's algorithm, which costs 40 ms per request, only with an explicit protocol.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
    except OSError:
        listener.close()
        raise
    return listener


def url_of(listener: socket.socket, scheme: str = "http") -> str:
    """Return the base URL of a listening socket; the loopback address if it listens on all addresses."""
    host, port = listener.getsockname()[:2]
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104 - nothing is bound here
    return f"{scheme}://[{host}]:{port}" if ":" in host else f"{scheme}://{host}:{port}"


def configure(app: ASGIApp, certificates: Certificates | None, stop_seconds: int = 1) -> uvicorn.Config:
    """Return the uvicorn configuration.

    Args:
        app: The application.
        certificates: The certificates; None for HTTP without TLS.
        stop_seconds: Grace period for running streams at shutdown.
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
        date_header=False,  # the dispatcher's own uses the clock that tests advance
        # The only implementation without deprecation warnings and further libraries.
        ws="websockets-sansio",
        ws_max_size=_MAX_MESSAGE_BYTES,
        # Audio in Base64 hardly compresses, and the fault `cut` needs plain frames.
        ws_per_message_deflate=False,
    )
    config.load()
    if config.ssl is not None:
        # Reading a session ticket while another thread writes loses the request in threaded clients: OpenSSL allows
        # only one thread at a time per connection.
        config.ssl.num_tickets = 0
    return config


class ThreadedServer:
    """Runs an application on a thread until it is stopped.

    Args:
        app: The application.
        host: Address to listen on.
        port: Port to listen on; 0 for a free one.
        certificates: The certificates; None for HTTP without TLS.

    Attributes:
        base_url: The base URL.
    """

    def __init__(self, app: ASGIApp, host: str, port: int, certificates: Certificates | None = None) -> None:
        self._listener = bind(host, port)
        self.base_url = url_of(self._listener, "http" if certificates is None else "https")
        self._server = uvicorn.Server(configure(app, certificates))
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread = threading.Thread(target=self._run, name="coze-sandbox", daemon=True)

    def start(self) -> None:
        """Start and wait until requests are accepted.

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
        """Stop and wait until the thread has ended. Running streams are closed after a second."""
        self._server.should_exit = True
        if self._loop is not None and not self._loop.is_closed():
            # The loop waits too long if a test replaced the clock (freezegun does) while it computed how long.
            self._loop.call_soon_threadsafe(lambda: None)
        self._thread.join()
        self._listener.close()

    def _run(self) -> None:
        with asyncio.Runner(loop_factory=self._server.config.get_loop_factory()) as runner:
            self._loop = runner.get_loop()
            runner.run(self._server.serve([self._listener]))
