"""Speech to text."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ..._http.context import Call, StreamEvent
from ..._spec.spec import Spec
from .base import Script
from .settings import Settings, merged
from .speech_recognition import Ear, bytes_per_second, decode_sound

__all__ = ["TranscriptionScript"]


class TranscriptionScript(Script):
    """Tells what it hears: while the sound comes what it heard before, and the whole when it is complete."""

    def __init__(self, call: Call, description: Spec) -> None:
        super().__init__(call, description)
        self._settings = Settings(self.downlink("transcriptions.updated"), description, {})
        self._ear = Ear()
        self.say("transcriptions.created")

    def hear(self, event: str, data: dict[str, Any]) -> None:
        """Take a message of the client.

        Raises:
            CallError: The sound is no Base64.
        """
        match event:
            case "transcriptions.update":
                self._settings.given = merged(self._settings.given, data)
                self.say("transcriptions.updated", self._settings.in_use())
            case "input_audio_buffer.append":
                sound = decode_sound(data["delta"])
                news = self._ear.news(bytes_per_second(self._settings.in_use()["input_audio"]))
                if news is not None:
                    self.say("transcriptions.message.update", {"content": news})
                self._ear.take(sound)
            case "input_audio_buffer.clear":
                self._ear.clear()
                self.say("input_audio_buffer.cleared")
            case "input_audio_buffer.complete":
                self.tell(_transcript(self._ear.text() if self._ear.size else ""))
                self._ear.clear()


def _transcript(text: str) -> Iterator[StreamEvent]:
    yield StreamEvent("input_audio_buffer.completed", None)
    if text:
        yield StreamEvent("transcriptions.message.update", {"content": text})
    yield StreamEvent("transcriptions.message.completed", None)
