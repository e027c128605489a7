"""What is wrong with a description, and where."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches
from pathlib import Path

import attrs

__all__ = ["DescriptionError", "Diagnostic", "relative", "suggestion"]

_LONGEST = 500


def _in_one_line(text: str) -> str:
    """Write a text so that it is one line of a terminal, whatever names of the description are part of it."""
    shown = "".join(
        character if character.isprintable() else character.encode("unicode_escape").decode()
        for character in text[:_LONGEST]
    )
    return shown if len(text) <= _LONGEST else f"{shown}…"


@attrs.frozen(order=True)
class Diagnostic:
    """One defect, at a place that a person can open.

    Attributes:
        file: The file, relative to the directory that holds `openapi/` where possible.
        line: The line, counted from 1.
        rule: Name of the rule that was broken.
        message: What is wrong and what to do, in one line.
    """

    file: str
    line: int
    rule: str
    message: str = attrs.field(converter=_in_one_line)

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.message} [{self.rule}]"


class DescriptionError(Exception):
    """The description cannot be used. Carries every problem that was found, sorted by place."""

    def __init__(self, problems: Iterable[Diagnostic]) -> None:
        self.problems = sorted(set(problems))
        super().__init__("\n".join(map(str, self.problems)))


def relative(path: Path, root: Path) -> str:
    """Write *path* relative to *root* with forward slashes, so that output is the same on every machine."""
    try:
        return path.relative_to(root).as_posix()
    except ValueError:
        return path.as_posix()


def suggestion(name: str, known: Iterable[str]) -> str:
    """Return a question after the known name that is most like *name*, to end a message; "" if none is like it."""
    matches = get_close_matches(name[:_LONGEST], sorted(known), n=1)
    return f"; did you mean {matches[0]}?" if matches else ""
