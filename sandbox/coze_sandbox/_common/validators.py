"""Validators of types, for values that may come as JSON from other processes."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Collection, Sequence
from typing import Any

import attrs

__all__ = [
    "NUMBER",
    "STRING",
    "STRINGS",
    "INTEGER",
    "TypeValidator",
    "host_names",
    "is_string",
    "is_strings",
    "not_negative",
]

_HOST_NAME = re.compile(r"[A-Za-z0-9_]([A-Za-z0-9_.-]*[A-Za-z0-9_.])?")


@attrs.frozen
class TypeValidator:
    """A type validator for attrs fields and for arguments.

    Attributes:
        expected: The expected type, for the error message.
        accepts: Returns whether a value has this type.
    """

    expected: str
    accepts: Callable[[Any], bool]

    def __call__(self, _: object, attribute: attrs.Attribute[Any], value: Any) -> None:
        """Check an attrs field."""
        self.check(**{attribute.name: value})

    def check(self, **values: Any) -> None:
        """Check arguments by name.

        Raises:
            TypeError: A value has another type.
        """
        for name, value in values.items():
            if not self.accepts(value):
                raise TypeError(f"{name} must be {self.expected}, not {value!r}")


def not_negative(_: object, attribute: attrs.Attribute[Any], value: float | None) -> None:
    """Check an optional number, as an attrs validator.

    Raises:
        TypeError: The value is not a number.
        ValueError: The value is negative, infinite or NaN.
    """
    NUMBER(_, attribute, value)
    if value is not None and not 0 <= value < math.inf:
        raise ValueError(f"{attribute.name} must be 0 or more")


def host_names(_: object, attribute: attrs.Attribute[Any], value: Collection[str]) -> None:
    """Check host names, as an attrs validator.

    Raises:
        ValueError: A value is not a host name, for example a pattern, a URL or a name with a port.
    """
    for name in value:
        if not (is_string(name) and _HOST_NAME.fullmatch(name)):
            raise ValueError(f"{attribute.name} must be host names without scheme and port, not {name!r}")


def is_string(value: object) -> bool:
    """Return whether the value is a string."""
    return isinstance(value, str)


def is_strings(value: object) -> bool:
    """Return whether the value is a list of strings."""
    return isinstance(value, Sequence) and not isinstance(value, str) and all(map(is_string, value))


STRING = TypeValidator("a string", is_string)
STRINGS = TypeValidator("a list of strings", is_strings)
INTEGER = TypeValidator("an integer", lambda value: value is None or isinstance(value, int))
NUMBER = TypeValidator("a number", lambda value: value is None or isinstance(value, int | float))
