"""The docstrings of tests, which explain a failure to someone who sees no other test."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

TESTS = Path(__file__).parents[1]
#: First words that refer to another test or to the subject of the module.
DEPENDENT = re.compile(r"(So|Nor|Also|It|They|These|Those|The same for)\b")


def docstrings() -> Iterator[tuple[str, str]]:
    """Yield the place of each test and its docstring."""
    for path in sorted(TESTS.rglob("test_*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test_"):
                yield f"{path.relative_to(TESTS)}:{node.lineno} {node.name}", ast.get_docstring(node) or ""


def test_every_test_has_a_docstring_that_makes_sense_alone() -> None:
    """Each test has a docstring, whose first word refers to no other test."""
    assert [place for place, text in docstrings() if not text or DEPENDENT.match(text)] == []
