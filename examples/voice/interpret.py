"""Interpret Chinese speech from a WAV file into English, as text and as audio.

COZE_API_TOKEN=… python examples/voice/interpret.py hello.wav
"""

from __future__ import annotations

import sys
from pathlib import Path

from coze_api.models import InterpretationConfig, InterpretationLanguage, InterpretationSettings
from cozekit import Coze, audio

LANGUAGES = InterpretationConfig(from_=InterpretationLanguage.ZH, to=InterpretationLanguage.EN)


def main(path: str) -> None:
    pcm, samples = audio.PCM.from_wav(Path(path).read_bytes())
    spoken = audio.PCM(24000)
    connect = Coze().websockets.audio.simult_interpretation.connect
    settings = InterpretationSettings(translate_config=LANGUAGES)
    with connect(settings=settings, input_audio=pcm, output_audio=spoken) as session:
        interpretation = session.interpret(pcm.chunks(samples, ms=100))
        sound = b"".join(interpretation.audio)
        print(f"original: {interpretation.original}")
        print(f"translation: {interpretation.translation} ({spoken.seconds(sound):.2f} s of audio)")


if __name__ == "__main__":
    main(sys.argv[1])
