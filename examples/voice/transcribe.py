"""Transcribe a WAV file at the speed of speech: audio is sent while text is received.

COZE_API_TOKEN=… python examples/voice/transcribe.py hello.wav
"""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from cozekit import AsyncCoze, audio


async def main(wav: bytes) -> None:
    pcm, samples = audio.PCM.from_wav(wav)
    pieces = audio.pace(pcm.chunks(samples, ms=100), pcm)
    async with AsyncCoze() as coze, coze.websockets.audio.transcriptions.connect(input_audio=pcm) as session:
        text = ""
        async for text in session.listen(pieces):
            print(f"… {text}")
        print(f"transcript: {text} (logid {session.logid})")


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]).read_bytes()))
