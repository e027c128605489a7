"""Every operation, called with the description's example, sends what is described and decodes the response."""

from __future__ import annotations

import json
from typing import Any

import pytest

from coze_api import Model
from coze_api.errors import StreamFailed, StreamInterrupted
from tests.contract._calls import BASE, LOGID, MODES, TOKEN, Call, Mode, Outcome, calls, perform, resolve, same, wire
from tests.contract._decoded import misread, set_aside
from tests.contract._filled import LATER, extended, filled, violations
from tests.contract._urls import path_of, text_of

PLAIN = [pytest.param(call, id=call.id) for call in calls() if not call.streams]
JSON = [pytest.param(call, id=call.id) for call in calls() if call.kind == "json"]
UPLOADS = [pytest.param(call, id=call.id) for call in calls() if call.is_upload]
STREAMS = [pytest.param(call, id=call.id) for call in calls() if call.streams]
EVENTS = [
    pytest.param(call, name, variant, id=f"{call.id}-{name}{number or ''}")
    for call in calls()
    if call.streams
    for name, event in call.protocol["events"].items()
    for number, variant in enumerate(resolve(event.get("data", {})).get("anyOf", [event.get("data")]))
]


def called(call: Call, mode: Mode, answer: bytes | dict[str, Any] | None = None) -> Outcome:
    """Call with the described example."""
    return perform(call, mode, call.example_answer() if answer is None else answer, call.arguments(*call.example()))


def framed(*events: tuple[str, str]) -> bytes:
    """Make a stream of events."""
    return "".join(f"event: {name}\ndata: {data}\n\n" for name, data in events).encode()


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("call", [*PLAIN, *STREAMS])
def test_request(call: Call, mode: Mode) -> None:
    """An example is sent once, with the described verb, path, query and headers, and the token where it is needed."""
    outcome, (values, _) = called(call, mode), call.example()
    places = {item["name"]: item["in"] for item in call.parameters}
    request = outcome.request
    assert (request.method, f"{BASE}{path_of(call.path, values)}") == (
        call.verb,
        str(request.url.copy_with(query=None)),
    )
    assert outcome.query == {name: text_of(value) for name, value in values.items() if places[name] == "query"}
    for name in values:
        assert places[name] != "header" or request.headers[name] == text_of(values[name])
    for name, value in call.fixed_headers.items():
        assert request.headers.get_list(name) == [value]
    assert request.headers.get_list("Authorization") == ([f"Bearer {TOKEN}"] if call.takes_token else [])
    assert request.headers["Accept"] == ("text/event-stream" if call.streams else "*/*")


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("call", [*PLAIN, *STREAMS])
def test_body(call: Call, mode: Mode) -> None:
    """The example's body is sent unchanged, except that the method itself decides whether it streams."""
    outcome = called(call, mode)
    if call.is_upload:
        assert outcome.request.headers["Content-Type"].startswith("multipart/form-data; boundary=")
    elif call.body is None:
        assert outcome.request.content in {b"", b"{}"}
    else:
        assert outcome.request.headers["Content-Type"] == "application/json"
        same(outcome.body, {**call.body["example"], **call.constants})
        assert violations(call.body["schema"], outcome.body) == []


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("call", UPLOADS)
def test_upload(call: Call, mode: Mode) -> None:
    """Each member of the example is one part, under its name; a file has its own name and its bytes unchanged."""
    assert call.form is not None
    example = call.form["example"]
    assert call.files <= example.keys()
    check_parts(called(call, mode), call, example)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("call", UPLOADS)
def test_full_upload(call: Call, mode: Mode) -> None:
    """A form in which every described member is present is sent as it is."""
    assert call.form is not None
    form = filled(call.form["schema"])
    assert form.keys() == call.members.keys()
    arguments = call.arguments(call.example()[0], form)
    assert "extra_body" not in arguments
    check_parts(perform(call, mode, call.example_answer(), arguments), call, form)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("call", UPLOADS)
def test_upload_without_file(call: Call, mode: Mode) -> None:
    """Where the file is optional, the rest is sent as a form all the same. Where it is not, the method requires it."""
    assert call.form is not None
    form = {name: value for name, value in filled(call.form["schema"]).items() if name not in call.files}
    arguments = call.arguments(call.example()[0], form)
    if call.files & set(resolve(call.form["schema"]).get("required", ())):
        with pytest.raises(TypeError, match="missing 1 required"):
            perform(call, mode, call.example_answer(), arguments)
    else:
        check_parts(perform(call, mode, call.example_answer(), arguments), call, form)


def check_parts(outcome: Outcome, call: Call, form: dict[str, Any]) -> None:
    """Check that the parts of a request are the members of a form: files, and plain text without name or type."""
    parts = outcome.parts
    assert parts.keys() == form.keys()
    for name, part in parts.items():
        if name in call.files:
            assert (part.file, part.content) == ("notes.txt", b"one\r\n--two")
        else:
            assert (part.file, part.content) == (None, text_of(form[name]).encode())
            assert part.headers == ["Content-Disposition"]


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("call", JSON)
def test_answer(call: Call, mode: Mode) -> None:
    """The example's response is decoded as the declared types, and encoded as the same payload again."""
    result = called(call, mode).result
    answer = call.example_answer()
    assert isinstance(answer, dict)
    assert call.answer is not None
    same(wire(result), call.payload(answer))
    assert list(misread(result)) == []
    has_detail = "detail" in resolve(call.answer["schema"])["properties"]
    assert result.logid == (answer["detail"]["logid"] if has_detail else LOGID)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("call", JSON)
def test_full_answer(call: Call, mode: Mode) -> None:
    """A response in which every described member is present is decoded member by member, and encoded as it was."""
    assert call.answer is not None
    answer = filled(call.answer["schema"])
    assert violations(call.answer["schema"], answer) == []
    result = called(call, mode, answer).result
    same(wire(result), call.payload(answer))
    assert list(misread(result)) == []


@pytest.mark.parametrize("call", JSON)
def test_unknown_members(call: Call) -> None:
    """Of a response in which every object has a member more than is described, nothing else is set aside."""
    assert call.answer is not None
    answer = extended(filled(call.answer["schema"]))
    result = called(call, "sync", answer).result
    same(wire(result), call.payload(answer))
    assert set(set_aside(result)) <= {LATER}


@pytest.mark.parametrize("call", JSON)
def test_null_members(call: Call) -> None:
    """A response whose result has null for every member is kept as it is, though no type allows it."""
    assert call.answer is not None
    answer = filled(call.answer["schema"])
    payload = call.payload(answer)
    if isinstance(payload, list):
        payload[:] = [dict.fromkeys(item) if isinstance(item, dict) else item for item in payload]
    elif call.result != ".":
        payload.update(dict.fromkeys(payload))
    same(wire(called(call, "sync", answer).result), call.payload(answer))


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize(("call", "name", "schema"), EVENTS)
def test_event(call: Call, name: str, schema: dict[str, Any] | None, mode: Mode) -> None:
    """Every event of a stream, all its members present, is decoded as its own class and ends the stream as described.

    One that reports a failure is found on the error, and one that may end the stream leaves no error behind.
    """
    event = call.protocol["events"][name]
    data = {"any": 1} if schema is None else filled(schema)
    assert schema is None or violations(schema, data) == []
    outcome = called(call, mode, framed((name, json.dumps(data))))
    if event.get("fails"):
        assert isinstance(outcome.error, StreamFailed)
        assert outcome.result == []
        decoded = outcome.error.event
    else:
        assert isinstance(outcome.error, StreamInterrupted) is ("ends" not in event)
        (decoded,) = outcome.result
    assert (type(decoded).__name__, decoded.event) == (event["class"], name)
    same(wire(decoded.data), data)
    assert list(misread(decoded)) == []
    if isinstance(decoded.data, Model):
        more = type(decoded.data).from_dict(extended(data))
        same(wire(more), extended(data))
        assert set(set_aside(more)) == {LATER}


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("call", STREAMS)
def test_event_of_example(call: Call, mode: Mode) -> None:
    """The described example of a stream is an event that is decoded, and encoded as the same data again."""
    example = resolve(call.described["responses"]["200"])["content"]["text/event-stream"]["example"]
    outcome = called(call, mode, framed((example["event"], example["data"])))
    (decoded,) = outcome.result
    assert decoded.event == example["event"]
    same(wire(decoded.data), json.loads(example["data"]))


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("call", STREAMS)
def test_unknown_event(call: Call, mode: Mode) -> None:
    """An event that the description does not know is delivered as it came."""
    outcome = called(call, mode, framed(("news.of.tomorrow", '{"a":[1]}')))
    (decoded,) = outcome.result
    assert (type(decoded).__name__, decoded.event, decoded.data) == (
        f"Unknown{call.protocol['event']}",
        "news.of.tomorrow",
        {"a": [1]},
    )
