"""Types of arguments. Each validates a value and encodes it as JSON before the request is sent."""

from __future__ import annotations

import io
import math
from collections.abc import Callable, Mapping, Sequence
from enum import Enum
from typing import Any

import attrs

from ._model import Model, Unknown, Value, encode
from ._secrets import SecretStr

__all__ = [
    "NO_UTF8",
    "AnyValue",
    "Bool",
    "EnumOf",
    "FileValue",
    "Float",
    "Int",
    "InvalidValue",
    "ListOf",
    "MapOf",
    "Object",
    "Text",
    "Value",
    "is_utf8",
]


NO_UTF8 = "cannot be written as UTF-8: it holds half of a surrogate pair"


class InvalidValue(ValueError):
    """A value is invalid. The request builder adds the names of operation and argument."""


def _invalid(where: str, message: str) -> InvalidValue:
    return InvalidValue(f"{where} {message}")


def _type_name(value: object) -> str:
    return type(value).__name__


@attrs.frozen
class AnyValue(Value):
    """Any JSON value."""

    def encode(self, value: Any, where: str) -> Any:
        return encode(value)


@attrs.frozen
class Text(Value):
    """A string; lengths count characters."""

    min_length: int = 0
    max_length: int | None = None

    def encode(self, value: Any, where: str) -> Any:
        if not isinstance(value, str):
            raise _invalid(where, f"must be a str, not {_type_name(value)} ({value!r:.60})")
        if len(value) < self.min_length:
            raise _invalid(where, f"must have at least {self.min_length} characters, has {len(value)}")
        if self.max_length is not None and len(value) > self.max_length:
            raise _invalid(where, f"must have at most {self.max_length} characters, has {len(value)}")
        # Of a str enum the value, since its own __str__ may name the member.
        return value if isinstance(value, SecretStr) else str.__str__(value)


@attrs.frozen
class Int(Value):
    """A whole number."""

    minimum: int | None = None
    maximum: int | None = None

    def encode(self, value: Any, where: str) -> Any:
        if not isinstance(value, int) or isinstance(value, bool):
            raise _invalid(where, f"must be an int, not {_type_name(value)} ({value!r:.60})")
        _in_range(value, self.minimum, self.maximum, where)
        return int(value)


@attrs.frozen
class Float(Value):
    """A number."""

    minimum: float | None = None
    maximum: float | None = None

    def encode(self, value: Any, where: str) -> Any:
        if not isinstance(value, int | float) or isinstance(value, bool):
            raise _invalid(where, f"must be a number, not {_type_name(value)} ({value!r:.60})")
        if not math.isfinite(value):
            raise _invalid(where, f"must be finite, is {value}")
        _in_range(value, self.minimum, self.maximum, where)
        return value


def _in_range(value: float, minimum: float | None, maximum: float | None, where: str) -> None:
    if minimum is not None and value < minimum:
        raise _invalid(where, f"must be at least {minimum}, is {value}")
    if maximum is not None and value > maximum:
        raise _invalid(where, f"must be at most {maximum}, is {value}")


@attrs.frozen
class Bool(Value):
    """True or False."""

    def encode(self, value: Any, where: str) -> Any:
        if not isinstance(value, bool):
            raise _invalid(where, f"must be True or False, not {value!r:.60}")
        return value


@attrs.frozen
class EnumOf(Value):
    """One of the members of an enum, as member or as plain value."""

    enum: type[Enum]

    def encode(self, value: Any, where: str) -> Any:
        plain = value.value if isinstance(value, Enum) else value
        allowed = [member.value for member in self.enum]
        if plain.__class__ is bool or plain not in allowed:
            raise _invalid(
                where,
                f"must be one of {', '.join(map(repr, allowed))}, not {plain!r:.60} (extra_* arguments can send it)",
            )
        return plain


@attrs.frozen
class ListOf(Value):
    """Several values of one kind."""

    item: Value
    min_items: int = 0
    max_items: int | None = None

    def encode(self, value: Any, where: str) -> Any:
        if isinstance(value, str | bytes | Mapping) or not isinstance(value, Sequence):
            raise _invalid(where, f"must be a list, not {_type_name(value)}")
        if len(value) < self.min_items:
            raise _invalid(where, f"must have at least {self.min_items} items, has {len(value)}")
        if self.max_items is not None and len(value) > self.max_items:
            raise _invalid(where, f"must have at most {self.max_items} items, has {len(value)}")
        return [self.item.encode(item, f"{where}[{number}]") for number, item in enumerate(value)]


@attrs.frozen
class MapOf(Value):
    """A map from names to values of one kind."""

    item: Value
    max_items: int | None = None
    key: Text = Text()

    def encode(self, value: Any, where: str) -> Any:
        if not isinstance(value, Mapping):
            raise _invalid(where, f"must be a dict, not {_type_name(value)}")
        if self.max_items is not None and len(value) > self.max_items:
            raise _invalid(where, f"must have at most {self.max_items} pairs, has {len(value)}")
        return {
            self.key.encode(key, f"{where} key {key!r:.20}"): self.item.encode(item, f"{where}[{key!r:.40}]")
            for key, item in value.items()
        }


@attrs.frozen
class Object(Value):
    """A model, or a dict with the members' names as Coze writes them."""

    model: Callable[[], type[Model]]

    def encode(self, value: Any, where: str) -> Any:
        cls = self.model()
        if isinstance(value, str) and cls._from_string is not None:
            return {key: value if part == "$string" else part for key, part in cls._from_string.items()}
        if isinstance(value, Model):
            if not isinstance(value, cls):
                raise _invalid(where, f"must be a {cls.__name__}, not a {_type_name(value)}")
            members: Mapping[str, Any] = value.to_dict()
        elif isinstance(value, Mapping):
            members = value
        elif isinstance(value, Unknown):
            return value.raw
        else:
            raise _invalid(where, f"must be a {cls.__name__} or a dict, not {_type_name(value)} ({value!r:.60})")
        for name, kind in cls._inputs.items():
            if kind.required and members.get(name) is None:
                raise _invalid(f"{where}.{name}", "is required")
        return {
            key: cls._inputs[key].encode(item, f"{where}.{key}")
            if key in cls._inputs and item is not None
            else encode(item)
            for key, item in members.items()
        }


@attrs.frozen
class FileValue(Value):
    """The content of a file: bytes, a binary file object, or a tuple of name, content and optionally type."""

    max_bytes: int | None = None

    def encode(self, value: Any, where: str) -> Any:
        if isinstance(value, tuple) and len(value) not in {2, 3}:
            raise _invalid(where, f"must be (name, content) or (name, content, type), not a tuple of {len(value)}")
        name, content, *rest = value if isinstance(value, tuple) else (None, value)
        for text in (name, *rest):
            if text is not None and not (isinstance(text, str) and text):
                raise _invalid(where, f"must have a str as name and type, not {text!r:.60}")
        if rest and rest[0] is not None and not (rest[0].isascii() and rest[0].isprintable()):
            raise _invalid(where, f"has no media type in {rest[0]!r:.60}")
        if isinstance(content, bytearray | memoryview):
            content = bytes(content)
        if isinstance(content, io.TextIOBase):
            raise _invalid(where, "must be opened in binary mode, not as text")
        if not isinstance(content, bytes) and not hasattr(content, "read"):
            raise _invalid(where, f"must be bytes, a binary file object or (name, content), not {_type_name(content)}")
        size = len(content) if isinstance(content, bytes) else _size_of(content)
        if self.max_bytes is not None and size is not None and size > self.max_bytes:
            raise _invalid(where, f"must have at most {self.max_bytes:,} bytes, has {size:,}")
        name = name or _name_of(content)
        if not is_utf8(name):
            raise _invalid(where, f"has the name {name!r:.60}, which {NO_UTF8}; give another as (name, content)")
        return (name, content, *rest)


def is_utf8(text: str) -> bool:
    """Return whether a text can be sent; half of a surrogate pair cannot."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _name_of(content: Any) -> str:
    name = getattr(content, "name", "")  # a number for files that were opened by one
    return name.replace("\\", "/").rpartition("/")[2] or "file" if isinstance(name, str) else "file"


def _size_of(file: Any) -> int | None:
    """Measure a file from its beginning, since that is where sending it starts."""
    try:
        position: int = file.tell()
        end: int = file.seek(0, 2)
        file.seek(position)
    except (AttributeError, OSError, ValueError, TypeError):
        return None  # a pipe: the server checks its size
    return end
