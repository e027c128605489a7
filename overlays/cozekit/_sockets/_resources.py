"""The resources below `websockets`, which open sessions."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import Any, TypeVar, Unpack

import attrs

from coze_api._core._model import Model
from coze_api._core._operation import HandshakeOptions
from coze_api.models import (
    ChatSocketSettings,
    ChatSocketUpdate,
    InterpretationSettings,
    InterpretationUpdate,
    SocketInputAudio,
    SocketOutputAudio,
    SpeechOutputAudio,
    SpeechSettings,
    SpeechUpdate,
    TranscriptionInputAudio,
    TranscriptionSettings,
    TranscriptionUpdate,
)
from coze_api.params.websockets import (
    AudioSpeechHandshakeParams,
    AudioTranscriptionsHandshakeParams,
    ChatHandshakeParams,
)
from coze_api.resources.websockets import (
    AsyncWebsocketsAPI,
    AsyncWebsocketsAudioAPI,
    AsyncWebsocketsAudioSimultInterpretationAPI,
    AsyncWebsocketsAudioSpeechAPI,
    AsyncWebsocketsAudioTranscriptionsAPI,
    AsyncWebsocketsChatAPI,
    WebsocketsAPI,
    WebsocketsAudioAPI,
    WebsocketsAudioSimultInterpretationAPI,
    WebsocketsAudioSpeechAPI,
    WebsocketsAudioTranscriptionsAPI,
    WebsocketsChatAPI,
)

from ..audio import PCM
from ..errors import InvalidArgumentError
from ._chat import AsyncChatSession, ChatSession
from ._interpretation import AsyncInterpretationSession, InterpretationSession
from ._options import SocketOptions
from ._sound import input_format, output_format, speech_format, transcription_format
from ._speech import AsyncSpeechSession, SpeechSession
from ._transcriptions import AsyncTranscriptionSession, TranscriptionSession

__all__ = ["AsyncWebsockets", "Websockets"]

M = TypeVar("M", bound=Model)
Given = Mapping[str, Any]


def _options(client: Any, given: SocketOptions | None) -> SocketOptions:
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


def _speech(settings: SpeechSettings | Given | None, output_audio: Any) -> SpeechUpdate | None:
    made = _settings(SpeechSettings, settings)
    if output_audio is not None:
        made = attrs.evolve(made, output_audio=speech_format(output_audio))
    return SpeechUpdate(data=made) if made.to_dict() else None


def _transcription(settings: TranscriptionSettings | Given | None, input_audio: Any) -> TranscriptionUpdate | None:
    made = _settings(TranscriptionSettings, settings)
    if input_audio is not None:
        made = attrs.evolve(made, input_audio=transcription_format(input_audio))
    return TranscriptionUpdate(data=made) if made.to_dict() else None


def _interpretation(
    settings: InterpretationSettings | Given | None, input_audio: Any, output_audio: Any
) -> InterpretationUpdate | None:
    made = _settings(InterpretationSettings, settings)
    if input_audio is not None:
        made = attrs.evolve(made, input_audio=input_format(input_audio))
    if output_audio is not None:
        made = attrs.evolve(made, output_audio=output_format(output_audio))
    return InterpretationUpdate(data=made) if made.to_dict() else None


def _chat(settings: ChatSocketSettings | Given | None, input_audio: Any, output_audio: Any) -> ChatSocketUpdate | None:
    made = _settings(ChatSocketSettings, settings)
    if input_audio is not None:
        made = attrs.evolve(made, input_audio=input_format(input_audio))
    if output_audio is not None:
        made = attrs.evolve(made, output_audio=output_format(output_audio))
    return ChatSocketUpdate(data=made) if made.to_dict() else None


class Speech(WebsocketsAudioSpeechAPI):
    """Text spoken while it is still being written."""

    def connect(
        self,
        *,
        output_audio: PCM | SpeechOutputAudio | Given | None = None,
        settings: SpeechSettings | Given | None = None,
        options: SocketOptions | None = None,
        **arguments: Unpack[AudioSpeechHandshakeParams],
    ) -> SpeechSession:
        """Make a session, which connects when it is entered by `with`.

        Args:
            output_audio: Voice and format of the sound. A `cozekit.audio.PCM` stands for bare samples of that format.
            settings: All settings of the connection. They are sent first, and confirmed by Coze before `with` goes on.
            options: Timeouts, TLS and so on, instead of the client's.
            **arguments: Those of `handshake`.

        Raises:
            InvalidArgumentError: An argument does not fit; nothing was sent.
        """
        handshake = self.handshake(**arguments)
        made = _speech(settings, output_audio)
        return SpeechSession(self._client, handshake, _options(self._client, options), made)


class Transcriptions(WebsocketsAudioTranscriptionsAPI):
    """Speech turned into text while it is still being spoken."""

    def connect(
        self,
        *,
        input_audio: PCM | TranscriptionInputAudio | Given | None = None,
        settings: TranscriptionSettings | Given | None = None,
        options: SocketOptions | None = None,
        **arguments: Unpack[AudioTranscriptionsHandshakeParams],
    ) -> TranscriptionSession:
        """Make a session, which connects when it is entered by `with`.

        Args:
            input_audio: Format of the sound. A `cozekit.audio.PCM` stands for bare samples of that format.
            settings: All settings of the connection. They are sent first, and confirmed by Coze before `with` goes on.
            options: Timeouts, TLS and so on, instead of the client's.
            **arguments: Those of `handshake`.

        Raises:
            InvalidArgumentError: An argument does not fit; nothing was sent.
        """
        handshake = self.handshake(**arguments)
        made = _transcription(settings, input_audio)
        return TranscriptionSession(self._client, handshake, _options(self._client, options), made)


class Interpreting(WebsocketsAudioSimultInterpretationAPI):
    """Speech interpreted while it is still being spoken."""

    def connect(
        self,
        *,
        input_audio: PCM | SocketInputAudio | Given | None = None,
        output_audio: PCM | SocketOutputAudio | Given | None = None,
        settings: InterpretationSettings | Given | None = None,
        options: SocketOptions | None = None,
        **arguments: Unpack[HandshakeOptions],
    ) -> InterpretationSession:
        """Make a session, which connects when it is entered by `with`.

        Args:
            input_audio: Format of the sound that is sent. A `cozekit.audio.PCM` stands for bare samples of that format.
            output_audio: Voice and format of the sound that is received. As above.
            settings: All settings of the connection, the languages among them. They are sent first, and confirmed by
                Coze before `with` goes on.
            options: Timeouts, TLS and so on, instead of the client's.
            **arguments: Those of `handshake`.

        Raises:
            InvalidArgumentError: An argument does not fit; nothing was sent.
        """
        handshake = self.handshake(**arguments)
        made = _interpretation(settings, input_audio, output_audio)
        return InterpretationSession(self._client, handshake, _options(self._client, options), made)


class Calls(WebsocketsChatAPI):
    """Calls with a bot."""

    def connect(
        self,
        *,
        input_audio: PCM | SocketInputAudio | Given | None = None,
        output_audio: PCM | SocketOutputAudio | Given | None = None,
        settings: ChatSocketSettings | Given | None = None,
        options: SocketOptions | None = None,
        **arguments: Unpack[ChatHandshakeParams],
    ) -> ChatSession:
        """Make a session, which connects when it is entered by `with`.

        Args:
            input_audio: Format of the sound that is sent. A `cozekit.audio.PCM` stands for bare samples of that format.
            output_audio: Voice and format of the sound that is received. As above.
            settings: All settings of the connection. They are sent first, and confirmed by Coze before `with` goes on.
            options: Timeouts, TLS and so on, instead of the client's.
            **arguments: Those of `handshake`: `bot_id` and so on.

        Raises:
            InvalidArgumentError: An argument does not fit; nothing was sent.
        """
        handshake = self.handshake(**arguments)
        made = _chat(settings, input_audio, output_audio)
        return ChatSession(self._client, handshake, _options(self._client, options), made)


class Audio(WebsocketsAudioAPI):
    """Speech over WebSockets."""

    @cached_property
    def speech(self) -> Speech:
        """Text spoken while it is still being written."""
        return Speech(self._client)

    @cached_property
    def transcriptions(self) -> Transcriptions:
        """Speech turned into text while it is still being spoken."""
        return Transcriptions(self._client)

    @cached_property
    def simult_interpretation(self) -> Interpreting:
        """Speech interpreted while it is still being spoken."""
        return Interpreting(self._client)


class Websockets(WebsocketsAPI):
    """Speech, transcriptions, interpretation and calls over WebSockets. Needs `cozekit[ws]`."""

    @cached_property
    def audio(self) -> Audio:
        """Speech over WebSockets."""
        return Audio(self._client)

    @cached_property
    def chat(self) -> Calls:
        """Calls with a bot."""
        return Calls(self._client)


class AsyncSpeech(AsyncWebsocketsAudioSpeechAPI):
    """Text spoken while it is still being written."""

    def connect(
        self,
        *,
        output_audio: PCM | SpeechOutputAudio | Given | None = None,
        settings: SpeechSettings | Given | None = None,
        options: SocketOptions | None = None,
        **arguments: Unpack[AudioSpeechHandshakeParams],
    ) -> AsyncSpeechSession:
        """Make a session, which connects when it is entered by `async with`. See the sync client."""
        handshake = self.handshake(**arguments)
        made = _speech(settings, output_audio)
        return AsyncSpeechSession(self._client, handshake, _options(self._client, options), made)


class AsyncTranscriptions(AsyncWebsocketsAudioTranscriptionsAPI):
    """Speech turned into text while it is still being spoken."""

    def connect(
        self,
        *,
        input_audio: PCM | TranscriptionInputAudio | Given | None = None,
        settings: TranscriptionSettings | Given | None = None,
        options: SocketOptions | None = None,
        **arguments: Unpack[AudioTranscriptionsHandshakeParams],
    ) -> AsyncTranscriptionSession:
        """Make a session, which connects when it is entered by `async with`. See the sync client."""
        handshake = self.handshake(**arguments)
        made = _transcription(settings, input_audio)
        return AsyncTranscriptionSession(self._client, handshake, _options(self._client, options), made)


class AsyncInterpreting(AsyncWebsocketsAudioSimultInterpretationAPI):
    """Speech interpreted while it is still being spoken."""

    def connect(
        self,
        *,
        input_audio: PCM | SocketInputAudio | Given | None = None,
        output_audio: PCM | SocketOutputAudio | Given | None = None,
        settings: InterpretationSettings | Given | None = None,
        options: SocketOptions | None = None,
        **arguments: Unpack[HandshakeOptions],
    ) -> AsyncInterpretationSession:
        """Make a session, which connects when it is entered by `async with`. See the sync client."""
        handshake = self.handshake(**arguments)
        made = _interpretation(settings, input_audio, output_audio)
        return AsyncInterpretationSession(self._client, handshake, _options(self._client, options), made)


class AsyncCalls(AsyncWebsocketsChatAPI):
    """Calls with a bot."""

    def connect(
        self,
        *,
        input_audio: PCM | SocketInputAudio | Given | None = None,
        output_audio: PCM | SocketOutputAudio | Given | None = None,
        settings: ChatSocketSettings | Given | None = None,
        options: SocketOptions | None = None,
        **arguments: Unpack[ChatHandshakeParams],
    ) -> AsyncChatSession:
        """Make a session, which connects when it is entered by `async with`. See the sync client."""
        handshake = self.handshake(**arguments)
        made = _chat(settings, input_audio, output_audio)
        return AsyncChatSession(self._client, handshake, _options(self._client, options), made)


class AsyncAudio(AsyncWebsocketsAudioAPI):
    """Speech over WebSockets."""

    @cached_property
    def speech(self) -> AsyncSpeech:
        """Text spoken while it is still being written."""
        return AsyncSpeech(self._client)

    @cached_property
    def transcriptions(self) -> AsyncTranscriptions:
        """Speech turned into text while it is still being spoken."""
        return AsyncTranscriptions(self._client)

    @cached_property
    def simult_interpretation(self) -> AsyncInterpreting:
        """Speech interpreted while it is still being spoken."""
        return AsyncInterpreting(self._client)


class AsyncWebsockets(AsyncWebsocketsAPI):
    """Speech, transcriptions, interpretation and calls over WebSockets. Needs `cozekit[ws]`."""

    @cached_property
    def audio(self) -> AsyncAudio:
        """Speech over WebSockets."""
        return AsyncAudio(self._client)

    @cached_property
    def chat(self) -> AsyncCalls:
        """Calls with a bot."""
        return AsyncCalls(self._client)
