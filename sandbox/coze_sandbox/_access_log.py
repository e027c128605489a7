"""The access log of the command line."""

from __future__ import annotations

import sys
from typing import TextIO

from ._http.request_log import RequestRecord

__all__ = ["AccessLog"]

_LONGEST = 160


class AccessLog:
    """Writes one line per request: method, path, operation, status, code, verdict, duration and reason.

    Queries and bodies are omitted, since they may contain secrets.

    Args:
        output: The output; standard output by default.
    """

    def __init__(self, output: TextIO | None = None) -> None:
        self._output: TextIO | None = output or sys.stdout

    def __call__(self, record: RequestRecord) -> None:
        """Write the line of a finished request."""
        if self._output is None:
            return
        encoding = self._output.encoding or "utf-8"
        line = line_of(record).encode(encoding, "backslashreplace").decode(encoding)
        try:
            self._output.write(f"{line}\n")
            self._output.flush()
        except (OSError, ValueError):  # the reader of a pipe is gone; the sandbox continues
            self._output = None


def line_of(record: RequestRecord) -> str:
    """Return the line of a request."""
    status = "-" if record.status is None else record.status
    code = "-" if record.code is None else record.code
    milliseconds = round((record.seconds or 0) * 1000)
    words = [record.method, record.path, record.operation or "-", status, code, record.verdict, f"{milliseconds}ms"]
    line = " ".join(str(word) for word in words)
    why = record.reason or "; ".join(record.tolerated)
    if why:
        line += f" ({why})"
    # No line breaks or control characters from clients.
    line = "".join(letter if letter.isprintable() else "?" for letter in line)
    return line if len(line) <= _LONGEST else f"{line[:_LONGEST]}…"
