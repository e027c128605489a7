"""Settings of a connection, as the message that sends them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import attrs

from coze_api._core._model import Model
from coze_api.models import (
    ChatSocketSettings,
    ChatSocketUpdate,
    InterpretationSettings,
    InterpretationUpdate,
    SpeechSettings,
    SpeechUpdate,
    TranscriptionSettings,
    TranscriptionUpdate,
)

from ..errors import InvalidArgumentError
from .audio_formats import input_format, output_format, speech_format, transcription_format
from .options import SocketOptions

__all__ = [
    "MappingInput",
    "chat_update",
    "interpretation_update",
    "options_for",
    "speech_update",
    "transcription_update",
]

M = TypeVar("M", bound=Model)
MappingInput = Mapping[str, Any]
_Sound = tuple[Callable[[Any], Any], Any]
"""A function that converts a format of sound, and the format: a PCM, a model or a dict."""


def options_for(client: Any, given: SocketOptions | None) -> SocketOptions:
    of_client: SocketOptions = client._sockets or SocketOptions()
    if given is not None and given.base_url not in {None, of_client.base_url}:
        raise InvalidArgumentError("the base_url of WebSockets belongs to the client: give Coze(sockets=…)")
    return given or of_client


def speech_update(settings: SpeechSettings | MappingInput | None, output_audio: Any) -> SpeechUpdate | None:
    made = _settings(SpeechSettings, settings, output_audio=(speech_format, output_audio))
    return None if made is None else SpeechUpdate(data=made)


def transcription_update(
    settings: TranscriptionSettings | MappingInput | None, input_audio: Any
) -> TranscriptionUpdate | None:
    made = _settings(TranscriptionSettings, settings, input_audio=(transcription_format, input_audio))
    return None if made is None else TranscriptionUpdate(data=made)


def interpretation_update(
    settings: InterpretationSettings | MappingInput | None, input_audio: Any, output_audio: Any
) -> InterpretationUpdate | None:
    made = _settings(InterpretationSettings, settings, **_both_ways(input_audio, output_audio))
    return None if made is None else InterpretationUpdate(data=made)


def chat_update(
    settings: ChatSocketSettings | MappingInput | None, input_audio: Any, output_audio: Any
) -> ChatSocketUpdate | None:
    made = _settings(ChatSocketSettings, settings, **_both_ways(input_audio, output_audio))
    return None if made is None else ChatSocketUpdate(data=made)


def _both_ways(input_audio: Any, output_audio: Any) -> dict[str, _Sound]:
    return {"input_audio": (input_format, input_audio), "output_audio": (output_format, output_audio)}


def _settings(cls: type[M], given: M | MappingInput | None, **sound: _Sound) -> M | None:
    """Return the settings with the formats of sound; None if nothing is set."""
    made = _object(cls, given)
    if formats := {name: describe(one) for name, (describe, one) in sound.items() if one is not None}:
        made = attrs.evolve(made, **formats)
    return made if made.to_dict() else None


def _object(cls: type[M], given: M | MappingInput | None) -> M:
    if given is None:
        return cls()
    if isinstance(given, Mapping):
        return cls.from_dict(given)
    if not isinstance(given, cls):
        raise InvalidArgumentError(f"settings must be {cls.__name__} or a dict, not {type(given).__name__}")
    return given
