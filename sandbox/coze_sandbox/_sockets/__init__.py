"""What is said over the WebSockets, one module per operation."""

from __future__ import annotations

from collections.abc import Mapping

from ._chat import ChatScript
from ._interpretation import InterpretationScript
from ._script import Script
from ._speech import SpeechScript
from ._transcriptions import TranscriptionScript

__all__ = ["SCRIPTS", "Script"]

SCRIPTS: Mapping[str, type[Script]] = {
    "websockets.audio.simult_interpretation": InterpretationScript,
    "websockets.audio.speech": SpeechScript,
    "websockets.audio.transcriptions": TranscriptionScript,
    "websockets.chat": ChatScript,
}
