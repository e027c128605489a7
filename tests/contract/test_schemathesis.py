"""The sandbox accepts every request that the description allows, with responses that the description allows."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from coze_sandbox import BOT_ID, USER_ID, WORKFLOW_ECHO, WORKSPACE_ID, Sandbox
from coze_sandbox._handlers import HANDLERS
from tests.contract._calls import resolve
from tests.contract._filled import violations
from tests.contract._front import Front

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
FRONT = Front("positive")


def is_other(context: Any) -> bool:
    """Return whether an operation is a WebSocket, or a redirect that the sandbox does not make: it has no handler.

    Without a handler the sandbox answers with the described example, which is JSON or a file.
    """
    described = context.operation.definition.raw
    return "200" not in described["responses"] and described["operationId"] not in HANDLERS


SCHEMA = FRONT.schema.exclude(is_other)


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    """Make one sandbox for all operations."""
    with FRONT.running(answer_seconds=0.0) as sandbox:
        yield sandbox


@pytest.fixture
def known(sandbox: Sandbox) -> dict[str, str]:
    """Make something of every kind, and return the ids. Generated ids exist nowhere, and show refusals only."""
    sandbox.reset()
    created = asyncio.run(make_things(sandbox))
    seeded = {"bot_id": BOT_ID, "user_id": USER_ID, "workflow_id": WORKFLOW_ECHO}
    return {**seeded, "space_id": WORKSPACE_ID, "workspace_id": WORKSPACE_ID, **created}


async def make_things(sandbox: Sandbox) -> dict[str, str]:
    """Make a conversation with a message and a chat, and a file."""
    transport = httpx.ASGITransport(sandbox.app)
    headers = {"Authorization": f"Bearer {sandbox.token}"}
    async with httpx.AsyncClient(transport=transport, base_url="http://sandbox", headers=headers) as http:

        async def make(path: str, **arguments: Any) -> str:
            return str((await http.post(path, **arguments)).json()["data"]["id"])

        text = {"role": "user", "content": "Hello", "content_type": "text"}
        body = {"bot_id": BOT_ID, "user_id": "user-1", "additional_messages": [text]}
        query = {"conversation_id": await make("/v1/conversation/create", json={})}
        return {
            **query,
            "message_id": await make("/v1/conversation/message/create", params=query, json=text),
            "chat_id": await make("/v3/chat", params=query, json=body),
            "file_id": await make("/v1/files/upload", files={"file": ("notes.txt", b"notes")}),
        }


def check_events(case: Any, response: Any) -> None:
    """Check a stream event by event, since schemathesis passes over those without data, and over JSON in their place.

    It ends with an event that may end it.
    """
    described = case.operation.definition.raw
    if response.status_code != 200 or "x-coze-stream" not in described:
        return
    kind = response.headers["content-type"][0].partition(";")[0]
    flag = described["x-coze-stream"].get("flag")
    assert (kind == "text/event-stream") == (flag is None or bool(case.body.get(flag)))
    if kind != "text/event-stream":
        return
    events = resolve(described["x-coze-stream"]["protocol"])["events"]
    frames = [read_frame(text) for text in response.text.split("\n\n") if text]
    for name, data in frames:
        assert name in events
        schema = events[name].get("data")
        assert schema is None or violations(schema, data) == []
    assert "ends" in events[frames[-1][0]]


def read_frame(text: str) -> tuple[str, Any]:
    """Read name and data of an event."""
    fields = dict(line.split(":", 1) for line in text.splitlines())
    data = fields["data"].removeprefix(" ")
    return fields["event"].strip(), data if data == "[DONE]" else json.loads(data)


@SCHEMA.parametrize()
def test_answer_conforms(case: Any, sandbox: Sandbox, known: dict[str, str]) -> None:
    """A request that the description allows is never answered by a crash or by what is not described.

    Each is called twice: as it was generated, and about things that exist. WebSockets are not requests, and redirects
    are only tested where the sandbox has a handler for them.
    """
    headers = {"Authorization": f"Bearer {sandbox.token}"}
    check_events(case, case.call_and_validate(headers=headers, checks=CHECKS))
    for part in (case.path_parameters, case.query, case.body):
        if isinstance(part, dict):
            part.update({name: value for name, value in known.items() if name in part})
    check_events(case, case.call_and_validate(headers=headers, checks=CHECKS))
    assert sandbox.violations == []
