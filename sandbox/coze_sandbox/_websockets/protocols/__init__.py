"""What is said over the WebSockets, one module per operation."""

from __future__ import annotations

from collections.abc import Mapping

from .base import Script
from .chat import ChatScript
from .interpretation import InterpretationScript
from .speech import SpeechScript
from .transcriptions import TranscriptionScript

__all__ = ["SCRIPTS", "Script"]

SCRIPTS: Mapping[str, type[Script]] = {
    "websockets.audio.simult_interpretation": InterpretationScript,
    "websockets.audio.speech": SpeechScript,
    "websockets.audio.transcriptions": TranscriptionScript,
    "websockets.chat": ChatScript,
}
