"""Whatever the description allows can be sent through the client, and arrives unchanged."""

from __future__ import annotations

import inspect
import os
import re
from functools import cache
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, assume, given, settings
from hypothesis import strategies as st

from coze_api import Client
from tests.contract._allowed import Sent, objections
from tests.contract._calls import MODES, Call, Mode, calls, document, perform, resolve, same
from tests.contract._decoded import misread
from tests.contract._filled import filled, violations
from tests.contract._mirror import whole
from tests.contract._urls import path_of, text_of, typed

MAX_EXAMPLES = int(os.environ.get("COZEKIT_MAX_EXAMPLES", "8"))
HEADERS = {"host", "accept", "accept-encoding", "connection", "user-agent", "authorization"} | {
    "content-type",
    "content-length",
}
ALL = [pytest.param(call, id=call.id) for call in calls()]
PLAIN = [pytest.param(call, id=call.id) for call in calls() if call.id == call.operation]


@cache
def schema() -> Any:
    """Return the description as schemathesis reads it."""
    return schemathesis.openapi.from_dict(document())


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("call", ALL)
@settings(
    max_examples=MAX_EXAMPLES,
    deadline=None,
    derandomize=True,
    database=None,
    phases=[Phase.generate],  # shrinking takes minutes, and what fails is small enough
    suppress_health_check=list(HealthCheck),
)
@given(data=st.data())
def test_generated_request(call: Call, mode: Mode, data: st.DataObject) -> None:
    """Arguments that the description allows are sent as they are, and nothing else; what is sent is allowed.

    Objects are given as dicts and as models.
    """
    case = data.draw(schema()[call.path][call.verb].as_strategy())
    body = whole(case.body) if isinstance(case.body, dict) else {}
    if call.form is not None:
        body = {name: value for name, value in body.items() if name in call.members}
    body = {name: value for name, value in body.items() if name not in call.constants}
    schemas = {item["name"]: resolve(item["schema"]) for item in call.parameters}
    path = dict(case.path_parameters)
    query = {name: typed(whole(value), schemas[name]) for name, value in case.query.items()}
    # An item with a comma stands for two in a URL, which may be more than a list takes.
    assume(all(violations(schemas[name], value) == [] for name, value in query.items()))
    content = data.draw(st.binary(min_size=1, max_size=100))
    arguments = call.arguments({**path, **query}, body)
    arguments |= {name: ("a b.wav", content) for name in call.files if name in body}
    if data.draw(st.booleans()):
        arguments = call.with_models(arguments)
        assert list(misread(arguments)) == []
    outcome = perform(call, mode, call.example_answer(), arguments)
    request = outcome.request
    assert outcome.query == {name: text_of(value) for name, value in query.items()}
    assert request.url.raw_path.partition(b"?")[0].decode() == path_of(call.path, path)
    assert set(request.headers) <= HEADERS | {name.lower() for name in call.fixed_headers}
    if call.body is not None:
        same(outcome.body, {**body, **call.constants})
    elif call.form is not None and body:
        assert outcome.parts.keys() == body.keys()
        for name, part in outcome.parts.items():
            assert part.content == (content if name in call.files else text_of(body[name]).encode())
    else:
        assert request.content in {b"", b"{}"}  # a form has at least one part
    if call.form is None or body:
        headers = {name.lower(): value for name, value in request.headers.items()}
        assert objections(Sent(request.method, str(request.url), headers, request.content)) == []


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("call", [pytest.param(call, id=call.id) for call in calls() if call.body is not None])
def test_full_request(call: Call, mode: Mode) -> None:
    """A body in which every described member is present is sent as it is, given as dicts or as models."""
    assert call.body is not None
    body = {**filled(call.body["schema"]), **call.constants}
    assert violations(call.body["schema"], body) == []
    values, _ = call.example()
    arguments = call.arguments(values, body)
    assert "extra_body" not in arguments
    same(perform(call, mode, call.example_answer(), arguments).body, body)
    arguments = call.with_models(arguments)
    assert list(misread(arguments)) == []
    same(perform(call, mode, call.example_answer(), arguments).body, body)


@pytest.mark.parametrize("call", PLAIN)
def test_arguments_are_described(call: Call) -> None:
    """A method takes the described parameters and body members, and nothing else."""
    with Client("https://coze.test", "t") as client:
        taken = set(inspect.signature(call.method(client)).parameters)
    common = {"extra_headers", "extra_query", "extra_body", "timeout"}
    parameters = {
        re.sub(r"-|(?<=[a-z])(?=[A-Z])", "_", item["name"]).lower() if item["in"] == "header" else item["name"]
        for item in call.parameters
    }
    described = parameters | call.members.keys() - call.constants.keys()
    assert taken - common == described


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("call", [pytest.param(call, id=call.id) for call in calls() if "{" in call.path])
def test_path_stays_a_path(call: Call, mode: Mode) -> None:
    """What is given for a place in the path stays there, whatever it holds."""
    values, body = call.example()
    hostile = {parameter["name"]: "a/../b?c=d#e f%2F" for parameter in call.parameters if parameter["in"] == "path"}
    arguments = call.arguments({**values, **hostile}, body)
    url = perform(call, mode, call.example_answer(), arguments).request.url
    assert url.raw_path.partition(b"?")[0].decode() == path_of(call.path, hostile)
    assert url.fragment == ""
