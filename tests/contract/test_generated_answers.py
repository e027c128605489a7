"""Whatever Coze sends is read without loss: as described, and otherwise."""

from __future__ import annotations

import copy
import json
import os
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from coze_api import Model, Unknown
from coze_api.errors import DecodeError
from tests.contract._calls import MODES, Call, Mode, calls, perform, resolve, same, wire
from tests.contract._decoded import differing, leaked, misread, models_in
from tests.contract._filled import violations
from tests.contract._mirror import Source, alter, callbacks, events, generated, messages

MAX_EXAMPLES = int(os.environ.get("COZEKIT_MAX_EXAMPLES", "6"))
JSON = [pytest.param(call, id=call.id) for call in calls() if call.kind == "json" and call.id == call.operation]
EVENTS = [pytest.param(event, id=f"{event.call.id}-{event.id}") for event in events() if event.call and event.schema]
MESSAGES = [pytest.param(message, id=name) for name, message in messages()]
CALLBACKS = [pytest.param(callback, id=callback.id) for callback in callbacks()]
some = settings(
    max_examples=MAX_EXAMPLES,
    deadline=None,
    derandomize=True,
    database=None,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)


def read_well(result: Any, sent: Any) -> None:
    """Check that a result is what was sent, member by member, each of its described type."""
    same(without_added(wire(result), sent), sent)
    assert list(differing(result, sent)) == []
    assert list(misread(result)) == []


def read_whole(result: Any, sent: Any) -> None:
    """Check that a result is what was sent, of whatever type, and that no described member is among the unknown."""
    same(without_added(wire(result), sent), sent)
    assert [name for model in models_in(result) for name in leaked(model)] == []


def without_added(after: Any, before: Any) -> Any:
    """Leave out the empty lists that stand for required ones which are missing."""
    if isinstance(after, dict) and isinstance(before, dict):
        return {key: without_added(item, before.get(key)) for key, item in after.items() if key in before or item != []}
    if isinstance(after, list) and isinstance(before, list) and len(after) == len(before):
        return [without_added(item, other) for item, other in zip(after, before, strict=True)]
    return after


@pytest.mark.parametrize("call", JSON)
@some
@given(data=st.data())
def test_answer(call: Call, data: st.DataObject) -> None:
    """A response that the description allows is read as it is, and so is one that it does not foresee, unless
    it is a page whose items or next page nobody could find."""
    assert call.answer is not None
    mode: Mode = data.draw(st.sampled_from(MODES))
    arguments = call.arguments(*call.example())
    answer = data.draw(generated(call.answer["schema"]))
    if "code" in resolve(call.answer["schema"])["properties"]:
        answer["code"] = 0  # other codes are errors; without code and result, a response is none of Coze
    assert violations(call.answer["schema"], answer) == []
    read_well(perform(call, mode, answer, arguments).result, payload_of(call, answer))
    answer = {**answer, **altered_payload(data, call, answer)}
    if is_unreadable_page(call, answer):
        with pytest.raises(DecodeError, match="of the page is of type"):
            perform(call, mode, answer, arguments)
    else:
        read_whole(perform(call, mode, answer, arguments).result, payload_of(call, answer))


def is_unreadable_page(call: Call, answer: dict[str, Any]) -> bool:
    """Return whether a page's items are not a list, or another page follows and what leads to it is neither a text nor an integer."""
    paging = call.described.get("x-coze-pagination")
    if paging is None:
        return False
    items, more, token = (member(answer, paging.get(key)) for key in ("items", "has_more", "next"))
    if not isinstance(items, list | None):
        return True
    return bool(items) and more is not False and bool(token) and not isinstance(token, str | int)


def member(value: Any, path: str | None) -> Any:
    """Return what is at a dotted path, or what stands in its way; None where there is nothing."""
    for name in path.split(".") if path else ():
        if not isinstance(value, dict):
            return value
        value = value.get(name)
    return value if path else None


def payload_of(call: Call, answer: dict[str, Any]) -> Any:
    """Pick the members of a response, in which null and nothing read as an empty list where one is described."""
    assert call.answer is not None
    members = resolve(call.answer["schema"])["properties"]
    is_list = call.result != "." and resolve(members.get(call.result, {})).get("type") == "array"
    return call.payload(answer) or ([] if is_list else {})


def altered_payload(data: st.DataObject, call: Call, answer: dict[str, Any]) -> dict[str, Any]:
    """Alter the members of a response, but not what marks it as a success."""
    result = {key: value for key, value in answer.items() if key not in {"code", "msg", "detail"}}
    if call.result == ".":
        return {key: alter(data, value) for key, value in result.items()}
    return {call.result: alter(data, result[call.result])} if call.result in result else {}


@pytest.mark.parametrize("source", EVENTS)
@some
@given(data=st.data())
def test_event(source: Source, data: st.DataObject) -> None:
    """An event is read whole, as described or otherwise."""
    assert source.call is not None
    assert source.schema is not None
    mode: Mode = data.draw(st.sampled_from(MODES))
    sent = data.draw(generated(source.schema))
    for value, check in ((sent, read_well), (alter(data, sent), read_whole)):
        stream = f"event: {source.id}\ndata: {json.dumps(value)}\n\n".encode()
        arguments = source.call.arguments(*source.call.example())
        # An altered number of an event may look like a gap.
        outcome = perform(source.call, mode, stream, arguments, on_gap="ignore")
        event = outcome.result[0] if outcome.result else getattr(outcome.error, "event", None)
        assert event is not None, outcome.error
        assert event.event == source.id
        check(event.data, value)


@pytest.mark.parametrize("source", MESSAGES)
@some
@given(data=st.data())
def test_message(source: Source, data: st.DataObject) -> None:
    """A message of a WebSocket or an RTC room is read whole, as described or otherwise."""
    assert source.kinds is not None
    frame: dict[str, Any] = {"event_type": source.id, "id": "event-1"}
    if source.schema is not None:
        frame["data"] = data.draw(generated(source.schema))
    elif takes_data(source):
        frame["data"] = {"anything": [1, None]}
    read_well(known(source, frame), frame)
    altered = {**frame, **alter(data, {key: value for key, value in frame.items() if key != "event_type"})}
    read_whole(known(source, altered), altered)


@pytest.mark.parametrize("source", CALLBACKS)
@some
@given(data=st.data())
def test_callback(source: Source, data: st.DataObject) -> None:
    """A callback is read whole, as described or otherwise."""
    assert source.schema is not None
    body = data.draw(generated(source.schema))
    body["header"]["event_type"] = source.id  # all callbacks share one header, which allows every type
    read_well(known(source, body), body)
    altered = copy.deepcopy(body)
    altered["header"] |= alter(data, {key: value for key, value in body["header"].items() if key != "event_type"})
    altered |= alter(data, {key: value for key, value in body.items() if key != "header"})
    read_whole(known(source, altered), altered)


def takes_data(source: Source) -> bool:
    """Return whether messages of a kind may have data, though nobody described them."""
    assert source.kinds is not None
    return "data" in source.kinds.kinds[source.id]._known


def known(source: Source, frame: dict[str, Any]) -> Model:
    """Decode a message, which has a class."""
    assert source.kinds is not None
    message = source.kinds.decode(frame)
    assert isinstance(message, Model)
    assert not isinstance(message, Unknown)
    return message
