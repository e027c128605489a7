"""The description as schemathesis reads it, over a sandbox that each test module makes for itself."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import schemathesis
from schemathesis.config import SchemathesisConfig
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from coze_sandbox import Sandbox
from tests.contract._calls import document

__all__ = ["ADDRESS", "Front"]

ADDRESS = "http://sandbox.test"


class Front:
    """An ASGI application: the sandbox of the running test; before there is one, it gives out the description.

    Args:
        mode: Which data are generated: `positive`, `negative` or `all`.
        examples: How many of each kind, where the environment sets no number.
    """

    def __init__(self, mode: str, *, examples: int = 8) -> None:
        self._running: Sandbox | None = None
        self._described = Starlette(routes=[Route("/openapi.json", self._respond)])
        config = {
            "generation": {
                "mode": mode,
                "max-examples": int(os.environ.get("COZEKIT_MAX_EXAMPLES", str(examples))),
                "deterministic": True,
                "database": "none",
                "no-shrink": True,
            },
            "phases": {"stateful": {"enabled": False}},
            "max-stream-events": 10_000,  # all: otherwise it leaves after some, and nobody sees the end
            "suppress-health-check": ["all"],
        }
        self.schema: Any = schemathesis.openapi.from_asgi(
            "/openapi.json", self, config=SchemathesisConfig.from_dict(config)
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        await (self._running.app if self._running else self._described)(scope, receive, send)

    @contextmanager
    def running(self, **options: Any) -> Iterator[Sandbox]:
        """Make a sandbox, to which requests go from now on."""
        self._running = sandbox = Sandbox(**options)
        yield sandbox
        self._running = None
        sandbox.close()

    async def _respond(self, _: Request) -> JSONResponse:
        return JSONResponse(document())
