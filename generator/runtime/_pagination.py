# @generated from _pagination_async.py by `python -m generator sync`; do not edit.
"""Pages that lead to the next page."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import attrs

from ._pagination_async import T, _BasePage, page_info, response_of

__all__ = ["Page", "page_info", "response_of"]


@attrs.define(eq=False)
class Page(_BasePage[T]):
    """A page of items. Iterating yields the items of this page and of all that follow."""

    _load: Callable[[Mapping[str, Any]], Page[T]] = attrs.field(repr=False)

    def next_page(self) -> Page[T] | None:
        """Load the next page; None where this is the last."""
        return None if self._next is None else self._load(self._next)

    def pages(self) -> Iterator[Page[T]]:
        """Yield this page and all that follow."""
        page: Page[T] | None = self
        while page is not None:
            yield page
            page = page.next_page()

    def __iter__(self) -> Iterator[T]:
        for page in self.pages():
            yield from page.items
