"""Finding a member of a request or response by name."""

from __future__ import annotations

from collections.abc import Iterator

from ..spec.yaml_loader import LocatedMapping
from ._context import Description, Operation, mapping

__all__ = ["answer_member", "body_member", "member", "request_member", "result"]


def member(description: Description, schema: LocatedMapping, path: str) -> LocatedMapping | None:
    """Follow a dotted path through properties, `$ref`s and variants.

    Returns:
        The property's schema as it is written, or None if there is no such member.
    """
    current: LocatedMapping | None = schema
    for name in path.split("."):
        if current is None:
            return None
        current = next(
            (properties[name] for properties in _properties(description, current) if name in properties),
            None,
        )
        current = current if isinstance(current, LocatedMapping) else None
    return current


def answer_member(description: Description, operation: Operation, path: str) -> LocatedMapping | None:
    """Find a member of the JSON response."""
    return member(description, description.answer(operation), path)


def body_member(description: Description, operation: Operation, name: str) -> LocatedMapping | None:
    """Find a field of the request body."""
    return member(description, description.request(operation), name)


def request_member(description: Description, operation: Operation, name: str) -> LocatedMapping | None:
    """Find a parameter or, failing that, a field of the request body."""
    for parameter in description.parameters_of(operation):
        if parameter.get("name") == name:
            return mapping(parameter.get("schema"))
    return body_member(description, operation, name)


def result(description: Description, operation: Operation) -> LocatedMapping:
    """Return the schema of what the method returns; an empty one if it returns nothing."""
    name = operation.body.get("x-coze-result", "data")
    if name == ".":
        return description.answer(operation)
    return answer_member(description, operation, str(name)) or mapping(None)


def _properties(description: Description, schema: LocatedMapping) -> Iterator[LocatedMapping]:
    target = description.resolve(schema)
    yield mapping(target.get("properties"))
    for key in ("anyOf", "oneOf", "allOf"):
        variants = target.get(key)
        for variant in variants if isinstance(variants, list) else []:
            yield from _properties(description, mapping(variant))
