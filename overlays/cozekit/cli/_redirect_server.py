"""The loopback redirect server of a login (RFC 8252): it accepts one redirect of the browser."""

from __future__ import annotations

import html
import queue
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlsplit

from ..errors import CozeError, StateMismatch
from ._console import CLIError

__all__ = ["RedirectServer"]

_PATH = "/callback"
_IDLE_SECONDS = 10
_STYLE = ":root{color-scheme:light dark;font:1rem/1.5 system-ui,sans-serif}main{max-width:30rem;margin:10vh auto}"


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Write nothing: closed connections and invalid requests are not shown on the terminal."""


class RedirectServer:
    """Waits for the redirect of the browser on 127.0.0.1.

    Args:
        port: The port; 0 for a free one.
        accept: Returns the code in the path and query of a redirect. It raises `StateMismatch` for a request of
            another login, which is rejected and does not count.

    Raises:
        CLIError: The port is in use, or is not a valid port.
    """

    def __init__(self, port: int, accept: Callable[[str], str]) -> None:
        self._answers: queue.Queue[str | CozeError] = queue.Queue()
        try:
            self._server = _Server(("127.0.0.1", port), _handler(accept, self._answers))
        except OSError as error:
            raise CLIError(f"port {port} of 127.0.0.1 cannot be used: {error.strerror}") from error
        except OverflowError as error:
            raise CLIError(f"{port} is not a port: ports are 0 to 65535", status=2) from error
        self._thread = threading.Thread(target=self._server.serve_forever, name="cozekit-login", daemon=True)
        self.redirect_uri = f"http://127.0.0.1:{self._server.server_port}{_PATH}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()

    def wait(self, seconds: float) -> str:
        """Return the code of the redirect.

        Raises:
            CozeError: The redirect reports an error.
            CLIError: There was no redirect in time.
        """
        try:
            answer = self._answers.get(timeout=seconds)
        except queue.Empty:
            raise CLIError(
                f"the browser was not redirected within {seconds:g} s; try again, or use `cozekit login --device`"
            ) from None
        if isinstance(answer, CozeError):
            raise answer
        return answer


def _handler(accept: Callable[[str], str], answers: queue.Queue[str | CozeError]) -> type[BaseHTTPRequestHandler]:
    taken = threading.Lock()  # never released after the first redirect that counts

    class Handler(BaseHTTPRequestHandler):
        timeout = _IDLE_SECONDS  # browsers open connections that they never use

        def do_GET(self) -> None:
            if urlsplit(self.path).path != _PATH:
                self._show(404, "There is nothing here", "")
                return
            try:
                answer: str | CozeError = accept(self.path)
            except StateMismatch:
                self._show(400, "This login was started elsewhere", "Nothing was done. Go back to the terminal.")
                return
            except CozeError as error:
                answer = error
            if not taken.acquire(blocking=False):
                self._show(400, "This login was already used", "Go back to the terminal.")
                return
            failed = isinstance(answer, CozeError)
            title = "You were not logged in" if failed else "Almost done"
            self._show(400 if failed else 200, title, "You can close this page and go back to the terminal.")
            answers.put(answer)

        def _show(self, status: int, title: str, text: str) -> None:
            page = (
                f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{html.escape(title)}</title>'
                f'<link rel="icon" href="data:,"><style>{_STYLE}</style>'
                f"<main><h1>{html.escape(title)}</h1><p>{html.escape(text)}</p></main></html>"
            ).encode()
            self.send_response(status)
            self.send_header("Content-Type", "text/html; charset=utf-8")
            self.send_header("Content-Length", str(len(page)))
            self.send_header("Cache-Control", "no-store")
            self.send_header("Referrer-Policy", "no-referrer")  # the code is in the URL
            self.send_header("Connection", "close")
            self.end_headers()
            self.wfile.write(page)

        def log_message(self, format: str, *args: Any) -> None:
            """Write nothing: the lines would contain the code."""

    return Handler
