"""What JSON values a tool's arguments may be, and what they become."""

from __future__ import annotations

import types
from collections.abc import Callable, Mapping
from enum import Enum
from typing import Any

from coze_api._core import _json

__all__ = ["SCALARS", "Decode", "Wrong", "enum", "list_of", "literal", "map_of", "object_of", "one_of", "show"]

Decode = Callable[[Any, str], Any]
"""Takes a value and what messages call it."""

_SHOWN = 60  # characters of a wrong value that are told


class Wrong(Exception):
    """A value does not fit. The text is for the bot."""


def show(value: Any) -> str:
    """Return the beginning of a value, as JSON where it is any."""
    try:
        text = _json.dumps(value).decode()
    except (TypeError, ValueError):
        text = repr(value)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"


def _text(value: Any, told: str) -> str:
    if isinstance(value, str):
        return value
    raise Wrong(f"{told} must be a text, not {show(value)}")


def _whole(value: Any, told: str) -> int:
    if isinstance(value, float) and value.is_integer():
        return int(value)  # models write 3.0 for 3
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    raise Wrong(f"{told} must be a whole number, not {show(value)}")


def _number(value: Any, told: str) -> float:
    if isinstance(value, int | float) and not isinstance(value, bool):
        try:
            return float(value)
        except OverflowError:
            raise Wrong(f"{told} is too large") from None
    raise Wrong(f"{told} must be a number, not {show(value)}")


def _flag(value: Any, told: str) -> bool:
    if isinstance(value, bool):
        return value
    raise Wrong(f"{told} must be true or false, not {show(value)}")


def _null(value: Any, told: str) -> None:
    if value is not None:
        raise Wrong(f"{told} must be null, not {show(value)}")


SCALARS: dict[Any, Decode] = {
    str: _text, int: _whole, float: _number, bool: _flag, None: _null, types.NoneType: _null,
}  # fmt: skip


def one_of(decoders: list[Decode]) -> Decode:
    """Read what the first fitting decoder reads."""

    def decode(value: Any, told: str) -> Any:
        reasons = []
        for one in decoders:
            try:
                return one(value, told)
            except Wrong as error:
                reasons.append(str(error))
        raise Wrong(", or ".join(dict.fromkeys(reasons)))

    return decode


def literal(values: tuple[Any, ...]) -> Decode:
    """Read one of some values."""
    plain = [(value.value if isinstance(value, Enum) else value, value) for value in values]
    allowed = ", ".join(show(value) for value, _ in plain)

    def decode(value: Any, told: str) -> Any:
        for wanted, meant in plain:
            if value == wanted and isinstance(value, bool) == isinstance(wanted, bool):
                return meant
        raise Wrong(f"{told} must be one of {allowed}, not {show(value)}")

    return decode


def enum(kind: type[Enum]) -> Decode:
    """Read a member of an enum by its value."""
    allowed = ", ".join(show(member.value) for member in kind)

    def decode(value: Any, told: str) -> Enum:
        try:
            if isinstance(value, bool) and not any(member.value is value for member in kind):
                raise ValueError
            return kind(value)
        except (ValueError, TypeError):
            raise Wrong(f"{told} must be one of {allowed}, not {show(value)}") from None

    return decode


def list_of(item: Decode) -> Decode:
    """Read a list."""

    def decode(value: Any, told: str) -> list[Any]:
        if not isinstance(value, list):
            raise Wrong(f"{told} must be a list, not {show(value)}")
        return [item(one, f"{told}[{number}]") for number, one in enumerate(value)]

    return decode


def map_of(key: Decode, item: Decode) -> Decode:
    """Read an object with any names."""

    def decode(value: Any, told: str) -> dict[Any, Any]:
        if not isinstance(value, dict):
            raise Wrong(f"{told} must be an object, not {show(value)}")
        return {name_of(name, told): item(one, f"{told}.{name}") for name, one in value.items()}

    def name_of(name: str, told: str) -> Any:
        try:
            return key(name, f"a name in {told}")
        except Wrong:
            if not name.lstrip("-").isdecimal():
                raise
            return key(int(name), f"a name in {told}")  # the names in JSON are texts, also where they are numbers

    return decode


def object_of(make: Callable[[Mapping[str, Any]], Any]) -> Decode:
    """Read an object by a function that takes any."""

    def decode(value: Any, told: str) -> Any:
        if not isinstance(value, dict):
            raise Wrong(f"{told} must be an object, not {show(value)}")
        return make(value)

    return decode
