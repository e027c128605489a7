"""Whether values are what they have to be: they may come as JSON from other processes."""

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
    """A validator of attrs, which can also be called for other values.

    Attributes:
        wanted: What values have to be, in words.
        fits: Tells whether one is.
    """

    expected: str
    accepts: Callable[[Any], bool]

    def __call__(self, _: object, attribute: attrs.Attribute[Any], value: Any) -> None:
        """Check a member of an object that is made."""
        self.check(**{attribute.name: value})

    def check(self, **values: Any) -> None:
        """Check values by their names.

        Raises:
            TypeError: One is not as wanted.
        """
        for name, value in values.items():
            if not self.accepts(value):
                raise TypeError(f"{name} must be {self.expected}, not {value!r}")


def not_negative(_: object, attribute: attrs.Attribute[Any], value: float | None) -> None:
    """Check a number that may be missing, as attrs does.

    Raises:
        TypeError: It is no number.
        ValueError: It is negative, infinite or NaN.
    """
    NUMBER(_, attribute, value)
    if value is not None and not 0 <= value < math.inf:
        raise ValueError(f"{attribute.name} must be 0 or more")


def host_names(_: object, attribute: attrs.Attribute[Any], value: Collection[str]) -> None:
    """Check names of hosts, as attrs does.

    Raises:
        ValueError: One is no name, such as a pattern, a URL or a name with a port.
    """
    for name in value:
        if not (is_string(name) and _HOST_NAME.fullmatch(name)):
            raise ValueError(f"{attribute.name} must be names of hosts, without scheme and port, not {name!r}")


def is_string(value: object) -> bool:
    """Tell whether it is a text."""
    return isinstance(value, str)


def is_strings(value: object) -> bool:
    """Tell whether it is a list of texts."""
    return isinstance(value, Sequence) and not isinstance(value, str) and all(map(is_string, value))


STRING = TypeValidator("a text", is_string)
STRINGS = TypeValidator("a list of texts", is_strings)
INTEGER = TypeValidator("a whole number", lambda value: value is None or isinstance(value, int))
NUMBER = TypeValidator("a number", lambda value: value is None or isinstance(value, int | float))
