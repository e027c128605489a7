"""Every operation that needs a token is refused without the right one, and one that needs none does not look at it."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from coze_sandbox import USER_ID, Sandbox
from tests.contract._calls import Call, calls, perform

INVALID_TOKEN, NO_PERMISSION = 4100, 4101
POWERLESS, FOREIGN, ELSEWHERE = "pat_powerless", "pat_foreign", "czu_elsewhere"
CALLS = [call for call in calls() if call.id == call.operation]
GRANTS = {call.id for call in CALLS if "4XX" in call.described["responses"]}  # their bearer is a secret, not a token
NEEDY_IDS = {call.id for call in CALLS if call.takes_token} - GRANTS
NEEDY = [pytest.param(call, id=call.id) for call in CALLS if call.id in NEEDY_IDS]
FREE = [pytest.param(call, id=call.id) for call in CALLS if not call.takes_token]
WRONG = {
    "none": {},
    "unknown": {"Authorization": "Bearer pat_unknown"},
    "empty": {"Authorization": "Bearer "},
    "bare": {"Authorization": "pat_sandbox"},
    "basic": {"Authorization": "Basic cGF0X3NhbmRib3g6"},
}


def names_workspace(call: Call) -> bool:
    """Return whether a call's example names the workspace that it is about."""
    values, body = call.example()
    return call.id in NEEDY_IDS and not {"workspace_id", "space_id"}.isdisjoint({**values, **body})


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    """Make a sandbox that responds with examples to every valid request."""
    sandbox = Sandbox(examples=True, tokens={POWERLESS: frozenset()}, foreign_tokens={FOREIGN})
    yield sandbox
    assert sandbox.violations == []
    sandbox.close()


def answer(sandbox: Sandbox, call: Call, headers: dict[str, str]) -> httpx.Response:
    """Send a described example as the client does, with other headers for the token."""
    request = perform(call, "sync", call.example_answer(), call.arguments(*call.example())).request
    other_headers = {
        name: value for name, value in request.headers.items() if name.lower() not in {"authorization", "host"}
    }

    async def send() -> httpx.Response:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(sandbox.app)) as http:
            return await http.request(
                request.method, request.url, headers={**other_headers, **headers}, content=request.read()
            )

    return asyncio.run(send())


def code_of(response: httpx.Response) -> Any:
    """Return status and code of a refusal."""
    return response.status_code, response.json()["code"]


@pytest.mark.parametrize("call", NEEDY)
def test_without_token(call: Call, sandbox: Sandbox) -> None:
    """Without token, with an unknown one or with another scheme, the response is 401 and the documented code."""
    for headers in WRONG.values():
        assert code_of(answer(sandbox, call, headers)) == (401, INVALID_TOKEN)
    assert code_of(answer(sandbox, call, {"Authorization": f"Bearer {FOREIGN}"}))[1] == NO_PERMISSION
    assert answer(sandbox, call, {"Authorization": f"Bearer {sandbox.token}"}).status_code == 200


@pytest.mark.parametrize("call", NEEDY)
def test_without_permission(call: Call, sandbox: Sandbox) -> None:
    """A token that lacks the described permission is refused by name of the permission; others need none."""
    for token in (POWERLESS, sandbox.scenario.token(permissions=[])):
        response = answer(sandbox, call, {"Authorization": f"Bearer {token}"})
        if permission := call.described.get("x-coze-permission"):
            assert code_of(response) == (403, NO_PERMISSION)
            assert permission in response.json()["msg"]
        else:
            assert response.status_code == 200


@pytest.mark.parametrize("call", [pytest.param(call, id=call.id) for call in CALLS if names_workspace(call)])
def test_in_another_workspace(call: Call, sandbox: Sandbox) -> None:
    """A token that was given out for one workspace is refused in all others."""
    given_out = {"user_id": USER_ID, "permissions": None, "expires_at": 1e12, "workspace_id": "1"}
    sandbox.store.put("token", ELSEWHERE, given_out)
    assert code_of(answer(sandbox, call, {"Authorization": f"Bearer {ELSEWHERE}"})) == (403, NO_PERMISSION)


@pytest.mark.parametrize("call", FREE)
def test_needs_none(call: Call, sandbox: Sandbox) -> None:
    """Where no token is needed, its absence is no reason to refuse."""
    assert answer(sandbox, call, {}).status_code in {200, 302}
