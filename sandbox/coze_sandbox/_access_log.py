"""What the command line prints: that it is ready, and every request."""

from __future__ import annotations

import sys
from typing import TextIO

from ._http.request_log import RequestRecord

__all__ = ["AccessLog"]

_LONGEST = 160


class AccessLog:
    """Writes one line for every request: verb, path, operation, status, code, verdict, time, and why.

    Queries and bodies are left out, since they may hold secrets.

    Args:
        output: Where to; standard output by default.
    """

    def __init__(self, output: TextIO | None = None) -> None:
        self._output: TextIO | None = output or sys.stdout

    def __call__(self, record: RequestRecord) -> None:
        """Write the line of a request that is over."""
        if self._output is None:
            return
        encoding = self._output.encoding or "utf-8"
        line = line_of(record).encode(encoding, "backslashreplace").decode(encoding)
        try:
            self._output.write(f"{line}\n")
            self._output.flush()
        except (OSError, ValueError):  # whoever read it is gone; the sandbox is still needed
            self._output = None


def line_of(record: RequestRecord) -> str:
    """Write a request as one line."""
    status = "-" if record.status is None else record.status
    code = "-" if record.code is None else record.code
    milliseconds = round((record.seconds or 0) * 1000)
    words = [record.method, record.path, record.operation or "-", status, code, record.verdict, f"{milliseconds}ms"]
    line = " ".join(str(word) for word in words)
    why = record.reason or "; ".join(record.tolerated)
    if why:
        line += f" ({why})"
    # What a client sends must not break the line, or the terminal.
    line = "".join(letter if letter.isprintable() else "?" for letter in line)
    return line if len(line) <= _LONGEST else f"{line[:_LONGEST]}…"
