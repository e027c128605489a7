"""Pages that lead to the next page."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from typing import Any, Generic, TypeVar

import attrs

from ._decode import undecodable
from ._errors import DecodeError
from ._model import Model
from ._operation import Operation, Paging
from ._response import ItemList, Response

__all__ = ["AsyncPage", "page_info", "response_of"]

T = TypeVar("T")
_MOST_DIGITS = 18


@attrs.define(eq=False)
class _BasePage(Generic[T]):
    """One page of items.

    Attributes:
        items: The items of this page alone.
        answer: All that came with them.
        total: Number of items over all pages, if Coze returns it.
        has_more: Whether another page follows, according to this one.
        response: The HTTP response.
    """

    items: list[T]
    answer: Any = attrs.field(repr=False)
    total: int | None
    has_more: bool
    response: Response
    _next: Mapping[str, Any] | None = attrs.field(repr=False)

    @property
    def logid(self) -> str:
        """Log id of the call that brought this page."""
        return self.response.logid

    def __len__(self) -> int:
        return len(self.items)


@attrs.define(eq=False)
class AsyncPage(_BasePage[T]):
    """A page of items. Iterating yields the items of this page and of all that follow."""

    _load: Callable[[Mapping[str, Any]], Awaitable[AsyncPage[T]]] = attrs.field(repr=False)

    async def next_page(self) -> AsyncPage[T] | None:
        """Load the next page; None where this is the last."""
        return None if self._next is None else await self._load(self._next)

    async def pages(self) -> AsyncIterator[AsyncPage[T]]:
        """Yield this page and all that follow."""
        page: AsyncPage[T] | None = self
        while page is not None:
            yield page
            page = await page.next_page()

    async def __aiter__(self) -> AsyncIterator[T]:
        async for page in self.pages():
            for item in page.items:
                yield item


@attrs.frozen(eq=False, repr=False)
class PageInfo(Generic[T]):
    """What a page holds and how to get the next one."""

    items: list[T]
    total: int | None
    has_more: bool
    next: Mapping[str, Any] | None


def page_info(
    operation: Operation[Any], arguments: Mapping[str, Any], answer: Any, before: int
) -> PageInfo[Any] | DecodeError:
    """Read a page and decide about the next.

    Args:
        operation: An operation with paging.
        arguments: The arguments that requested this page.
        answer: The decoded result.
        before: How many items the pages before this one had.

    Returns:
        The page; or the error to raise if the items are not a list, or the token of the next page is not text. It is
        not raised here, since the traceback would hold the response.
    """
    try:
        return _page_info(operation, arguments, answer, before)
    except DecodeError as error:
        return error.with_traceback(None)


def _page_info(operation: Operation[Any], arguments: Mapping[str, Any], answer: Any, before: int) -> PageInfo[Any]:
    paging = operation.paging
    assert paging is not None
    entries = _find(answer, paging.items)
    if not isinstance(entries, list | None):  # to end here would pass for the end of the list
        raise _unreadable(operation, answer, paging.items, entries)
    items = entries or []
    total = _number(_find(answer, paging.total))
    more = _find(answer, paging.has_more)
    next_arguments = _next_arguments(operation, paging, arguments, answer, items, before + len(items), total, more)
    has_more = more if isinstance(more, bool) else next_arguments is not None
    return PageInfo(items, total, has_more, next_arguments)


def _unreadable(operation: Operation[Any], answer: Any, member: tuple[str, ...] | None, value: object) -> DecodeError:
    response = response_of(answer)
    problem = f"{'.'.join(member or ())!r} of the page is of type {type(value).__name__}"
    return undecodable(operation, response.http, response.logid, problem)


def _next_arguments(
    operation: Operation[Any],
    paging: Paging,
    arguments: Mapping[str, Any],
    answer: Any,
    items: list[Any],
    seen: int,
    total: int | None,
    more: Any,
) -> Mapping[str, Any] | None:
    if more is False or not items:
        return None  # an empty page with has_more would be requested forever
    if paging.style == "page":
        number = arguments.get(paging.argument) or 1
        size = arguments.get(paging.size) if paging.size else None
        if more is not True and _all_seen(number, size, len(items), seen, total):
            return None
        return {**arguments, paging.argument: number + 1}
    token = _find(answer, paging.next)
    if not token or token == arguments.get(paging.argument):
        return None
    if not isinstance(token, str | int):
        raise _unreadable(operation, answer, paging.next, token)
    return {**arguments, paging.argument: token}


def _all_seen(number: int, size: int | None, here: int, seen: int, total: int | None) -> bool:
    """Return whether page *number* is the last one, if the response has no has_more."""
    if total is None:
        return size is not None and here < size
    return seen >= total or (size is not None and number * size >= total)


def _find(answer: Any, path: tuple[str, ...] | None) -> Any:
    if path is None:
        return None
    for name in path:
        if not isinstance(answer, Model):
            return answer  # null, or of another type than described
        answer = getattr(answer, name, None)
    return answer


def _number(value: Any) -> int | None:
    """Return a number of items, which some responses write as text; None if it is not one."""
    if isinstance(value, str) and len(value) <= _MOST_DIGITS and value.isascii() and value.isdigit():
        return int(value)
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None


def response_of(answer: Any) -> Response:
    """Return the HTTP response of a decoded result."""
    assert isinstance(answer, Model | ItemList)
    return answer.response
