"""Fake speech synthesis."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

import attrs

from ..._common.audio import make_sound

__all__ = ["AudioChunk", "split_sentences", "synthesize"]

_SECONDS_PER_CHARACTER = 0.02
_SENTENCE = re.compile(r".+?(?:[。！？!?\n]+|\.+(?=\s|$)|$)", re.DOTALL)  # noqa: RUF001 - Chinese sentence ends
# Default sizes of the chunks in bytes: uneven, some tiny, as recorded.
_CHUNK_SIZES = (1920, 2880, 6, 960, 4800)
_SILENCE = {"g711a": b"\xd5", "g711u": b"\xff"}
_G711_RATE = 8000
# One packet of silence of one channel, by length in milliseconds (RFC 6716, 3.1).
_OPUS = {
    2.5: b"\xe0\xff\xfe",
    5: b"\xe8\xff\xfe",
    10: b"\xf0\xff\xfe",
    20: b"\xf8\xff\xfe",
    40: b"\xf9\xff\xfe\xff\xfe",
    60: b"\xfb\x03\xff\xfe\xff\xfe\xff\xfe",
}
_PCM_RATE, _MP3_RATE = 24_000, 44_100


@attrs.frozen
class AudioChunk:
    """A chunk of audio.

    Attributes:
        content: The bytes.
        pause: Delay before it in seconds, from the client's rate limit.
    """

    content: bytes
    pause: float = 0.0


def split_sentences(text: str) -> list[str]:
    """Split a text into sentences."""
    return [sentence for match in _SENTENCE.finditer(text) if (sentence := match.group().strip())]


def synthesize(sentence: str, output: Mapping[str, Any]) -> Iterator[AudioChunk]:
    """Yield the audio of a sentence: a tone in PCM, silence in all other codecs.

    Args:
        sentence: The sentence; its length determines the duration.
        output: The effective settings `output_audio`.
    """
    speed = 1 + output.get("speech_rate", 0) / 100
    seconds = max(len(sentence), 1) * _SECONDS_PER_CHARACTER / speed
    codec = output.get("codec", "pcm")
    config = output.get("opus_config" if codec == "opus" else "pcm_config", {})
    frame = config.get("frame_size_ms", 10 if codec == "opus" else 0)
    limits = config.get("limit_config", {}) if frame else {}
    for number, content in enumerate(_contents(codec, seconds, frame, output)):
        full = limits.get("max_frame_num") and number and number % limits["max_frame_num"] == 0
        yield AudioChunk(content, limits.get("period", 0) if full else 0.0)


def _contents(codec: str, seconds: float, frame: float, output: Mapping[str, Any]) -> Iterator[bytes]:
    match codec:
        case "pcm":
            rate = output.get("pcm_config", {}).get("sample_rate", _PCM_RATE)
            yield from _cut(make_sound("pcm", seconds, rate), round(rate * frame / 1000) * 2)
        case "opus":
            length, packet = min(_OPUS.items(), key=lambda known: abs(known[0] - frame))
            for _ in range(max(round(seconds * 1000 / length), 1)):
                yield packet
        case "mp3":
            rate = output.get("mp3_config", {}).get("sample_rate", _MP3_RATE)
            yield from _cut(make_sound("mp3", seconds, rate), 0)
        case _:
            yield from _cut(_SILENCE[codec] * round(seconds * _G711_RATE), round(_G711_RATE * frame / 1000))


def _cut(sound: bytes, size: int) -> Iterator[bytes]:
    start = number = 0
    while start < len(sound):
        end = start + (size or _CHUNK_SIZES[number % len(_CHUNK_SIZES)])
        yield sound[start:end]
        start, number = end, number + 1
