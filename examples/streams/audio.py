"""Sends speech to a bot and saves its spoken answer.

    COZE_API_TOKEN=… COZE_BOT_ID=… python examples/streams/audio.py question.wav answer.wav

Also runs against the sandbox, whose bots answer audio with audio.

Environment:
    COZE_API_TOKEN: Personal access token with the permissions chat and uploadFile.
    COZE_API_BASE: Base URL. Default: https://api.coze.com.
    COZE_BOT_ID: A bot that is published as API.
"""

import os
import sys
import wave
from pathlib import Path

from cozekit import Coze, CozeError
from cozekit.messages import audio, user


def main(question: Path, answer: Path) -> int:
    with Coze() as coze, wave.open(str(answer), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(24_000)  # the sample rate of answers to WAV input
        sent = coze.files.upload(question)
        with coze.chat.stream(
            bot_id=os.environ["COZE_BOT_ID"], user_id="me", additional_messages=[user(audio(file_id=sent.id))]
        ) as stream:
            for piece in stream.audio:
                file.writeframes(piece)
        print(f"{stream.answer}\n{answer}: {file.getnframes() / 24_000:.2f} seconds")
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main(*map(Path, sys.argv[1:3])))
    except CozeError as error:
        sys.exit(f"audio: {error}")
