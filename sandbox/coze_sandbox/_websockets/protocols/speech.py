"""Text to speech."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from typing import Any

from ..._common.errors import SPEECH_TOO_LONG, CallError
from ..._handlers._common import get_or_404
from ..._http.context import Call, StreamEvent
from ..._spec.spec import Spec
from ..._state.seed import VOICE_ID
from .base import ProtocolHandler
from .settings import Settings, merge
from .speech_synthesis import split_sentences, synthesize

__all__ = ["SpeechHandler"]

_LONGEST = 1024


class SpeechHandler(ProtocolHandler):
    """Speaks the appended text when it is complete."""

    def __init__(self, call: Call, spec: Spec) -> None:
        super().__init__(call, spec)
        self._settings = Settings(self.downlink("speech.updated"), spec, {"voice_id": VOICE_ID})
        self._text = ""
        self._bytes = 0
        self.send("speech.created")

    def on_message(self, event: str, data: dict[str, Any]) -> None:
        """Handle a message of the client.

        Raises:
            CallError: The voice is unknown, or the text is too long.
        """
        match event:
            case "speech.update":
                self._update(data)
            case "input_text_buffer.append":
                self._append(data["delta"])
            case "input_text_buffer.complete":
                self.enqueue(self._speech(self._text, self._settings.effective()["output_audio"]))
                self._text = ""

    def _update(self, data: dict[str, Any]) -> None:
        configured = merge(self._settings.configured, data)
        effective = self._settings.effective(configured)
        if not self.state.options.examples:
            get_or_404(self.state, "voice", effective["output_audio"]["voice_id"])
        self._settings.configured = configured
        self.send("speech.updated", effective)

    def _append(self, text: str) -> None:
        size = self._bytes + len(text.encode())
        if size > _LONGEST:
            raise CallError(SPEECH_TOO_LONG, f"data.delta: the text has more than {_LONGEST} bytes")
        self._bytes = size
        self._text += text

    def _speech(self, text: str, output: dict[str, Any]) -> Iterator[StreamEvent]:
        yield StreamEvent("input_text_buffer.completed", None)
        for sentence in split_sentences(text):
            yield StreamEvent("conversation.audio.sentence_start", {"text": sentence})
            for chunk in synthesize(sentence, output):
                delta = base64.b64encode(chunk.content).decode()
                yield StreamEvent("speech.audio.update", {"delta": delta}, chunk.pause)
        yield StreamEvent("speech.audio.completed", None)
