"""Sound: bare samples, WAV files, pieces of a given length, and sending at the speed of speech.

```python
from cozekit import audio

pcm = audio.PCM(16000)
for piece in pcm.chunks(samples, ms=100): ...
wav = pcm.to_wav(samples)
```
"""

from __future__ import annotations

import struct
import time
from collections.abc import AsyncIterable, AsyncIterator, Iterable, Iterator

import attrs

from .errors import InvalidArgumentError

__all__ = ["PCM", "Paced", "is_wav", "pace"]

_PCM, _EXTENSIBLE = 1, 0xFFFE
_PCM_TYPE = b"\x01\x00\x00\x00\x00\x00\x10\x00\x80\x00\x00\xaa\x00\x38\x9b\x71"


def _check(_: object, attribute: attrs.Attribute[int], value: int) -> None:
    allowed = {"channels": range(1, 256), "bits": (8, 16, 24, 32)}.get(attribute.name, range(1, 2**32))
    if type(value) is not int or value not in allowed:
        raise InvalidArgumentError(f"{attribute.name} cannot be {value!r:.40}")


@attrs.frozen
class PCM:
    """A format of bare samples, little-endian and interleaved.

    Attributes:
        sample_rate: Samples per second and channel.
        channels: Number of channels.
        bits: Bits per sample: 8 (unsigned), 16, 24 or 32.

    Raises:
        InvalidArgumentError: A value is impossible.
    """

    sample_rate: int = attrs.field(validator=_check)
    channels: int = attrs.field(default=1, validator=_check)
    bits: int = attrs.field(default=16, validator=_check)

    @property
    def frame_bytes(self) -> int:
        """Bytes of one sample of all channels."""
        return self.channels * self.bits // 8

    @property
    def bytes_per_second(self) -> int:
        """Bytes of one second."""
        return self.sample_rate * self.frame_bytes

    def seconds(self, samples: bytes) -> float:
        """Return how many seconds samples last."""
        return len(samples) / self.bytes_per_second

    def chunk_bytes(self, ms: float) -> int:
        """Return the number of bytes of *ms* milliseconds, in whole frames and at least one.

        Raises:
            InvalidArgumentError: *ms* is not above 0.
        """
        if not ms > 0:
            raise InvalidArgumentError(f"ms must be above 0, is {ms!r:.40}")
        return max(round(self.sample_rate * ms / 1000), 1) * self.frame_bytes

    def chunks(self, samples: bytes | Iterable[bytes], *, ms: float = 100) -> Iterator[bytes]:
        """Cut samples into pieces of *ms* milliseconds; the last one may be shorter.

        Args:
            samples: All samples, or pieces of any size, such as a file read piece by piece.
            ms: Length of each piece in milliseconds.
        """
        size = self.chunk_bytes(ms)
        return _cut([samples] if isinstance(samples, bytes) else samples, size)

    def achunks(self, samples: AsyncIterable[bytes], *, ms: float = 100) -> AsyncIterator[bytes]:
        """Cut samples that come from an async source into pieces of *ms* milliseconds; the last one may be shorter."""
        return _acut(samples, self.chunk_bytes(ms))

    def to_wav(self, samples: bytes) -> bytes:
        """Make a WAV file of samples."""
        size = len(samples)
        padding = b"\0" * (size % 2)
        form = struct.pack(
            "<HHIIHH",
            _PCM,
            self.channels,
            self.sample_rate,
            self.bytes_per_second,
            self.frame_bytes,
            self.bits,
        )
        head = struct.pack("<4sI4s4sI", b"RIFF", 36 + size + len(padding), b"WAVE", b"fmt ", len(form))
        return head + form + struct.pack("<4sI", b"data", size) + samples + padding

    @classmethod
    def from_wav(cls, wav: bytes) -> tuple[PCM, bytes]:
        """Read a WAV file. If it is truncated or its header has no length, it is read to its end.

        Returns:
            The format and the samples.

        Raises:
            InvalidArgumentError: It is not a WAV file, or its samples are compressed.
        """
        if not is_wav(wav):
            raise InvalidArgumentError(f"this is not a WAV file: it begins with {wav[:12]!r}")
        pcm: PCM | None = None
        position = 12
        while position + 8 <= len(wav):
            name, size = struct.unpack_from("<4sI", wav, position)
            content = wav[position + 8 : position + 8 + size]
            if name == b"fmt ":
                pcm = _format_of(content)
            elif name == b"data" and pcm is not None:
                return pcm, content[: len(content) // pcm.frame_bytes * pcm.frame_bytes]
            position += 8 + size + size % 2
        raise InvalidArgumentError("the WAV file ends before its samples")


def is_wav(data: bytes) -> bool:
    """Return whether data begins like a WAV file."""
    return data[:4] == b"RIFF" and data[8:12] == b"WAVE"


def _format_of(content: bytes) -> PCM:
    if len(content) < 16:
        raise InvalidArgumentError("the WAV file has a header that is cut off")
    kind, channels, rate, _, _, bits = struct.unpack_from("<HHIIHH", content)
    if kind != _PCM and not (kind == _EXTENSIBLE and content[24:40] == _PCM_TYPE):
        raise InvalidArgumentError(f"the WAV file holds sound of type {kind:#06x}, not bare samples")
    return PCM(rate, channels, bits)


def _cut(pieces: Iterable[bytes], size: int) -> Iterator[bytes]:
    rest = bytearray()
    for piece in pieces:
        rest.extend(piece)
        yield from _whole(rest, size)
    if rest:
        yield bytes(rest)


async def _acut(pieces: AsyncIterable[bytes], size: int) -> AsyncIterator[bytes]:
    rest = bytearray()
    async for piece in pieces:
        rest.extend(piece)
        for chunk in _whole(rest, size):
            yield chunk
    if rest:
        yield bytes(rest)


def _whole(rest: bytearray, size: int) -> Iterator[bytes]:
    """Take the whole chunks off the beginning of *rest*."""
    whole = len(rest) // size * size
    for start in range(0, whole, size):
        yield bytes(rest[start : start + size])
    del rest[:whole]


@attrs.frozen
class Paced:
    """Pieces of sound that come at the speed at which they would be spoken. To be iterated by `for` or `async for`."""

    pieces: Iterable[bytes] = attrs.field(repr=False)
    pcm: PCM
    ahead: float

    def __iter__(self) -> Iterator[bytes]:
        due = time.monotonic() - self.ahead
        for piece in self.pieces:
            time.sleep(max(due - time.monotonic(), 0))
            yield piece
            due += self.pcm.seconds(piece)

    async def __aiter__(self) -> AsyncIterator[bytes]:
        from anyio import sleep  # comes with httpx; serves asyncio and trio alike

        due = time.monotonic() - self.ahead
        for piece in self.pieces:
            await sleep(max(due - time.monotonic(), 0))
            yield piece
            due += self.pcm.seconds(piece)


def pace(pieces: Iterable[bytes], pcm: PCM, *, ahead: float = 0.0) -> Paced:
    """Yield pieces of recorded sound at the speed of a microphone.

    Args:
        pieces: The pieces, as `PCM.chunks` makes them.
        pcm: Their format.
        ahead: Seconds of sound that may be yielded in advance.
    """
    return Paced(pieces, pcm, ahead)
