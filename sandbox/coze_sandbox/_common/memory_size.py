"""Memory size of JSON values, and shortened copies of large ones."""

from __future__ import annotations

import sys
from typing import Any

__all__ = ["shortened", "size_of"]

_LONGEST_TEXT = 200
_MOST_VALUES = 1_000


def size_of(value: Any, limit: int = sys.maxsize) -> int:
    """Return the memory size of a JSON value in bytes.

    Args:
        value: The value.
        limit: Counting stops beyond this size; the result is then a lower bound.
    """
    total, waiting = 0, [value]
    while waiting and total <= limit:
        item = waiting.pop()
        total += sys.getsizeof(item)
        if isinstance(item, dict):
            waiting.extend(item)
            waiting.extend(item.values())
        elif isinstance(item, list):
            waiting.extend(item)
    return total


def shortened(value: Any) -> Any:
    """Return a copy of a JSON value with long strings cut and at most 1,000 values.

    A placeholder shows where values were omitted.

    Args:
        value: The value, nested no deeper than `parse_json` allows.
    """
    return _Shortener().shorten(value)


class _Shortener:
    def __init__(self) -> None:
        self._left = _MOST_VALUES

    def shorten(self, value: Any) -> Any:
        self._left -= 1
        if isinstance(value, str):
            return _cut(value)
        if isinstance(value, dict):
            members: dict[str, Any] = {}
            for name, member in value.items():
                if self._left <= 0:
                    members["…"] = f"{len(value) - len(members)} more"
                    break
                members[_cut(name)] = self.shorten(member)
            return members
        if isinstance(value, list):
            items: list[Any] = []
            for item in value:
                if self._left <= 0:
                    items.append(f"… {len(value) - len(items)} more")
                    break
                items.append(self.shorten(item))
            return items
        return value


def _cut(text: str) -> str:
    if len(text) <= _LONGEST_TEXT:
        return text
    return f"{text[:_LONGEST_TEXT]}… ({len(text)} characters)"
