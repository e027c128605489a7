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
    AsyncWebsocketsAPI,
    AsyncWebsocketsAudioAPI,
    AsyncWebsocketsAudioSimultInterpretationAPI,
    AsyncWebsocketsAudioSpeechAPI,
    AsyncWebsocketsAudioTranscriptionsAPI,
    AsyncWebsocketsChatAPI,
)

from .._call_options import hide_headers
from ..audio import PCM
from .chat_async import AsyncChatSession
from .interpretation_async import AsyncInterpretationSession
from .options import SocketOptions
from .settings import MappingInput, chat_update, interpretation_update, options_for, speech_update, transcription_update
from .speech_async import AsyncSpeechSession
from .transcriptions_async import AsyncTranscriptionSession

__all__ = ["AsyncWebsockets"]


class AsyncSpeech(AsyncWebsocketsAudioSpeechAPI):
    """Text spoken while it is still being written."""

    def connect(
        self,
        *,
        output_audio: PCM | SpeechOutputAudio | MappingInput | None = None,
        settings: SpeechSettings | MappingInput | None = None,
        options: SocketOptions | None = None,
        **arguments: Unpack[AudioSpeechHandshakeParams],
    ) -> AsyncSpeechSession:
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
        return AsyncSpeechSession(self._client, handshake, options_for(self._client, options), update)


class AsyncTranscriptions(AsyncWebsocketsAudioTranscriptionsAPI):
    """Speech turned into text while it is still being spoken."""

    def connect(
        self,
        *,
        input_audio: PCM | TranscriptionInputAudio | MappingInput | None = None,
        settings: TranscriptionSettings | MappingInput | None = None,
        options: SocketOptions | None = None,
        **arguments: Unpack[AudioTranscriptionsHandshakeParams],
    ) -> AsyncTranscriptionSession:
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
        return AsyncTranscriptionSession(self._client, handshake, options_for(self._client, options), update)


class AsyncInterpretationWebsocket(AsyncWebsocketsAudioSimultInterpretationAPI):
    """Speech interpreted while it is still being spoken."""

    def connect(
        self,
        *,
        input_audio: PCM | SocketInputAudio | MappingInput | None = None,
        output_audio: PCM | SocketOutputAudio | MappingInput | None = None,
        settings: InterpretationSettings | MappingInput | None = None,
        options: SocketOptions | None = None,
        **arguments: Unpack[HandshakeOptions],
    ) -> AsyncInterpretationSession:
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
        return AsyncInterpretationSession(self._client, handshake, options_for(self._client, options), update)


class AsyncChatWebsocket(AsyncWebsocketsChatAPI):
    """Calls with a bot."""

    def connect(
        self,
        *,
        input_audio: PCM | SocketInputAudio | MappingInput | None = None,
        output_audio: PCM | SocketOutputAudio | MappingInput | None = None,
        settings: ChatSocketSettings | MappingInput | None = None,
        options: SocketOptions | None = None,
        **arguments: Unpack[ChatHandshakeParams],
    ) -> AsyncChatSession:
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
        return AsyncChatSession(self._client, handshake, options_for(self._client, options), update)


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
    def simult_interpretation(self) -> AsyncInterpretationWebsocket:
        """Speech interpreted while it is still being spoken."""
        return AsyncInterpretationWebsocket(self._client)


class AsyncWebsockets(AsyncWebsocketsAPI):
    """Speech, transcriptions, interpretation and calls over WebSockets. Needs `cozekit[ws]`."""

    @cached_property
    def audio(self) -> AsyncAudio:
        """Speech over WebSockets."""
        return AsyncAudio(self._client)

    @cached_property
    def chat(self) -> AsyncChatWebsocket:
        """Calls with a bot."""
        return AsyncChatWebsocket(self._client)
