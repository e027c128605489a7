"""Values as they were received: decoding hands one of another type than described through unchanged."""

from __future__ import annotations

from typing import TypeVar

__all__ = ["TextBuffer", "instance_of", "instances_of", "key_of", "text_of"]

T = TypeVar("T")


def text_of(value: object) -> str:
    """Return a text; "" for a value of another type."""
    return value if isinstance(value, str) else ""


def key_of(value: object) -> str | int | None:
    """Return an id by which a dict or a set finds things; None for a list or an object, which neither could hold."""
    return value if isinstance(value, str | int) else None


def instance_of(value: object, cls: type[T]) -> T | None:
    """Return *value* where it is of the class, else None."""
    return value if isinstance(value, cls) else None


def instances_of(value: object, cls: type[T]) -> list[T]:
    """Return the items of a list that are of the class; none where *value* is no list."""
    return [item for item in value if isinstance(item, cls)] if isinstance(value, list) else []


class TextBuffer(list[str]):
    """A text that grows by pieces, which are appended. Each piece is joined once, however often the text is read.

    One thread may append while others read.
    """

    __slots__ = ("_joined",)

    def __init__(self, text: str = "") -> None:
        super().__init__([text] if text else ())
        self._joined = 0, ""  # how many pieces, and their text; replaced as one, for other threads

    @property
    def text(self) -> str:
        """All pieces, joined."""
        count, text = self._joined
        if new := self[count:]:
            text += "".join(new)
            self._joined = count + len(new), text
        return text
