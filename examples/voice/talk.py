"""Talk with a bot: a question as text, one as audio, and the answers as text and as audio.

COZE_API_TOKEN=… python examples/voice/talk.py <bot id> hello.wav
"""

from __future__ import annotations

import sys
from pathlib import Path

from cozekit import Coze, audio


def main(bot_id: str, path: str) -> None:
    pcm, samples = audio.PCM.from_wav(Path(path).read_bytes())
    spoken = audio.PCM(24000)
    with (
        Coze() as coze,
        coze.websockets.chat.connect(bot_id=bot_id, input_audio=pcm, output_audio=spoken) as call,
    ):
        turn = call.talk("What can you do?")
        for words in turn.text:
            print(words, end="", flush=True)
        print()

        turn = call.talk(pcm.chunks(samples, ms=100))
        answer = b"".join(turn.audio)
        print(f"transcript: {turn.transcript}")
        print(f"answer: {turn.answer} ({spoken.seconds(answer):.2f} s of audio, logid {call.logid})")


if __name__ == "__main__":
    main(*sys.argv[1:3])
