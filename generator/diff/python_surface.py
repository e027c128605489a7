"""What changed for code that imports the packages, as griffe finds it: names, parameters, bases."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from ..spec.diagnostics import DescriptionError, Diagnostic
from .changes import Change, Impact

if TYPE_CHECKING:
    import griffe

__all__ = ["compare_python"]

_PACKAGES = {
    "coze_api": ["generated"],
    "cozekit": ["generated", "overlays"],
    "coze_sandbox": ["sandbox"],
}


def compare_python(revision: str, root: Path) -> list[Change]:
    """List what breaks in code that uses the public names of the packages, from a revision to the working tree.

    Args:
        revision: A revision of the git repository at *root*.
        root: The folder that holds `generated/`, `overlays/` and `sandbox/`.

    Raises:
        DescriptionError: griffe is not installed, or *revision* is not a revision.
    """
    try:
        import griffe
    except ImportError as error:
        message = "comparing Python needs griffe, which the extra dev installs"
        raise DescriptionError([Diagnostic(revision, 1, "python", message)]) from error
    changes = []
    for package, folders in _PACKAGES.items():
        paths = [root / folder for folder in folders]
        try:
            old = griffe.load_git(package, ref=revision, repo=root, search_paths=folders, resolve_aliases=True)
        except (griffe.GitError, OSError) as error:
            raise DescriptionError([Diagnostic(revision, 1, "revision", str(error))]) from error
        new = griffe.load(package, search_paths=paths, resolve_aliases=True)
        changes += [_change(package, breakage) for breakage in griffe.find_breaking_changes(old, new)]
    return changes


def _change(package: str, breakage: griffe.Breakage) -> Change:
    text = breakage.kind.value[0].lower() + breakage.kind.value[1:]
    parameter = getattr(breakage.old_value, "name", "") if "parameter" in text.lower() else ""
    name = f": {parameter}" if parameter else ""
    return Change(Impact.BREAKING, f"Python {package}", breakage.obj.path, f"{text}{name}")
