"""Every constraint on every field of every request is enforced, before anything happens."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any

import attrs
import httpx
import pytest

from coze_sandbox import Sandbox
from tests.sandbox.http._constraints import DESCRIPTION, HTTP, Case, Request, cases, example_request, node_of

FORMS = [operation for operation in HTTP if "multipart/form-data" in operation.bodies]
UNLIMITED = {"datasets.documents_v2.create"}  # no source states the largest size of its file
JSON = [operation for operation in HTTP if "application/json" in operation.bodies]
VERBS = ("GET", "PUT", "POST", "DELETE", "PATCH")
SMALL = 100


@attrs.frozen
class Caller:
    """Sends requests to a sandbox of its own."""

    sandbox: Sandbox
    http: httpx.Client

    def send(self, request: Request, **changes: Any) -> httpx.Response:
        return self.http.request(**{**request.arguments(), **changes})

    def state(self) -> list[tuple[str, ...]]:
        """Return all that is kept."""
        connection = self.sandbox._state.store._connection
        return connection.execute("SELECT kind, id, parent, body FROM documents ORDER BY seq").fetchall()


def _caller(http: httpx.Client, sandbox: Sandbox) -> Caller:
    http.base_url = httpx.URL(sandbox.base_url)
    http.headers["Authorization"] = f"Bearer {sandbox.token}"
    return Caller(sandbox, http)


@pytest.fixture(scope="module")
def stateful() -> Iterator[Caller]:
    """Give a sandbox with state that takes nothing but what is described."""
    with Sandbox(lenient=False) as sandbox, httpx.Client() as http:
        yield _caller(http, sandbox)


@pytest.fixture(scope="module")
def examples() -> Iterator[Caller]:
    """Give a sandbox that answers whatever is valid with an example."""
    with Sandbox(lenient=False, examples=True) as sandbox, httpx.Client() as http:
        yield _caller(http, sandbox)


@pytest.fixture(scope="module")
def small() -> Iterator[Caller]:
    """Give a sandbox in which bodies and files may be very small only."""
    document = copy.deepcopy(dict(DESCRIPTION.document))
    for path, item in document["paths"].items():
        for verb, node in item.items():
            if "x-coze-max-body-bytes" in node:
                document["paths"][path][verb]["x-coze-max-body-bytes"] = SMALL
    for schema in document["components"]["schemas"].values():
        for member in schema.get("properties", {}).values():
            if "x-coze-max-bytes" in member:
                member["x-coze-max-bytes"] = SMALL
    with Sandbox(document=document, examples=True) as sandbox, httpx.Client() as http:
        yield _caller(http, sandbox)


def _refusal(response: httpx.Response, operation: Any) -> tuple[int, Any, str]:
    """Return HTTP status, code or word, and text of a refusal."""
    body = response.json()
    if operation.issues_tokens:
        return response.status_code, body.get("error_code"), body.get("error_message", "")
    return response.status_code, body["code"], body["msg"]


def _code(operation: Any, case: Case) -> Any:
    """Return the documented code for the constraint that a case violates."""
    if operation.issues_tokens:
        return "unsupported_grant_type" if case.name == "body.grant_type enum" else "invalid_request"
    if "meta_data" in case.where.split(".") and case.name.endswith((" maxProperties", " maxLength", " propertyNames")):
        return 4003
    if case.name == "body.additional_messages maxItems":
        return 4004
    return 3010 if (operation.id, case.name) == ("audio.speech.create", "body.input maxLength") else 4000


@pytest.mark.parametrize("operation", HTTP, ids=lambda operation: operation.id)
def test_what_breaks_a_constraint_is_refused(stateful, operation):
    """A request that breaks one constraint gets status 400 and its code, with the field's name, and changes nothing."""
    before, wrong = stateful.state(), []
    for case in cases(operation):
        status, code, text = _refusal(stateful.send(case.broken), operation)
        if (status, code) != (400, _code(operation, case)) or not text.startswith(case.where):
            wrong.append(f"{case.name}: {status} {code} {text}")
    assert not wrong
    assert stateful.state() == before
    assert not stateful.sandbox.violations


@pytest.mark.parametrize("operation", HTTP, ids=lambda operation: operation.id)
def test_what_lies_on_a_boundary_is_taken(examples, operation):
    """A request that just keeps each constraint is taken."""
    wrong = []
    for case in cases(operation):
        if case.fitting is not None:
            response = examples.send(case.fitting)
            if response.status_code != operation.status:
                wrong.append(f"{case.name}: {response.status_code} {response.text}")
    assert not wrong
    assert not examples.sandbox.violations


def test_constraints_are_found():
    """The walk over the description finds every kind of constraint in every place, many hundreds of them."""
    names = [case.name.split() for operation in HTTP for case in cases(operation)]
    kinds = {kind for _, kind in names}
    assert kinds == {
        "type", "fraction", "int64", "enum", "const", "minimum", "maximum", "minLength", "maxLength", "maxItems", "maxProperties",
        "propertyNames", "required",
    }  # fmt: skip
    assert {where.partition(".")[0] for where, _ in names} == {"query", "header", "body"}
    assert len(names) > 950


@pytest.mark.parametrize("operation", JSON, ids=lambda operation: operation.id)
def test_body_of_another_content_type(stateful, operation):
    """A JSON body must be called one."""
    request = {**example_request(operation).arguments(), "json": None, "content": b"{}"}
    request["headers"] = {**request["headers"], "Content-Type": "text/plain"}
    status, code, text = _refusal(stateful.http.request(**request), operation)
    assert (status, code) == (400, "invalid_request" if operation.issues_tokens else 4000)
    assert text.startswith("header.content-type: ")


@pytest.mark.parametrize("operation", FORMS, ids=lambda operation: operation.id)
def test_form_that_is_json(stateful, operation):
    """A form that is sent as JSON is refused with 4300."""
    request = example_request(operation)
    response = stateful.send(request, files=None, data=None, json={})
    assert _refusal(response, operation)[:2] == (400, 4300)


@pytest.mark.parametrize("operation", FORMS, ids=lambda operation: operation.id)
def test_file_of_the_largest_size(small, operation):
    """A file may have the described size and not a byte more; it must be one, and a file."""
    (name,) = example_request(operation).files or {"file": b""}
    too_large = operation.status if operation.id in UNLIMITED else 400
    for size, expected in ((SMALL, operation.status), (SMALL + 1, too_large)):
        request = example_request(operation)
        request.files = {name: b"x" * size}
        response = small.send(request)
        assert response.status_code == expected, response.text
        if expected != operation.status:
            assert response.json()["code"] == 4302
    request.files = {name: b"x"}
    twice = [(name, ("a.wav", b"x", "audio/wav"))] * 2
    assert _refusal(small.send(request, files=twice), operation)[:2] == (400, 4301)


@pytest.mark.parametrize(
    "operation", [operation for operation in HTTP if operation.max_body_bytes], ids=lambda operation: operation.id
)
def test_body_of_the_largest_size(small, operation):
    """A body with more than the described bytes is refused with status 413."""
    status, code, text = _refusal(small.send(example_request(operation), json={"x": "y" * SMALL}), operation)
    assert (status, code) == (413, 4000)
    assert text.startswith("body: ")


@pytest.mark.parametrize("path", sorted({operation.path for operation in HTTP}))
def test_other_verbs(stateful, path):
    """The response to a method that a path does not have is 405 with the methods that it has."""
    item = DESCRIPTION.document["paths"][path]
    known = {verb.upper() for verb in item} & set(VERBS)
    for verb in set(VERBS) - known:
        response = stateful.http.request(verb, path.replace("{", "").replace("}", ""))
        assert (response.status_code, response.json()["code"]) == (405, 4000)
        assert response.headers["allow"] == ", ".join(sorted(known))


@pytest.mark.parametrize("operation", HTTP, ids=lambda operation: operation.id)
def test_paths_near_by(stateful, operation):
    """A path with one more segment or a slash at its end is unknown."""
    path = operation.path.replace("{", "").replace("}", "")
    for other in (f"{path}/", f"{path}/no/such/path", f"/no{path}"):
        response = stateful.http.request(operation.method, other)
        assert (response.status_code, response.json()["code"]) == (404, 4200)


@pytest.fixture(scope="module")
def limited() -> Iterator[Caller]:
    """Give a sandbox with one token for each permission, which is called like it."""
    tokens = {operation.permission: frozenset({operation.permission}) for operation in HTTP if operation.permission}
    with Sandbox(tokens={**tokens, "none": frozenset()}, examples=True) as sandbox, httpx.Client() as http:
        yield _caller(http, sandbox)


@pytest.mark.parametrize(
    "operation",
    [
        operation
        for operation in HTTP
        if operation.permission and operation.id not in {"bots.unpublish", "chat.messages.list"}
    ],
    ids=lambda operation: operation.id,
)
def test_token_without_the_permission(limited, operation):
    """A token needs the permission that the description names, and that alone."""
    assert node_of(operation)["x-coze-permission"] == operation.permission
    request = example_request(operation).arguments()
    answers = {}
    for token in (operation.permission, "none"):
        headers = {**request["headers"], "Authorization": f"Bearer {token}"}
        answers[token] = limited.http.request(**{**request, "headers": headers})
    assert answers[operation.permission].status_code == operation.status
    assert (answers["none"].status_code, answers["none"].json()["code"]) == (403, 4101)
