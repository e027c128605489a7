"""Enums that stay open: a value that the description does not know yet is kept, not refused."""

from __future__ import annotations

from enum import Enum, StrEnum
from typing import Any, Self, TypeVar

__all__ = ["OpenInt", "OpenStr", "lookup"]


class OpenStr(StrEnum):
    """A text with well-known values. Any other text is accepted and compares like a plain string."""

    @classmethod
    def _missing_(cls, value: object) -> Self | None:
        if not isinstance(value, str):
            return None
        member = str.__new__(cls, value)
        member._name_ = value
        member._value_ = value
        return member

    @property
    def known(self) -> bool:
        """Whether the description lists this value."""
        return self._value_ in type(self)._value2member_map_


class OpenInt(int, Enum):
    """A number with well-known values. Any other number is accepted and compares like a plain int."""

    @classmethod
    def _missing_(cls, value: object) -> Self | None:
        if not isinstance(value, int):
            return None
        member = int.__new__(cls, value)
        member._name_ = str(int(value))
        member._value_ = value
        return member

    def __str__(self) -> str:
        return int.__repr__(self)

    @property
    def known(self) -> bool:
        """Whether the description lists this value."""
        return self._value_ in type(self)._value2member_map_


_E = TypeVar("_E", bound=Enum)


class _Lookup(dict[Any, _E]):
    """Value to member. A dictionary is 10 times faster than calling the enum, and decoding does little else."""

    def __init__(self, enum: type[_E]) -> None:
        super().__init__(enum._value2member_map_)
        self._enum = enum

    def __missing__(self, value: Any) -> _E:
        return self._enum(value)  # not stored: a server could send a new one each time


def lookup(enum: type[_E]) -> dict[Any, _E]:
    """Make the table by which decoding finds the members of *enum*."""
    return _Lookup(enum)
