"""Formats generated code with the pinned ruff, whatever settings lie around."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

__all__ = ["format_tree"]


def format_tree(root: Path) -> None:
    """Remove unused imports below *root*, sort the others, and format all.

    Raises:
        RuntimeError: ruff found code that it cannot read, which is a defect of the templates.
    """
    # --isolated, since ruff would otherwise read settings of a directory above; one width, so that output is one.
    common = ["--isolated", "--no-cache", "--quiet", "--line-length", "120", "--target-version", "py311"]
    _run(["check", *common, "--select", "F401,I001", "--fix", "--exit-zero", str(root)])
    _run(["format", *common, str(root)])


def _run(arguments: list[str]) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "ruff", *arguments], capture_output=True, encoding="utf-8", check=False
    )
    if done.returncode:
        raise RuntimeError(f"ruff {arguments[0]}: {done.stderr.strip() or done.stdout.strip()}")
