"""Writes Markdown that shows texts as they are meant."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

__all__ = ["NOTHING", "cell", "code", "prose", "table"]

#: What stands in a cell that has nothing to say.
NOTHING = "-"
_CODE = re.compile(r"(`[^`]*`)")


def prose(text: str) -> str:
    """Keep angle brackets outside of code from being taken for HTML."""
    parts = _CODE.split(text)
    return "".join(part if part.startswith("`") else part.replace("<", "&lt;") for part in parts)


def cell(text: str) -> str:
    """Write a text so that it fits into one cell of a table."""
    return prose(" ".join(text.split())).replace("|", "\\|")


def code(text: str) -> str:
    """Write a name or a literal, or the sign for nothing if it is empty."""
    return f"`{text}`" if text else NOTHING


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Write a table.

    Args:
        head: Names of the columns; one that begins with `>` is a column of numbers.
        rows: The cells, which are Markdown; `cell` makes them of texts.
    """
    lines = [
        [name.removeprefix(">") for name in head],
        ["---:" if name.startswith(">") else "---" for name in head],
        *rows,
    ]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)
