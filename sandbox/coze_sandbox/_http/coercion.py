"""Conversion of request values to the types of the spec."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import attrs

from .._common.errors import CallError
from .._common.json_body import parse_json
from .._spec.spec import Spec

__all__ = ["Leniency", "from_part", "from_texts", "types_of"]

_INTEGER = re.compile(r"-?[0-9]{1,60}\Z")
_ID_PATH = re.compile(r"_ids?(\.[0-9]+)?\Z")
_NUMBER = re.compile(r"-?[0-9]{1,30}(\.[0-9]{1,30})?([eE][-+]?[0-9]{1,3})?\Z")


def types_of(schema: Mapping[str, Any]) -> frozenset[str]:
    """Return the JSON types that a schema allows; empty if it has no `type`."""
    declared = schema.get("type", ())
    return frozenset([declared] if isinstance(declared, str) else declared)


def from_texts(texts: Sequence[str], schema: Mapping[str, Any], spec: Spec) -> Any:
    """Convert the values of one query, path or header parameter to the declared type.

    Arrays may be repeated (`a=1&a=2`) or joined by commas (`a=1,2`); an empty one is `a=`.

    Args:
        texts: The values as sent, at least one.
        schema: The parameter's schema.
        spec: The spec, to resolve references.

    Returns:
        The value. What cannot be converted stays a string, which validation then rejects.
    """
    if "array" in types_of(schema):
        items, _ = spec.follow(schema.get("items", {}), "")
        joined = texts[0].split(",") if texts[0] else []
        parts = texts if len(texts) > 1 else joined
        return [_from_text(part, items) for part in parts]
    return _from_text(texts[-1], schema)


def from_part(text: str, schema: Mapping[str, Any]) -> Any:
    """Convert one field of a multipart body; objects and arrays are JSON text."""
    if types_of(schema) & {"object", "array"}:
        try:
            return parse_json(text, "part")
        except CallError:
            return text
    return _from_text(text, schema)


def _from_text(text: str, schema: Mapping[str, Any]) -> Any:
    types = types_of(schema)
    if "integer" in types and _INTEGER.match(text):
        return int(text)
    if "number" in types and _NUMBER.match(text):
        return float(text)
    if "boolean" in types and text.lower() in {"true", "false"}:
        return text.lower() == "true"
    return text


@attrs.frozen
class Leniency:
    """Converts values that clients send in another way than described, and records each.

    Args:
        spec: The spec, to resolve references.
        nulls: Whether to drop null for optional members that are not nullable. The official Python SDK sends null for
            every omitted argument, and Coze accepts it.
        numeric_ids: Whether to accept numbers for ids that are strings. Coze accepts both in operations with the header
            `Agw-Js-Conv`, and the official Go SDK sends numbers.
    """

    spec: Spec
    nulls: bool
    numeric_ids: bool = False

    def read(self, value: Any, schema: Mapping[str, Any], path: str, note: Callable[[str], None]) -> Any:
        """Return a copy of a value that conforms to the spec.

        Args:
            value: The body or a part of it.
            schema: Its schema.
            path: Its name in the notes.
            note: Called with a note for every value that is not as described but accepted. Unknown members are noted
                and kept.

        Returns:
            A copy.
        """
        schema, _ = self.spec.follow(schema, "")
        if isinstance(value, list) and "items" in schema:
            return [self.read(item, schema["items"], f"{path}.{number}", note) for number, item in enumerate(value)]
        if isinstance(value, dict):
            return self._members(value, schema, path, note)
        if self.numeric_ids and type(value) is int and _ID_PATH.search(path) and types_of(schema) == {"string"}:
            note(f"{path}: a number, accepted as a string")
            return str(value)
        return value

    def _members(
        self, value: dict[str, Any], schema: Mapping[str, Any], path: str, note: Callable[[str], None]
    ) -> dict[str, Any]:
        properties, others = schema.get("properties", {}), schema.get("additionalProperties")
        result = {}
        for name, member in value.items():
            here = f"{path}.{name}"
            if name in properties:
                described = properties[name]
                if self.nulls and member is None and self._is_never_null(name, schema):
                    note(f"{here}: null")
                    continue
                result[name] = self.read(member, described, here, note)
            elif isinstance(others, Mapping):
                result[name] = self.read(member, others, here, note)
            else:
                result[name] = member
                if properties and not others:
                    note(f"{here}: not described")
        return result

    def _is_never_null(self, name: str, schema: Mapping[str, Any]) -> bool:
        optional = name not in schema.get("required", ())
        return optional and not _nullable(schema["properties"][name], self.spec)


def _nullable(schema: Mapping[str, Any], spec: Spec) -> bool:
    schema, _ = spec.follow(schema, "")
    choices = [*schema.get("anyOf", ()), *schema.get("oneOf", ())]
    return "null" in types_of(schema) or any(_nullable(choice, spec) for choice in choices)
