"""The sandbox takes what the description allows, and refuses everything else with the described errors."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    allow_header_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
    unsupported_method,
)

from coze_sandbox import Sandbox
from tests.contract._allowed import Sent, objections, operation_of
from tests.contract._calls import document
from tests.contract._front import ADDRESS, Front

FRONT = Front("all")
SCHEMA = FRONT.schema
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    unsupported_method,
    allow_header_conformance,
]
SOCKETS = {
    operation["operationId"]
    for item in document()["paths"].values()
    for operation in item.values()
    if "x-coze-websocket" in operation
}


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    """Make a sandbox that answers whatever it takes, whether or not there is what it is about."""
    with FRONT.running(lenient=False, examples=True) as sandbox:
        yield sandbox


def sent_by(response: Any) -> Sent:
    """Return the request that was answered."""
    request = response.request
    content = request.body.encode() if isinstance(request.body, str) else request.body or b""
    headers = {name.lower(): value for name, value in request.headers.items()}
    return Sent(request.method, request.url, headers, content)


@SCHEMA.parametrize()
def test_requests(case: Any, sandbox: Sandbox) -> None:
    """A request is taken exactly if the description allows it; the response is a described one in both cases.

    Two parties decide on their own what is allowed. What nobody minds, as in Coze: parameters that are not described,
    and bodies and content types where none is described.
    """
    case.headers.pop("Authorization", None)  # tokens are another test's
    response = case.call(base_url=ADDRESS, headers={"Authorization": f"Bearer {sandbox.token}"})
    case.validate_response(response, checks=CHECKS)
    sent = sent_by(response)
    against = objections(sent)
    if against or operation_of(sent) in SOCKETS:  # a request is not a handshake
        answer = response.json()
        assert 400 <= response.status_code < 500, against
        assert answer.get("code", answer.get("error_code")), against
        assert response.headers["x-tt-logid"]
    else:
        assert response.status_code in {200, 302}, response.text
    assert sandbox.violations == []
