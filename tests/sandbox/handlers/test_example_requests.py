"""Every operation of the description answers its described example request."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

import httpx
import pytest

from coze_sandbox import Options, Sandbox
from coze_sandbox._spec.spec import Spec, load_spec

DESCRIPTION: Spec = load_spec(Options())
HTTP = [operation for operation in DESCRIPTION.operations.values() if operation.status != 101]
WEBSOCKETS = [operation for operation in DESCRIPTION.operations.values() if operation.status == 101]


def node_of(operation) -> Mapping[str, Any]:
    return DESCRIPTION.document["paths"][operation.path][operation.method.lower()]


def request_of(operation) -> dict[str, Any]:
    """Write the example request of an operation as arguments for httpx."""
    path, query, headers = operation.path, {}, {}
    for entry in node_of(operation).get("parameters", []):
        parameter, _ = DESCRIPTION.follow(entry, "")
        value = parameter.get("example")
        if isinstance(value, list):
            value = ",".join(str(item) for item in value)
        match parameter["in"]:
            case "path":
                path = path.replace("{" + parameter["name"] + "}", str(value))
            case "query" if value is not None:
                query[parameter["name"]] = str(value).lower() if isinstance(value, bool) else value
            case "header" if value is not None:
                headers[parameter["name"]] = value
    request = {"method": operation.method, "url": path, "params": query, "headers": headers}
    for kind, media in operation.bodies.items():
        if kind == "application/json":
            request["json"] = media.example
        else:
            fields, files = {}, {}
            for name, value in media.example.items():
                schema = media.schema["properties"][name]
                if schema.get("format") == "binary":
                    files[name] = (value, b"RIFF", "audio/wav")
                else:
                    fields[name] = value if isinstance(value, str) else json.dumps(value)
            request |= {"data": fields, "files": files}
    return request


@pytest.fixture(scope="module")
def examples() -> Iterator[tuple[Sandbox, httpx.Client]]:
    """Give a sandbox that answers with examples, and a client for it."""
    with Sandbox(examples=True) as sandbox:
        headers = {"Authorization": f"Bearer {sandbox.token}"}
        with httpx.Client(base_url=sandbox.base_url, headers=headers) as http:
            yield sandbox, http


@pytest.mark.parametrize("operation", HTTP, ids=lambda operation: operation.id)
def test_example_answers_example(examples, operation):
    """The example request of an operation is taken, and what comes back is as described."""
    sandbox, http = examples
    response = http.request(**request_of(operation))
    assert response.status_code == operation.status, response.text
    kind = response.headers.get("content-type", "").partition(";")[0]
    assert kind in operation.success or (operation.status == 302 and not kind)
    media = operation.success.get(kind)
    if kind == "application/json":
        answer, described = response.json(), dict(media.example)
        if "detail" in described:
            described["detail"] = {"logid": response.headers["x-tt-logid"]}
        assert {**described, "msg": ""} == {**answer, "msg": ""}
    elif operation.status == 302:
        assert response.headers["location"].startswith("https://")
    else:
        assert response.content
    assert not sandbox.violations
    assert sandbox.requests[-1].verdict == "ok"
    assert not sandbox.requests[-1].tolerated


@pytest.mark.parametrize("operation", HTTP, ids=lambda operation: operation.id)
def test_example_request_with_state(api, operation):
    """With state an example request is answered or refused for what it names, as described."""
    response = api.http.request(**request_of(operation), follow_redirects=False)
    assert response.status_code in {operation.status, 400, 404}, response.text
    assert not api.sandbox.violations


@pytest.mark.parametrize(
    "operation", [operation for operation in HTTP if operation.stream_end], ids=lambda operation: operation.id
)
def test_example_stream_ends(examples, operation):
    """A stream of examples ends as streams do that end well."""
    sandbox, http = examples
    request = request_of(operation)
    if operation.stream_flag:
        request["json"] = {**request["json"], operation.stream_flag: True}
    response = http.request(**request)
    assert response.headers["content-type"].startswith("text/event-stream")
    last = response.text.strip().split("\n\n")[-1]
    assert f"event:{operation.stream_end}" in last.replace("event: ", "event:")
    assert not sandbox.violations


@pytest.mark.parametrize("operation", WEBSOCKETS, ids=lambda operation: operation.id)
def test_plain_request_to_a_websocket(examples, operation):
    """A WebSocket path that is requested without an upgrade answers 426."""
    _, http = examples
    response = http.request("GET", operation.path)
    assert (response.status_code, response.headers["upgrade"]) == (426, "websocket")
    assert response.json()["code"] == 4000


@pytest.mark.parametrize(
    "operation",
    [operation for operation in HTTP if operation.bodies and operation.body_required],
    ids=lambda operation: operation.id,
)
def test_empty_request(examples, operation):
    """A request without its body is refused with HTTP 400, in the shape that the operation has."""
    sandbox, http = examples
    request = {**request_of(operation), "json": None, "data": None, "files": None}
    response = http.request(**request)
    assert response.status_code == 400, response.text
    word = response.json().get("error_code") if operation.issues_tokens else response.json()["code"]
    assert word in {"invalid_request", 4000, 4300}
    assert not sandbox.violations


@pytest.mark.parametrize(
    "operation", [operation for operation in HTTP if not operation.public], ids=lambda operation: operation.id
)
def test_request_without_a_token(examples, operation):
    """Without a token only the operations that need none answer."""
    sandbox, _ = examples
    request = request_of(operation)
    request["url"] = sandbox.base_url + request["url"]
    response = httpx.request(**request)
    assert response.status_code == 401
    assert not sandbox.violations


@pytest.mark.parametrize(
    "operation", [operation for operation in HTTP if operation.public], ids=lambda operation: operation.id
)
def test_public_operation(examples, operation):
    """What needs no token answers without one."""
    sandbox, _ = examples
    request = request_of(operation)
    request["url"] = sandbox.base_url + request["url"]
    assert httpx.request(**request).status_code == operation.status


@pytest.mark.parametrize(
    "operation",
    [operation for operation in HTTP if any(p.location == "header" and p.required for p in operation.parameters)],
    ids=lambda operation: operation.id,
)
def test_fixed_header_may_be_missing(examples, operation):
    """A header with one possible value may be missing, which is noted; another value is refused."""
    sandbox, http = examples
    request = {**request_of(operation), "headers": {}}
    assert http.request(**request).status_code == 200
    assert sandbox.requests[-1].tolerated == ["header.Agw-Js-Conv: is required"]
    assert http.request(**{**request, "headers": {"Agw-Js-Conv": "int"}}).status_code == 400
