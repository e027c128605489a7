"""The pages of docs/ match the description."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from generator import __main__ as command
from generator.docs import stale_docs, write_docs
from generator.docs._curl import curl
from generator.docs._markdown import cell, table
from generator.spec.bundler import Bundle, bundle
from tests.generator._small import Small

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def small(tmp_path: Path) -> Small:
    """A small description of the test's own, to be changed."""
    return Small(tmp_path)


def check(small: Small) -> int:
    """Run `check` on a small description."""
    return command.main(["--index", str(small.index), "--out", str(small.root / "generated"), "check"])


def test_docs_are_fresh(real: Bundle) -> None:
    """The committed pages match the description."""
    assert stale_docs(real) == []


def test_writing_twice_writes_the_same(small: Small) -> None:
    """The same description makes the same bytes."""
    first = [path.read_bytes() for path in write_docs(small.bundle())]
    assert [path.read_bytes() for path in write_docs(small.bundle())] == first


def test_check_names_a_stale_page(small: Small, capsys: pytest.CaptureFixture[str]) -> None:
    """`check` names the pages that differ or are missing, and is content when there is no docs/."""
    small.generate()
    assert check(small) == 0
    assert command.main(["--index", str(small.index), "docs"]) == 0
    assert check(small) == 0
    (small.root / "docs" / "errors.md").write_text("edited", encoding="utf-8")
    (small.root / "docs" / "operations.md").unlink()
    capsys.readouterr()
    assert check(small) == 1
    errors = capsys.readouterr().err
    assert "docs/errors.md:1: differs from what openapi/ describes; run `python -m generator docs` [stale]" in errors
    assert "docs/operations.md:1: is missing" in errors
    assert "reference.html" not in errors


def test_the_index_lists_everything(real: Bundle) -> None:
    """Each operation and callback has one row, which leads to its description, and its official page."""
    text = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| \[`([^`]+)`\]\(\.\./([^)]+)\) \|(.*)$", text, re.MULTILINE)
    described = {**real.operations(), **real.callbacks()}
    assert sorted(name for name, _, _ in rows) == sorted(described)
    for name, file, row in rows:
        path, _, operation = described[name]
        assert file == f"openapi/{name.replace('.', '/')}.yaml"
        assert (ROOT / file).is_file()
        assert path in row
        assert cell(operation["summary"]) in row
        assert operation.get("externalDocs", {}).get("url", " - ") in row


def test_the_index_lists_messages_and_events(real: Bundle) -> None:
    """Each message of a WebSocket or a room, and each event of a stream, has a row below its protocol."""
    text = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
    components = real.document["components"]
    protocols = components["x-coze-websockets"].values()
    expected = sum(len(protocol[side]["messages"]) for protocol in protocols for side in ("uplink", "downlink"))
    assert len(re.findall(r"^\| `[^`]+` \| (?:sent|received) \|", text, re.MULTILINE)) == expected
    for name, stream in components["x-coze-streams"].items():
        _, _, below = text.partition(f"### {name}\n")
        assert all(f"| `{event}` |" in below for event in stream["events"])


def test_the_errors_are_listed(real: Bundle) -> None:
    """Each code has one row, in order of the codes, with its name and what to do."""
    text = (ROOT / "docs" / "errors.md").read_text(encoding="utf-8")
    errors = {str(error["code"]): error for error in real.document["components"]["x-coze-errors"]}
    rows = re.findall(r"^\| (\d+) \| (.*) \|$", text, re.MULTILINE)
    assert [code for code, _ in rows] == sorted(errors, key=int)
    for code, row in rows:
        error = errors[code]
        parts = [f"`{error['name']}`", "-", "-"]
        if error.get("grade") != "doubtful":
            parts[1:] = [f"`{error['category']}`", "yes" if error["retryable"] else "no"]
        assert row == " | ".join([*parts, cell(error["meaning"]), cell(error["hint"]) if "hint" in error else "-"])


def test_links_between_pages_lead_somewhere() -> None:
    """Every relative link in docs/ leads to a file."""
    for page in (ROOT / "docs").rglob("*.md"):
        for target in re.findall(r"\]\((?!https?:)([^)#]+)", page.read_text(encoding="utf-8")):
            assert (page.parent / target).exists(), f"{page.name}: {target}"


def test_a_cell_stays_one_cell() -> None:
    """Bars, line ends and angle brackets in a text do not break a table; code keeps its brackets."""
    assert cell("a | b\n<c> `<d>`") == "a &#124; b &lt;c&gt; `<d>`"
    assert table(["A", ">B"], [["1", "2"]]) == "| A | B |\n| --- | ---: |\n| 1 | 2 |\n"


@pytest.mark.parametrize("name", sorted(bundle(ROOT / "openapi" / "coze.yaml").operations()))
def test_samples_are_commands(real: Bundle, name: str) -> None:
    """The shown command is one that a shell reads as curl with one address and no placeholder left."""
    path, method, operation = real.operations()[name]
    words = shlex.split(curl(real.document, path, method, operation).replace("\\\n", ""))
    addresses = [word for word in words if re.match(r"(https|wss)://", word)]
    assert words[0] == "curl"
    assert len(addresses) == 1
    assert "{" not in addresses[0]
    assert ("Authorization: Bearer $COZE_API_TOKEN" in words) == (operation.get("security") != [])
