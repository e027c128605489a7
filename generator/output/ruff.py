"""Formats generated code with the pinned ruff."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

__all__ = ["format_text", "format_tree"]


def format_tree(root: Path, width: int = 120) -> None:
    """Remove unused imports below *root*, sort the others, and format all, whatever settings lie around.

    Args:
        root: Folder of the modules.
        width: Characters of a line.

    Raises:
        RuntimeError: ruff found code that it cannot read, which is a defect of the templates.
    """
    # --isolated, since ruff would otherwise read settings of a directory above; one width, so that output is one.
    common = ["--isolated", "--no-cache", "--quiet", "--line-length", str(width), "--target-version", "py311"]
    _run(["check", *common, "--select", "F401,I001", "--fix", "--exit-zero", str(root)])
    _run(["format", *common, str(root)])


def format_text(text: str, path: Path, root: Path) -> str:
    """Format a module by the settings that *root* has for *path*, with what ruff can fix about its imports and loops.

    Raises:
        RuntimeError: ruff cannot read the module.
    """
    common = ["--quiet", "--no-cache", "--stdin-filename", str(path), "-"]
    rules = ["--select", "F401,I001,RUF022,TC005,UP028", "--config", "lint.extend-safe-fixes = ['UP028']"]
    fixed = _run(["check", *rules, "--fix", "--exit-zero", *common], text, root)
    # Lists of names may have become short enough for one line.
    return _run(["format", "--config", "format.skip-magic-trailing-comma = true", *common], fixed, root)


def _run(arguments: list[str], text: str | None = None, folder: Path | None = None) -> str:
    command = [sys.executable, "-m", "ruff", *arguments]
    done = subprocess.run(command, input=text, capture_output=True, encoding="utf-8", check=False, cwd=folder)
    if done.returncode:
        raise RuntimeError(f"ruff {arguments[0]}: {done.stderr.strip() or done.stdout.strip()}")
    return done.stdout
