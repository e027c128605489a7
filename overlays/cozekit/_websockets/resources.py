# @generated from resources_async.py by `python -m generator sync`; do not edit.
"""The resources below `websockets`, which open sessions."""

from __future__ import annotations

from functools import cached_property
from typing import Unpack

from coze_api._core._operation import HandshakeOptions
from coze_api.models import (
    ChatSocketSettings,
    InterpretationSettings,
    SocketInputAudio,
    SocketOutputAudio,
    SpeechOutputAudio,
    SpeechSettings,
    TranscriptionInputAudio,
    TranscriptionSettings,
)
from coze_api.params.websockets import (
    AudioSpeechHandshakeParams,
    AudioTranscriptionsHandshakeParams,
    ChatHandshakeParams,
)
from coze_api.resources.websockets import (
    WebsocketsAPI,
    WebsocketsAudioAPI,
    WebsocketsAudioSimultInterpretationAPI,
    WebsocketsAudioSpeechAPI,
    WebsocketsAudioTranscriptionsAPI,
    WebsocketsChatAPI,
)

from .._call_options import hide_headers
from ..audio import PCM
from .chat import ChatSession
from .interpretation import InterpretationSession
from .options import SocketOptions
from .settings import MappingInput, chat_update, interpretation_update, options_for, speech_update, transcription_update
from .speech import SpeechSession
from .transcriptions import TranscriptionSession

__all__ = ["Websockets"]


class Speech(WebsocketsAudioSpeechAPI):
    """Text spoken while it is still being written."""

    def connect(
        self,
        *,
        output_audio: PCM | SpeechOutputAudio | MappingInput | None = None,
        settings: SpeechSettings | MappingInput | None = None,
        options: SocketOptions | None = None,
        **arguments: Unpack[AudioSpeechHandshakeParams],
    ) -> SpeechSession:
        """Make a session, which connects when it is entered by `with`.

        Args:
            output_audio: Voice and format of the sound. A `cozekit.audio.PCM` stands for bare samples of that format.
            settings: All settings of the connection. Sent first; the session is open when Coze confirms them.
            options: Timeouts, TLS and so on, instead of the client's.
            **arguments: Those of `handshake`.

        Raises:
            InvalidArgumentError: An argument does not fit; nothing was sent.
        """
        hide_headers(arguments)
        handshake = self.handshake(**arguments)
        update = speech_update(settings, output_audio)
        return SpeechSession(self._client, handshake, options_for(self._client, options), update)


class Transcriptions(WebsocketsAudioTranscriptionsAPI):
    """Speech turned into text while it is still being spoken."""

    def connect(
        self,
        *,
        input_audio: PCM | TranscriptionInputAudio | MappingInput | None = None,
        settings: TranscriptionSettings | MappingInput | None = None,
        options: SocketOptions | None = None,
        **arguments: Unpack[AudioTranscriptionsHandshakeParams],
    ) -> TranscriptionSession:
        """Make a session, which connects when it is entered by `with`.

        Args:
            input_audio: Format of the sound. A `cozekit.audio.PCM` stands for bare samples of that format.
            settings: All settings of the connection. Sent first; the session is open when Coze confirms them.
            options: Timeouts, TLS and so on, instead of the client's.
            **arguments: Those of `handshake`.

        Raises:
            InvalidArgumentError: An argument does not fit; nothing was sent.
        """
        hide_headers(arguments)
        handshake = self.handshake(**arguments)
        update = transcription_update(settings, input_audio)
        return TranscriptionSession(self._client, handshake, options_for(self._client, options), update)


class InterpretationWebsocket(WebsocketsAudioSimultInterpretationAPI):
    """Speech interpreted while it is still being spoken."""

    def connect(
        self,
        *,
        input_audio: PCM | SocketInputAudio | MappingInput | None = None,
        output_audio: PCM | SocketOutputAudio | MappingInput | None = None,
        settings: InterpretationSettings | MappingInput | None = None,
        options: SocketOptions | None = None,
        **arguments: Unpack[HandshakeOptions],
    ) -> InterpretationSession:
        """Make a session, which connects when it is entered by `with`.

        Args:
            input_audio: Format of the sound that is sent. A `cozekit.audio.PCM` stands for bare samples of that format.
            output_audio: Voice and format of the sound that is received. As above.
            settings: All settings of the connection, the languages among them. They are sent first, and confirmed by
                Coze before the session is open.
            options: Timeouts, TLS and so on, instead of the client's.
            **arguments: Those of `handshake`.

        Raises:
            InvalidArgumentError: An argument does not fit; nothing was sent.
        """
        hide_headers(arguments)
        handshake = self.handshake(**arguments)
        update = interpretation_update(settings, input_audio, output_audio)
        return InterpretationSession(self._client, handshake, options_for(self._client, options), update)


class ChatWebsocket(WebsocketsChatAPI):
    """Calls with a bot."""

    def connect(
        self,
        *,
        input_audio: PCM | SocketInputAudio | MappingInput | None = None,
        output_audio: PCM | SocketOutputAudio | MappingInput | None = None,
        settings: ChatSocketSettings | MappingInput | None = None,
        options: SocketOptions | None = None,
        **arguments: Unpack[ChatHandshakeParams],
    ) -> ChatSession:
        """Make a session, which connects when it is entered by `with`.

        Args:
            input_audio: Format of the sound that is sent. A `cozekit.audio.PCM` stands for bare samples of that format.
            output_audio: Voice and format of the sound that is received. As above.
            settings: All settings of the connection. Sent first; the session is open when Coze confirms them.
            options: Timeouts, TLS and so on, instead of the client's.
            **arguments: Those of `handshake`: `bot_id` and so on.

        Raises:
            InvalidArgumentError: An argument does not fit; nothing was sent.
        """
        hide_headers(arguments)
        handshake = self.handshake(**arguments)
        update = chat_update(settings, input_audio, output_audio)
        return ChatSession(self._client, handshake, options_for(self._client, options), update)


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
    def simult_interpretation(self) -> InterpretationWebsocket:
        """Speech interpreted while it is still being spoken."""
        return InterpretationWebsocket(self._client)


class Websockets(WebsocketsAPI):
    """Speech, transcriptions, interpretation and calls over WebSockets. Needs `cozekit[ws]`."""

    @cached_property
    def audio(self) -> Audio:
        """Speech over WebSockets."""
        return Audio(self._client)

    @cached_property
    def chat(self) -> ChatWebsocket:
        """Calls with a bot."""
        return ChatWebsocket(self._client)
