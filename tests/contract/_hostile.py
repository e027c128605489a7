"""Strategies for what a faulty or hostile server may send: described values with members of wrong types."""

from __future__ import annotations

import copy
import json
from typing import Any

from hypothesis import strategies as st

from tests.contract._calls import resolve
from tests.contract._filled import filled

__all__ = ["as_json", "damaged", "events_of", "streams"]

_RAW = {  # what `json.dumps` does not write, by the text that stands for it
    "@infinite@": "1e999",
    "@nan@": "NaN",
    "@long@": "9" * 5000,
    "@deep list@": "[" * 3000 + "]" * 3000,
    "@deep object@": '{"a":' * 900 + "1" + "}" * 900,
    "@nested@": "[" * 150 + "]" * 150,
    "@half@": r'"\ud800"',
    "@open@": "[{",
}
_WRONG: st.SearchStrategy[Any] = st.sampled_from(
    [
        None, True, False, 0, -1, 1.5, 10**30, "", "x", "1", "é", "http://[", [], [1], [[]], ["x", None], {}, {"a": []},
        {"content": [1], "id": {}, "type": ["answer"], "code": {}, "msg": []}, '{"content":[1]}', "[]", "{", *_RAW,
    ]
).map(copy.deepcopy)  # fmt: skip


def as_json(value: Any) -> str:
    """Write a value as JSON text, or what passes for it."""
    text = json.dumps(value)
    for name, raw in _RAW.items():
        text = text.replace(json.dumps(name), raw)
    return text


def _paths(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """List the places in a value, itself included."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(inner_path for key, member in inner for inner_path in _paths(member, (*path, key)))]


@st.composite
def damaged(draw: st.DrawFn, value: Any) -> Any:
    """Draw a value with some members missing or of a wrong type."""
    value = copy.deepcopy(value)
    for _ in range(draw(st.integers(0, 3))):
        path = draw(st.sampled_from(_paths(value)))
        if not path:
            return draw(_WRONG)
        *way, last = path
        holder = value
        for step in way:
            holder = holder[step]
        if draw(st.integers(0, 4)) == 0 and isinstance(holder, dict):
            del holder[last]
        else:
            holder[last] = draw(_WRONG)
    return value


def events_of(protocol: dict[str, Any]) -> dict[str, list[Any]]:
    """Make data of each kind of event, of each variant that is described."""
    data_by_event: dict[str, list[Any]] = {}
    for name, event in protocol["events"].items():
        schema = resolve(event.get("data", {}))
        variants = schema.get("oneOf") or schema.get("anyOf") or [schema]
        data_by_event[name] = [filled(variant) for variant in variants]
    return data_by_event


_NUMBERS = st.sampled_from(["", "0", "1", "2", "99", "x", "-1", "9" * 30, "²", "\0"])


@st.composite
def streams(draw: st.DrawFn, protocol: dict[str, Any]) -> bytes:
    """Draw an event stream: kinds in any order, any number of times, with damaged data, and lines of other kinds."""
    kinds = events_of(protocol)
    parts = []
    for _ in range(draw(st.integers(1, 6))):
        match draw(st.integers(0, 11)):
            case 0:
                parts.append(f"{as_json(draw(_WRONG))}\n\n")
            case 1:
                parts.append(f"{as_json({'code': draw(_WRONG), 'msg': draw(_WRONG)})}\n\n")
            case 2:
                parts.append(f"event: kind.of.tomorrow\ndata: {as_json(draw(_WRONG))}\n\n")
            case _:
                name = draw(st.sampled_from(sorted(kinds)))
                data = as_json(draw(damaged(draw(st.sampled_from(kinds[name])))))
                number = draw(_NUMBERS)
                parts.append(f"id: {number}\n" * bool(number) + f"event: {name}\ndata: {data}\n\n")
    return "".join(parts).encode()
