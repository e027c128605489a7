"""Compares and replaces directory trees."""

from __future__ import annotations

import shutil
from pathlib import Path

__all__ = ["differences", "read_tree", "replace_tree"]

_IGNORED = {"__pycache__"}


def read_tree(root: Path) -> dict[str, bytes]:
    """Read every file below *root*; name to content. Compiled code does not count."""
    return {
        path.relative_to(root).as_posix(): path.read_bytes()
        for path in sorted(root.rglob("*"))
        if path.is_file() and not _IGNORED.intersection(path.parts)
    }


def differences(expected: dict[str, bytes], found: dict[str, bytes]) -> list[str]:
    """List the files that differ, with the kind of difference."""
    names = sorted(expected.keys() | found.keys())
    return [
        f"{name}: {'missing' if name not in found else 'not generated' if name not in expected else 'differs'}"
        for name in names
        if expected.get(name) != found.get(name)
    ]


def replace_tree(source: Path, target: Path) -> None:
    """Put *source* in the place of *target*, of which nothing remains."""
    if target.exists():
        shutil.rmtree(target)
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.move(str(source), str(target))
