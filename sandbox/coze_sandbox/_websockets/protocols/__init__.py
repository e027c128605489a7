"""Protocol handlers of the WebSockets, one module per operation."""

from __future__ import annotations

from collections.abc import Mapping

from .base import ProtocolHandler
from .chat import ChatHandler
from .interpretation import InterpretationHandler
from .speech import SpeechHandler
from .transcriptions import TranscriptionHandler

__all__ = ["PROTOCOLS", "ProtocolHandler"]

PROTOCOLS: Mapping[str, type[ProtocolHandler]] = {
    "websockets.audio.simult_interpretation": InterpretationHandler,
    "websockets.audio.speech": SpeechHandler,
    "websockets.audio.transcriptions": TranscriptionHandler,
    "websockets.chat": ChatHandler,
}
