"""What the page's forms are filled with."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from coze_sandbox import Options
from coze_sandbox._explorer.prerequisites import PREREQUISITES
from coze_sandbox._explorer.sample_request import _OF_OPERATIONS, NOTES
from coze_sandbox._spec.spec import load_spec
from tests.sandbox.conftest import Api

DESCRIPTION = load_spec(Options())
OPERATIONS = {operation.id: operation for operation in DESCRIPTION.operations.values() if operation.socket is None}


def look(api: Api, operation_id: str, purpose: str = "") -> Any:
    """Fetch the sample values of a form."""
    return api.http.get("/_sandbox/try", params={"operation": operation_id, "for": purpose}).json()


def send(api: Api, operation_id: str, filled: Any) -> httpx.Response:
    """Send a form as the page does, with a file where one is to be chosen."""
    operation, path, request = OPERATIONS[operation_id], OPERATIONS[operation_id].path, {}
    for name, value in filled["parameters"]["path"].items():
        path = path.replace(f"{{{name}}}", str(value))
    if "application/json" in operation.bodies:
        request["json"] = filled["body"]
    elif operation.bodies:
        request |= {"data": filled["body"], "files": {"file": ("sound.wav", b"RIFF", "audio/wav")}}
    header = {name: str(value) for name, value in filled["parameters"]["header"].items()}
    return api.http.request(
        operation.method, path, params=filled["parameters"]["query"], headers=header, timeout=30, **request
    )


def worked(response: httpx.Response) -> bool:
    """Return whether a response is a success."""
    kind = response.headers.get("content-type", "")
    failed = kind == "application/json" and response.json().get("code", 0) != 0
    return response.status_code < 400 and not failed


def try_out(api: Api, operation_id: str, purpose: str = "") -> None:
    """Send the sample values of a form, after the call that the form names as its precondition."""
    filled = look(api, operation_id, purpose)
    for maker in filled["makers"]:
        try_out(api, maker, operation_id)
    if filled["makers"]:
        api.sandbox.clock.advance(1)  # chats and documents take their time
        filled = look(api, operation_id, purpose)
        assert filled["makers"] == []
    response = send(api, operation_id, filled)
    assert worked(response), (operation_id, filled, response.text)


@pytest.mark.parametrize("operation_id", sorted(OPERATIONS))
def test_forms_work_as_they_stand(api: Api, operation_id: str) -> None:
    """A sample request succeeds; where a resource has to be created first, the form names the call that creates it."""
    if operation_id in NOTES:
        filled = look(api, operation_id)
        assert filled["note"]
        assert not worked(send(api, operation_id, filled))
    else:
        try_out(api, operation_id)


def test_what_is_made_is_what_is_filled_in(api: Api) -> None:
    """What was made last is filled in, unless its like has to be in another state."""
    old, new = (api.ok("POST", "/v1/conversation/create", json={})["id"] for _ in range(2))
    query = {"conversation_id": new}
    assert look(api, "conversations.retrieve")["parameters"]["query"] == query
    api.ok("DELETE", f"/v1/conversations/{new}")
    assert look(api, "conversations.retrieve")["parameters"]["query"] == {"conversation_id": old}
    assert look(api, "chat.cancel")["makers"] == ["chat.create"]
    message = look(api, "chat.create", "chat.cancel")["body"]["additional_messages"]
    assert message[0]["content"].startswith("/slow")


def test_what_others_have_is_not_filled_in(api: Api) -> None:
    """The page does not show what another account has created."""
    theirs = {"Authorization": f"Bearer {api.sandbox.scenario.token('7300000000000000002')}"}
    api.ok("POST", "/v1/conversation/create", json={}, headers=theirs)
    assert look(api, "conversations.retrieve")["makers"] == ["conversations.create"]


def test_tables_name_described_operations_only() -> None:
    """The tables of prerequisites, notes and values name only operations of the description."""
    makers = {maker for subject in PREREQUISITES.values() for maker in subject.operations}
    assert {*PREREQUISITES, *makers, *NOTES, *_OF_OPERATIONS} <= set(OPERATIONS)


def test_unknown_operations(api: Api) -> None:
    """An operation that is not described is refused."""
    answer = api.http.get("/_sandbox/try", params={"operation": "nobody.knows"})
    assert (answer.status_code, answer.json()) == (400, {"error": "ValueError: unknown operation nobody.knows"})
    assert api.http.get("/_sandbox/try").json() == {"error": "operation is missing"}
