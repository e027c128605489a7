"""Audio formats: WAV files, chunks, and pacing at the speed of speech."""

from __future__ import annotations

import io
import struct
import wave
from collections.abc import AsyncIterator, Iterator
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cozekit import audio
from cozekit.errors import InvalidArgumentError

FORMATS = st.builds(
    audio.PCM, st.sampled_from([8000, 16000, 24000, 44100]), st.integers(1, 3), st.sampled_from([8, 16, 24, 32])
)


@given(FORMATS, st.binary(max_size=500))
def test_wav_round_trip(pcm: audio.PCM, data: bytes) -> None:
    """A WAV file holds format and samples, and other programs can read it."""
    samples = data[: len(data) // pcm.frame_bytes * pcm.frame_bytes]
    wav = pcm.to_wav(samples)
    assert audio.PCM.from_wav(wav) == (pcm, samples)
    with wave.open(io.BytesIO(wav)) as other:
        assert (other.getframerate(), other.getnchannels(), other.getsampwidth() * 8) == (
            pcm.sample_rate,
            pcm.channels,
            pcm.bits,
        )
        assert other.readframes(other.getnframes()) == samples


@given(FORMATS, st.binary(max_size=300))
def test_wav_of_the_standard_library_can_be_read(pcm: audio.PCM, data: bytes) -> None:
    """A WAV file that the standard library wrote can be read."""
    samples = data[: len(data) // pcm.frame_bytes * pcm.frame_bytes]
    file = io.BytesIO()
    with wave.open(file, "wb") as other:
        other.setnchannels(pcm.channels)
        other.setsampwidth(pcm.bits // 8)
        other.setframerate(pcm.sample_rate)
        other.writeframes(samples)
    assert audio.PCM.from_wav(file.getvalue()) == (pcm, samples)


def test_streamed_wav_and_extra_chunks_are_read() -> None:
    """A WAV header of a stream has no valid length, and other chunks may precede the samples."""
    pcm = audio.PCM(16000)
    wav = pcm.to_wav(b"\1\2\3\4")
    unknown = wav.replace(struct.pack("<4sI", b"data", 4), struct.pack("<4sI", b"data", 0xFFFFFFFF))
    assert audio.PCM.from_wav(unknown) == (pcm, b"\1\2\3\4")
    assert audio.PCM.from_wav(wav[:-1]) == (pcm, b"\1\2")
    listed = wav[:36] + struct.pack("<4sI", b"LIST", 3) + b"abc\0" + wav[36:]
    assert audio.PCM.from_wav(listed) == (pcm, b"\1\2\3\4")
    subtype = b"\x01\x00\x00\x00\x00\x00\x10\x00\x80\x00\x00\xaa\x00\x38\x9b\x71"
    form = struct.pack("<HHIIHHHHI", 0xFFFE, 1, 16000, 32000, 2, 16, 22, 16, 4) + subtype
    extensible = b"RIFF\0\0\0\0WAVEfmt " + struct.pack("<I", len(form)) + form + wav[36:]
    assert audio.PCM.from_wav(extensible) == (pcm, b"\1\2\3\4")


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "not a WAV file"),
        (b"OggS and so on", "not a WAV file"),
        (b"RIFF\0\0\0\0WAVE", "ends before its samples"),
        (b"RIFF\0\0\0\0WAVEdata\4\0\0\0abcd", "ends before its samples"),
        (b"RIFF\0\0\0\0WAVEfmt \2\0\0\0\1\0", "header that is cut off"),
        (b"RIFF\0\0\0\0WAVEfmt \x10\0\0\0" + struct.pack("<HHIIHH", 7, 1, 8000, 8000, 1, 8), "type 0x0007"),
        (b"RIFF\0\0\0\0WAVEfmt \x10\0\0\0" + struct.pack("<HHIIHH", 1, 0, 8000, 8000, 1, 8), "channels cannot be 0"),
    ],
)
def test_invalid_wav_is_rejected_with_the_reason(data: bytes, message: str) -> None:
    """Data that is not a WAV file is rejected with the reason."""
    with pytest.raises(InvalidArgumentError, match=message):
        audio.PCM.from_wav(data)


@pytest.mark.parametrize("arguments", [(0,), (True,), (16000, 0), (16000, 1, 12), ("16000",), (1.5,)])
def test_invalid_formats_are_rejected(arguments: tuple[int, ...]) -> None:
    """An audio format with impossible values is rejected."""
    with pytest.raises(InvalidArgumentError):
        audio.PCM(*arguments)


@given(FORMATS, st.binary(max_size=2000), st.lists(st.integers(0, 300), max_size=8), st.sampled_from([0.1, 1, 2.5, 20]))
def test_chunks_have_whole_frames_and_equal_length(pcm: audio.PCM, data: bytes, cuts: list[int], ms: float) -> None:
    """However samples arrive, chunks have whole frames and the requested length; only the last may be shorter."""

    def pieces() -> Iterator[bytes]:
        rest = data
        for cut in cuts:
            yield rest[:cut]
            rest = rest[cut:]
        yield rest

    result = list(pcm.chunks(pieces(), ms=ms))
    assert result == list(pcm.chunks(data, ms=ms))
    assert b"".join(result) == data
    assert {len(piece) for piece in result[:-1]} <= {pcm.chunk_bytes(ms)}
    assert pcm.chunk_bytes(ms) % pcm.frame_bytes == 0
    assert all(result)


@pytest.mark.anyio
async def test_chunks_of_an_async_source_have_equal_length() -> None:
    """Chunks of an async source have the requested length; only the last may be shorter."""
    pcm = audio.PCM(8000)

    async def source() -> AsyncIterator[bytes]:
        for _ in range(3):
            yield bytes(100)

    assert [len(piece) async for piece in pcm.achunks(source(), ms=10)] == [160, 140]


def test_chunks_of_zero_length_are_rejected() -> None:
    """A chunk length of 0 ms is rejected, since the chunks would never end."""
    with pytest.raises(InvalidArgumentError, match="ms must be above 0"):
        audio.PCM(8000).chunks(b"", ms=0)


def test_seconds_and_bytes_convert() -> None:
    """`bytes_per_second`, `seconds` and `chunk_bytes` convert between bytes and time."""
    pcm = audio.PCM(16000, channels=2)
    assert (pcm.bytes_per_second, pcm.seconds(bytes(32000)), pcm.chunk_bytes(20)) == (64000, 0.5, 1280)


@pytest.mark.anyio
async def test_pace_yields_pieces_at_the_speed_of_speech(monkeypatch: pytest.MonkeyPatch) -> None:
    """`pace` yields the first piece at once, and each other piece when the one before it has been spoken."""
    pcm = audio.PCM(8000)
    pieces = list(pcm.chunks(bytes(1600), ms=20))
    now, slept = 100.0, []

    def sleep(seconds: float) -> None:
        nonlocal now
        slept.append(round(seconds, 6))
        now += seconds

    async def asleep(seconds: float) -> None:
        sleep(seconds)

    # Of this module only: the event loops of servers under test use the same clock.
    monkeypatch.setattr(audio, "time", SimpleNamespace(monotonic=lambda: now, sleep=sleep))
    monkeypatch.setattr("anyio.sleep", asleep)
    assert list(audio.pace(pieces, pcm)) == pieces
    assert slept == [0, 0.02, 0.02, 0.02, 0.02]
    slept.clear()
    assert [piece async for piece in audio.pace(pieces, pcm, ahead=0.05)] == pieces
    assert slept == [0, 0, 0, 0.01, 0.02]
