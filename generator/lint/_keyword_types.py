"""The rule that the value of every schema keyword has the right type, where `spec.structure` does not check it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from ..spec.yaml_loader import LocatedMapping
from ._context import Description, Rule, Violation, violation

__all__ = ["SHAPE_RULES"]

_TYPES = {"array", "boolean", "integer", "null", "number", "object", "string"}


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


def _is_count(value: Any) -> bool:
    return type(value) is int and value >= 0


def _is_number(value: Any) -> bool:
    return type(value) in {int, float}


def _is_schema(value: Any) -> bool:
    return isinstance(value, LocatedMapping)


def _is_list(value: Any) -> bool:
    return isinstance(value, list) and bool(value)


def _are_types(value: Any) -> bool:
    names = value if isinstance(value, list) else [value]
    return bool(names) and all(isinstance(name, str) and name in _TYPES for name in names)


_SHAPES: dict[str, tuple[str, Callable[[Any], bool]]] = {
    "type": ("a type or a list of types", _are_types),
    "required": (
        "a list of names",
        lambda value: _is_list(value) and all(map(_is_text, value)),
    ),
    "additionalProperties": (
        "a schema, true or false",
        lambda value: isinstance(value, LocatedMapping | bool),
    ),
    "uniqueItems": ("true or false", lambda value: isinstance(value, bool)),
    **dict.fromkeys(("enum", "examples"), ("a list with values", _is_list)),
    **dict.fromkeys(("items", "propertyNames", "contentSchema"), ("an object", _is_schema)),
    **dict.fromkeys(
        ("minLength", "maxLength", "minItems", "maxItems", "minProperties", "maxProperties"),
        ("a whole number", _is_count),
    ),
    **dict.fromkeys(
        ("minimum", "exclusiveMinimum", "maximum", "exclusiveMaximum", "multipleOf"),
        ("a number", _is_number),
    ),
}


def schema_shape(description: Description) -> Iterator[Violation]:
    """Every schema keyword has a value of the type that JSON Schema requires."""
    for node in description.nodes:
        for key, value in node.schema.items():
            shape, fits = _SHAPES.get(key, ("", _is_text))
            if shape and not fits(value):
                yield violation(node.schema, f"make {key} {shape}", key)


SHAPE_RULES: dict[str, Rule] = {"schema-shape": schema_shape}
