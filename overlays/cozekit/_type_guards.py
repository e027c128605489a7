"""Checks of received values: decoding passes values on that have another type than described."""

from __future__ import annotations

from typing import TypeVar

__all__ = ["TextBuffer", "instance_of", "instances_of", "key_of", "text_of"]

T = TypeVar("T")


def text_of(value: object) -> str:
    """Return a str; "" for a value of another type."""
    return value if isinstance(value, str) else ""


def key_of(value: object) -> str | int | None:
    """Return a value that can be a key; None for a list or an object, which are not hashable."""
    return value if isinstance(value, str | int) else None


def instance_of(value: object, cls: type[T]) -> T | None:
    """Return *value* if it is an instance of the class, else None."""
    return value if isinstance(value, cls) else None


def instances_of(value: object, cls: type[T]) -> list[T]:
    """Return the items of a list that are instances of the class; none if *value* is not a list."""
    return [item for item in value if isinstance(item, cls)] if isinstance(value, list) else []


class TextBuffer(list[str]):
    """A text to which pieces are appended. Each piece is joined once, no matter how often the text is read.

    One thread may append while others read.
    """

    __slots__ = ("_joined",)

    def __init__(self, text: str = "") -> None:
        super().__init__([text] if text else ())
        self._joined = 0, ""  # number of pieces and their text; a tuple, so that other threads read both at once

    @property
    def text(self) -> str:
        """All pieces, joined."""
        count, text = self._joined
        if new := self[count:]:
            text += "".join(new)
            self._joined = count + len(new), text
        return text
