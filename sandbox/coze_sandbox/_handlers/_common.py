"""What several handlers need: looking things up, pages, text lengths."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

from .._call import Call
from .._errors import NOT_FOUND, missing
from .._world import World

__all__ = ["check_file", "need", "numbered_page", "without_none"]

T = TypeVar("T")

_DEFAULT_SIZE = 20


def need(world: World, kind: str, key: str, *, name: str = "", code: int = NOT_FOUND) -> dict[str, Any]:
    """Return a document.

    Args:
        world: The state.
        kind: Kind of the document.
        key: Its id.
        name: What the id is called in the message; `<kind>_id` by default.
        code: Business code where it does not exist.

    Raises:
        CallError: It does not exist.
    """
    document = world.find(kind, key)
    if document is None:
        raise missing(code, name or f"{kind}_id", key)
    return document


def check_file(world: World, key: str | None, name: str = "file_id") -> None:
    """Refuse the id of a file that was never uploaded.

    Raises:
        CallError: There is no such file.
    """
    if key:
        need(world, "file", key, name=name)


def numbered_page(
    call: Call,
    items: Sequence[T],
    *,
    param: str = "page_num",
    size_param: str = "page_size",
    size: int = _DEFAULT_SIZE,
) -> tuple[list[T], bool]:
    """Cut one page, numbered from 1, out of all items.

    Args:
        call: The call, whose query or body holds the number of the page and its size.
        items: All items.
        param: Name of the page parameter.
        size_param: Name of the parameter with the size.
        size: Items per page where the call does not say.

    Returns:
        The items of the page and whether another page follows.
    """
    given = {**call.body, **call.query}
    number = max(int(given.get(param, 1)), 1)
    size = max(int(given.get(size_param, size)), 1)
    start = (number - 1) * size
    return list(items[start : start + size]), start + size < len(items)


def without_none(members: Mapping[str, Any]) -> dict[str, Any]:
    """Leave out the members that are None."""
    return {name: value for name, value in members.items() if value is not None}
