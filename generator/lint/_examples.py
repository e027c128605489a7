"""Rules for examples and defaults: that they are there, and that they are true."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from ..spec.yaml_loader import LocatedMapping
from ._context import Description, Rule, Violation, mapping, violation
from ._event_examples import broken_event
from ._values import Values, innermost

__all__ = ["EXAMPLE_RULES"]

_MASK = re.compile(r"\*{3,}")


def example(description: Description) -> Iterator[Violation]:
    """Every parameter and every media type shows an example. The content of a file cannot."""
    for _, parameter in description.parameters:
        if "example" not in parameter:
            yield violation(parameter, f"give the parameter {parameter.get('name')} an example")
    for media in description.media:
        is_file = description.resolve(media.body.get("schema")).get("format") == "binary"
        if "example" not in media.body and not is_file:
            yield violation(media.body, f"give {media.content_type} an example")


def example_valid(description: Description) -> Iterator[Violation]:
    """Examples obey the schema that they are an example of."""
    values = Values(description.document)
    for place, owner in [*description.parameters, *((media.pointer, media.body) for media in description.media)]:
        if "example" in owner and "schema" not in owner:
            yield violation(owner, "add the schema that the example obeys", "example")
        elif "example" in owner:
            yield from _invalid(values, (*place, "schema"), owner, "example", owner["example"])
    for node in description.nodes:
        examples = node.schema.get("examples")
        for value in examples if isinstance(examples, list) else []:
            yield from _invalid(values, node.pointer, node.schema, "examples", value)


def default_valid(description: Description) -> Iterator[Violation]:
    """Defaults obey their own schema, its enum included."""
    values = Values(description.document)
    for node in description.nodes:
        if "default" in node.schema:
            yield from _invalid(values, node.pointer, node.schema, "default", node.schema["default"])


def from_string(description: Description) -> Iterator[Violation]:
    """The object that stands for a string obeys the schema, and holds the string."""
    values = Values(description.document)
    for node in description.nodes:
        key = "x-coze-from-string"
        if key in node.schema:
            if "$string" not in _texts(node.schema[key]):
                yield violation(node.schema, f"write $string in {key} where the string belongs", key)
            yield from _invalid(values, node.pointer, node.schema, key, node.schema[key])


def event_example(description: Description) -> Iterator[Violation]:
    """The example of a stream is an event of its protocol, with data that obeys its schema."""
    values = Values(description.document)
    for operation in description.operations.values():
        stream = mapping(operation.body.get("x-coze-stream"))
        protocol = description.resolve(stream.get("protocol"))
        answer = description.resolve(mapping(operation.body.get("responses")).get("200"))
        media = mapping(mapping(answer.get("content")).get("text/event-stream"))
        frame = media.get("example")
        if protocol and isinstance(frame, LocatedMapping):
            name = str(stream["protocol"]["$ref"]).rpartition("/")[2]
            if why := broken_event(values, name, protocol, frame.get("event"), frame.get("data")):
                yield violation(frame, why)


def masked(description: Description) -> Iterator[Violation]:
    """No example hides a part of an id behind asterisks."""
    owners: list[tuple[LocatedMapping, str]] = [(parameter, "example") for _, parameter in description.parameters]
    owners += [(media.body, "example") for media in description.media]
    owners += [(node.schema, "examples") for node in description.nodes]
    for owner, key in owners:
        for text in _texts(owner.get(key)):
            if _MASK.search(text):
                yield violation(owner, f"replace the asterisks in {text[:60]} by digits", key)


def _invalid(
    values: Values, place: tuple[str, ...], owner: LocatedMapping, key: str, value: Any
) -> Iterator[Violation]:
    for error in values.errors(place, value):
        where = f" at {'.'.join(map(str, error.path))}" if error.path else ""
        holder, inside = innermost(value, error.path, owner, key)
        yield violation(holder, f"correct the {key.removesuffix('s')}{where}: {error.message}", inside)


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, list | dict):
        for item in value.values() if isinstance(value, dict) else value:
            yield from _texts(item)


EXAMPLE_RULES: dict[str, Rule] = {
    "example": example,
    "example-valid": example_valid,
    "default-valid": default_valid,
    "from-string": from_string,
    "event-example": event_example,
    "masked": masked,
}
