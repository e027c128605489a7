"""Speech turned into text while it is still being spoken."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterable, Callable
from contextlib import aclosing

from coze_api._core._messages import EncodedMessage
from coze_api.models import (
    SocketTranscript,
    TranscriptionDownlinkMessage,
    TranscriptionInputAudioAppend,
    TranscriptionInputAudioComplete,
    TranscriptionMessageUpdate,
    TranscriptionUpdate,
    TranscriptionUplinkMessage,
)

from .audio_formats import audio_message_factory, chunks, require_input_format
from .concurrency import AsyncSource
from .session_async import AsyncSession
from .session_state import SessionState

__all__ = ["AsyncTranscriptionSession"]


_State = SessionState[TranscriptionUplinkMessage, TranscriptionDownlinkMessage]


def _message_factory(state: _State, settings: object) -> Callable[[bytes], EncodedMessage]:
    declared = settings.data.input_audio if isinstance(settings, TranscriptionUpdate) and settings.data else None
    require_input_format(state.operation, declared)
    return audio_message_factory(state.operation, declared, state.protocol.uplink.writer(TranscriptionInputAudioAppend))


class AsyncTranscriptionSession(AsyncSession[TranscriptionUplinkMessage, TranscriptionDownlinkMessage]):
    """Turns speech into text."""

    def listen(self, sound: bytes | AsyncSource[bytes]) -> AsyncGenerator[str, None]:
        """Turn sound into text.

        Args:
            sound: Pieces of sound, such as `cozekit.audio.PCM.chunks` makes or a microphone gives; or all of it. They
                are sent by a thread of their own while the text is received.

        Returns:
            The whole text so far, again and again as more is understood. The last one is the text. Leaving it early
            closes the session.

        Raises:
            InvalidArgumentError: The session was opened without `input_audio`, or the sound is of another format.
            SocketFailed: While reading: Coze reported a failure.
            SocketClosed: While reading: the connection ended before the text did.
            APITimeoutError: While reading: nothing was sent or received for too long.
        """
        make = _message_factory(self._state, self._settings)
        return self._listen(self._messages(chunks(sound), make, TranscriptionInputAudioComplete()))

    async def _listen(
        self, messages: AsyncIterable[TranscriptionUplinkMessage | EncodedMessage]
    ) -> AsyncGenerator[str, None]:
        async with aclosing(self._exchange(messages)) as answer:
            async for message in answer:
                match message:
                    case TranscriptionMessageUpdate(data=SocketTranscript(content=str(text))):
                        yield text
