"""The examples of streams work as described."""

from __future__ import annotations

import os
import subprocess
import sys
import wave
from pathlib import Path

from coze_sandbox import BOT_ID, WORKFLOW_ECHO, Sandbox

EXAMPLES = Path(__file__).resolve().parents[2] / "examples" / "streams"


def run(name: str, sandbox: Sandbox, *arguments: str, **environment: str) -> str:
    """Run an example and return what it printed."""
    inherited = {key: value for key, value in os.environ.items() if not key.startswith("COZE_")}
    settings = {"COZE_API_TOKEN": sandbox.token, "COZE_API_BASE": sandbox.base_url, **environment}
    command = [sys.executable, str(EXAMPLES / name), *arguments]
    done = subprocess.run(
        command, env={**inherited, **settings}, capture_output=True, text=True, check=False, timeout=60
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_recover() -> None:
    """The example of recovery reports a cut stream and fetches the whole answer, and sends no extra request without a cut."""
    with Sandbox() as sandbox:
        output = run("recover.py", sandbox, COZE_BOT_ID=BOT_ID, COZE_FAULT="cut; events=4")
        assert "[broke off after 4 events; fetching the rest]\n[answer] You said: Hello\n" in output
        assert "Answer: You said: Hello\ncompleted, logid " in output
        assert "broke off" not in run("recover.py", sandbox, COZE_BOT_ID=BOT_ID)


def test_gaps() -> None:
    """The example of gaps prints the number of a lost event, and all other events."""
    with Sandbox() as sandbox:
        output = run("gaps.py", sandbox, COZE_WORKFLOW_ID=WORKFLOW_ECHO, COZE_FAULT="lost; events=2")
        lines = output.splitlines()
        assert lines[:2] == ["0 Message", "1 Message"]
        assert "the event with id 2 is missing" in lines[2]
        assert lines[3] == "3 Message"
        assert lines[-1].endswith(" Done")
        assert "missing" not in run("gaps.py", sandbox, COZE_WORKFLOW_ID=WORKFLOW_ECHO)


def test_audio(tmp_path: Path) -> None:
    """A spoken question is uploaded, and the spoken answer becomes a WAV file that can be played."""
    question, answer = tmp_path / "question.wav", tmp_path / "answer.wav"
    with wave.open(str(question), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(16_000)
        file.writeframes(bytes(3200))
    with Sandbox() as sandbox:
        output = run("audio.py", sandbox, str(question), str(answer), COZE_BOT_ID=BOT_ID)
    with wave.open(str(answer), "rb") as file:
        assert file.getnframes() > 0
        assert f"{file.getnframes() / 24_000:.2f} seconds" in output
