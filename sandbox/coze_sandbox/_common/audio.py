"""Audio of a given length in the formats of Coze.

Raw PCM and WAV contain a tone. The sandbox has no encoder, so MP3 and Ogg Opus contain silence, which
needs none: they are valid files of the right length.
"""

from __future__ import annotations

import functools
import math
import struct
from collections.abc import Iterator

__all__ = ["FORMATS", "make_sound"]

FORMATS = {"pcm": "audio/pcm", "wav": "audio/wav", "mp3": "audio/mpeg", "ogg_opus": "audio/ogg"}

_TONE = 440
_LOUDNESS = 8000

# MPEG 1, 2 and 2.5 by sample rate: version bits, index of the rate in its table, samples per frame.
_MPEG = {
    44100: (0b11, 0, 1152),
    48000: (0b11, 1, 1152),
    32000: (0b11, 2, 1152),
    22050: (0b10, 0, 576),
    24000: (0b10, 1, 576),
    16000: (0b10, 2, 576),
    8000: (0b00, 2, 576),
}
_MPEG_BITRATES = {1152: (32_000, 1), 576: (32_000, 4)}  # one channel; with its index in the table

_OPUS_RATE = 48_000  # Ogg Opus always counts positions at this rate
_OPUS_FRAME = 960
_OPUS_SILENCE = b"\xf8\xff\xfe"  # 20 ms, one channel, full band
_OGG_SERIAL = 1
_OGG_SEGMENTS = 255
_OGG_POLYNOMIAL = 0x04C11DB7


def make_sound(format: str, seconds: float, rate: int) -> bytes:
    """Return an audio file with one channel.

    Args:
        format: One of `FORMATS`.
        seconds: The length; compressed formats are rounded up to a whole frame.
        rate: Samples per second.
    """
    samples = round(seconds * rate)
    match format:
        case "pcm":
            return _tone(samples, rate)
        case "wav":
            return _wav(_tone(samples, rate), rate)
        case "mp3":
            return _mp3(samples, rate)
        case _:
            return _ogg_opus(round(seconds * _OPUS_RATE), rate)


def _tone(samples: int, rate: int) -> bytes:
    second = _second(rate)
    whole, rest = divmod(samples * 2, len(second))
    return second * whole + second[:rest]


@functools.cache
def _second(rate: int) -> bytes:
    values = (int(_LOUDNESS * math.sin(2 * math.pi * _TONE * number / rate)) for number in range(rate))
    return struct.pack(f"<{rate}h", *values)


def _wav(data: bytes, rate: int) -> bytes:
    described = struct.pack("<4sIHHIIHH", b"fmt ", 16, 1, 1, rate, rate * 2, 2, 16)
    body = b"WAVE" + described + struct.pack("<4sI", b"data", len(data)) + data
    return struct.pack("<4sI", b"RIFF", len(body)) + body


def _mp3(samples: int, rate: int) -> bytes:
    version, rate_index, per_frame = _MPEG[rate]
    bitrate, bitrate_index = _MPEG_BITRATES[per_frame]
    # Eleven bits of ones, the version, layer III, no checksum; then bit rate and sample rate; then
    # one channel. The rest is zero, which a decoder reads as an empty frame.
    header = bytes([0xFF, 0b11100011 | version << 3, bitrate_index << 4 | rate_index << 2, 0b11000000])
    frame = header.ljust(per_frame // 8 * bitrate // rate, b"\0")
    return frame * max(math.ceil(samples / per_frame), 1)


def _ogg_opus(samples: int, rate: int) -> bytes:
    head = struct.pack("<8sBBHIhB", b"OpusHead", 1, 1, 0, rate, 0, 0)
    tags = struct.pack("<8sI", b"OpusTags", 0) + struct.pack("<I", 0)
    pages = [_ogg_page(0, 0, 0b010, [head]), _ogg_page(1, 0, 0, [tags])]
    frames = max(math.ceil(samples / _OPUS_FRAME), 1)
    for number, start in enumerate(range(0, frames, _OGG_SEGMENTS), start=2):
        count = min(_OGG_SEGMENTS, frames - start)
        ends = 0b100 if start + count == frames else 0
        pages.append(_ogg_page(number, (start + count) * _OPUS_FRAME, ends, [_OPUS_SILENCE] * count))
    return b"".join(pages)


def _ogg_page(number: int, position: int, flags: int, packets: list[bytes]) -> bytes:
    lengths = bytes(len(packet) for packet in packets)

    def page(checksum: int) -> bytes:
        head = struct.pack("<4sBBqIIIB", b"OggS", 0, flags, position, _OGG_SERIAL, number, checksum, len(packets))
        return head + lengths + b"".join(packets)

    return page(_checksum(page(0)))


def _checksum(data: bytes) -> int:
    table = _checksum_table()
    value = 0
    for byte in data:
        value = (value << 8 & 0xFFFFFFFF) ^ table[value >> 24 ^ byte]
    return value


@functools.cache
def _checksum_table() -> tuple[int, ...]:
    def entries() -> Iterator[int]:
        for number in range(256):
            value = number << 24
            for _ in range(8):
                value = (value << 1 & 0xFFFFFFFF) ^ (_OGG_POLYNOMIAL if value >> 31 else 0)
            yield value

    return tuple(entries())
