"""Decoders of the JSON values of a tool's arguments."""

from __future__ import annotations

import types
from collections.abc import Callable
from enum import Enum
from typing import Any

from coze_api._core import _json

__all__ = ["SCALARS", "Decode", "DecodeFailure", "enum", "array", "literal", "mapping", "object_", "union", "preview"]

Decode = Callable[[Any, str], Any]
"""Called with a value and its path in the arguments, for error messages. Raises `DecodeFailure`."""

_PREVIEW_LENGTH = 60  # characters


class DecodeFailure(Exception):
    """A value has the wrong type. The bot gets the message."""


def preview(value: Any) -> str:
    """Return the beginning of a value, as JSON if possible."""
    try:
        text = _json.dumps(value).decode()
    except (TypeError, ValueError):
        text = repr(value)
    return text if len(text) <= _PREVIEW_LENGTH else f"{text[:_PREVIEW_LENGTH]}…"


def _string(value: Any, path: str) -> str:
    if isinstance(value, str):
        return value
    raise DecodeFailure(f"{path} must be a string, not {preview(value)}")


def _integer(value: Any, path: str) -> int:
    if isinstance(value, float) and value.is_integer():
        return int(value)  # language models may write 3.0 for 3
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    raise DecodeFailure(f"{path} must be an integer, not {preview(value)}")


def _number(value: Any, path: str) -> float:
    if isinstance(value, int | float) and not isinstance(value, bool):
        try:
            return float(value)
        except OverflowError:
            raise DecodeFailure(f"{path} is too large") from None
    raise DecodeFailure(f"{path} must be a number, not {preview(value)}")


def _boolean(value: Any, path: str) -> bool:
    if isinstance(value, bool):
        return value
    raise DecodeFailure(f"{path} must be true or false, not {preview(value)}")


def _null(value: Any, path: str) -> None:
    if value is not None:
        raise DecodeFailure(f"{path} must be null, not {preview(value)}")


SCALARS: dict[Any, Decode] = {
    str: _string,
    int: _integer,
    float: _number,
    bool: _boolean,
    None: _null,
    types.NoneType: _null,
}


def union(decoders: list[Decode]) -> Decode:
    """Return a decoder that returns the result of the first one that accepts the value."""

    def decode(value: Any, path: str) -> Any:
        reasons = []
        for decoder in decoders:
            try:
                return decoder(value, path)
            except DecodeFailure as error:
                reasons.append(str(error))
        raise DecodeFailure(", or ".join(dict.fromkeys(reasons)))

    return decode


def literal(values: tuple[Any, ...]) -> Decode:
    """Return a decoder that accepts some values."""
    members = [(value.value if isinstance(value, Enum) else value, value) for value in values]
    allowed = ", ".join(preview(raw) for raw, _ in members)

    def decode(value: Any, path: str) -> Any:
        for raw, member in members:
            if value == raw and isinstance(value, bool) == isinstance(raw, bool):
                return member
        raise DecodeFailure(f"{path} must be one of {allowed}, not {preview(value)}")

    return decode


def enum(cls: type[Enum]) -> Decode:
    """Return a decoder of the members of an enum, by their values."""
    allowed = ", ".join(preview(member.value) for member in cls)

    def decode(value: Any, path: str) -> Enum:
        try:
            if isinstance(value, bool) and not any(member.value is value for member in cls):
                raise ValueError
            return cls(value)
        except (ValueError, TypeError):
            raise DecodeFailure(f"{path} must be one of {allowed}, not {preview(value)}") from None

    return decode


def array(item: Decode) -> Decode:
    """Return a decoder of arrays."""

    def decode(value: Any, path: str) -> list[Any]:
        if not isinstance(value, list):
            raise DecodeFailure(f"{path} must be an array, not {preview(value)}")
        return [item(element, f"{path}[{index}]") for index, element in enumerate(value)]

    return decode


def mapping(key: Decode, item: Decode) -> Decode:
    """Return a decoder of objects with any keys."""

    def decode(value: Any, path: str) -> dict[Any, Any]:
        return {decode_key(name, path): item(element, f"{path}.{name}") for name, element in value.items()}

    def decode_key(name: str, path: str) -> Any:
        try:
            return key(name, f"a key of {path}")
        except DecodeFailure:
            if not name.lstrip("-").isdecimal():
                raise
            return key(int(name), f"a key of {path}")  # keys in JSON are always strings

    return object_(decode)


def object_(decode_object: Decode) -> Decode:
    """Return a decoder that passes objects to another one, and accepts nothing else."""

    def decode(value: Any, path: str) -> Any:
        if not isinstance(value, dict):
            raise DecodeFailure(f"{path} must be an object, not {preview(value)}")
        return decode_object(value, path)

    return decode
