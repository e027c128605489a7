"""Synthesize a text while it is being written, and save it as a WAV file.

COZE_API_TOKEN=… python examples/voice/speech.py hello.wav
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

from cozekit import Coze, audio

PCM = audio.PCM(24000)


def written() -> Iterator[str]:
    """Simulate a language model."""
    yield from ("Nice weather ", "today. ", "Shall we ", "go out?")


def main(path: str) -> None:
    with Coze() as coze, coze.websockets.audio.speech.connect(output_audio=PCM) as speech:
        samples = b"".join(speech.say(written()))
        Path(path).write_bytes(PCM.to_wav(samples))
        print(f"{PCM.seconds(samples):.2f} s of audio in {path} (logid {speech.logid})")


if __name__ == "__main__":
    main(*sys.argv[1:2] or ["speech.wav"])
