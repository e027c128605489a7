"""The comparison in the README is one of counts, not of hopes."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from generator import __main__ as command
from generator.docs._coverage import coverage, described
from generator.spec.bundler import Bundle

ROOT = Path(__file__).resolve().parents[2]
EVIDENCE = ROOT / "openapi" / "evidence"
FACTS = EVIDENCE / "operations"


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


def test_pages_show_the_month_and_the_grades(real: Bundle) -> None:
    """README, index of operations and reference page show how many operations are certain or likely, as of which month."""
    month = real.document["info"]["x-coze-as-of"]
    for page in ("README.md", "docs/operations.md", "docs/reference.html"):
        text = (ROOT / page).read_text(encoding="utf-8")
        found = re.search(rf"As of {month}: (\d+) operations are certain, (\d+) likely\.", text)
        assert found, page
        assert int(found[1]) + int(found[2]) == len(real.operations())


def test_what_is_counted_is_the_same(real: Bundle) -> None:
    """The operations of the facts are described, by method and path, so that their counts can be compared.

    A WebSocket of which no source names a message is not described.
    """
    records = [record for path in FACTS.glob("*.json") for record in json.loads(path.read_text(encoding="utf-8"))]
    known = sorted((record["method"], anonymous(record["path"]), record["transport"]) for record in records)
    ours = sorted(
        (method.upper(), anonymous(path), "websocket" if "x-coze-websocket" in operation else "http")
        for path, method, operation in real.operations().values()
    )
    additions = json.loads((EVIDENCE / "websocket_events.json").read_text(encoding="utf-8"))["additions"]
    unknown = {addition["path"] for addition in additions if addition["change"] == "add api" and not addition["events"]}
    assert set(known) ^ set(ours) == {("GET", path, "websocket") for path in unknown}
    assert len(known) == len(set(known))
    assert len(ours) == len(set(ours))


def anonymous(path: str) -> str:
    """Leave out how the parameters of a path are called."""
    return re.sub(r"\{[^}]*\}|:\w+", "{}", path)


def record(transport: str, *clients: str) -> dict[str, Any]:
    """Make a record of an operation that some clients have; of another client it states that it lacks it."""
    return {"transport": transport, "sources": {"coze_js": False, **dict.fromkeys(clients, True)}}


def test_peers_are_counted_by_kind(real: Bundle, tmp_path: Path) -> None:
    """A peer's number is the number of records of a kind that name it; a kind without records has dashes."""
    records = [record("http", "openapi_yaml", "coze_go", "coze_java"), record("none", "openapi_yaml", "coze_js")]
    (tmp_path / "one.json").write_text(json.dumps(records), encoding="utf-8")
    (tmp_path / "two.json").write_text(json.dumps([record("http", "openapi_yaml")]), encoding="utf-8")
    http, sockets, callbacks = coverage(real, tmp_path).splitlines()[2:5]
    assert http.startswith("| HTTP operations, of 2 | 2 | 0 | 1 | 0 | 1 | **")
    assert sockets.count(" - ") == callbacks.count(" - ") == 5


def test_writes_between_the_marks_only(real: Bundle, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """`coverage --write` prints the table and replaces what is between the marks, the second time with the same."""
    facts, readme = tmp_path, tmp_path / "README.md"
    (facts / "things.json").write_text(json.dumps([record("http", "cozepy")]), encoding="utf-8")
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
        (None, "", ":1: has no records; --facts names their folder"),
        ("[]", "", ":1: has no records"),
        ("[{]", "", "facts.json:1: cannot be read: Expecting property name"),
        (
            '[{"transport": "http", "sources": {}}, {"transport": "http"}]',
            "",
            "facts.json:1: record 2 lacks `transport`",
        ),
        (json.dumps([record("http")]), "no marks\n", "README.md:1: has no lines <!-- coverage -->"),
    ],
)
def test_unusable_facts_are_reported(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], facts: str | None, readme: str, expected: str
) -> None:
    """Facts that cannot be used, or a file without marks, are reported by name, and nothing is written."""
    if facts is not None:
        (tmp_path / "facts.json").write_text(facts, encoding="utf-8")
    (tmp_path / "README.md").write_text(readme, encoding="utf-8")
    where = ["--facts", str(tmp_path), "--write", str(tmp_path / "README.md")]
    assert command.main(["--index", str(ROOT / "openapi" / "coze.yaml"), "coverage", *where]) == 1
    assert expected in capsys.readouterr().err
    assert (tmp_path / "README.md").read_text(encoding="utf-8") == readme
