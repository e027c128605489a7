"""The comparison in the README is one of counts, not of hopes."""

from __future__ import annotations

import csv
import json
import re
from pathlib import Path

import pytest

from generator import __main__ as command
from generator.docs._coverage import coverage, described
from generator.spec.bundler import Bundle

ROOT = Path(__file__).resolve().parents[2]
EVIDENCE = ROOT / "openapi" / "evidence"
FACTS = EVIDENCE / "coverage.csv"
HEAD = "transport,openapi_yaml,cozepy,coze_go,coze_js,coze_java\n"


def shown() -> str:
    """Return the table in the README."""
    _, _, rest = (ROOT / "README.md").read_text(encoding="utf-8").partition("<!-- coverage -->\n")
    table, mark, _ = rest.partition("<!-- /coverage -->")
    assert mark
    return table


def test_our_column_is_what_is_described(real: Bundle) -> None:
    """The README counts as many operations, WebSockets and callbacks of cozekit as are described."""
    assert shown().splitlines()[0].endswith("| cozekit |")
    counts = [int(count) for count in re.findall(r"\*\*(\d+)\*\* \|$", shown(), re.MULTILINE)]
    assert counts == list(described(real).values()), "run `make docs`"


def test_the_table_is_what_the_command_writes(real: Bundle) -> None:
    """The whole table in the README equals the command's output."""
    assert shown() == coverage(real, FACTS), "run `make docs`"


def test_what_is_counted_is_the_same(real: Bundle) -> None:
    """The operations of the facts are described, by method and path, so that their counts can be compared.

    A WebSocket of which no source names a message is not described.
    """
    with FACTS.open(encoding="utf-8", newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["transport"] != "none"]
    known = sorted((row["method"], anonymous(row["path"]), row["transport"]) for row in rows)
    ours = sorted(
        (method.upper(), anonymous(path), "websocket" if "x-coze-websocket" in operation else "http")
        for path, method, operation in real.operations().values()
    )
    additions = json.loads((EVIDENCE / "websocket_events.json").read_text(encoding="utf-8"))["additions"]
    unknown = {addition["path"] for addition in additions if addition["change"] == "add api" and not addition["events"]}
    assert set(known) ^ set(ours) == {("GET", path, "websocket") for path in unknown}
    assert len(ours) == len(set(ours))


def anonymous(path: str) -> str:
    """Leave out how the parameters of a path are called."""
    return re.sub(r"\{[^}]*\}|:\w+", "{}", path)


def test_peers_are_counted_by_kind(real: Bundle, tmp_path: Path) -> None:
    """A peer's number is the number of rows of a kind with a yes; a kind without rows has dashes."""
    facts = tmp_path / "facts.csv"
    facts.write_text(
        f"{HEAD}http,yes,no,yes,no,yes\nhttp,yes,no,no,no,no\nnone,yes,yes,yes,yes,yes\n", encoding="utf-8"
    )
    http, sockets, callbacks = coverage(real, facts).splitlines()[2:5]
    assert http.startswith("| HTTP operations, of 2 | 2 | 0 | 1 | 0 | 1 | **")
    assert sockets.count(" - ") == callbacks.count(" - ") == 5


def test_writes_between_the_marks_only(real: Bundle, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """`coverage --write` prints the table and replaces what is between the marks, the second time with the same."""
    facts, readme = tmp_path / "facts.csv", tmp_path / "README.md"
    facts.write_text(f"{HEAD}http,yes,no,yes,no,yes\n", encoding="utf-8")
    readme.write_text("before\n<!-- coverage -->\nold\n<!-- /coverage -->\nafter\n", encoding="utf-8")
    index = str(ROOT / "openapi" / "coze.yaml")
    for _ in range(2):
        assert command.main(["--index", index, "coverage", "--facts", str(facts), "--write", str(readme)]) == 0
        table = capsys.readouterr().out
        expected = f"before\n<!-- coverage -->\n{table}<!-- /coverage -->\nafter\n"
        assert readme.read_text(encoding="utf-8") == expected


@pytest.mark.parametrize(
    ("facts", "readme", "expected"),
    [
        (None, "", "facts.csv:1: cannot be read"),
        ("", "", "facts.csv:1: has no rows"),
        ("transport,cozepy\nhttp,yes\n", "", "facts.csv:1: lacks columns: coze_go, coze_java, coze_js, openapi_yaml"),
        (f"{HEAD}http,yes,no,yes,no,yes\n", "no marks\n", "README.md:1: has no lines <!-- coverage -->"),
    ],
)
def test_unusable_facts_are_reported(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], facts: str | None, readme: str, expected: str
) -> None:
    """Facts that cannot be used, or a file without marks, are reported by name, and nothing is written."""
    if facts is not None:
        (tmp_path / "facts.csv").write_text(facts, encoding="utf-8")
    (tmp_path / "README.md").write_text(readme, encoding="utf-8")
    where = ["--facts", str(tmp_path / "facts.csv"), "--write", str(tmp_path / "README.md")]
    assert command.main(["--index", str(ROOT / "openapi" / "coze.yaml"), "coverage", *where]) == 1
    assert expected in capsys.readouterr().err
    assert (tmp_path / "README.md").read_text(encoding="utf-8") == readme
