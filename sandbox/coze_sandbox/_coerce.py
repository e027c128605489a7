"""From what clients send to what the description means."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

from ._document import Description

__all__ = ["from_part", "from_texts", "types_of", "without_nulls"]

_INTEGER = re.compile(r"-?[0-9]{1,60}\Z")
_NUMBER = re.compile(r"-?[0-9]{1,30}(\.[0-9]{1,30})?([eE][-+]?[0-9]{1,3})?\Z")


def types_of(schema: Mapping[str, Any]) -> frozenset[str]:
    """Return the JSON types that a schema allows; none where it does not say."""
    declared = schema.get("type", ())
    return frozenset([declared] if isinstance(declared, str) else declared)


def from_texts(texts: Sequence[str], schema: Mapping[str, Any], description: Description) -> Any:
    """Convert the values of one query, path or header parameter to the declared type.

    Arrays may be repeated (`a=1&a=2`) or joined by commas (`a=1,2`); an empty one is blank (`a=`).

    Args:
        texts: The values as sent, at least one.
        schema: The parameter's schema.
        description: Where to look up references.

    Returns:
        The value. What cannot be converted stays a text, for the validator to refuse.
    """
    if "array" in types_of(schema):
        items, _ = description.follow(schema.get("items", {}), "")
        joined = texts[0].split(",") if texts[0] else []
        parts = texts if len(texts) > 1 else joined
        return [_from_text(part, items) for part in parts]
    return _from_text(texts[-1], schema)


def from_part(text: str, schema: Mapping[str, Any]) -> Any:
    """Convert one field of a multipart body; objects and arrays come as JSON text."""
    if types_of(schema) & {"object", "array"}:
        try:
            return json.loads(text)
        except (ValueError, RecursionError):
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


def without_nulls(value: Any, schema: Mapping[str, Any], description: Description) -> Any:
    """Drop members that are null where the description has them optional and never null.

    The official Python SDK sends every argument that was not given as null, and Coze takes it.

    Args:
        value: The body or a part of it.
        schema: Its schema.
        description: Where to look up references.

    Returns:
        A copy without those members.
    """
    schema, _ = description.follow(schema, "")
    if isinstance(value, list):
        items = schema.get("items", {})
        return [without_nulls(item, items, description) for item in value]
    if not isinstance(value, dict):
        return value
    properties = schema.get("properties", {})
    others = schema.get("additionalProperties")
    required = schema.get("required", ())
    result = {}
    for name, member in value.items():
        fallback = others if isinstance(others, Mapping) else {}
        member_schema = properties.get(name, fallback)
        optional = name in properties and name not in required
        if member is None and optional and not _nullable(member_schema, description):
            continue
        result[name] = without_nulls(member, member_schema, description)
    return result


def _nullable(schema: Mapping[str, Any], description: Description) -> bool:
    schema, _ = description.follow(schema, "")
    choices = [*schema.get("anyOf", ()), *schema.get("oneOf", ())]
    return "null" in types_of(schema) or any(_nullable(choice, description) for choice in choices)
