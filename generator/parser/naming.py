"""Checks names of the client: each must be a valid Python name, and stand for one thing."""

from __future__ import annotations

import keyword
import re
from collections import Counter
from collections.abc import Iterator
from typing import Any, Literal

from .. import ir
from ..spec.bundler import Bundle
from ..spec.diagnostics import Diagnostic
from ..spec.yaml_loader import LocatedMapping

__all__ = ["name_collisions", "params_class", "resource_class", "invalid_name_reason"]

_SHAPES = {
    "member": (re.compile(r"[a-z][a-z0-9_]*", re.ASCII), "lower case, digits and _"),
    "class": (re.compile(r"[A-Z][A-Za-z0-9]*", re.ASCII), "PascalCase"),
    "constant": (re.compile(r"[A-Z][A-Z0-9_]*", re.ASCII), "upper case, digits and _"),
}
_MOST = 80
#: Members of the base class of the clients, which a tag of that name would hide.
_CLIENT = {"base_url", "close", "download", "handshake", "paginate", "redirect", "request", "stream"}
#: Names that generated class bodies use after their members, which would hide them.
_BUILTINS = {"bool", "bytes", "cached_property", "dict", "float", "int", "str"}
#: Names that the modules of models import.
_IMPORTED = {
    "Any", "AnyValue", "Bool", "Callable", "CallbackProtocol", "Callbacks", "EnumOf", "ClassVar", "FileValue", "Event",
    "Float", "Frame", "Int", "ListOf", "Literal", "Mapping", "TaggedMessages", "Model", "Object", "OpenInt", "OpenStr",
    "MapOf", "Protocol", "Self", "Signature", "SocketProtocol", "Text", "TypeAlias", "UnixTime", "UnixTimeMs",
    "Unknown", "Value",
}  # fmt: skip
_ARGUMENTS = {"extra_headers", "extra_query", "extra_body", "timeout"}


def invalid_name_reason(kind: Literal["member", "class", "constant"], name: object) -> str | None:
    """Return why a name cannot be used, or None if it can."""
    shape, words = _SHAPES[kind]
    if not isinstance(name, str) or not shape.fullmatch(name) or keyword.iskeyword(name) or len(name) > _MOST:
        return f"{name!r:.60} cannot be the name of a {kind}: {words}, at most {_MOST}, no word of Python's own"
    return None


def resource_class(resource: str) -> str:
    """Name the class of a resource."""
    return f"{_pascal(resource)}API"


def params_class(operation: ir.Operation) -> str:
    """Name the class of an operation's arguments."""
    return f"{_pascal(operation.id.partition('.')[2])}Params"


def _pascal(name: str) -> str:
    return "".join(word[:1].upper() + word[1:] for word in re.split(r"[._]", name))


def name_collisions(api: ir.Api, bundled: Bundle) -> Iterator[Diagnostic]:
    """Find names that stand for two things, and names that would hide what generated code needs."""
    raw = {operation_id: operation for operation_id, (_, _, operation) in bundled.operations().items()}
    components: Any = bundled.document["components"]
    yield from _method_clashes(api, raw)
    yield from _class_clashes(api, components)
    for operation in api.operations:
        for name in _repeated(operation.arguments):
            where = raw[operation.described_id]
            yield where.problem("name-clash", f"two arguments become {name}", "parameters")
        for field in operation.arguments:
            for name in sorted({field.name, field.formerly or ""} & _ARGUMENTS):
                message = f"argument {name} has a name that every method uses already"
                yield raw[operation.described_id].problem("name-clash", message)
    for model in api.models:
        for name in _repeated(model.fields):
            where = components["schemas"][model.name]
            yield where.problem("name-clash", f"two properties become {name}", "properties")


def _repeated(fields: tuple[ir.Field, ...]) -> list[str]:
    names = [name for field in fields for name in (field.name, field.formerly) if name]
    return sorted({name for name in names if names.count(name) > 1})


def _method_clashes(api: ir.Api, raw: dict[str, LocatedMapping]) -> Iterator[Diagnostic]:
    parts = [operation.resource.split(".") for operation in api.operations]
    resources = {".".join(part[:length]) for part in parts for length in range(1, len(part) + 1)}
    ids = Counter(operation.id for operation in api.operations)
    seen: dict[tuple[str, str], str] = {}
    for operation in api.operations:
        where = raw[operation.described_id]
        for key in ((operation.tag, operation.constant), (operation.tag, params_class(operation))):
            if (other := seen.setdefault(key, operation.id)) != operation.id:
                yield where.problem("name-clash", f"{operation.id} and {other} both become {key[1]}", "operationId")
        if ids[operation.id] > 1:
            yield where.problem("name-clash", f"two methods are called {operation.id}", "x-coze-stream")
        if operation.id in resources:
            yield where.problem("name-clash", f"{operation.id} is a method and holds other operations", "operationId")
        hidden = {operation.tag} & (_CLIENT | {"operations"}) or set(operation.id.split(".")[1:]) & _BUILTINS
        for name in sorted(hidden):
            yield where.problem("name-clash", f"{name} would hide a name that generated code needs", "operationId")
    owners: dict[tuple[str, str], str] = {}
    for resource in sorted(resources):
        key = (resource.partition(".")[0], resource_class(resource))
        if (other := owners.setdefault(key, resource)) != resource:
            where = next(
                raw[operation.described_id]
                for operation in api.operations
                if f"{operation.id}.".startswith(f"{resource}.")
            )
            yield where.problem("name-clash", f"{resource} and {other} both become {key[1]}", "operationId")


def _class_clashes(api: ir.Api, components: Any) -> Iterator[Diagnostic]:
    places: dict[str, tuple[LocatedMapping, str]] = {
        message["class"]: (message, "class")
        for socket in components.get("x-coze-websockets", {}).values()
        for side in ("uplink", "downlink")
        for message in socket[side]["messages"].values()
    }
    names = [*(model.name for model in api.models), *(enum.name for enum in api.enums)]
    described_by = {name: (schema, "description") for name, schema in components.get("schemas", {}).items()}
    classes: list[tuple[str, LocatedMapping, str]] = [(name, *(places | described_by)[name]) for name in names]
    for protocol in api.sockets:
        described = components["x-coze-websockets"][protocol.name]
        classes += [(protocol.name, described, "description")]
        classes += [(protocol.uplink.union, described["uplink"], "union")]
        classes += [(protocol.downlink.union, described["downlink"], "union")]
    for stream in api.streams:
        described = components["x-coze-streams"][stream.name]
        classes += [(stream.name, described, "description"), (stream.union, described, "event")]
        classes += [(f"Unknown{stream.union}", described, "event")]
        classes += [(event.name, described["events"][event.wire], "class") for event in stream.events]
    seen: dict[str, str] = {}
    for name, where, key in classes:
        if name in _IMPORTED:
            yield where.problem("name-clash", f"{name} would hide a name that generated code needs", key)
        if name.lower() in seen:
            other = seen[name.lower()]
            message = f"two classes are called {name}" if name == other else f"{name} and {other} differ in case only"
            yield where.problem("name-clash", message, key)
        seen[name.lower()] = name
