"""The client lets through exactly what is within the described limits."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from coze_api.errors import InvalidArgumentError
from tests.contract._calls import MODES, Call, Mode, calls, perform, resolve

LONG = 1_000_000  # characters and items beyond which nothing is tried


def limits(call: Call) -> Iterator[tuple[str, Any, Any]]:
    """List the limits of a method's arguments: its name, a value within, the last one if there is one, and one beyond."""
    outside = {item["name"]: item["schema"] for item in call.parameters}
    for name, schema in {**outside, **call.members}.items():
        schema = resolve(schema)
        if name in call.constants:
            continue
        if "enum" in schema:
            for value in schema["enum"]:
                yield name, value, f"{value}_of_tomorrow" if isinstance(value, str) else max(schema["enum"]) + 1
            continue
        for limit, step in (("minimum", -1), ("maximum", 1)):
            if limit in schema:
                yield name, schema[limit], schema[limit] + step
        sample = "x" if schema.get("type") == "string" else first_item(schema)
        for limit, step in (("minLength", -1), ("maxLength", 1), ("minItems", -1), ("maxItems", 1)):
            if schema.get(limit, LONG) < LONG and (step > 0 or schema[limit] > 0) and sample is not None:
                edge = schema[limit]
                yield name, multiplied(sample, edge), multiplied(sample, edge + step)


def first_item(schema: dict[str, Any]) -> Any:
    """Make a list with one item, where a schema is of lists whose example has one."""
    examples = [example for example in schema.get("examples", ()) if example]
    if schema.get("type") != "array":
        return None
    inside = resolve(schema["items"])
    items = [*inside.get("examples", ()), *inside.get("enum", ()), *(example[0] for example in examples)]
    return [items[0]] if items else None


def multiplied(sample: Any, count: int) -> Any:
    """Repeat a text or a list."""
    return sample * count


FOUND = [
    pytest.param(call, name, within, beyond, id=f"{call.id}-{name}-{number}")
    for call in calls()
    for number, (name, within, beyond) in enumerate(limits(call))
]


def test_limits_are_found() -> None:
    """The description has limits of every kind: the tests below test something."""
    assert len(FOUND) > 80


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize(("call", "name", "within", "beyond"), FOUND)
def test_limit(call: Call, name: str, within: Any, beyond: Any, mode: Mode) -> None:
    """What is allowed, up to the limit, is sent; what is not is refused by the argument's name before anything is sent."""
    values, body = call.example()
    outside = {item["name"] for item in call.parameters}

    def arguments(value: Any) -> dict[str, Any]:
        more = {name: value}
        return call.arguments({**values, **more}, body) if name in outside else call.arguments(values, {**body, **more})

    assert len(perform(call, mode, call.example_answer(), arguments(within)).requests) == 1
    with pytest.raises(InvalidArgumentError, match=rf"\b{name}\b"):
        perform(call, mode, call.example_answer(), arguments(beyond))
