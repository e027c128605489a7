"""Finds the description that a name stands for: a bundle, a folder, or a revision of git."""

from __future__ import annotations

import io
import json
import subprocess
import tarfile
import tempfile
from pathlib import Path
from typing import Any

from ..spec.bundler import bundle
from ..spec.diagnostics import DescriptionError, Diagnostic

__all__ = ["load"]


def load(name: str, index: Path) -> dict[str, Any]:
    """Return the description that *name* stands for, as one document.

    Args:
        name: Path of a bundle (`*.json`), of an index (`*.yaml`) or of the folder that holds one; otherwise a revision
            of the git repository that *index* lies in, such as `v1.0.0` and `HEAD~3`.
        index: The description of the working tree. Its name and folder are those that a revision has.

    Raises:
        DescriptionError: There is no such description, or it cannot be read.
    """
    path = Path(name)
    if path.is_dir():
        return dict(bundle(path / index.name).document)
    if path.is_file() and path.suffix == ".json":
        return _read_bundle(path)
    if path.is_file():
        return dict(bundle(path).document)
    return _at_revision(name, index.resolve())


def _read_bundle(path: Path) -> dict[str, Any]:
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise DescriptionError([Diagnostic(str(path), 1, "bundle", f"cannot be read: {error}")]) from error
    if not isinstance(document, dict) or not isinstance(document.get("paths"), dict):
        raise DescriptionError([Diagnostic(str(path), 1, "bundle", "is not an OpenAPI document: it has no paths")])
    return document


def _at_revision(name: str, index: Path) -> dict[str, Any]:
    folder = index.parent
    root = Path(_git(name, folder, "rev-parse", "--show-toplevel").decode().strip())
    inside = folder.relative_to(root.resolve()).as_posix()
    archive = _git(name, root, "archive", "--format=tar", "--end-of-options", name, inside)
    with tempfile.TemporaryDirectory(prefix="cozekit-") as scratch:
        with tarfile.open(fileobj=io.BytesIO(archive)) as files:
            files.extractall(scratch, filter="data")
        return dict(bundle(Path(scratch, inside, index.name)).document)


def _git(name: str, folder: Path, *arguments: str) -> bytes:
    try:
        command = ["git", "-C", str(folder), *arguments]
        return subprocess.run(command, check=True, capture_output=True).stdout
    except FileNotFoundError:
        message = "is not a file or folder, and git is not installed"
    except subprocess.CalledProcessError as error:
        message = f"is not a file or folder, and no revision that git finds here: {error.stderr.decode().strip()}"
    raise DescriptionError([Diagnostic(name, 1, "revision", message)])
