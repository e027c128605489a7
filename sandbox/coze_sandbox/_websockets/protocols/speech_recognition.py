"""Fake speech recognition.

Audio whose bytes are UTF-8 text (after the header of a WAV file, if any, and without surrounding silence) is recognized
as that text, so that tests can choose the transcript: send the Base64 of `Hello`. The transcript of all other audio
is `Sound of N bytes.`
"""

from __future__ import annotations

import array
import base64
import codecs
import sys
from collections.abc import Iterator, Mapping
from typing import Any, Literal

from ..._common.errors import INVALID_PARAMETER, CallError

__all__ = ["FakeRecognizer", "VoiceDetector", "bytes_per_second", "decode_sound"]

_LONGEST_TEXT = 1 << 16
_WAV, _WAV_DATA, _WAV_SIZE = b"RIFF", b"data", 4
_LOUD = 500
_WINDOW_MS = 20
_G711_RATE = 8000
_OPUS_BYTES = 6000  # a second at the usual 48 kbit/s


def decode_sound(delta: str) -> bytes:
    """Decode a chunk of audio.

    Raises:
        CallError: The audio is not Base64.
    """
    try:
        return base64.b64decode(delta, validate=True)
    except ValueError as error:
        raise CallError(INVALID_PARAMETER, f"data.delta: not Base64: {error}") from error


class FakeRecognizer:
    """Collects the audio of one turn.

    Attributes:
        size: Bytes taken so far.
    """

    def __init__(self) -> None:
        self.size = 0
        self._buffer = bytearray()
        self._last_reported = ""

    def feed(self, sound: bytes) -> None:
        """Add audio."""
        self.size += len(sound)
        if len(self._buffer) < _LONGEST_TEXT:
            self._buffer += sound

    def text(self) -> str:
        """Return the transcript so far."""
        if self.size <= _LONGEST_TEXT:
            spoken = _text(_without_head(bytes(self._buffer)).strip(b"\0"))
            if spoken is not None:
                return spoken.strip()
        return f"Sound of {self.size} bytes."

    def partial_result(self, bytes_per_second: float) -> str | None:
        """Return the transcript so far if it has changed: new text, or another second of audio."""
        seconds = int(self.size / bytes_per_second)
        text = self.text() if self.size else ""
        is_sound = text == f"Sound of {self.size} bytes."
        progress = str(seconds) if is_sound else text
        if not text or progress == self._last_reported or (is_sound and not seconds):
            return None
        self._last_reported = progress
        return text

    def clear(self) -> None:
        """Discard all audio."""
        self.size = 0
        self._buffer.clear()
        self._last_reported = ""


def bytes_per_second(input_audio: Mapping[str, Any]) -> float:
    """Return the number of bytes per second of audio.

    Args:
        input_audio: The effective settings `input_audio`.
    """
    match input_audio["codec"]:
        case "pcm":
            return max(float(input_audio["sample_rate"] * input_audio["channel"] * input_audio["bit_depth"] / 8), 1.0)
        case "opus":
            return _OPUS_BYTES
        case _:
            return _G711_RATE


class VoiceDetector:
    """Detects the start and the end of speech.

    Args:
        input_audio: The effective settings `input_audio`.
        silence_ms: Silence that ends a turn, in milliseconds of the audio, not of the clock.
    """

    def __init__(self, input_audio: Mapping[str, Any], silence_ms: float) -> None:
        samples = max(round(bytes_per_second(input_audio) * _WINDOW_MS / 1000 / 2), 1)
        self._window = samples * 2
        self._is_pcm = input_audio["codec"] == "pcm" and input_audio["bit_depth"] == 16
        self._needed = silence_ms
        self._silence = 0.0
        self._rest = b""
        self._started = False
        self.speaking = False

    def feed(self, sound: bytes) -> Iterator[tuple[Literal["started", "stopped", "speech"], bytes]]:
        """Add audio, and yield what it contains, with the audio of each part."""
        if not self._started and sound:
            self._started = True
            sound = _without_head(sound)
        self._rest += sound
        while len(self._rest) >= self._window:
            window, self._rest = self._rest[: self._window], self._rest[self._window :]
            yield from self._classify(window)

    def _classify(self, window: bytes) -> Iterator[tuple[Literal["started", "stopped", "speech"], bytes]]:
        if self._is_loud(window):
            self._silence = 0.0
            if not self.speaking:
                self.speaking = True
                yield "started", window
            else:
                yield "speech", window
        elif self.speaking:
            self._silence += _WINDOW_MS
            if self._silence >= self._needed:
                self.speaking = False
                yield "stopped", window
            else:
                yield "speech", window

    def _is_loud(self, window: bytes) -> bool:
        if not self._is_pcm:
            return window.count(window[0]) < len(window)
        samples = array.array("h", window)
        if sys.byteorder == "big":
            samples.byteswap()
        return max(samples) > _LOUD or min(samples) < -_LOUD


def _without_head(sound: bytes) -> bytes:
    if not sound.startswith(_WAV):
        return sound
    _, marker, data = sound.partition(_WAV_DATA)
    return data[_WAV_SIZE:] if marker else b""


def _text(sound: bytes) -> str | None:
    """Return audio decoded as UTF-8 text, without an incomplete character at the end, or None."""
    try:
        text = codecs.getincrementaldecoder("utf-8")().decode(sound)
    except UnicodeDecodeError:
        return None
    return text if all(character.isprintable() or character in "\n\t" for character in text) else None
