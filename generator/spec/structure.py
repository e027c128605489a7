"""Checks the JSON types of a description's values, on which all later steps rely."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

from .bundler import LITERALS, Bundle
from .diagnostics import Diagnostic
from .yaml_loader import LocatedMapping

__all__ = ["structure_errors"]

Check = Callable[[Any], bool]
_TYPES = {"array", "boolean", "integer", "null", "number", "object", "string"}
_MONTH = re.compile(r"20\d\d-(0[1-9]|1[0-2])\Z")
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


def _values(value: Any) -> bool:
    return isinstance(value, list) and bool(value)


def _texts(value: Any) -> bool:
    return isinstance(value, list) and all(map(_text, value))


def _some_texts(value: Any) -> bool:
    return _texts(value) and bool(value)


def _mappings(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(map(_mapping, value))


def _named_mappings(value: Any) -> bool:
    return isinstance(value, LocatedMapping) and all(map(_mapping, value.values()))


def _named_texts(value: Any) -> bool:
    return isinstance(value, LocatedMapping) and all(map(_text, value.values()))


def _types(value: Any) -> bool:
    names = [value] if isinstance(value, str) else value
    return _some_texts(names) and _TYPES.issuperset(names)


def _parameters(value: Any) -> bool:
    return value == [] or _mappings(value) or _named_mappings(value)  # the last under components


def _required(value: Any) -> bool:
    return isinstance(value, bool) or _some_texts(value)


def _number(value: Any) -> bool:
    return type(value) in {int, float}


def _month(value: Any) -> bool:
    return isinstance(value, str) and _MONTH.match(value) is not None


def _evidence(value: Any) -> bool:
    return (
        isinstance(value, LocatedMapping)
        and value.keys() == {"grade", "source", "date"}
        and value["grade"] in ("certain", "likely")
        and isinstance(value["source"], str)
        and _month(value["date"])
    )


def _reference(value: Any) -> bool:
    return isinstance(value, LocatedMapping) and isinstance(value.get("$ref"), str)


#: What the value of a key is, wherever the key stands, with the check and the keys.
_RULES: tuple[tuple[str, Check, str], ...] = (
    ("a text", _text, "$ref operationId summary description in name title version openapi format pattern propertyName"),
    (
        "a text",
        _text,
        "contentMediaType method flag event class ends meaning hint category member until union algorithm",
    ),
    ("a text", _text, "encoding challenge x-coze-permission x-coze-result x-coze-replaced-by x-coze-formerly"),
    ("an address that begins with https://, http:// or wss://", _address, "url termsOfService"),
    ("true or false", _flag, "deprecated x-coze-idempotent retryable fails ids explode uniqueItems"),
    ("a mapping", _mapping, "info externalDocs requestBody discriminator schema propertyNames contentSchema counter"),
    ("a mapping", _mapping, "signature uplink downlink x-coze-stream x-coze-websocket x-coze-callback x-coze-poll"),
    ("a mapping", _mapping, "x-coze-from-string"),
    ("a mapping of mappings", _named_mappings, "paths webhooks properties responses content headers events messages"),
    ("a mapping of mappings", _named_mappings, "schemas securitySchemes x-coze-streams x-coze-websockets"),
    ("a mapping of texts", _named_texts, "x-coze-pagination mapping header_names x-coze-enum-descriptions"),
    ("a $ref", _reference, "protocol data detail"),
    ("a list", _list, "tags"),
    ("a list with values", _values, "enum examples x-coze-known-values pending terminal failed"),
    ("a list of texts", _some_texts, "x-coze-notes x-coze-enum-names within input"),
    ("a list of mappings", _mappings, "x-coze-errors anyOf oneOf allOf"),
    ("a list of mappings", _parameters, "parameters"),
    ("true, false or a list of names", _required, "required"),
    ("a type of JSON Schema or a list of types", _types, "type"),
    ("a schema or, in x-coze keys, a text", lambda value: isinstance(value, LocatedMapping | str), "items"),
    ("a schema, true or false", lambda value: isinstance(value, LocatedMapping | bool), "additionalProperties"),
    (
        "a schema that is not a reference alone, which validators allow in contentSchema only",
        lambda value: isinstance(value, LocatedMapping) and "$ref" not in value,
        "x-coze-json-text",
    ),
    ("a number", _number, "minimum exclusiveMinimum maximum exclusiveMaximum multipleOf"),
    ("a whole number", lambda value: type(value) is int, "code"),
    (
        "a whole number that is not negative",
        lambda value: type(value) is int and value >= 0,
        "minLength maxLength minItems maxItems minProperties maxProperties",
    ),
    (
        "a whole number greater than 0",
        lambda value: type(value) is int and value > 0,
        "x-coze-max-bytes x-coze-max-body-bytes answer_within_seconds",
    ),
    ("{grade: certain or likely, source, date: 'YYYY-MM'}", _evidence, "x-coze-evidence"),
    ("a month: 'YYYY-MM'", _month, "x-coze-as-of"),
)
_SHAPES = {key: (words, check) for words, check, keys in _RULES for key in keys.split()}
_BY_NAME = {name for name, (_, check) in _SHAPES.items() if check in {_named_mappings, _named_texts}}
_NOT_WALKED = {*LITERALS, "securitySchemes"}  # whose `type` is no type of JSON


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
        elif by_name or key not in _NOT_WALKED:
            yield from _walk(item, by_name=not by_name and (key in _BY_NAME or key == "parameters"))
