"""A description cannot inject code: no text or name of it is ever executed."""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from generator.render.python_source import docstring, literal
from generator.spec.diagnostics import DescriptionError
from generator.spec.yaml_loader import LocatedMapping
from tests.generator._small import Small

CANARY = "pwned"
CODE = f"__import__('os').environ.__setitem__('{CANARY}', '1')"
TEXTS = {
    "double quotes": f'a" + {CODE} + "b',
    "single quotes": f"a' + {CODE} + 'b",
    "triple quotes": f'a"""\n{CODE}\n"""b',
    "triple single quotes": f"a'''\n{CODE}\n'''b",
    "quotes at the end": f'{CODE}""""',
    "one quote at the end": f'{CODE}"',
    "backslash at the end": f"{CODE}\\",
    "backslash before quotes": f'a\\""" + {CODE} + """',
    "line feed": f"a\n{CODE}\n",
    "carriage return": f"a\r{CODE}\r",
    "form feed and vertical tab": f"a\f{CODE}\v",
    "next line": f"a\x85{CODE}",
    "line separator": f"a\u2028{CODE}\u2029{CODE}",
    "null": f"a\0{CODE}",
    "named character": f"\\N{{QUOTATION MARK}}\\x22\\u0022\\042 + {CODE}",
    "unfinished escape": f"\\x \\u12 \\N{{ \\U0011 {CODE}",
    "replacement field": f"{{{CODE}}} {{0.__class__}} %s %(a)s $string",
    "template": f"{{{{ {CODE} }}}} {{% for x in y %}} {{# {CODE} #}} {{{{ docstring.__globals__ }}}}",
    "comment": f"# {CODE} */ --> <!-- noqa type: ignore fmt: off",
    "long word": CODE + "x" * 5000,
    "right to left": f"\u202e{CODE}\u2066",
    "surrogate": f"\ud800{CODE}",
    "wide": f"\ufeff\U0001f600{CODE}",
    "empty": "",
    "spaces": "  \t  ",
}
#: Keys whose value is a text that does not influence the generator.
FREE = {"description", "summary", "title", "meaning", "hint", "x-coze-permission"}


def poison(value: Any, text: str) -> None:
    """Put *text* into every free text below *value*."""
    for key, item in value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ():
        if key in {"x-coze-notes", "examples", "x-coze-known-values"}:
            value[key] = [text, {text: text}] if key != "x-coze-notes" else [text, text]
        elif key == "x-coze-enum-descriptions":
            value[key].update(dict.fromkeys(item, text))
        elif (key in FREE and isinstance(item, str)) or (key == "default" and isinstance(item, str)):
            value[key] = text
        else:
            poison(item, text)


@pytest.fixture(scope="module", autouse=True)
def unformatted() -> Iterator[None]:
    """Skip ruff: it takes most of the time and does not affect safety."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("generator.pipeline.format_tree", lambda root: None)
        yield


IMPORT_ALL = """
    import importlib, os, pkgutil, sys
    for folder in sys.argv[1:]:
        sys.path.insert(0, folder)
        import coze_api
        for module in pkgutil.walk_packages(coze_api.__path__, "coze_api."):
            importlib.import_module(module.name)
        for name in coze_api.__all__:
            getattr(coze_api, name)
        assert coze_api.__file__.startswith(folder) and "pwned" not in os.environ
        for name in [name for name in sys.modules if name.partition(".")[0] == "coze_api"]:
            del sys.modules[name]
    """


def code_of(folder: Path) -> dict[str, ast.Module]:
    """Parse every generated file except the runtime, which no description changes."""
    return {
        path.relative_to(folder).as_posix(): ast.parse(path.read_bytes(), str(path))
        for path in sorted(folder.rglob("*.py"))
        if "_core" not in path.parts
    }


def without_texts(tree: ast.Module) -> str:
    """Return the code of a file without its strings."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            node.value = ""
    return ast.dump(tree)


def assert_inert(*folders: Path) -> None:
    """Check that generated code calls and imports nothing from the description, and that importing it runs nothing."""
    for folder in folders:
        for file, tree in code_of(folder).items():
            for node in ast.walk(tree):
                assert not isinstance(node, ast.JoinedStr) or file.endswith("errors.py"), (file, node.lineno)
                assert not isinstance(node, ast.Name) or node.id not in {CANARY, "__import__"}, (file, node.lineno)
                assert not isinstance(node, ast.Attribute) or node.attr != "environ", (file, node.lineno)
                assert not isinstance(node, ast.Import) or {"os"}.isdisjoint(alias.name for alias in node.names), file
    environment = {key: value for key, value in os.environ.items() if key not in {CANARY, "PYTHONPATH"}}
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", textwrap.dedent(IMPORT_ALL), *map(str, folders)],
        env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]


@pytest.fixture(scope="module")
def harmless(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Return the generated code of a harmless description."""
    small = Small(tmp_path_factory.mktemp("harmless"))
    small.generate()
    return {file: without_texts(tree) for file, tree in code_of(small.root / "generated").items()}


@pytest.mark.parametrize("what", TEXTS)
def test_texts_do_not_change_the_code(
    small: Small, what: str, harmless: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever descriptions, summaries, notes, hints, defaults, permissions and URLs contain, the code is the same."""
    text = TEXTS[what]
    bundled = small.bundle()
    poison(bundled.document, text)
    monkeypatch.setattr(small, "bundle", lambda: bundled)
    try:
        small.generate()
    except UnicodeEncodeError:
        assert what == "surrogate"  # no YAML file can contain it
        return
    assert_inert(small.root / "generated")
    if text.strip():
        codes = {file: without_texts(tree) for file, tree in code_of(small.root / "generated").items()}
        assert codes == harmless


def test_docstrings_show_the_description(small: Small) -> None:
    """`help` shows the text of the description."""
    small.replace("things/delete.yaml", "Removes it.", '\'Removes """it""" \\d \\N{BULLET} {{ x }} {% y %}.\'')
    small.generate()
    tree = ast.parse((small.root / "generated/coze_api/resources/things.py").read_text(encoding="utf-8"))
    docstrings = [
        ast.get_docstring(node)
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef) and node.name == "delete"
    ]
    assert 'Removes """it""" \\d \\N{BULLET} {{ x }} {% y %}.' in (docstrings[0] or "")


NAMES = [f"a:{CODE}", f'a"""\n{CODE}\n"""\\', "__init__", "ａ", "../../../{{ 7 }}\0", "x" * 300]  # noqa: RUF001  (hostile on purpose)


#: Places of names: file, text and its replacement.
PLACES = {
    "operation id": ("things/delete.yaml", "operationId: things.delete", "operationId: <0>"),
    "last segment": ("things/delete.yaml", "operationId: things.delete", "operationId: <things.0>"),
    "first segment": ("things/delete.yaml", "operationId: things.delete", "operationId: <0.delete>"),
    "path": ("coze.yaml", "  /v1/things:", "  </v1/0>: {get: {operationId: a.b, responses: {}}}\n  /v1/things:"),
    "property": ("things/schemas.yaml", "    note: {type", "    <0>: {type: string}\n    note: {type"),
    "argument": ("things/schemas.yaml", "    weight: {type", "    <0>: {type: string}\n    weight: {type"),
    "query parameter": ("things/list.yaml", "name: color", "name: <0>"),
    "header": ("things/list.yaml", "{name: color, in: query", "{name: <0>, in: header"),
    "enum value": ("things/schemas.yaml", "enum: [blue, dark-red]", "enum: [blue, <0>]"),
    "enum name": ("things/schemas.yaml", "[SMALL, LARGE]", "[SMALL, <0>]"),
    "schema": ("things/schemas.yaml", "note: {type", "more: {$ref: <#/0>}\n    note: {type"),
    "stream method": ("things/create.yaml", "method: stream", "method: <0>"),
    "stream flag": ("things/create.yaml", "flag: stream", "flag: <0>"),
    "protocol": ("things/create.yaml", "'./events.yaml#/ThingStream'", "<./events.yaml#/0>"),
    "event": ("things/events.yaml", "    thing.made:", "    <0>:"),
    "event class": ("things/events.yaml", "class: ThingDone", "class: <0>"),
    "union": ("things/events.yaml", "event: ThingStreamEvent", "event: <0>"),
    "ends": ("things/events.yaml", "ends: always", "ends: <0>"),
    "error name": ("shared/errors.yaml", "name: WRONG", "name: <0>"),
    "category": ("shared/errors.yaml", "category: invalid_request", "category: <0>"),
    "code": ("shared/errors.yaml", "code: 4000", "code: <0>"),
    "retryable": ("shared/errors.yaml", "retryable: false", "retryable: <0>"),
    "tag": ("coze.yaml", "name: things,", "name: <0>,"),
    "version": ("coze.yaml", "version: 1.2.3", "version: <0>"),
    "shorthand": ("things/parts/schemas.yaml", "{text: $string}", "{text: $string, inside: <0>}"),
    "paging style": ("things/list.yaml", "style: page", "style: <0>"),
    "result": ("things/delete.yaml", "deprecated: true", "deprecated: true\nx-coze-result: <0>"),
    "limit": ("things/schemas.yaml", "minLength: 1", "minLength: <0>"),
    "file limit": ("things/parts/schemas.yaml", "x-coze-max-bytes: 100", "x-coze-max-bytes: <0>"),
    "format": ("things/schemas.yaml", "note: {type:", "note: {format: <0>, type:"),
    "known values": ("things/schemas.yaml", "weight: {type:", "weight: {x-coze-known-values: [<0>], type:"),
}


@pytest.mark.parametrize("place", PLACES)
def test_code_in_names_is_rejected_or_a_string(tmp_path: Path, place: str) -> None:
    """Code in place of a name or a value is an error, or a string in the generated code."""
    file, old, new = PLACES[place]
    distinct: dict[str, Path] = {}
    for number, name in enumerate(NAMES):
        small = Small(tmp_path / str(number))
        before, inside, after, rest = re.split("<(.*)0(.*)>", new) if "<" in new else (new, "", "", "")
        written = yaml_text(f"{inside}{name}{after}")
        small.replace(file, old, before + written + rest)
        if place == "schema":
            text = (small.folder / file).read_text(encoding="utf-8")
            small.write(file, f"{yaml_text(name)}: {{type: object, properties: {{a: {{}}}}}}\n{text}")
        if place == "protocol":
            small.replace("things/events.yaml", "ThingStream:", f"{yaml_text(name)}:")
        try:
            small.generate()
        except DescriptionError as error:
            assert error.problems
            assert not (small.root / "generated").exists()
        else:
            folder = small.root / "generated"
            distinct[str({file: without_texts(tree) for file, tree in code_of(folder).items()})] = folder
        assert {path.name for path in tmp_path.iterdir()} <= {str(index) for index in range(len(NAMES))}
    assert_inert(*distinct.values())


def yaml_text(text: str) -> str:
    """Quote a text for YAML."""
    return '"' + text.encode("unicode_escape").decode("ascii").replace('"', '\\"') + '"'


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
NASTY = st.text(alphabet=st.sampled_from("\"'\\\n\r\t\0{}%#\u2028\x85Nx0 a")) | st.text()


@given(JSON | NASTY)
def test_literal_evaluates_to_its_value(value: Any) -> None:
    """`literal` writes source that evaluates to the value, in printable ASCII without line ends."""
    source = literal(value)
    assert ast.literal_eval(source) == value
    assert source.isascii()
    assert source.isprintable()


@pytest.mark.parametrize("value", [float("nan"), float("inf"), object(), b"x", {1, 2}, CODE.encode()])
def test_literal_rejects_what_is_no_json(value: object) -> None:
    """`literal` rejects values that are not JSON, since their `repr` could be any code."""
    with pytest.raises(TypeError, match="is not a JSON value"):
        literal(value)


def test_literal_writes_mappings_as_dicts() -> None:
    """`literal` writes mappings of the description as plain dicts."""
    mapping = LocatedMapping("a.yaml", 1)
    mapping["a"] = ["b"]
    assert literal(mapping) == "{'a': ['b']}"


@given(st.integers(0, 12), NASTY, st.lists(NASTY, max_size=2), st.lists(NASTY, max_size=3))
def test_docstring_writes_one_string(indent: int, summary: str, paragraphs: list[str], entries: list[str]) -> None:
    """`docstring` writes one string without control characters that has each word of the text, and nothing else."""
    source = docstring(indent, summary, *paragraphs, sections={"Args": entries})
    tree = ast.parse(textwrap.dedent(source) if "\\\n" not in source else source.strip(" "))
    [node] = tree.body
    assert isinstance(node, ast.Expr)
    assert isinstance(node.value, ast.Constant)
    assert isinstance(node.value.value, str)
    assert all(character.isprintable() or character == "\n" for character in source)
    for text in (summary, *paragraphs, *entries):
        for word in "".join(char if char.isprintable() else " " for char in text).split():
            assert word in node.value.value
