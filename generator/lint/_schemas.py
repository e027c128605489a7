"""Rules for schemas: their keys, descriptions and examples, and what must have a name."""

from __future__ import annotations

from collections.abc import Iterator

from ..spec.yaml_loader import LocatedMapping
from ._context import Description, Rule, Violation, mapping, strings, violation

__all__ = ["SCHEMA_RULES"]

_NAMED = {"component", "property"}
_SCALARS = {"string", "integer", "number"}


def described(description: Description) -> Iterator[Violation]:
    """Every named schema and every property has a description."""
    for node in description.nodes:
        parts = (node.schema, description.resolve(node.schema))
        if node.role in _NAMED and not any(part.get("description") for part in parts):
            yield violation(node.schema, f"describe {node.name}")


def leaf_example(description: Description) -> Iterator[Violation]:
    """A property or named schema that holds scalars shows a value."""
    for node in description.nodes:
        if node.role not in _NAMED or _shown(description, node.schema):
            continue
        target = description.resolve(node.schema)
        if _is_scalar(target):
            yield violation(node.schema, f"give {node.name} examples")
        items = description.resolve(target.get("items"))
        if target.get("type") == "array" and _is_scalar(items) and not _shown(description, items):
            yield violation(node.schema, f"give {node.name} or its items examples")


def inline_object(description: Description) -> Iterator[Violation]:
    """Objects have names. Maps need none."""
    for node in description.nodes:
        if node.role != "component" and "properties" in node.schema:
            yield violation(
                node.schema,
                f"move the object {node.name} to schemas.yaml under a name, and refer to it",
            )


def inline_enum(description: Description) -> Iterator[Violation]:
    """Enums have names. A single value is a `const`."""
    for node in description.nodes:
        if node.role != "component" and "enum" in node.schema:
            remedy = "to schemas.yaml under a name, or write a single value as const"
            yield violation(node.schema, f"move the enum {node.name} {remedy}", "enum")


def title(description: Description) -> Iterator[Violation]:
    """No schema has a title: the generator would make it the class name."""
    for node in description.nodes:
        if "title" in node.schema:
            yield violation(node.schema, "remove title; the schema is called by its key", "title")


def nullable(description: Description) -> Iterator[Violation]:
    """No schema uses `nullable`, which OpenAPI 3.1 ignores."""
    for node in description.nodes:
        if "nullable" in node.schema:
            yield violation(node.schema, "write type: [..., 'null'] instead of nullable", "nullable")


def required_member(description: Description) -> Iterator[Violation]:
    """Every required member is a property."""
    for node in description.nodes:
        for name in strings(node.schema.get("required")):
            if name not in mapping(node.schema.get("properties")):
                yield violation(node.schema, f"add the property {name}, or take it out of required", "required")


def enum_unique(description: Description) -> Iterator[Violation]:
    """No enum lists a value twice."""
    for node in description.nodes:
        values = node.schema.get("enum")
        written = [repr(value) for value in values] if isinstance(values, list) else []
        for value in sorted({value for value in written if written.count(value) > 1}):
            yield violation(node.schema, f"list {value} once", "enum")


def _is_scalar(schema: LocatedMapping) -> bool:
    types = schema.get("type")
    named = {types} if isinstance(types, str) else set(strings(types))
    return bool(named & _SCALARS) and not named - _SCALARS - {"boolean", "null"}


def _shown(description: Description, schema: LocatedMapping) -> bool:
    """Return whether a schema or what it refers to has an example, or needs none."""
    target = description.resolve(schema)
    if target.get("format") == "binary":
        return True
    return any(key in part for part in (schema, target) for key in ("examples", "enum", "const"))


SCHEMA_RULES: dict[str, Rule] = {
    "described": described,
    "leaf-example": leaf_example,
    "inline-object": inline_object,
    "inline-enum": inline_enum,
    "title": title,
    "nullable": nullable,
    "required-member": required_member,
    "enum-unique": enum_unique,
}
