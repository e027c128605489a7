"""What JSON values a tool's arguments may be, and what they become."""

from __future__ import annotations

import types
from collections.abc import Callable, Mapping
from enum import Enum
from typing import Any

from coze_api._core import _json

__all__ = ["SCALARS", "Decode", "DecodeFailure", "enum", "array", "literal", "mapping", "object_", "union", "preview"]

Decode = Callable[[Any, str], Any]
"""Takes a value and what messages call it."""

_PREVIEW_LENGTH = 60  # characters of a wrong value that are told


class DecodeFailure(Exception):
    """A value does not fit. The text is for the bot."""


def preview(value: Any) -> str:
    """Return the beginning of a value, as JSON where it is any."""
    try:
        text = _json.dumps(value).decode()
    except (TypeError, ValueError):
        text = repr(value)
    return text if len(text) <= _PREVIEW_LENGTH else f"{text[:_PREVIEW_LENGTH]}…"


def _text(value: Any, path: str) -> str:
    if isinstance(value, str):
        return value
    raise DecodeFailure(f"{path} must be a text, not {preview(value)}")


def _whole(value: Any, path: str) -> int:
    if isinstance(value, float) and value.is_integer():
        return int(value)  # models write 3.0 for 3
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    raise DecodeFailure(f"{path} must be a whole number, not {preview(value)}")


def _number(value: Any, path: str) -> float:
    if isinstance(value, int | float) and not isinstance(value, bool):
        try:
            return float(value)
        except OverflowError:
            raise DecodeFailure(f"{path} is too large") from None
    raise DecodeFailure(f"{path} must be a number, not {preview(value)}")


def _flag(value: Any, path: str) -> bool:
    if isinstance(value, bool):
        return value
    raise DecodeFailure(f"{path} must be true or false, not {preview(value)}")


def _null(value: Any, path: str) -> None:
    if value is not None:
        raise DecodeFailure(f"{path} must be null, not {preview(value)}")


SCALARS: dict[Any, Decode] = {
    str: _text, int: _whole, float: _number, bool: _flag, None: _null, types.NoneType: _null,
}  # fmt: skip


def union(decoders: list[Decode]) -> Decode:
    """Read what the first fitting decoder reads."""

    def decode(value: Any, path: str) -> Any:
        reasons = []
        for one in decoders:
            try:
                return one(value, path)
            except DecodeFailure as error:
                reasons.append(str(error))
        raise DecodeFailure(", or ".join(dict.fromkeys(reasons)))

    return decode


def literal(values: tuple[Any, ...]) -> Decode:
    """Read one of some values."""
    plain = [(value.value if isinstance(value, Enum) else value, value) for value in values]
    allowed = ", ".join(preview(value) for value, _ in plain)

    def decode(value: Any, path: str) -> Any:
        for wanted, meant in plain:
            if value == wanted and isinstance(value, bool) == isinstance(wanted, bool):
                return meant
        raise DecodeFailure(f"{path} must be one of {allowed}, not {preview(value)}")

    return decode


def enum(kind: type[Enum]) -> Decode:
    """Read a member of an enum by its value."""
    allowed = ", ".join(preview(member.value) for member in kind)

    def decode(value: Any, path: str) -> Enum:
        try:
            if isinstance(value, bool) and not any(member.value is value for member in kind):
                raise ValueError
            return kind(value)
        except (ValueError, TypeError):
            raise DecodeFailure(f"{path} must be one of {allowed}, not {preview(value)}") from None

    return decode


def array(item: Decode) -> Decode:
    """Read a list."""

    def decode(value: Any, path: str) -> list[Any]:
        if not isinstance(value, list):
            raise DecodeFailure(f"{path} must be a list, not {preview(value)}")
        return [item(one, f"{path}[{number}]") for number, one in enumerate(value)]

    return decode


def mapping(key: Decode, item: Decode) -> Decode:
    """Read an object with any names."""

    def decode(value: Any, path: str) -> dict[Any, Any]:
        if not isinstance(value, dict):
            raise DecodeFailure(f"{path} must be an object, not {preview(value)}")
        return {name_of(name, path): item(one, f"{path}.{name}") for name, one in value.items()}

    def name_of(name: str, path: str) -> Any:
        try:
            return key(name, f"a name in {path}")
        except DecodeFailure:
            if not name.lstrip("-").isdecimal():
                raise
            return key(int(name), f"a name in {path}")  # the names in JSON are texts, also where they are numbers

    return decode


def object_(make: Callable[[Mapping[str, Any]], Any]) -> Decode:
    """Read an object by a function that takes any."""

    def decode(value: Any, path: str) -> Any:
        if not isinstance(value, dict):
            raise DecodeFailure(f"{path} must be an object, not {preview(value)}")
        return make(value)

    return decode
