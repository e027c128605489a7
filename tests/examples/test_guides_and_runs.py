"""The guides to databases, streams, tools and workflows and their examples work as described."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from coze_sandbox import BOT_ID, WORKFLOW_ASK, WORKFLOW_ECHO, WORKFLOW_FAIL, WORKSPACE_ID, Sandbox

ROOT = Path(__file__).resolve().parents[2]
SHOWN = {
    "7379462189365198898": BOT_ID,
    "7366468917055123456": WORKFLOW_ECHO,
    "7366468917055654321": WORKFLOW_ASK,
    "7498204883280410123": WORKSPACE_ID,
}


def run(path: Path, sandbox: Sandbox, *arguments: str, fails: bool = False, **environment: str) -> str:
    """Run a program against the sandbox and return what it printed."""
    inherited = {key: value for key, value in os.environ.items() if not key.startswith("COZE_")}
    settings = {"COZE_API_TOKEN": sandbox.token, "COZE_API_BASE": sandbox.base_url, **environment}
    done = subprocess.run(
        [sys.executable, str(path), *arguments],
        env={**inherited, **settings}, capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert done.returncode == fails, done.stderr
    return done.stderr if fails else done.stdout


def blocks() -> list[tuple[str, str]]:
    """Return every block of Python in the guides that this file answers for, with its place."""
    return [
        (f"{name}-{number}", code)
        for name in ("databases", "streams", "tools", "workflows")
        for number, code in enumerate(
            re.findall(r"```python\n(.*?)```", (ROOT / f"docs/guides/{name}.md").read_text(encoding="utf-8"), re.DOTALL)
        )
    ]


@pytest.mark.parametrize(("name", "code"), blocks(), ids=[name for name, _ in blocks()])
def test_shown_code_runs(tmp_path: Path, name: str, code: str) -> None:
    """Every block of Python in the guides runs as it stands, with the ids of the sandbox."""
    for shown, real in SHOWN.items():
        code = code.replace(shown, real)
    path = tmp_path / "shown.py"
    path.write_text(code, encoding="utf-8")
    with Sandbox() as sandbox:
        assert run(path, sandbox)


def test_tools() -> None:
    """The example of tools calls two in a stream, sends the failure of one to the bot, and calls one without a stream."""
    with Sandbox() as sandbox:
        output = run(ROOT / "examples/tools.py", sandbox, COZE_BOT_ID=BOT_ID)
        assert not sandbox.violations
    assert '[get_weather {\'city\': \'Ulm\', \'unit\': \'F\'} -> {"city":"Ulm","temperature":75,"unit":"F"}]' in output
    assert "find_train says: No train goes to Atlantis." in output
    assert output.endswith("completed, tools called: get_weather\n")


def test_workflow_interrupt() -> None:
    """The example of interrupts prompts again after a blank answer, and prints the output."""
    with Sandbox() as sandbox:
        output = run(ROOT / "examples/workflow_interrupt.py", sandbox, " ", "Ulm", COZE_WORKFLOW_ID=WORKFLOW_ASK)
    assert output.count("Workflow: Which city, and which day?") == 2
    assert "Output: {'output': 'You answered: Ulm'}\nNode by node: https://" in output


def test_workflow_async() -> None:
    """The example of background runs prints output and nodes, and reports a failed run and a question."""
    path = ROOT / "examples/workflow_async.py"
    with Sandbox() as sandbox:
        output = run(path, sandbox, COZE_WORKFLOW_ID=WORKFLOW_ECHO)
        assert output == "Success: {'output': 'Hello'}\n  Message: Hello\n"
        output = run(path, sandbox, fails=True, COZE_WORKFLOW_ID=WORKFLOW_FAIL)
        assert output.startswith("It failed: the workflow failed as requested\nNode by node: https://")
        output = run(path, sandbox, fails=True, COZE_WORKFLOW_ID=WORKFLOW_ASK)
        assert output == "Question: Which city, and which day?\n"
