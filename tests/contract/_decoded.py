"""Checks of decoded values: whether they have the types that the client declares."""

from __future__ import annotations

import keyword
import re
from collections.abc import Iterator
from enum import Enum
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

import attrs

from coze_api import Model, Unknown
from coze_api._core._model import encode
from coze_api._core._pagination import Page
from coze_api._core._pagination_async import AsyncPage

__all__ = ["differing", "leaked", "misread", "models_in", "set_aside"]


def misread(value: Any, where: str = "result") -> Iterator[str]:
    """Return all places of a result that were not decoded to their declared types.

    That is where a described member landed in `extra_fields`, where it is not of the attribute's type, and where
    an object of unknown kind stands. Null is kept aside by design.
    """
    if isinstance(value, Page | AsyncPage):
        yield from misread(value.answer, where)
    elif isinstance(value, Unknown):
        yield f"{where} is an object of unknown kind: {value.tag!r}"
    elif isinstance(value, Model):
        yield from leaked(value, where)
        for name, hint in _types(type(value)).items():
            item = getattr(value, name)
            if item is not None and not _fits(item, hint):
                yield f"{where}.{name} is {item!r:.60}, no {hint}"
            yield from misread(item, f"{where}.{name}")
    elif isinstance(value, list):
        for number, item in enumerate(value):
            yield from misread(item, f"{where}[{number}]")
    elif isinstance(value, dict):
        for name, item in value.items():
            yield from misread(item, f"{where}.{name}")
    elif attrs.has(type(value)):  # an event
        hint = get_type_hints(type(value)).get("data", Any)
        if not _fits(value.data, hint):
            yield f"{where}.data is {value.data!r:.60}, no {hint}"
        yield from misread(value.data, f"{where}.data")


def leaked(value: Model, where: str = "result") -> Iterator[str]:
    """Return the described members of an object that landed among those that are not known."""
    aside = {key for key, item in value.extra_fields.items() if item is not None}
    for name in sorted(aside & {value._renamed.get(name, name) for name in _types(type(value))}):
        yield f"{where}.{name} is described but was not decoded"


def models_in(value: Any) -> Iterator[Model]:
    """List all objects of a result that have a class."""
    if isinstance(value, Page | AsyncPage):
        yield from models_in(value.answer)
    elif isinstance(value, Model):
        yield value
        for name in _types(type(value)):
            yield from models_in(getattr(value, name))
    elif isinstance(value, list | dict):
        for item in value.values() if isinstance(value, dict) else value:
            yield from models_in(item)


def set_aside(value: Any) -> Iterator[str]:
    """Return the names of all members of a result that no attribute keeps."""
    if isinstance(value, Page | AsyncPage):
        yield from set_aside(value.answer)
    elif isinstance(value, Model):
        yield from value.extra_fields
        for name in _types(type(value)):
            yield from set_aside(getattr(value, name))
    elif isinstance(value, list | dict):
        for item in value.values() if isinstance(value, dict) else value:
            yield from set_aside(item)


_TYPES: dict[type[Model], dict[str, Any]] = {}


def _types(cls: type[Model]) -> dict[str, Any]:
    if cls not in _TYPES:
        hints = get_type_hints(cls, localns={"Response": Any, "Value": Any})  # the base's, for type checkers alone
        names = (field.name for field in attrs.fields(cls) if not field.name.startswith("_"))
        _TYPES[cls] = {name: hints[name] for name in names}
    return _TYPES[cls]


def _fits(value: Any, hint: Any) -> bool:
    origin, inner = get_origin(hint), get_args(hint)
    if hint is Any:
        return True
    if origin in {Union, UnionType}:
        return any(_fits(value, option) for option in inner)
    if origin is Literal:
        return value in inner
    if origin is list:
        return isinstance(value, list) and all(_fits(item, inner[0]) for item in value)
    if origin is dict:
        return isinstance(value, dict) and all(_fits(item, inner[1]) for item in value.values())
    if hint in {None, NoneType}:
        return value is None
    if hint is float:
        return isinstance(value, int | float) and not isinstance(value, bool)
    if hint is int:
        return isinstance(value, int) and not isinstance(value, bool | Enum)
    return isinstance(value, hint)


def differing(value: Any, sent: Any, where: str = "result") -> Iterator[str]:
    """Return all members of what was sent that the attribute of their name does not hold.

    The name of an attribute is that of the member, as Python writes it.
    """
    if isinstance(value, Page | AsyncPage):
        yield from differing(value.answer, sent, where)
    elif isinstance(value, Model) and isinstance(sent, dict):
        for name, item in sent.items():
            held = getattr(value, _attribute(name, type(value)), None)
            if item is None:
                if held is not None and held != []:
                    yield f"{where}.{name} is {held!r:.60}, not null"
            elif name in value.extra_fields:
                if value.extra_fields[name] != item:
                    yield f"{where}.{name} is not what was sent"
            else:
                yield from differing(held, item, f"{where}.{name}")
    elif isinstance(value, list) and isinstance(sent, list) and len(value) == len(sent):
        for number, (item, part) in enumerate(zip(value, sent, strict=True)):
            yield from differing(item, part, f"{where}[{number}]")
    elif isinstance(value, dict) and isinstance(sent, dict) and value.keys() == sent.keys():
        for name, item in value.items():
            yield from differing(item, sent[name], f"{where}.{name}")
    elif encode(value) != sent:
        yield f"{where} is {value!r:.60}, not {sent!r:.60}"


def _attribute(name: str, cls: type[Model]) -> str:
    attribute = re.sub(r"(?<!^)([A-Z])", r"_\1", name).lower()
    known = {field.name for field in attrs.fields(cls)}
    return attribute if attribute in known and not keyword.iskeyword(attribute) else f"{attribute}_"
