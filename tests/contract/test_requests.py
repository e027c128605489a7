"""Whatever the description allows can be said through the client, and arrives as it was said."""

from __future__ import annotations

import inspect
import os
from functools import cache
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from coze_api import Client
from tests.contract._calls import MODES, Call, Mode, calls, document, perform, resolve, same
from tests.contract._filled import filled, violations
from tests.contract._urls import path_of, text_of, typed

MAX_EXAMPLES = int(os.environ.get("COZEKIT_MAX_EXAMPLES", "8"))
PLAIN = [pytest.param(call, id=call.id) for call in calls() if call.id == call.operation]


@cache
def schema() -> Any:
    """Return the description as schemathesis reads it."""
    return schemathesis.openapi.from_dict(document())


def method_for(call: Call, body: dict[str, Any]) -> Call:
    """Choose the streaming method where a body asks for a stream."""
    for twin in calls():
        if twin.operation == call.operation and twin.constants and twin.constants.items() <= body.items():
            return twin
    return call


@pytest.mark.parametrize("call", PLAIN)
@settings(
    max_examples=MAX_EXAMPLES,
    deadline=None,
    derandomize=True,
    database=None,
    phases=[Phase.generate],  # shrinking takes minutes, and what fails is small enough
    suppress_health_check=list(HealthCheck),
)
@given(data=st.data())
def test_generated_request(call: Call, data: st.DataObject) -> None:
    """Parameters and a body that the description allows are sent as they are, and what is sent is allowed."""
    case = data.draw(schema()[call.path][call.verb].as_strategy())
    body = whole(case.body) if isinstance(case.body, dict) else {}
    if call.form is not None:
        body = {name: value for name, value in body.items() if name in call.members}
    method = method_for(call, body)
    schemas = {item["name"]: resolve(item["schema"]) for item in call.parameters}
    path = dict(case.path_parameters)
    query = {name: typed(whole(value), schemas[name]) for name, value in case.query.items()}
    outcome = perform(method, "sync", method.example_answer(), method.arguments({**path, **query}, body))
    assert outcome.query == {name: text_of(value) for name, value in query.items()}
    assert outcome.request.url.raw_path.partition(b"?")[0].decode() == path_of(call.path, path)
    if call.body is not None:
        same(outcome.body, {**body, **method.constants})
        assert violations(call.body["schema"], outcome.body) == []
    if call.form is not None and not body:
        assert outcome.request.content == b""  # a form has at least one part
    elif call.form is not None:
        assert outcome.parts.keys() == body.keys()
        for name in body.keys() - call.files:
            assert outcome.parts[name].content == text_of(body[name]).encode()


def whole(value: Any) -> Any:
    """Write whole numbers without a point: to JSON Schema 33.0 is an integer, to the client it is not."""
    if isinstance(value, dict):
        return {key: whole(item) for key, item in value.items()}
    if isinstance(value, list):
        return [whole(item) for item in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("call", [pytest.param(call, id=call.id) for call in calls() if call.body is not None])
def test_full_request(call: Call, mode: Mode) -> None:
    """A body in which every described member is present is sent as it is."""
    assert call.body is not None
    body = {**filled(call.body["schema"]), **call.constants}
    assert violations(call.body["schema"], body) == []
    values, _ = call.example()
    arguments = call.arguments(values, body)
    assert "extra_body" not in arguments
    same(perform(call, mode, call.example_answer(), arguments).body, body)


@pytest.mark.parametrize("call", PLAIN)
def test_arguments_are_described(call: Call) -> None:
    """A method takes the described parameters and body members, and nothing else."""
    with Client("https://coze.test", "t") as client:
        taken = set(inspect.signature(call.method(client)).parameters)
    common = {"extra_headers", "extra_query", "extra_body", "timeout"}
    described = {item["name"] for item in call.parameters} | call.members.keys() - call.constants.keys()
    assert taken - common == described
