"""The format of sound that goes over a WebSocket: it must be set, because Coze's default is often wrong."""

from __future__ import annotations

from binascii import a2b_base64, b2a_base64  # `base64` calls the same after a few more steps
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from coze_api._core._messages import EncodedMessage
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
    "audio_message_factory",
    "chunks",
    "decoded",
    "input_format",
    "output_format",
    "require_input_format",
    "require_output_format",
    "speech_format",
    "transcription_format",
]

T = TypeVar("T")
M = TypeVar("M", bound=Model)
_CHUNK_BYTES = 32 * 1024  # bytes of sound in a message, if the caller passes all of it at once


def input_format(audio: PCM | SocketInputAudio | Mapping[str, Any]) -> SocketInputAudio:
    """Describe the sound that is sent in a call."""
    if isinstance(audio, PCM):
        return SocketInputAudio(
            format=SocketInputFormat.PCM,
            codec=SocketInputCodec.PCM,
            sample_rate=SocketInputSampleRate(audio.sample_rate),
            channel=SocketChannelCount(audio.channels),
            bit_depth=SocketBitDepth(audio.bits),
        )
    return _coerce(SocketInputAudio, audio)


def transcription_format(audio: PCM | TranscriptionInputAudio | Mapping[str, Any]) -> TranscriptionInputAudio:
    """Describe the sound that is sent to be turned into text."""
    if isinstance(audio, PCM):
        return TranscriptionInputAudio(
            format=SocketInputFormat.PCM,
            codec=TranscriptionInputCodec.PCM,
            sample_rate=audio.sample_rate,
            channel=audio.channels,
            bit_depth=audio.bits,
        )
    return _coerce(TranscriptionInputAudio, audio)


def output_format(audio: PCM | SocketOutputAudio | Mapping[str, Any]) -> SocketOutputAudio:
    """Describe the sound that is received in a call."""
    if isinstance(audio, PCM):
        return SocketOutputAudio(codec=SocketOutputCodec.PCM, pcm_config=_pcm_config(audio))
    return _coerce(SocketOutputAudio, audio)


def speech_format(audio: PCM | SpeechOutputAudio | Mapping[str, Any]) -> SpeechOutputAudio:
    """Describe the sound that text is turned into."""
    if isinstance(audio, PCM):
        return SpeechOutputAudio(codec=SpeechOutputCodec.PCM, pcm_config=_pcm_config(audio))
    return _coerce(SpeechOutputAudio, audio)


def _pcm_config(audio: PCM) -> SocketPcmConfig:
    if (audio.channels, audio.bits) != (1, 16):
        raise InvalidArgumentError(f"Coze sends samples of 16 bits in one channel, not as {audio}")
    return SocketPcmConfig(sample_rate=SpeechSampleRate(audio.sample_rate))


def _coerce(cls: type[M], audio: Any) -> M:
    if isinstance(audio, Mapping):
        return cls.from_dict(dict(audio))
    if isinstance(audio, cls):
        return audio
    raise InvalidArgumentError(
        f"the format of the sound must be a PCM, a {cls.__name__} or a dict, not {type(audio).__name__}"
    )


def require_input_format(operation: str, declared: SocketInputAudio | TranscriptionInputAudio | None) -> None:
    """Raise an error if the format of the sound to send is not set.

    Raises:
        InvalidArgumentError: A part of the format is missing. Coze's default may be wrong.
    """
    if declared is None or declared.format is None:
        raise InvalidArgumentError(
            f"{operation}: the format of the sound is not set, and Coze's default is WAV: "
            "pass connect(input_audio=cozekit.audio.PCM(…)), or input_audio={'format': …}"
        )
    if declared.format == SocketInputFormat.PCM and None in (
        declared.codec,
        declared.sample_rate,
        declared.channel,
        declared.bit_depth,
    ):
        raise InvalidArgumentError(
            f"{operation}: bare samples need codec, sample_rate, channel and bit_depth in input_audio, "
            "as cozekit.audio.PCM(…) sets them"
        )


def require_output_format(operation: str, declared: SocketOutputAudio | SpeechOutputAudio | None) -> None:
    """Raise an error if the format of the sound to receive is not set.

    Raises:
        InvalidArgumentError: The format is missing.
    """
    if declared is None or declared.codec is None:
        raise InvalidArgumentError(
            f"{operation}: the format of the sound to receive is not set: "
            "pass connect(output_audio=cozekit.audio.PCM(24000)), or output_audio={'codec': …}"
        )


def audio_message_factory(
    operation: str,
    declared: SocketInputAudio | TranscriptionInputAudio | None,
    write: Callable[[bytes], EncodedMessage],
) -> Callable[[bytes], EncodedMessage]:
    """Return a function that makes a message of each chunk of sound, and checks the first one.

    Args:
        operation: Operation id.
        declared: The format of the sound.
        write: Writes the message of sound in Base64.

    Raises:
        InvalidArgumentError: When the function is called: a chunk is not bytes, or the first one has another format.
    """
    looked = False

    def message(piece: bytes) -> EncodedMessage:
        nonlocal looked
        if not isinstance(piece, bytes | bytearray | memoryview):
            raise InvalidArgumentError(f"{operation}: a chunk of sound must be bytes, not {type(piece).__name__}")
        if not looked:
            looked = True
            _compare(operation, declared, bytes(piece[:12]))
        return write(b2a_base64(piece, newline=False))

    return message


def _compare(operation: str, declared: Any, beginning: bytes) -> None:
    wav, ogg = SocketInputFormat.WAV, SocketInputFormat.OGG
    expected = SocketInputFormat(declared.format)
    found = wav if is_wav(beginning) else ogg if beginning[:4] == b"OggS" else None
    if found is not None and found != expected:
        raise InvalidArgumentError(f"{operation}: the sound is {found}, but input_audio is {expected}")
    if found is None and len(beginning) == 12 and expected in {wav, ogg}:
        raise InvalidArgumentError(f"{operation}: the sound does not begin like {expected}, the format of input_audio")


def decoded(text: object) -> bytes:
    """Decode Base64; return no bytes if the text is invalid. The message itself still has the text."""
    try:
        return a2b_base64(text) if isinstance(text, str) else b""
    except ValueError:  # text beyond ASCII is none of `binascii.Error`
        return b""


def chunks(sound: T | bytes) -> T | list[bytes]:
    """Cut sound that is audio as a whole."""
    if isinstance(sound, bytes | bytearray | memoryview):
        return [bytes(sound[start : start + _CHUNK_BYTES]) for start in range(0, len(sound), _CHUNK_BYTES)]
    return sound
