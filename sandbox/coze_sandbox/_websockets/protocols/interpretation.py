"""Simultaneous interpretation."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from typing import Any

from ..._bots.messages import split_chunks
from ..._http.context import Call, StreamEvent
from ..._spec.spec import Spec
from .base import ProtocolHandler
from .settings import Settings, merge
from .speech_recognition import FakeRecognizer, decode_sound
from .speech_synthesis import split_sentences, synthesize

__all__ = ["InterpretationHandler"]


class InterpretationHandler(ProtocolHandler):
    """Returns the input as its translation, with the language before each sentence.

    Words of the glossary are replaced. The order is not known from a recording; the sandbox sends transcription,
    translation and audio sentence by sentence.
    """

    def __init__(self, call: Call, spec: Spec) -> None:
        super().__init__(call, spec)
        languages = {"from": "zh", "to": "en"}
        self._settings = Settings(self.downlink("simult_interpretation.updated"), spec, languages)
        self._recognizer = FakeRecognizer()
        self.send("simult_interpretation.created")

    def on_message(self, event: str, data: dict[str, Any]) -> None:
        """Handle a message of the client.

        Raises:
            CallError: The audio is not Base64.
        """
        match event:
            case "simult_interpretation.update":
                self._settings.configured = merge(self._settings.configured, data)
                self.send("simult_interpretation.updated", self._settings.effective())
            case "input_audio_buffer.append":
                self._recognizer.feed(decode_sound(data["delta"]))
            case "input_audio_buffer.complete":
                self.enqueue(
                    _interpreted(self._recognizer.text() if self._recognizer.size else "", self._settings.effective())
                )
                self._recognizer.clear()


def _interpreted(text: str, settings: dict[str, Any]) -> Iterator[StreamEvent]:
    yield StreamEvent("input_audio_buffer.completed", None)
    config = settings["translate_config"]
    for sentence in split_sentences(text):
        for delta in split_chunks(sentence):
            yield StreamEvent("simult_interpretation.transcription.delta", {"delta": delta})
        translated = f"[{config['to']}] {sentence}"
        for entry in config.get("glossary", ()):
            translated = translated.replace(entry["original"], entry["translation"])
        for delta in split_chunks(translated):
            yield StreamEvent("simult_interpretation.translation.delta", {"delta": delta})
        for chunk in synthesize(translated, settings["output_audio"]):
            audio = base64.b64encode(chunk.content).decode()
            yield StreamEvent("simult_interpretation.audio.delta", {"delta": audio}, chunk.pause)
    yield StreamEvent("simult_interpretation.message.completed", None)
