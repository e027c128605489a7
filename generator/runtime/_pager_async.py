"""What pagination returns before its first page is loaded."""

# Not derived: a sync page is loaded by the call itself, so it needs no pager.

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Generator
from typing import Any, Generic, TypeVar

from ._pagination_async import AsyncPage

__all__ = ["AsyncPager", "first_page"]

T = TypeVar("T")


class AsyncPager(Generic[T]):
    """Await it for the first page, or iterate over the items of all pages."""

    def __init__(self, load: Callable[[], Awaitable[AsyncPage[T]]]) -> None:
        self._load = load

    def __await__(self) -> Generator[Any, None, AsyncPage[T]]:
        return self._load().__await__()

    async def pages(self) -> AsyncIterator[AsyncPage[T]]:
        """Yield every page."""
        async for page in (await self._load()).pages():
            yield page

    async def __aiter__(self) -> AsyncIterator[T]:
        async for item in await self._load():
            yield item


first_page = AsyncPager
"""Returns what loads the first page when it is awaited or iterated."""
