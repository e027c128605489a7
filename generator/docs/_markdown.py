"""Writes Markdown that shows texts as they are meant.

Every text of the description that reaches a page passes `prose`, `cell`, `code`, `fence` or `link`. In a text only
backticks are markup, which set off code. Whatever else Markdown or HTML would take for markup is written as a character
reference, which neither of them does, in tables and in code as well.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from urllib.parse import quote

__all__ = ["NOTHING", "cell", "code", "fence", "link", "prose", "table"]

#: Text of an empty cell.
NOTHING = "-"
_CODE = re.compile(r"(?<!`)(`+)(?!`)(.+?)(?<!`)\1(?!`)", re.DOTALL)  # CommonMark 0.31, section 6.1
_MARKUP = re.compile(r"[\\`*\[\]<>|~$]|&(?=#?\w+;)|(?<!\w)_|_(?!\w)|^[#+=-]|(?<=^\d)[.)]")
_NO_WORD = re.compile(r"[^\w ]|_")
_ADDRESS = "%:/?#@!$&'*+,;=~"  # what an address may hold, but for what ends a link
_PLAIN_CODE = re.compile(r"(?! .* $)[^`|\\]+")


def prose(text: str) -> str:
    """Write a text, in which backticks set off code, as paragraphs."""
    return "\n\n".join(filter(None, (cell(part) for part in re.split(r"\n\s*\n", text))))


def cell(text: str) -> str:
    """Write a text, in which backticks set off code, in one line, as fits into a cell of a table."""
    folded = " ".join(_printable(text).split())
    parts, end = [], 0
    for match in _CODE.finditer(folded):
        parts.append(_MARKUP.sub(_reference, folded[end : match.start()]))
        # Backticks around nothing that can be seen are not code.
        parts.append(code(match[2]) if match[2].strip() else _MARKUP.sub(_reference, match[0]))
        end = match.end()
    return "".join([*parts, _MARKUP.sub(_reference, folded[end:])])


def code(text: str) -> str:
    """Write a name or a literal, or the sign for nothing if it is empty."""
    shown = _printable(text)
    if not shown.strip():
        return NOTHING
    # A backslash escapes nothing in code, and a bar ends the cell of a table even there.
    return f"`{shown}`" if _PLAIN_CODE.fullmatch(shown) else f"<code>{_NO_WORD.sub(_reference, shown)}</code>"


def fence(language: str, text: str) -> str:
    """Write a program, which may hold backticks as well, as a block of code."""
    longest = max(map(len, re.findall("`+", text)), default=0)
    ticks = "`" * max(3, longest + 1)
    return f"{ticks}{language}\n{text.rstrip()}\n{ticks}\n"


def link(label: str, address: str) -> str:
    """Write a link to a page or a file; the label, which is Markdown, alone where the address is none of either."""
    scheme, colon, _ = address.partition(":")
    if colon and scheme not in {"http", "https"}:
        return label
    return f"[{label}]({quote(address, safe=_ADDRESS)})"


def _reference(match: re.Match[str]) -> str:
    named = {"<": "&lt;", ">": "&gt;", "&": "&amp;"}
    return named.get(match[0], f"&#{ord(match[0])};")


def _printable(text: str) -> str:
    return "".join(character if character.isprintable() else " " for character in text)


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Write a table.

    Args:
        head: Names of the columns; one that begins with `>` is a column of numbers.
        rows: The cells, which are Markdown; `cell`, `code` and `link` make them of texts.
    """
    lines = [
        [name.removeprefix(">") for name in head],
        ["---:" if name.startswith(">") else "---" for name in head],
        *rows,
    ]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)
