"""For any damaged description the generator reports what is wrong, or writes code that compiles."""

from __future__ import annotations

import json
import random
import tempfile
from pathlib import Path
from typing import Any

import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from generator.docs import write_docs
from generator.lint import lint_files
from generator.parser.openapi_python_client import parse
from generator.parser.operations import build_api
from generator.render.renderer import render
from generator.spec.diagnostics import DescriptionError, Diagnostic
from tests.generator._small import Small
from tests.generator.lint._project import Project

WORDS = (
    "", "x", "type", "properties", "$ref", "default", "object", "string", "array", "null", "class", "1a", "Thing",
    "#/Thing", "./schemas.yaml#/Thing", "./schemas.yaml#/Color", "things", "items", "200", "allOf", "unix-time", "binary",
    "text/event-stream", "application/json",
    "a\nb", "a\0b", "\u202eab", "\u2028", " ", "x" * 10_000, '"', "\\", "{{ x }}", "~1", "%", "|", "`", "<script>", "__class__",
    "../../x.yaml#/y", "a\0.yaml#/b", f"./{'x' * 5_000}.yaml#/y", "#", "#/", "http://[::1", "{x", "-1", "1e5",
)  # fmt: skip
VALUES: tuple[Any, ...] = (
    None, True, False, 0, -1, 1.5, 10**30, 1e300, [], {}, [1], [[]], [{}], [None], ["a", "a"], {"a": 1}, {"": {}},
    {"$ref": 1}, {"a\nb": {}}, {"type": "object"}, {"type": "array"},
    {"$ref": "./schemas.yaml#/Thing"}, {"type": "string", "enum": ["a", "b"]}, {"type": ["string", "null"]}, *WORDS,
)  # fmt: skip


def places(value: Any) -> list[tuple[Any, Any]]:
    """List every key and index below *value*, with its container."""
    keys = list(value) if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else []
    return [(value, key) for key in keys] + [place for key in keys for place in places(value[key])]


def damage(folder: Path, chance: random.Random) -> str:
    """Change one thing in one file: remove it, replace it, rename it, add to it, or insert something from elsewhere."""
    path = chance.choice(sorted(folder.rglob("*.yaml")))
    text = path.read_text(encoding="utf-8")
    # A file that was damaged before is JSON; YAML cannot read its keys of more than 1,024 characters.
    content = json.loads(text) if text[:1] in {"{", "["} else yaml.safe_load(text)
    holder, key = chance.choice(places(content))
    match chance.choice(("remove", "replace", "rename", "copy", "add")):
        case "remove":
            del holder[key]
        case "rename" if isinstance(holder, dict):
            holder[chance.choice(WORDS)] = holder.pop(key)
        case "copy":
            other, name = chance.choice(places(content))
            holder[key] = json.loads(json.dumps(other[name]))
        case "add" if isinstance(holder, dict):
            holder[chance.choice(WORDS)] = chance.choice(VALUES)
        case "add":
            holder.append(chance.choice(VALUES))
        case _:
            holder[key] = chance.choice(VALUES)
    path.write_text(json.dumps(content, indent=1), encoding="utf-8")
    return f"{path.name} {key}"


def assert_placed(problems: list[Diagnostic]) -> None:
    """Check that each problem is one line, with a file and a line of the description."""
    for problem in problems:
        assert problem.file.startswith("openapi"), problem
        assert problem.line > 0, problem
        assert str(problem).isprintable(), problem


@settings(max_examples=150, deadline=None, derandomize=True)
@given(st.integers(0, 2**32))
def test_damage_is_reported_or_harmless(seed: int) -> None:
    """One to three changes to the description end in problems with places, or in files that compile and in pages."""
    chance = random.Random(seed)
    with tempfile.TemporaryDirectory() as folder:
        small = Small(Path(folder) / "project")
        for _ in range(chance.choice((1, 1, 1, 2, 3))):
            damage(small.folder, chance)
        linted, violations = lint_files(small.index)
        assert_placed(violations)
        try:
            if linted and not violations:
                write_docs(linted)
            bundled = small.bundle()
            parsed = parse(bundled)
            files = render(build_api(bundled, parsed), parsed.deref, "")
        except DescriptionError as error:
            assert_placed(error.problems)
            return
        for name, text in files.items():
            if not name.startswith("_core"):
                compile(text, name, "exec", dont_inherit=True)


@settings(max_examples=150, deadline=None, derandomize=True)
@given(st.integers(0, 2**32))
def test_damage_to_messages_and_callbacks_is_reported_or_harmless(seed: int) -> None:
    """Changes to a description with WebSockets and callbacks end in problems with places, or in pages."""
    chance = random.Random(seed)
    with tempfile.TemporaryDirectory() as folder:
        project = Project(Path(folder))
        for _ in range(chance.choice((1, 1, 2))):
            damage(project.folder, chance)
        bundled, violations = lint_files(project.folder / "coze.yaml")
        assert_placed(violations)
        try:
            if bundled and not violations:
                write_docs(bundled)
        except DescriptionError as error:
            assert_placed(error.problems)
