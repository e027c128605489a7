"""The format of sound that goes over a WebSocket: always told, never assumed."""

from __future__ import annotations

import base64
from collections.abc import AsyncIterable, AsyncIterator, Callable, Iterable, Iterator, Mapping
from typing import Any, TypeVar

from coze_api._core._model import Model
from coze_api.models import (
    SocketBitDepth,
    SocketChannelCount,
    SocketInputAudio,
    SocketInputCodec,
    SocketInputFormat,
    SocketInputSampleRate,
    SocketOutputAudio,
    SocketOutputCodec,
    SocketPcmConfig,
    SpeechOutputAudio,
    SpeechOutputCodec,
    SpeechSampleRate,
    TranscriptionInputAudio,
    TranscriptionInputCodec,
)

from ..audio import PCM, is_wav
from ..errors import InvalidArgumentError

__all__ = [
    "Source", "aeach", "checked", "decoded", "each", "encoded", "input_format", "need_input", "need_output",
    "output_format", "pieces", "speech_format", "transcription_format",
]  # fmt: skip

T = TypeVar("T")
U = TypeVar("U")
V = TypeVar("V")
M = TypeVar("M", bound=Model)
Source = Iterable[T] | AsyncIterable[T]
_PIECE = 32 * 1024  # bytes of sound in a message, where the caller does not cut it


def input_format(given: PCM | SocketInputAudio | Mapping[str, Any]) -> SocketInputAudio:
    """Describe the sound that is sent in a call."""
    if isinstance(given, PCM):
        return SocketInputAudio(
            format=SocketInputFormat.PCM,
            codec=SocketInputCodec.PCM,
            sample_rate=SocketInputSampleRate(given.sample_rate),
            channel=SocketChannelCount(given.channels),
            bit_depth=SocketBitDepth(given.bits),
        )
    return _made(SocketInputAudio, given)


def transcription_format(given: PCM | TranscriptionInputAudio | Mapping[str, Any]) -> TranscriptionInputAudio:
    """Describe the sound that is sent to be turned into text."""
    if isinstance(given, PCM):
        return TranscriptionInputAudio(
            format=SocketInputFormat.PCM,
            codec=TranscriptionInputCodec.PCM,
            sample_rate=given.sample_rate,
            channel=given.channels,
            bit_depth=given.bits,
        )
    return _made(TranscriptionInputAudio, given)


def output_format(given: PCM | SocketOutputAudio | Mapping[str, Any]) -> SocketOutputAudio:
    """Describe the sound that is received in a call."""
    if isinstance(given, PCM):
        return SocketOutputAudio(codec=SocketOutputCodec.PCM, pcm_config=_pcm_config(given))
    return _made(SocketOutputAudio, given)


def speech_format(given: PCM | SpeechOutputAudio | Mapping[str, Any]) -> SpeechOutputAudio:
    """Describe the sound that text is turned into."""
    if isinstance(given, PCM):
        return SpeechOutputAudio(codec=SpeechOutputCodec.PCM, pcm_config=_pcm_config(given))
    return _made(SpeechOutputAudio, given)


def _pcm_config(given: PCM) -> SocketPcmConfig:
    if (given.channels, given.bits) != (1, 16):
        raise InvalidArgumentError(f"Coze sends samples of 16 bits in one channel, not as {given}")
    return SocketPcmConfig(sample_rate=SpeechSampleRate(given.sample_rate))


def _made(cls: type[M], given: Any) -> M:
    if isinstance(given, Mapping):
        return cls.from_dict(dict(given))
    if isinstance(given, cls):
        return given
    raise InvalidArgumentError(
        f"the format of the sound must be a PCM, a {cls.__name__} or a dict, not {type(given).__name__}"
    )


def need_input(operation: str, told: SocketInputAudio | TranscriptionInputAudio | None) -> None:
    """Refuse to send sound of a format that was not told.

    Raises:
        InvalidArgumentError: It was not, or not all of it. Coze would assume the rest, such as WAV for bare samples.
    """
    if told is None or told.format is None:
        raise InvalidArgumentError(
            f"{operation}: the format of the sound is not told, and Coze would take it for WAV: "
            "give connect(input_audio=cozekit.audio.PCM(…)), or input_audio={'format': …}"
        )
    if told.format == SocketInputFormat.PCM and None in (told.codec, told.sample_rate, told.channel, told.bit_depth):
        raise InvalidArgumentError(
            f"{operation}: bare samples need codec, sample_rate, channel and bit_depth in input_audio, "
            "as cozekit.audio.PCM(…) tells them"
        )


def need_output(operation: str, told: SocketOutputAudio | SpeechOutputAudio | None) -> None:
    """Refuse to receive sound of a format that was not told.

    Raises:
        InvalidArgumentError: It was not.
    """
    if told is None or told.codec is None:
        raise InvalidArgumentError(
            f"{operation}: the format of the sound to receive is not told: "
            "give connect(output_audio=cozekit.audio.PCM(24000)), or output_audio={'codec': …}"
        )


def checked(
    operation: str, told: SocketInputAudio | TranscriptionInputAudio | None, make: Callable[[str], U]
) -> Callable[[bytes], U]:
    """Return what makes a message of each piece of sound, and looks at the first one.

    Raises:
        InvalidArgumentError: From what is returned: a piece is no bytes, or the first one is of another format.
    """
    looked = False

    def message(piece: bytes) -> U:
        nonlocal looked
        if not isinstance(piece, bytes | bytearray | memoryview):
            raise InvalidArgumentError(f"{operation}: a piece of sound must be bytes, not {type(piece).__name__}")
        if not looked:
            looked = True
            _compare(operation, told, bytes(piece[:12]))
        return make(encoded(piece))

    return message


def _compare(operation: str, told: Any, beginning: bytes) -> None:
    wav, ogg = SocketInputFormat.WAV, SocketInputFormat.OGG
    expected = SocketInputFormat(told.format)
    found = wav if is_wav(beginning) else ogg if beginning[:4] == b"OggS" else None
    if found is not None and found != expected:
        raise InvalidArgumentError(f"{operation}: the sound is {found}, but input_audio tells {expected}")
    if found is None and len(beginning) == 12 and expected in {wav, ogg}:
        raise InvalidArgumentError(f"{operation}: the sound does not begin like {expected}, as input_audio tells")


def encoded(piece: bytes) -> str:
    """Write sound as Base64."""
    return base64.b64encode(piece).decode()


def decoded(text: object) -> bytes:
    """Read sound from Base64. What is none counts as silence: the message is still there for who wants to see it."""
    try:
        return base64.b64decode(text) if isinstance(text, str) else b""
    except ValueError:  # text beyond ASCII is none of `binascii.Error`
        return b""


def each(source: Iterable[T], make: Callable[[T], U], last: V) -> Iterator[U | V]:
    """Make a message of each item, and one at the end."""
    for item in source:
        yield make(item)
    yield last


async def aeach(source: Source[T], make: Callable[[T], U], last: V) -> AsyncIterator[U | V]:
    """Make messages of what an iterable of either kind gives."""
    if isinstance(source, AsyncIterable):
        async for item in source:
            yield make(item)
    else:
        for item in source:
            yield make(item)
    yield last


def pieces(sound: T | bytes) -> T | list[bytes]:
    """Cut sound that is given as a whole."""
    if isinstance(sound, bytes | bytearray | memoryview):
        return [bytes(sound[start : start + _PIECE]) for start in range(0, len(sound), _PIECE)]
    return sound
