"""Counting what other tools report. The tools themselves run in `make portable`."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from tests.portability import __main__ as command
from tests.portability._tools import (
    TOOLS,
    Outcome,
    Tool,
    openapi_python_client_warnings,
    redocly_outcome,
    spectral_outcome,
    tsc_errors,
)

GUIDE = Path(__file__).resolve().parents[2] / "docs" / "guides" / "portable.md"
MISSING = """\
Generating coze
Warning(s) encountered while generating. Client was generated, but some pieces may be missing

WARNING parsing POST /open_api/knowledge/document/list within datasets. Endpoint will not be generated.

Literal['str'] is not allowed in header

{
  "name": "Agw-Js-Conv"
}

WARNING parsing GET /v1/bots/{bot_id} within bots.

Cannot parse response for status code 200 (Could not find reference in parsed models or enums), response will be omitted

"""


def test_redocly_problems_are_errors_or_warnings() -> None:
    """Each problem that Redocly prints counts by its severity, with its rule."""
    problems = [("error", "struct"), ("warn", "no-unused-components"), ("warn", "no-unused-components")]
    printed = json.dumps(
        {"problems": [{"severity": severity, "ruleId": rule, "message": "M."} for severity, rule in problems]}
    )
    outcome = redocly_outcome(printed)
    assert outcome.errors == ["struct: M."]
    assert list(outcome.counted()) == [(2, "no-unused-components: M."), (1, "struct: M.")]


def test_spectral_problems_are_errors_or_warnings() -> None:
    """Spectral's severity 0 is an error, all others are warnings."""
    printed = json.dumps(
        [{"severity": severity, "code": "info-contact", "message": f"M{severity}."} for severity in range(4)]
    )
    assert spectral_outcome(printed).errors == ["info-contact: M0."]
    assert len(spectral_outcome(printed).warnings) == 3


def test_compiler_errors_are_counted_without_continuation_lines() -> None:
    """An error of the TypeScript compiler is one line; the indented lines below it explain it."""
    printed = "coze.ts(12,5): error TS2769: No overload matches.\n  Overload 1 of 3 gave an error.\n../b.ts(1,1): error TS1: X.\n"
    assert tsc_errors(printed) == ["error TS2769: No overload matches.", "error TS1: X."]
    assert tsc_errors("") == []


def test_missing_operations_are_counted() -> None:
    """Each operation or response that openapi-python-client leaves out counts once, with the reason."""
    operation, response = openapi_python_client_warnings(MISSING)
    assert "Endpoint will not be generated. Literal['str'] is not allowed in header" in operation
    assert response.startswith("parsing GET /v1/bots/{bot_id} within bots. Cannot parse response")


@pytest.mark.parametrize("tool", TOOLS, ids=lambda tool: tool.name)
def test_missing_program_is_an_error(tool: Tool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A tool whose program is not installed is reported as an error, not as a document without faults."""
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr("sys.executable", str(tmp_path / "python"))
    (tmp_path / "coze.json").write_text("{}", encoding="utf-8")
    outcome = tool.run(tmp_path / "coze.json", tmp_path)
    assert len(outcome.errors) == 1
    assert "is not installed" in outcome.errors[0]


def test_table_has_a_row_for_each_tool(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The command prints errors and warnings of both documents, and fails where the portable form has an error."""

    def run(document: Path, folder: Path) -> Outcome:
        title = json.loads(document.read_text(encoding="utf-8"))["info"]["title"]
        return Outcome([] if folder.name == "portable" else ["wrong", "wrong"], [f"{title} in {folder.name}"])

    monkeypatch.setattr(command, "TOOLS", (Tool("Judge", "orval", run),))
    monkeypatch.setattr("sys.argv", ["portability", "--folder", str(tmp_path)])
    assert command.main() == 0
    printed = capsys.readouterr().out
    assert "| Judge | 8.38.0 | 2 errors, 1 warning | 0 errors, 1 warning |\n" in printed
    assert printed.endswith("- Judge: 1 x Coze API in portable\n")
    monkeypatch.setattr(command, "TOOLS", (Tool("Judge", "orval", lambda *_: Outcome(["wrong"])),))
    assert command.main() == 1


@pytest.mark.parametrize("tool", TOOLS, ids=lambda tool: tool.name)
def test_guide_has_results_and_command_of_each_tool(tool: Tool) -> None:
    """The guide has results of the version that is run, without errors in the portable form, and its command."""
    guide = GUIDE.read_text(encoding="utf-8")
    row = next(line for line in guide.splitlines() if line.startswith(f"| {tool.name} | {tool.version} | "))
    assert row.split(" | ")[3].startswith("0 errors, ")
    commands = guide.split("## Commands")[1]
    assert re.search(rf"{tool.package}(@|==){tool.version}\b|^{tool.package} generate ", commands, re.MULTILINE)
