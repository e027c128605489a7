"""Whether values are what they have to be: they may come as JSON from other processes."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import attrs

__all__ = ["NUMBER", "TEXT", "TEXTS", "WHOLE", "Check", "is_text", "is_texts", "not_negative"]


@attrs.frozen
class Check:
    """A validator of attrs, which can also be called for other values.

    Attributes:
        wanted: What values have to be, in words.
        fits: Tells whether one is.
    """

    wanted: str
    fits: Callable[[Any], bool]

    def __call__(self, _: object, attribute: attrs.Attribute[Any], value: Any) -> None:
        """Check a member of an object that is made."""
        self.hold(**{attribute.name: value})

    def hold(self, **values: Any) -> None:
        """Check values by their names.

        Raises:
            TypeError: One is not as wanted.
        """
        for name, value in values.items():
            if not self.fits(value):
                raise TypeError(f"{name} must be {self.wanted}, not {value!r}")


def not_negative(_: object, attribute: attrs.Attribute[Any], value: float | None) -> None:
    """Check a number that may be missing, as attrs does.

    Raises:
        TypeError: It is no number.
        ValueError: It is negative, infinite or NaN.
    """
    NUMBER(_, attribute, value)
    if value is not None and not 0 <= value < math.inf:
        raise ValueError(f"{attribute.name} must be 0 or more")


def is_text(value: object) -> bool:
    """Tell whether it is a text."""
    return isinstance(value, str)


def is_texts(value: object) -> bool:
    """Tell whether it is a list of texts."""
    return isinstance(value, Sequence) and not isinstance(value, str) and all(map(is_text, value))


TEXT = Check("a text", is_text)
TEXTS = Check("a list of texts", is_texts)
WHOLE = Check("a whole number", lambda value: value is None or isinstance(value, int))
NUMBER = Check("a number", lambda value: value is None or isinstance(value, int | float))
