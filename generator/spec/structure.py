"""Checks the JSON types of a description's values, on which all later steps rely."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

from .bundler import Bundle
from .diagnostics import Diagnostic
from .yaml_loader import LocatedMapping

__all__ = ["structure_errors"]

Check = Callable[[Any], bool]
_ADDRESS = re.compile(r"(https?|wss)://[^\s<>\"]+\Z")


def _text(value: Any) -> bool:
    return isinstance(value, str)


def _address(value: Any) -> bool:
    # Pages link to it: another scheme could run code.
    return isinstance(value, str) and _ADDRESS.match(value) is not None


def _flag(value: Any) -> bool:
    return isinstance(value, bool)


def _mapping(value: Any) -> bool:
    return isinstance(value, LocatedMapping)


def _list(value: Any) -> bool:
    return isinstance(value, list)


def _texts(value: Any) -> bool:
    return isinstance(value, list) and all(map(_text, value))


def _mappings(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(map(_mapping, value))


def _named_mappings(value: Any) -> bool:
    return isinstance(value, LocatedMapping) and all(map(_mapping, value.values()))


def _named_texts(value: Any) -> bool:
    return isinstance(value, LocatedMapping) and all(map(_text, value.values()))


def _types(value: Any) -> bool:
    return isinstance(value, str) or (_texts(value) and bool(value))


def _parameters(value: Any) -> bool:
    return value == [] or _mappings(value) or _named_mappings(value)  # the last under components


def _required(value: Any) -> bool:
    return isinstance(value, bool) or _texts(value)


def _number(value: Any) -> bool:
    return type(value) is int


def _reference(value: Any) -> bool:
    return isinstance(value, LocatedMapping) and isinstance(value.get("$ref"), str)


#: Shape of the value of a key, wherever the key stands.
_SHAPES: dict[str, tuple[str, Check]] = {
    **dict.fromkeys(
        (
            "$ref", "operationId", "summary", "description", "in", "name", "title", "version", "openapi", "format",
            "pattern", "contentMediaType", "propertyName", "method", "flag", "event", "class", "ends", "meaning",
            "hint", "category", "member", "until", "x-coze-permission", "x-coze-result", "union", "algorithm",
            "encoding", "challenge",
        ),
        ("a text", _text),
    ),
    **dict.fromkeys(("url", "termsOfService"), ("an address that begins with https://, http:// or wss://", _address)),
    **dict.fromkeys(
        ("deprecated", "x-coze-idempotent", "retryable", "fails", "ids", "explode"), ("true or false", _flag)
    ),
    **dict.fromkeys(
        (
            "info", "externalDocs", "requestBody", "discriminator", "schema", "counter", "signature", "uplink",
            "downlink", "x-coze-stream", "x-coze-websocket", "x-coze-callback", "x-coze-poll", "x-coze-from-string",
        ),
        ("a mapping", _mapping),
    ),
    **dict.fromkeys(
        ("x-coze-pagination", "mapping", "header_names", "x-coze-enum-descriptions"),
        ("a mapping of texts", _named_texts),
    ),
    **dict.fromkeys(("protocol", "data", "detail"), ("a $ref", _reference)),
    "type": ("a text or a list of texts", _types),
    "parameters": ("a list of mappings", _parameters),
    "required": ("true, false or a list of texts", _required),
    "code": ("a whole number", _number),
    **dict.fromkeys(
        ("x-coze-known-values", "examples", "enum", "tags", "pending", "terminal", "failed"), ("a list", _list)
    ),
    **dict.fromkeys(("x-coze-notes", "x-coze-enum-names", "within", "input"), ("a list of texts", _texts)),
    **dict.fromkeys(("x-coze-errors", "anyOf", "oneOf", "allOf"), ("a list of mappings", _mappings)),
    **dict.fromkeys(
        (
            "paths", "properties", "responses", "content", "headers", "events", "messages", "schemas", "x-coze-streams",
            "x-coze-websockets", "securitySchemes", "webhooks",
        ),
        ("a mapping of mappings", _named_mappings),
    ),
}  # fmt: skip
_BY_NAME = {name for name, (_, check) in _SHAPES.items() if check in {_named_mappings, _named_texts}}
_LITERALS = {"const", "default", "enum", "example", "examples", "x-coze-from-string", "x-coze-known-values"}


def structure_errors(bundled: Bundle) -> list[Diagnostic]:
    """Report keys whose values have the wrong JSON type."""
    document = bundled.document
    problems = [document.problem("shape", f"{key} is missing") for key in ("info", "paths") if key not in document]
    if not isinstance(document.get("components"), LocatedMapping):
        problems.append(document.problem("shape", "components must be a mapping", "components"))
    return [*problems, *_walk(document)] or list(_operations(document["paths"]))


def _operations(paths: LocatedMapping) -> Iterator[Diagnostic]:
    for item in paths.values():
        for method, operation in item.items():
            if not isinstance(operation, LocatedMapping):
                yield item.problem("shape", f"{method} must be a mapping", method)
            elif "operationId" not in operation:
                yield operation.problem("shape", "operationId is missing")
            elif isinstance(operation.get("parameters"), LocatedMapping):
                yield operation.problem("shape", "parameters must be a list of mappings", "parameters")


def _walk(value: Any, *, by_name: bool = False) -> Iterator[Diagnostic]:
    """Look at the keys of *value*, which are names of the author's own if *by_name*, and at what is below."""
    if isinstance(value, list):
        for item in value:
            yield from _walk(item)
    if not isinstance(value, LocatedMapping):
        return
    for key, item in value.items():
        words, fits = ("", None) if by_name else _SHAPES.get(key, ("", None))
        if fits is _named_mappings and isinstance(item, LocatedMapping) and not fits(item):
            wrong = (name for name, member in item.items() if not isinstance(member, LocatedMapping))
            yield from (item.problem("shape", f"{name} must be a mapping", name) for name in wrong)
        elif fits is not None and not fits(item):
            yield value.problem("shape", f"{key} must be {words}", key)
        elif by_name or key not in _LITERALS:
            yield from _walk(item, by_name=not by_name and (key in _BY_NAME or key == "parameters"))
