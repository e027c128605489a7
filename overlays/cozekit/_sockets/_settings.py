"""Settings of a connection, as the message that sends them."""

from __future__ import annotations

from collections.abc import Mapping
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
from ._options import SocketOptions
from ._sound import input_format, output_format, speech_format, transcription_format

__all__ = ["Given", "chat_update", "interpretation_update", "options_for", "speech_update", "transcription_update"]

M = TypeVar("M", bound=Model)
Given = Mapping[str, Any]
_Sound = Any  # a PCM, an object of the description or a dict; `_sound` tells them apart


def options_for(client: Any, given: SocketOptions | None) -> SocketOptions:
    of_client: SocketOptions = client._sockets or SocketOptions()
    if given is not None and given.base_url not in {None, of_client.base_url}:
        raise InvalidArgumentError("the base_url of WebSockets belongs to the client: give Coze(sockets=…)")
    return given or of_client


def _settings(cls: type[M], given: M | Given | None) -> M:
    if given is None:
        return cls()
    if isinstance(given, Mapping):
        return cls.from_dict(given)
    if not isinstance(given, cls):
        raise InvalidArgumentError(f"settings must be {cls.__name__} or a dict, not {type(given).__name__}")
    return given


def speech_update(settings: SpeechSettings | Given | None, output_audio: Any) -> SpeechUpdate | None:
    made = _settings(SpeechSettings, settings)
    if output_audio is not None:
        made = attrs.evolve(made, output_audio=speech_format(output_audio))
    return SpeechUpdate(data=made) if made.to_dict() else None


def transcription_update(
    settings: TranscriptionSettings | Given | None, input_audio: Any
) -> TranscriptionUpdate | None:
    made = _settings(TranscriptionSettings, settings)
    if input_audio is not None:
        made = attrs.evolve(made, input_audio=transcription_format(input_audio))
    return TranscriptionUpdate(data=made) if made.to_dict() else None


def interpretation_update(
    settings: InterpretationSettings | Given | None, input_audio: Any, output_audio: Any
) -> InterpretationUpdate | None:
    made = _settings(InterpretationSettings, settings)
    if input_audio is not None:
        made = attrs.evolve(made, input_audio=input_format(input_audio))
    if output_audio is not None:
        made = attrs.evolve(made, output_audio=output_format(output_audio))
    return InterpretationUpdate(data=made) if made.to_dict() else None


def chat_update(
    settings: ChatSocketSettings | Given | None, input_audio: Any, output_audio: Any
) -> ChatSocketUpdate | None:
    made = _settings(ChatSocketSettings, settings)
    if input_audio is not None:
        made = attrs.evolve(made, input_audio=input_format(input_audio))
    if output_audio is not None:
        made = attrs.evolve(made, output_audio=output_format(output_audio))
    return ChatSocketUpdate(data=made) if made.to_dict() else None
