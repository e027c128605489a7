"""A running sandbox, and a short way to call it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import attrs
import httpx
import pytest

from coze_sandbox import BOT_ID, WORKSPACE_ID, Sandbox


@attrs.frozen
class Api:
    """Calls a sandbox and looks at what every answer must have."""

    sandbox: Sandbox
    http: httpx.Client

    def send(self, method: str, path: str, **arguments: Any) -> httpx.Response:
        """Send a request. Checks that the log id of header and body agree."""
        response = self.http.request(method, path, **arguments)
        if response.headers["content-type"] == "application/json":
            detail = response.json().get("detail")
            assert detail == {"logid": response.headers["x-tt-logid"]}
        return response

    def ok(self, method: str, path: str, **arguments: Any) -> Any:
        """Send a request that must succeed, and return the answer's `data`."""
        body = self.send(method, path, **arguments).json()
        assert body["code"] == 0, body
        return body.get("data")

    def refused(self, method: str, path: str, **arguments: Any) -> tuple[int, int]:
        """Send a request that must fail, and return HTTP status and business code."""
        response = self.send(method, path, **arguments)
        assert response.json()["code"] != 0, response.text
        return response.status_code, response.json()["code"]

    def chat(self, text: str, **members: Any) -> dict[str, Any]:
        """Return the body of a chat with *text* as the message of the user, to the predefined bot."""
        message = {"role": "user", "content": text, "content_type": "text"}
        body = {"bot_id": BOT_ID, "user_id": "user-1", "additional_messages": [message]}
        return {**body, **members}

    def stream(self, text: str, **members: Any) -> list[tuple[str, Any]]:
        """Chat with a stream, and return its events."""
        body = self.chat(text, stream=True, **members)
        return self.events("/v3/chat", json=body)

    def events(self, path: str, **arguments: Any) -> list[tuple[str, Any]]:
        """Post, and return the events of the answer."""
        response = self.http.post(path, **arguments)
        assert response.headers["content-type"].startswith("text/event-stream"), response.text
        return parse_events(response.text)

    def join(self, user_id: str, workspace_id: str = WORKSPACE_ID, role: str = "member") -> None:
        """Make an account a member of a workspace."""
        users = {"users": [{"user_id": user_id, "role_type": role}]}
        added = self.ok("POST", f"/v1/workspaces/{workspace_id}/members", json=users)
        assert added["added_success_user_ids"] == [user_id]

    def finished(self, text: str, **members: Any) -> tuple[dict[str, str], dict[str, Any]]:
        """Chat without a stream until the end, and return the query of the chat and the chat."""
        started = self.ok("POST", "/v3/chat", json=self.chat(text, **members))
        query = {"conversation_id": started["conversation_id"], "chat_id": started["id"]}
        self.sandbox.clock.advance(10)
        return query, self.ok("GET", "/v3/chat/retrieve", params=query)


def parse_events(text: str) -> list[tuple[str, Any]]:
    """Read events the way the official SDKs do: one `event:` and one `data:` line each."""
    result = []
    for block in text.split("\n\n"):
        fields = dict(line.split(":", 1) for line in block.splitlines())
        if fields:
            result.append((fields["event"].strip(), json.loads(fields["data"])))
    return result


@pytest.fixture(scope="session")
def http() -> Iterator[httpx.Client]:
    """Give one client for the session: making one takes longer than most tests."""
    with httpx.Client() as client:
        yield client


@pytest.fixture
def api(coze_sandbox: Sandbox, http: httpx.Client) -> Api:
    """Give a caller with the sandbox's own token."""
    http.base_url = httpx.URL(coze_sandbox.base_url)
    http.headers["Authorization"] = f"Bearer {coze_sandbox.token}"
    return Api(coze_sandbox, http)
