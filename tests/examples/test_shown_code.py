"""The code in the READMEs and the demo works as shown."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from coze_sandbox import Sandbox

ROOT = Path(__file__).resolve().parents[2]


def run(code: list[str], **environment: str) -> subprocess.CompletedProcess[str]:
    inherited = {key: value for key, value in os.environ.items() if not key.startswith("COZE_")}
    return subprocess.run(
        [sys.executable, *code],
        env={**inherited, **environment},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def test_demo_goes_through_every_step() -> None:
    """The demo starts a sandbox, and the quick start uploads, creates, publishes twice and chats in both ways."""
    done = run([str(ROOT / "examples/demo.py")])
    assert done.returncode == 0, done.stderr
    for step in (
        "avatar uploaded",
        "bot created",
        "published as version",
        "renamed",
        "published again as version",
        "chat by stream",
        "chat without stream: completed",
    ):
        assert step in done.stdout
    assert len(re.findall(r"logid \w{20,}", done.stdout)) == 7
    assert "\033" not in done.stdout


def test_quickstart_explains_a_wrong_token() -> None:
    """With an unknown token, the quick start ends with one line that names the cause."""
    with Sandbox() as sandbox:
        done = run([str(ROOT / "examples/quickstart.py")], COZE_API_TOKEN="wrong", COZE_API_BASE=sandbox.base_url)
    assert done.returncode == 1
    assert done.stderr.startswith("quickstart: workspaces.list: authentication is invalid (HTTP 401, code 4100")
    assert "Traceback" not in done.stderr


def test_readme_quick_start_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The code in the README's quick start runs as it stands."""
    [code] = re.findall(
        r"## Quick start\n\n```python\n(.*?)```", (ROOT / "README.md").read_text(encoding="utf-8"), re.DOTALL
    )
    png = b"\x89PNG\r\n\x1a\n" + bytes(64)
    (tmp_path / "avatar.png").write_bytes(png)
    (tmp_path / "quick_start.py").write_text(code, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    with Sandbox() as sandbox:
        done = run(["quick_start.py"], COZE_API_TOKEN=sandbox.token, COZE_API_BASE=sandbox.base_url)
    assert done.returncode == 0, done.stderr
    assert "You said: What can you do?" in done.stdout
    assert " Guide\n" in done.stdout


def test_sandbox_readme_runs() -> None:
    """The code in the sandbox's README runs as it stands, with a program in the place that is left for one."""
    program = """from cozekit import Coze
    messages = [{"role": "user", "content": "Weather?", "content_type": "text"}]
    with Coze(sandbox.token, base_url=sandbox.base_url, retry=0) as coze:
        try:
            coze.chat.create(bot_id=BOT_ID, user_id="user-1", additional_messages=messages)
        except Exception as error:
            assert error.code == 4016
    """
    shown = re.findall(
        r"```python\n(from coze_sandbox .*?)```", (ROOT / "sandbox/README.md").read_text(encoding="utf-8"), re.DOTALL
    )
    assert len(shown) == 3
    assert shown[0].count("    ...") == 1
    for code in shown:
        done = run(["-c", code.replace("    ...", f"    {program}", 1)])
        assert done.returncode == 0, done.stderr
