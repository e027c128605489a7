"""The guide to databases and its example run as shown."""

from __future__ import annotations

from coze_sandbox import WORKSPACE_ID, Sandbox
from tests.examples.test_guides_and_runs import ROOT, run


def test_example() -> None:
    """The example waits for its task, prints the rows that its filter selects, and leaves no database."""
    with Sandbox(answer_seconds=0.2) as sandbox:
        printed = run(ROOT / "examples/databases.py", sandbox, COZE_WORKSPACE_ID=WORKSPACE_ID)
        assert sandbox.violations == []
    assert printed == "3 rows added\nBen: 10\nCleo: 7\n"


def test_example_without_permission() -> None:
    """Without the permission to create databases the example prints the error and exits with 1."""
    with Sandbox(tokens={"pat_weak": frozenset()}) as sandbox:
        printed = run(
            ROOT / "examples/databases.py",
            sandbox,
            fails=True,
            COZE_WORKSPACE_ID=WORKSPACE_ID,
            COZE_API_TOKEN="pat_weak",
        )
    assert printed.startswith("databases: ")
    assert "Workspace.createDatabase" in printed
