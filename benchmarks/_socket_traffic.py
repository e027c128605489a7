"""Messages of WebSockets that carry audio, as Coze sends and expects them."""

from __future__ import annotations

import base64
import hashlib
import json
from typing import Any

from ._traffic import BOT_ID, CHAT_ID, CONVERSATION_ID, SECTION_ID

__all__ = ["CHUNKS", "COUNT", "DIGEST", "ROUND_TRIPS", "SOUND", "chat", "chat_audio", "encode", "speech_audio"]

COUNT = 2000
"""Messages with audio in one measurement."""
ROUND_TRIPS = 1000
"""Messages with audio in each direction, one at a time, in one measurement."""
_CHUNK = 960  # bytes of audio in a message: 20 ms of PCM with 24,000 samples of 16 bits per second
SOUND = hashlib.shake_128(b"sound").digest(COUNT * _CHUNK)
"""All of the audio. Like noise, it cannot be compressed."""
CHUNKS = [SOUND[start : start + _CHUNK] for start in range(0, len(SOUND), _CHUNK)]
"""The audio of each message."""
DIGEST = hashlib.sha256(SOUND).hexdigest()
"""What the server returns as the transcript of this audio."""
_MESSAGE_ID = "7526821714748293172"


def encode(kind: str, data: Any = None) -> bytes:
    """Return a message of the server, with the members that those of hosted Coze have."""
    detail = {"logid": "021752474748819fdbddc030017070c0000000000000029f6daa2", "respond_at": "1752474749932"}
    message = {"event_type": kind, "id": "4562efca-6dd3-4f51-a45b-59d59f45fef4", "data": data, "detail": detail}
    return json.dumps(message, separators=(",", ":")).encode()


def speech_audio(chunk: bytes) -> bytes:
    """Return a message with audio of a text."""
    return encode("speech.audio.update", {"delta": base64.b64encode(chunk).decode()})


def chat_audio(chunk: bytes) -> bytes:
    """Return a message with audio of a bot's answer."""
    message = {
        "id": _MESSAGE_ID,
        "conversation_id": CONVERSATION_ID,
        "bot_id": BOT_ID,
        "role": "assistant",
        "type": "answer",
        "content": base64.b64encode(chunk).decode(),
        "content_type": "audio",
        "chat_id": CHAT_ID,
        "section_id": SECTION_ID,
    }
    return encode("conversation.audio.delta", message)


def chat(status: str) -> bytes:
    """Return a message with the state of a chat."""
    data = {"id": CHAT_ID, "conversation_id": CONVERSATION_ID, "bot_id": BOT_ID, "status": status}
    return encode(f"conversation.chat.{status}", data)
