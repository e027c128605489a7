"""What pagination returns: the first page."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from ._pagination import Page as Pager

__all__ = ["Pager", "first_page"]

T = TypeVar("T")


def first_page(load: Callable[[], Pager[T]]) -> Pager[T]:
    """Load the first page."""
    return load()
