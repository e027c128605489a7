"""The command `cozekit`: log in, show the account, diagnose problems, call operations, run the sandbox.

Needs the extra `cli`: `pip install "cozekit[cli]"`.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Sequence

__all__ = ["main"]

_NEEDED = ("cyclopts", "platformdirs", "rich")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command.

    Args:
        arguments: The command line. Default: that of the process.

    Returns:
        The exit status: 0, 1 after an error, 2 for a wrong command line, 130 if interrupted.
    """
    try:
        for name in _NEEDED:
            importlib.import_module(name)
        from ._app import run
    except ImportError as error:
        missing = (error.name or "").partition(".")[0]
        if missing not in _NEEDED:
            raise
        sys.stderr.write(f'cozekit: {missing} is missing; install the command line with: pip install "cozekit[cli]"\n')
        return 1
    return run(sys.argv[1:] if arguments is None else arguments)
