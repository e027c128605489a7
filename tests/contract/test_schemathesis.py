"""The sandbox answers whatever the description allows to be asked, in ways that the description allows."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
import schemathesis
from schemathesis.checks import not_a_server_error
from schemathesis.config import SchemathesisConfig
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from coze_sandbox import BOT_ID, USER_ID, WORKFLOW_ECHO, WORKSPACE_ID, Sandbox
from coze_sandbox._handlers import HANDLERS
from tests.contract._calls import document

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
CONFIG = SchemathesisConfig.from_dict(
    {
        "generation": {
            "mode": "positive",
            "max-examples": int(os.environ.get("COZEKIT_MAX_EXAMPLES", "8")),
            "deterministic": True,
            "database": "none",
            "no-shrink": True,
        },
        "phases": {"stateful": {"enabled": False}},
        "suppress-health-check": ["all"],
    }
)


RUNNING: list[Sandbox] = []


async def tell(_: Request) -> JSONResponse:
    """Give out the description."""
    return JSONResponse(document())


DESCRIBED = Starlette(routes=[Route("/openapi.json", tell)])


async def front(scope: Scope, receive: Receive, send: Send) -> None:
    """Hand a request to the sandbox of the running test; before there is one, give out the description."""
    await (RUNNING[0].app if RUNNING else DESCRIBED)(scope, receive, send)


def is_other(context: Any) -> bool:
    """Tell whether an operation is a WebSocket, or a redirect that the sandbox does not make: it has no handler.

    Without a handler the sandbox answers with the described example, which is JSON or a file.
    """
    described = context.operation.definition.raw
    return "200" not in described["responses"] and described["operationId"] not in HANDLERS


SCHEMA = schemathesis.openapi.from_asgi("/openapi.json", front, config=CONFIG).exclude(is_other)


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    """Make one sandbox for all operations."""
    sandbox = Sandbox(answer_seconds=0.0)
    RUNNING.append(sandbox)
    yield sandbox
    RUNNING.clear()
    sandbox.close()


@pytest.fixture
def known(sandbox: Sandbox) -> dict[str, str]:
    """Make something of every kind, and return the ids. Generated ids exist nowhere, and show refusals only."""
    sandbox.reset()
    made = asyncio.run(make_things(sandbox))
    seeded = {"bot_id": BOT_ID, "user_id": USER_ID, "workflow_id": WORKFLOW_ECHO}
    return {**seeded, "space_id": WORKSPACE_ID, "workspace_id": WORKSPACE_ID, **made}


async def make_things(sandbox: Sandbox) -> dict[str, str]:
    """Make a conversation with a message and a chat, and a file."""
    transport = httpx.ASGITransport(sandbox.app)
    headers = {"Authorization": f"Bearer {sandbox.token}"}
    async with httpx.AsyncClient(transport=transport, base_url="http://sandbox", headers=headers) as http:

        async def make(path: str, **arguments: Any) -> str:
            return str((await http.post(path, **arguments)).json()["data"]["id"])

        text = {"role": "user", "content": "Hello", "content_type": "text"}
        asked = {"bot_id": BOT_ID, "user_id": "user-1", "additional_messages": [text]}
        query = {"conversation_id": await make("/v1/conversation/create", json={})}
        return {
            **query,
            "message_id": await make("/v1/conversation/message/create", params=query, json=text),
            "chat_id": await make("/v3/chat", params=query, json=asked),
            "file_id": await make("/v1/files/upload", files={"file": ("notes.txt", b"notes")}),
        }


@SCHEMA.parametrize()
def test_answer_conforms(case: Any, sandbox: Sandbox, known: dict[str, str]) -> None:
    """A request that the description allows is never answered by a crash or by what is not described.

    Each is asked twice: as it was generated, and about things that exist. WebSockets are no requests, and redirects
    are only tested where the sandbox has a handler for them.
    """
    headers = {"Authorization": f"Bearer {sandbox.token}"}
    case.call_and_validate(headers=headers, checks=CHECKS)
    for part in (case.path_parameters, case.query, case.body):
        if isinstance(part, dict):
            part.update({name: value for name, value in known.items() if name in part})
    case.call_and_validate(headers=headers, checks=CHECKS)
    assert sandbox.violations == []
