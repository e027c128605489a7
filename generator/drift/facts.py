"""What a source states about operations, in a form in which sources can be compared."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

import attrs

from ..spec.bundler import Bundle

__all__ = ["Address", "Operation", "address_of", "described_operations", "members_of", "resolved"]

_PARAMETER = re.compile(r"\{[^{}/]*\}|(?<=/):\w+")
# What every response has, and what every request sends.
_HEADERS = {"authorization", "content-type"}

Address = tuple[str, str]
"""Method in upper case and path, with `{}` for each parameter: sources call parameters by other names."""


@attrs.frozen
class Operation:
    """What one source states about one operation.

    Attributes:
        name: Operation id in the description; elsewhere what the source calls it.
        address: Method and path.
        members: What can be sent and received, as `request.name` and `response.data.items[].id`; the values that are
            listed for it, if any are.
        opaque: Members whose inner members the source does not state.
        elsewhere: Members that other sources than the official documentation show, by `x-coze-evidence`.
        types: The JSON types of members of the response; `any` where everything is allowed. Empty where not stated.
        required: Members of the response that are there wherever the object is that they are members of.
        objects: Objects that were seen in responses, with the names of the members that were in each of them.
        complete: Which sides (`request`, `response`) the source states as a whole: what it lacks is not there.
        place: Where in the source it stands.
    """

    name: str
    address: Address
    members: Mapping[str, frozenset[Any]]
    opaque: frozenset[str] = frozenset()
    elsewhere: frozenset[str] = frozenset()
    types: Mapping[str, frozenset[str]] = attrs.field(factory=dict)
    required: frozenset[str] = frozenset()
    objects: Mapping[str, frozenset[str]] = attrs.field(factory=dict)
    complete: frozenset[str] = frozenset({"request", "response"})
    place: str = ""

    def is_open(self, member: str) -> bool:
        """Return whether the source states nothing about what lies inside of a part of *member*."""
        return any(member.startswith((f"{parent}.", f"{parent}[")) for parent in self.opaque)


def address_of(method: str, path: str) -> Address:
    """Return the address of an operation, with the names of path parameters taken out."""
    return method.upper(), _PARAMETER.sub("{}", path).rstrip("/")


def described_operations(bundled: Bundle) -> dict[str, Operation]:
    """Map each operation id of the description to what it states."""
    operations = bundled.operations()
    return {
        name: _with_shapes(from_openapi(name, path, method, operation, bundled.document, ""), operation, bundled)
        for name, (path, method, operation) in operations.items()
    }


def _with_shapes(stated: Operation, operation: Mapping[str, Any], bundled: Bundle) -> Operation:
    """Add what only responses are compared with: types, required members, and the codes of errors."""
    document = bundled.document
    types: dict[str, frozenset[str]] = {}
    required: set[str] = set()
    response = resolved(operation.get("responses", {}).get("200", {}), document)
    for media_type, content in response.get("content", {}).items():
        if media_type == "application/json":
            _shapes(content.get("schema", {}), document, "response", types, required)
    members = dict(stated.members)
    if "response.code" in members:
        codes = (str(entry["code"]) for entry in document["components"].get("x-coze-errors", ()))
        members["response.code"] = frozenset({"0", *codes})
    return attrs.evolve(stated, members=members, types=types, required=frozenset(required))


def _shapes(
    schema: Mapping[str, Any],
    document: Mapping[str, Any],
    prefix: str,
    types: dict[str, frozenset[str]],
    required: set[str],
    seen: tuple[str, ...] = (),
) -> None:
    """Collect the JSON types of all members below a schema, and the members that objects must have."""
    parts = [(part, path) for part, path in _parts(schema, document, seen) if not path or path[-1] not in path[:-1]]
    is_one_object = sum("properties" in part for part, _ in parts) == 1  # variants have other members each
    for part, path in parts:
        kinds = part.get("type", ())
        if not kinds and not part.keys() & {"$ref", "allOf", "anyOf", "oneOf"}:
            kinds = "any"
        types[prefix] = (
            types.get(prefix, frozenset()) | {kinds}
            if isinstance(kinds, str)
            else frozenset({*types.get(prefix, ()), *kinds})
        )
        if is_one_object:
            required.update(f"{prefix}.{name}" for name in part.get("required", ()))
        for name, inner in part.get("properties", {}).items():
            _shapes(inner, document, f"{prefix}.{name}", types, required, path)
        if isinstance(part.get("items"), Mapping):
            _shapes(part["items"], document, f"{prefix}[]", types, required, path)
    if len(parts) == 0:
        types[prefix] = frozenset({"any"})


def from_openapi(
    name: str, path: str, method: str, operation: Mapping[str, Any], document: Mapping[str, Any], place: str
) -> Operation:
    """Return what an operation of an OpenAPI document states."""
    members: dict[str, frozenset[Any]] = {}
    opaque: set[str] = set()
    elsewhere: set[str] = set()
    for parameter in operation.get("parameters", ()):
        if parameter["in"] != "header" or parameter["name"].lower() not in _HEADERS:
            member = f"request.{parameter['name']}"
            inner = members_of(parameter.get("schema", {}), document, member, opaque, elsewhere)
            members |= {member: frozenset(), **inner}
            if "x-coze-evidence" in parameter:
                elsewhere.add(member)
    sides = {"request": operation.get("requestBody", {}), "response": operation.get("responses", {}).get("200", {})}
    for side, part in sides.items():
        for media_type, content in resolved(part, document).get("content", {}).items():
            if media_type == "text/event-stream":
                opaque.add(side)  # what lies in events is not a member of the response
            else:
                members |= members_of(content.get("schema", {}), document, side, opaque, elsewhere)
    # A page whose tables could not be read has no member at all: this does not mean that there is none.
    complete = frozenset(side for side in sides if any(member.startswith(f"{side}.") for member in members))
    return Operation(
        name,
        address_of(method, path),
        members,
        frozenset(opaque),
        frozenset(elsewhere),
        complete=complete,
        place=place,
    )


def members_of(
    schema: Mapping[str, Any],
    document: Mapping[str, Any],
    prefix: str,
    opaque: set[str],
    elsewhere: set[str],
    seen: tuple[str, ...] = (),
) -> dict[str, frozenset[Any]]:
    """Return all members below a schema, each with the values that are listed for it.

    Args:
        schema: The schema, which may be a reference.
        document: The document that holds what it refers to.
        prefix: What the members' names begin with.
        opaque: Filled with the members that may hold anything.
        elsewhere: Filled with the members that have `x-coze-evidence`.
        seen: The references that lead here: a schema that holds itself is described once.
    """
    members: dict[str, frozenset[Any]] = {}
    found_inner = False
    values: list[Any] = []
    for part, path in _parts(schema, document, seen):
        if path and path[-1] in path[:-1]:
            opaque.add(prefix)
            continue
        values += [str(value) for value in (*part.get("enum", ()), *([part["const"]] if "const" in part else ()))]
        for name, inner in part.get("properties", {}).items():
            found_inner = True
            members.setdefault(f"{prefix}.{name}", frozenset())
            if "x-coze-evidence" in inner:
                elsewhere.add(f"{prefix}.{name}")
            for key, listed in members_of(inner, document, f"{prefix}.{name}", opaque, elsewhere, path).items():
                members[key] = members.get(key, frozenset()) | listed
        if isinstance(part.get("items"), Mapping):
            found_inner = True
            members |= members_of(part["items"], document, f"{prefix}[]", opaque, elsewhere, path)
    if values:
        members[prefix] = frozenset(values)
    if not found_inner:
        opaque.add(prefix)
    return members


def _parts(
    schema: Mapping[str, Any], document: Mapping[str, Any], path: tuple[str, ...]
) -> Iterable[tuple[Mapping[str, Any], tuple[str, ...]]]:
    """Yield a schema and all that it is made of, each with the references that lead to it."""
    yield schema, path
    reference = schema.get("$ref")
    if isinstance(reference, str):
        if reference in path:
            yield {}, (*path, reference)
        else:
            yield from _parts(resolved(schema, document), document, (*path, reference))
    for key in ("anyOf", "oneOf", "allOf"):
        for variant in schema.get(key, ()):
            yield from _parts(variant, document, path)
    for key in ("contentSchema", "x-coze-json-text"):
        if isinstance(schema.get(key), Mapping):
            yield from _parts(schema[key], document, path)


def resolved(value: Mapping[str, Any], document: Mapping[str, Any]) -> Mapping[str, Any]:
    """Follow the reference of a value, if it has one."""
    reference = value.get("$ref")
    if not isinstance(reference, str):
        return value
    target: Any = document
    for segment in reference.removeprefix("#/").split("/"):
        target = target.get(segment, {}) if isinstance(target, Mapping) else {}
    return target if isinstance(target, Mapping) else {}
