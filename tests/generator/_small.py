"""The description in `small/`, which uses every feature of the generator once, with ways to change and generate it."""

from __future__ import annotations

import shutil
import textwrap
from pathlib import Path

from generator import ir
from generator.lint import lint_files
from generator.parser.openapi_python_client import parse
from generator.parser.operations import build_api
from generator.pipeline import Summary, generate
from generator.spec.bundler import Bundle, bundle
from generator.spec.diagnostics import DescriptionError, Diagnostic

__all__ = ["Small"]

_HERE = Path(__file__).resolve().parent


class Small:
    """The description in a directory."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.folder = root / "openapi"
        shutil.copytree(_HERE / "small", self.folder)
        shutil.copy(_HERE.parents[1] / "openapi" / "extensions.md", self.folder)

    @property
    def index(self) -> Path:
        """Return the file that the generator reads."""
        return self.folder / "coze.yaml"

    def write(self, name: str, text: str) -> None:
        """Write a file of the description."""
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(textwrap.dedent(text), encoding="utf-8")

    def replace(self, name: str, old: str, new: str) -> None:
        """Replace every *old* in a file, which must contain it."""
        text = (self.folder / name).read_text(encoding="utf-8")
        if old not in text:
            raise ValueError(f"{name} does not contain {old!r}")
        (self.folder / name).write_text(text.replace(old, new), encoding="utf-8")

    def line(self, name: str, text: str) -> int:
        """Return the number of the first line that contains *text*."""
        lines = (self.folder / name).read_text(encoding="utf-8").splitlines()
        return next(number for number, line in enumerate(lines, start=1) if text in line)

    def bundle(self) -> Bundle:
        """Bundle the description into one document."""
        return bundle(self.index)

    def api(self) -> ir.Api:
        """Decide names and types, without linting first."""
        bundled = self.bundle()
        return build_api(bundled, parse(bundled))

    def problems(self, *, linted: bool = True) -> list[Diagnostic]:
        """Return what prevents `python -m generator generate`, or nothing."""
        try:
            if linted and (violations := lint_files(self.index)[1]):
                return violations
            self.api()
        except DescriptionError as error:
            return error.problems
        return []

    def places(self, *, linted: bool = True) -> set[tuple[str, int]]:
        """Return file and line of every problem."""
        return {(problem.file.removeprefix("openapi/"), problem.line) for problem in self.problems(linted=linted)}

    def generate(self) -> Summary:
        """Write the package to `generated` beside the description."""
        return generate(self.bundle(), self.root / "generated")
