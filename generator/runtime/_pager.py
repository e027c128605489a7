"""What pagination returns: the first page."""

from __future__ import annotations

from collections.abc import Callable

from ._pagination import Page as Pager
from ._pagination_async import T

__all__ = ["Pager", "first_page"]


def first_page(load: Callable[[], Pager[T]]) -> Pager[T]:
    """Load the first page."""
    return load()
