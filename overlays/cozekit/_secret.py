"""Texts that do not show."""

from __future__ import annotations

from typing import Any, TypeVar

__all__ = ["Secret", "hidden", "hidden_or_none", "hidden_text"]

T = TypeVar("T")


class Secret(str):
    """A text whose `repr` hides it, so that tracebacks which show variables, and logs of containers, do so too."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "'…'"


def hidden(value: T) -> T:
    """Return a text as a secret, anything else as it is."""
    made: Any = Secret(value) if isinstance(value, str) else value
    return made  # type: ignore[no-any-return]  # a Secret is a str


def hidden_text(value: str) -> str:
    """Is `hidden`, for fields of classes."""
    return hidden(value)


def hidden_or_none(value: str | None) -> str | None:
    """Is `hidden`, for fields of classes."""
    return hidden(value)
