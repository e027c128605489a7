"""Real servers for the webhook applications."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, make_server

from coze_sandbox._server import ThreadedServer
from tests._serving import serving

__all__ = ["serving_asgi", "serving_wsgi"]


class Quiet(WSGIRequestHandler):
    def log_message(self, *_: Any) -> None:
        """Log nothing."""


@contextmanager
def serving_wsgi(app: Any) -> Iterator[str]:
    with serving(make_server("127.0.0.1", 0, app, handler_class=Quiet)) as url:
        yield url


@contextmanager
def serving_asgi(app: Any) -> Iterator[str]:
    server = ThreadedServer(app, "127.0.0.1", 0)
    server.start()
    try:
        yield server.base_url
    finally:
        server.stop()
