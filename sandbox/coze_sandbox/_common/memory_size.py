"""How much memory values take, and what is kept of those that take too much."""

from __future__ import annotations

import sys
from typing import Any

__all__ = ["shortened", "size_of"]

_LONGEST_TEXT = 200
_MOST_VALUES = 1_000


def size_of(value: Any, limit: int = sys.maxsize) -> int:
    """Return how many bytes of memory a JSON value takes.

    Args:
        value: The value.
        limit: Where counting stops: whatever exceeds it may be larger still.
    """
    total, waiting = 0, [value]
    while waiting and total <= limit:
        one = waiting.pop()
        total += sys.getsizeof(one)
        if isinstance(one, dict):
            waiting.extend(one)
            waiting.extend(one.values())
        elif isinstance(one, list):
            waiting.extend(one)
    return total


def shortened(value: Any) -> Any:
    """Return a JSON value with its long texts cut, and without what follows its first 1,000 values.

    What is left out is named where it was.

    Args:
        value: The value, nested no deeper than `parse_json` takes it.
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
