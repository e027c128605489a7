"""Runs the contract tests on a copy of the tree that has a fault."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import attrs

from tests.mutation._mutants import Kind, Mutant

__all__ = ["Runner", "Verdict"]

_NEEDED = ("generated", "generator", "openapi", "overlays", "sandbox", "tests", "pyproject.toml", "README.md")
_SUITE = "tests/contract"
_FIRST: dict[Kind, tuple[str, ...]] = {  # these find most faults quickly; the rest of the suite follows
    "description": ("handshakes", "requests", "examples", "limits", "generated_answers"),
    "client": ("examples", "classes", "handshakes", "requests", "pages", "kinds"),
    "sandbox": ("resources", "machines", "schemathesis"),
}
_SECONDS = 1800


@attrs.frozen
class Verdict:
    """The result of the tests for a fault.

    Attributes:
        caught_by: The first test that failed, or None.
    """

    caught_by: str | None


class Runner:
    """A copy of the tree, in which one file at a time is changed.

    Args:
        tree: The top of the tree.
        copy: Where to put the copy.
        examples: How many examples are generated for each test of the modules that are named. The rest of the suite
            generates as many as in `make test`.
    """

    def __init__(self, tree: Path, copy: Path, *, examples: int = 3) -> None:
        self._copy = copy
        self._examples = examples
        for name in _NEEDED:
            source = tree / name
            if source.is_dir():
                shutil.copytree(source, copy / name, ignore=shutil.ignore_patterns("__pycache__"))
            else:
                shutil.copy(source, copy / name)

    def try_(self, mutant: Mutant, *tests: str, only: str = "") -> Verdict:
        """Run tests on the copy with a fault in it, the whole suite if none are named; then remove the fault."""
        file = self._copy / mutant.file
        original = file.read_bytes()
        file.write_text(mutant.text, encoding="utf-8")
        try:
            if tests:
                return self.run(*tests, only=only)
            soon = self.run(*_FIRST[mutant.kind])
            return self.run_all() if soon.caught_by is None else soon
        finally:
            file.write_bytes(original)

    def run_all(self) -> Verdict:
        """Run the whole suite on the copy as it is."""
        return self._run([_SUITE], {})

    def run(self, *names: str, only: str = "") -> Verdict:
        """Run modules of `tests/contract` on the copy as it is, all tests or those that an expression selects.

        Raises:
            RuntimeError: The tests did not run.
        """
        tests = [f"{_SUITE}/test_{name}.py" for name in names]
        return self._run(tests, {"COZEKIT_MAX_EXAMPLES": str(self._examples)}, only)

    def _run(self, tests: list[str], settings: dict[str, str], only: str = "") -> Verdict:
        paths = [str(self._copy / name) for name in ("generated", "overlays", "sandbox", "")]
        settings |= {
            "PYTHONPATH": os.pathsep.join(paths),
            "PYTHONDONTWRITEBYTECODE": "1",  # Python compares whole seconds, and files change faster than that
        }
        chosen = (
            f"not seeded_fault and ({only})" if only else "not seeded_fault"
        )  # seeded_fault tests break the sandbox themselves
        options = ["-x", "-q", "-p", "no:cacheprovider", "--no-header", "--tb=no", "-k", chosen]
        command = [sys.executable, "-m", "pytest", *options, *tests]
        environment = {**os.environ, **settings}
        try:
            done = subprocess.run(
                command, cwd=self._copy, env=environment, capture_output=True, text=True, timeout=_SECONDS
            )
        except subprocess.TimeoutExpired as error:
            raise RuntimeError(f"the tests did not end within {_SECONDS} s") from error
        if done.returncode == 0:
            return Verdict(None)
        failed = re.search(r"^(?:FAILED|ERROR) (\S+)", done.stdout, re.MULTILINE)
        if done.returncode not in {1, 2} or failed is None:
            raise RuntimeError(f"the tests did not run:\n{done.stdout[-2000:]}{done.stderr[-2000:]}")
        return Verdict(failed.group(1))
