"""Console output: results on standard output, all else on standard error."""

from __future__ import annotations

import codecs
import io
import json
import sys
from typing import Any

from rich.console import Console
from rich.text import Text

__all__ = ["CLIError", "Terminal"]


class CLIError(Exception):
    """A command failed. The message is for its user.

    Args:
        text: What is wrong, and what to do.
        status: The exit status.
    """

    def __init__(self, text: str, status: int = 1) -> None:
        super().__init__(text)
        self.status = status


class Terminal:
    """Writes for people and for programs. No colors in pipes, or with NO_COLOR."""

    def __init__(self) -> None:
        if isinstance(sys.stdout, io.TextIOWrapper):
            sys.stdout.reconfigure(errors="backslashreplace")  # the locale's encoding may lack a character
        # soft_wrap: a URL that is broken into two lines cannot be clicked.
        self.out = Console(highlight=False, soft_wrap=True)
        self.notices = Console(stderr=True, highlight=False, soft_wrap=True)

    def result(self, text: str, style: str = "") -> None:
        """Write a line of the result."""
        self.out.print(Text(plain(text), style=style))

    def data(self, value: Any) -> None:
        """Write a value as JSON."""
        # If the encoding lacks characters, JSON escapes them.
        escaped = codecs.lookup(sys.stdout.encoding or "ascii").name != "utf-8"
        sys.stdout.write(json.dumps(value, ensure_ascii=escaped, indent=2) + "\n")

    def note(self, text: str, style: str = "") -> None:
        """Write a line about the progress."""
        self.notices.print(Text(plain(text), style=style))

    def failure(self, text: str) -> None:
        """Write an error message."""
        line = Text("cozekit: ", style="bold red")
        self.notices.print(line.append(Text(plain(text), style="not bold default")))


def plain(text: str) -> str:
    """Replace control characters, since names and messages of a service are not trusted."""
    return "".join(
        character if character.isprintable() or character == "\n" else "\N{REPLACEMENT CHARACTER}" for character in text
    )
