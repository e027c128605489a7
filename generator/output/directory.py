"""Compares and replaces directory trees."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

__all__ = ["diff_trees", "read_tree", "replace_tree"]

_IGNORED = {"__pycache__"}


def read_tree(root: Path) -> dict[str, bytes]:
    """Return the content of every file below *root* by its name, without compiled code."""
    return {
        path.relative_to(root).as_posix(): path.read_bytes()
        for path in sorted(root.rglob("*"))
        if path.is_file() and not _IGNORED.intersection(path.parts)
    }


def diff_trees(expected: dict[str, bytes], actual: dict[str, bytes]) -> dict[str, str]:
    """Map the name of each file that differs to the kind of difference."""
    return {
        name: "is missing" if name not in actual else "is not generated" if name not in expected else "differs"
        for name in sorted(expected.keys() | actual.keys())
        if expected.get(name) != actual.get(name)
    }


def replace_tree(source: Path, target: Path) -> None:
    """Replace *target* by a copy of *source*. If that fails, *target* is as before."""
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f".{target.name}-", dir=target.parent) as beside:
        # Copied to the same disk first: what remains is to rename, which is quick and needs no space.
        new, old = Path(beside, "new"), Path(beside, "old")
        shutil.copytree(source, new)
        if target.exists():
            target.rename(old)
        try:
            new.rename(target)
        except OSError:
            if old.exists():
                old.rename(target)
            raise
