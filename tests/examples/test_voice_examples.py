"""The guide to voice and its examples work as described."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from coze_sandbox import BOT_ID, Sandbox
from cozekit import audio

ROOT = Path(__file__).resolve().parents[2]
GUIDE = re.findall(r"```python\n(.*?)```", (ROOT / "docs/guides/voice.md").read_text(encoding="utf-8"), re.DOTALL)
SPOKEN = "What time is it?"  # the sandbox transcribes audio whose bytes are text as that text


@pytest.fixture
def wav(tmp_path: Path) -> Path:
    """Write a WAV file with speech, and return its path."""
    path = tmp_path / "hello.wav"
    path.write_bytes(audio.PCM(16000).to_wav(SPOKEN.encode()))
    return path


def run(path: Path, cwd: Path, *arguments: str) -> str:
    """Run a program against the sandbox and return what it printed."""
    inherited = {key: value for key, value in os.environ.items() if not key.startswith("COZE_")}
    with Sandbox() as sandbox:
        done = subprocess.run(
            [sys.executable, str(path), *arguments],
            env={**inherited, "COZE_API_TOKEN": sandbox.token, "COZE_API_BASE": sandbox.base_url},
            cwd=cwd, capture_output=True, text=True, check=False, timeout=60,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        assert not sandbox.violations
    return done.stdout


@pytest.mark.parametrize("number", range(len(GUIDE)))
def test_guide_runs(number: int, wav: Path) -> None:
    """Every block of Python in the guide runs as it stands, with the bot of the sandbox."""
    path = wav.with_name("shown.py")
    path.write_text(GUIDE[number].replace("7496347519799787557", BOT_ID), encoding="utf-8")
    run(path, wav.parent)


def test_speech(tmp_path: Path) -> None:
    """The example of speech writes a WAV file that holds sound."""
    output = run(ROOT / "examples/voice/speech.py", tmp_path, "out.wav")
    pcm, samples = audio.PCM.from_wav((tmp_path / "out.wav").read_bytes())
    assert pcm == audio.PCM(24000)
    assert samples
    assert output.startswith(f"{pcm.seconds(samples):.2f} s of audio in out.wav (logid ")


def test_transcribe(wav: Path) -> None:
    """The example of transcriptions prints the transcribed text."""
    output = run(ROOT / "examples/voice/transcribe.py", wav.parent, wav.name)
    assert f"\ntranscript: {SPOKEN} (logid " in output


def test_talk(wav: Path) -> None:
    """The example of a call prints the answer to a text and to sound."""
    output = run(ROOT / "examples/voice/talk.py", wav.parent, BOT_ID, wav.name)
    assert output.startswith("You said: What can you do?\n")
    assert f"transcript: {SPOKEN}\nanswer: You said: {SPOKEN} (" in output


def test_interpret(wav: Path) -> None:
    """The example of interpretation prints both texts."""
    output = run(ROOT / "examples/voice/interpret.py", wav.parent, wav.name)
    texts = rf"original: {re.escape(SPOKEN)}\ntranslation: .+ \(\d+\.\d\d s of audio\)\n"
    assert re.match(texts, output), output


def test_rtc_messages(tmp_path: Path) -> None:
    """The example of rooms writes and reads messages."""
    output = run(ROOT / "examples/voice/rtc_messages.py", tmp_path)
    assert '"event_type":"conversation.message.create"' in output.replace(": ", ":")
    assert output.endswith("in the room (logid 2024)\nbot: Anything.\nnot known yet: later.kind\n")
