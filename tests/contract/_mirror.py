"""What Coze sends, generated from the description and then altered, as a server does that is ahead of it or behind."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from functools import cache
from typing import Any

import attrs
import schemathesis
from hypothesis import strategies as st

from coze_api import models
from coze_api._core._messages import TaggedMessages
from tests.contract._calls import Call, calls, document

__all__ = ["Source", "alter", "callbacks", "events", "generated", "messages", "whole"]

_CALLBACKS: Any = models.Callbacks
_LIMIT = 2**63


@attrs.frozen
class Source:
    """Something that Coze sends.

    Attributes:
        id: What it is called in the tests.
        schema: What it is like.
        kinds: Decodes it, where it is a message.
        call: What it answers, where it is an event.
    """

    id: str
    schema: dict[str, Any] | None = attrs.field(repr=False)
    kinds: TaggedMessages[Any] | None = attrs.field(default=None, repr=False)
    call: Call | None = attrs.field(default=None, repr=False)


def events() -> Iterator[Source]:
    """List the events of all streams."""
    for call in calls():
        if call.streams:
            for name, event in call.protocol["events"].items():
                yield Source(name, event.get("data"), call=call)


def messages() -> Iterator[tuple[str, Source]]:
    """List the messages of all WebSockets and of RTC rooms, in both directions."""
    for protocol, described in document()["components"]["x-coze-websockets"].items():
        for side in ("uplink", "downlink"):
            for name, message in described[side]["messages"].items():
                kinds = getattr(getattr(models, protocol), side)
                yield f"{protocol}-{side}-{name}", Source(name, message.get("data"), kinds)


def callbacks() -> Iterator[Source]:
    """List the callbacks."""
    for name, item in document()["webhooks"].items():
        content = item["post"]["requestBody"]["content"]["application/json"]
        yield Source(name, content["schema"], _CALLBACKS.messages)


def generated(schema: dict[str, Any]) -> st.SearchStrategy[Any]:
    """Generate values that the description allows.

    schemathesis generates requests: so each schema is made the body of one.
    """
    return _mirror()[_path(schema)]["POST"].as_strategy().map(lambda case: whole(case.body))


def _path(schema: dict[str, Any]) -> str:
    return f"/{id(schema)}"


@cache
def _mirror() -> Any:
    answers = [call.answer["schema"] for call in calls() if call.answer is not None]
    others = [*events(), *(source for _, source in messages()), *callbacks()]
    schemas = [*answers, *(source.schema for source in others if source.schema is not None)]
    return schemathesis.openapi.from_dict(
        {
            "openapi": "3.1.0",
            "info": {"title": "What Coze sends", "version": "1"},
            "components": {"schemas": document()["components"]["schemas"]},
            "paths": {_path(schema): {"post": _taking(schema)} for schema in schemas},
        }
    )


def _taking(schema: dict[str, Any]) -> dict[str, Any]:
    body = {"required": True, "content": {"application/json": {"schema": schema}}}
    return {"requestBody": body, "responses": {"200": {"description": "Taken."}}}


def whole(value: Any) -> Any:
    """Write whole numbers without a point: to JSON Schema 33.0 is an integer, to the client it is not.

    Those of more than 64 bits are made smaller: no parser but Python's own reads them as whole numbers.
    """
    if isinstance(value, dict):
        return {key: whole(item) for key, item in value.items()}
    if isinstance(value, list):
        return [whole(item) for item in value]
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return max(-_LIMIT, min(value, _LIMIT - 1)) if isinstance(value, int) and not isinstance(value, bool) else value


def alter(data: st.DataObject, value: Any) -> Any:
    """Alter some places below the top of a value: null, gone, of another type, of unknown kind, or more than known."""
    value = copy.deepcopy(value)
    for _ in range(data.draw(st.integers(1, 6))):
        places = list(_places(value))
        if places:
            around, key = data.draw(st.sampled_from(places))
            around[key] = _altered(data, around[key])
            if isinstance(around, dict) and data.draw(st.integers(0, 4)) == 0:
                del around[key]
    return value


def _altered(data: st.DataObject, value: Any) -> Any:
    if isinstance(value, dict) and data.draw(st.booleans()):
        return {**value, "member_of_tomorrow": [None]}
    if isinstance(value, str) and value.isdecimal() and value.isascii() and data.draw(st.booleans()):
        return whole(int(value))  # an id
    if isinstance(value, int | float) and not isinstance(value, bool) and data.draw(st.booleans()):
        return str(value)
    return data.draw(st.sampled_from([None, "kind_of_tomorrow", 7, 0.5, True, [], {}, [None], {"a": 1}]))


def _places(value: Any) -> Iterator[tuple[Any, Any]]:
    pairs = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in pairs:
        yield value, key
        yield from _places(item)
