"""The sdist is the project: nothing is missing, and nothing that a build or a tool left behind is in it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from .conftest import ROOT, Packages, build, unpack


def files_below(root: Path) -> set[str]:
    """Return the files of a folder, relative to it."""
    return {path.relative_to(root).as_posix() for path in root.rglob("*") if path.is_file()}


@pytest.mark.skipif(not (ROOT / ".git").exists(), reason="this is no checkout, whose files git lists")
def test_sdist_has_what_git_has(unpacked: Path) -> None:
    """The sdist has the files that git has, and its own metadata."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT, check=True, capture_output=True, encoding="utf-8",
    ).stdout.split("\0")  # fmt: skip
    assert files_below(unpacked) == {name for name in listed if (ROOT / name).is_file()} | {"PKG-INFO"}


def test_sdist_has_nothing_that_tools_left_behind(released: Packages, tmp_path: Path) -> None:
    """Environments, caches, builds and notes that lie in the source tree do not get into an sdist."""
    tree = unpack(released.sdist, tmp_path / "tree")
    expected = files_below(tree)
    for name in (".venv/bin/x", ".venv313/x", "tests/__pycache__/x.pyc", "tests/.mypy_cache/x", "dist/x", "notes.txt"):
        (tree / name).parent.mkdir(parents=True, exist_ok=True)
        (tree / name).write_text("stray", encoding="utf-8")
    build(tree, tmp_path, "--sdist")
    [again] = tmp_path.glob("*.tar.gz")
    assert files_below(unpack(again, tmp_path / "again")) == expected


def test_wheel_of_the_sdist_has_all_modules(released: Packages) -> None:
    """A wheel that is built from the sdist has every file of the three packages."""
    built = {name for name in released.wheel.namelist() if ".dist-info/" not in name}
    assert built == {
        f"{package.name}/{name}"
        for package in (ROOT / "generated/coze_api", ROOT / "overlays/cozekit", ROOT / "sandbox/coze_sandbox")
        for name in files_below(package)
        if "__pycache__" not in name
    }


@pytest.mark.parametrize(
    "command",
    [
        ["generator", "check"],
        ["generator", "sync", "--check"],
        ["pytest", "-q", "tests/runtime/test_handshake.py", "tests/docs/test_coverage.py"],
    ],
    ids=" ".join,
)
def test_checks_run_in_the_unpacked_sdist(unpacked: Path, tmp_path: Path, command: list[str]) -> None:
    """In the unpacked sdist, without git and the checkout, the generated client is fresh, and tests run."""
    packages = os.pathsep.join(str(unpacked / name) for name in ("generated", "overlays", "sandbox"))
    done = subprocess.run(
        [sys.executable, "-m", *command],
        cwd=unpacked,
        check=False,
        capture_output=True,
        encoding="utf-8",
        env={**os.environ, "PYTHONPATH": packages, "PYTHONPYCACHEPREFIX": str(tmp_path), "PYTHONDONTWRITEBYTECODE": ""},
    )
    assert done.returncode == 0, done.stdout + done.stderr
