"""Making values of schemas in which every property is filled."""

from __future__ import annotations

from functools import cache
from typing import Any

import jsonschema_rs

from tests.contract._calls import document, resolve

__all__ = ["LATER", "extended", "filled", "violations"]

LATER = "member_of_tomorrow"

_URN = "urn:coze"


def filled(schema: dict[str, Any]) -> Any:
    """Make a value in which every described property is there, from what the description gives as examples.

    A list of variants holds one item of each variant; elsewhere the first variant is taken that is not null.
    Properties that would contain their own kind again are left out below the first.
    """
    return _filled(schema, ())


def extended(value: Any) -> Any:
    """Add a member to every object, as a server does that is ahead of the description."""
    if isinstance(value, list):
        return [extended(item) for item in value]
    if isinstance(value, dict):
        return {**{key: extended(item) for key, item in value.items()}, LATER: "x"}
    return value


def _filled(schema: dict[str, Any], around: tuple[str, ...]) -> Any:
    if "examples" in schema and not _has_members(schema):
        return schema["examples"][0]
    if "const" in schema:
        return schema["const"]
    if "enum" in schema:
        return next(value for value in schema["enum"] if value not in {"", None})
    if "$ref" in schema:
        return _filled(resolve(schema), (*around, schema["$ref"]))
    variants = [variant for variant in schema.get("anyOf", schema.get("oneOf", ())) if variant.get("type") != "null"]
    if variants:
        return _filled(variants[0], around)
    return _of_type(schema, around)


def _has_members(schema: dict[str, Any]) -> bool:
    """Return whether a schema is of objects, or lists of them: their examples need not have all members."""
    schema = resolve(schema)
    return "properties" in schema or ("items" in schema and _has_members(schema["items"]))


def _of_type(schema: dict[str, Any], around: tuple[str, ...]) -> Any:
    types = schema.get("type", "object" if "properties" in schema else "string")
    kind = next(name for name in ([types] if isinstance(types, str) else types) if name != "null")
    if kind == "object":
        members = schema.get("properties", {})
        members_filled = {name: _filled(part, around) for name, part in members.items() if not _is_around(part, around)}
        more = schema.get("additionalProperties")
        if isinstance(more, dict) and not _is_around(more, around):
            members_filled["key"] = _filled(more, around)
        return members_filled
    if kind == "array":
        items = schema["items"]
        variants = resolve(items).get("oneOf", resolve(items).get("anyOf", [items]))
        return [_filled(variant, around) for variant in variants if not _is_around(variant, around)]
    scalars: dict[str, Any] = {"boolean": True, "integer": max(schema.get("minimum", 1), 1), "number": 0.5}
    return scalars.get(kind, "text")


def _is_around(schema: dict[str, Any], around: tuple[str, ...]) -> bool:
    inner = [schema, schema.get("items", {}), schema.get("additionalProperties", {}), *schema.get("anyOf", ())]
    return any(isinstance(member, dict) and member.get("$ref") in around for member in inner)


def violations(schema: dict[str, Any], value: Any) -> list[str]:
    """Return what the description has against a value."""
    reference = schema if "$ref" in schema else {"$ref": _pointer_to(schema)}
    validator = _validator(reference["$ref"])
    return [f"{error.instance_path}: {error.message}" for error in validator.iter_errors(value)]


@cache
def _validator(reference: str) -> Any:
    registry = jsonschema_rs.Registry([(_URN, document())], draft=jsonschema_rs.Draft202012)
    pointer = reference.replace("{", "%7B").replace("}", "%7D")
    return jsonschema_rs.Draft202012Validator({"$ref": f"{_URN}{pointer}"}, registry=registry)


def _pointer_to(schema: dict[str, Any]) -> str:
    """Find where a schema stands that is not a reference."""
    pointer = _pointers().get(id(schema))
    if pointer is None:
        raise LookupError("the schema is not of the description")
    return pointer


@cache
def _pointers() -> dict[int, str]:
    """Return where each object of the description stands."""
    pointers: dict[int, str] = {}
    waiting: list[tuple[str, Any]] = [("#", document())]
    while waiting:
        pointer, value = waiting.pop()
        if isinstance(value, dict):
            pointers[id(value)] = pointer
            waiting += [
                (f"{pointer}/{key.replace('~', '~0').replace('/', '~1')}", member) for key, member in value.items()
            ]
        elif isinstance(value, list):
            waiting += [(f"{pointer}/{number}", item) for number, item in enumerate(value)]
    return pointers
