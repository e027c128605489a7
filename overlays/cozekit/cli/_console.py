"""What a person sees: results on standard output, all else on standard error."""

from __future__ import annotations

import codecs
import io
import json
import sys
from typing import Any

from rich.console import Console
from rich.text import Text

__all__ = ["Failure", "Terminal"]


class Failure(Exception):
    """A command that failed, in words for the person who gave it.

    Args:
        text: What is wrong, and what to do about it.
        status: The exit status.
    """

    def __init__(self, text: str, status: int = 1) -> None:
        super().__init__(text)
        self.status = status


class Terminal:
    """Writes for people, and for other programs. Colours end where they are not wanted: pipes, NO_COLOR."""

    def __init__(self) -> None:
        if isinstance(sys.stdout, io.TextIOWrapper):
            sys.stdout.reconfigure(errors="backslashreplace")  # the locale's encoding may lack a character
        # soft_wrap: an address that is cut in two lines cannot be clicked on.
        self.out = Console(highlight=False, soft_wrap=True)
        self.notices = Console(stderr=True, highlight=False, soft_wrap=True)

    def result(self, text: str, style: str = "") -> None:
        """Write a line that the command was given for."""
        self.out.print(Text(plain(text), style=style))

    def data(self, value: Any) -> None:
        """Write a value as JSON."""
        # Where the encoding may lack a character, JSON has escapes of its own.
        escaped = codecs.lookup(sys.stdout.encoding or "ascii").name != "utf-8"
        sys.stdout.write(json.dumps(value, ensure_ascii=escaped, indent=2) + "\n")

    def note(self, text: str, style: str = "") -> None:
        """Write a line about how the command goes."""
        self.notices.print(Text(plain(text), style=style))

    def failure(self, text: str) -> None:
        """Write why the command failed."""
        line = Text("cozekit: ", style="bold red")
        self.notices.print(line.append(Text(plain(text), style="not bold default")))


def plain(text: str) -> str:
    """Replace what would steer the terminal: names and messages come from elsewhere."""
    return "".join(one if one.isprintable() or one == "\n" else "\N{REPLACEMENT CHARACTER}" for one in text)
