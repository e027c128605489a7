"""Speech to text."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ..._http.context import Call, StreamEvent
from ..._spec.spec import Spec
from .base import ProtocolHandler
from .settings import Settings, merge
from .speech_recognition import FakeRecognizer, bytes_per_second, decode_sound

__all__ = ["TranscriptionHandler"]


class TranscriptionHandler(ProtocolHandler):
    """Sends partial transcripts while audio is received, and the whole transcript at its end."""

    def __init__(self, call: Call, spec: Spec) -> None:
        super().__init__(call, spec)
        self._settings = Settings(self.downlink("transcriptions.updated"), spec, {})
        self._recognizer = FakeRecognizer()
        self.send("transcriptions.created")

    def on_message(self, event: str, data: dict[str, Any]) -> None:
        """Handle a message of the client.

        Raises:
            CallError: The audio is not Base64.
        """
        match event:
            case "transcriptions.update":
                self._settings.configured = merge(self._settings.configured, data)
                self.send("transcriptions.updated", self._settings.effective())
            case "input_audio_buffer.append":
                audio = decode_sound(data["delta"])
                partial = self._recognizer.partial_result(bytes_per_second(self._settings.effective()["input_audio"]))
                if partial is not None:
                    self.send("transcriptions.message.update", {"content": partial})
                self._recognizer.feed(audio)
            case "input_audio_buffer.clear":
                self._recognizer.clear()
                self.send("input_audio_buffer.cleared")
            case "input_audio_buffer.complete":
                self.enqueue(_transcript(self._recognizer.text() if self._recognizer.size else ""))
                self._recognizer.clear()


def _transcript(text: str) -> Iterator[StreamEvent]:
    yield StreamEvent("input_audio_buffer.completed", None)
    if text:
        yield StreamEvent("transcriptions.message.update", {"content": text})
    yield StreamEvent("transcriptions.message.completed", None)
