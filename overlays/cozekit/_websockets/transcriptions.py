"""Speech turned into text while it is still being spoken."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterable, Callable, Generator, Iterable
from contextlib import aclosing, closing

from coze_api.models import (
    SocketAudio,
    SocketTranscript,
    TranscriptionDownlinkMessage,
    TranscriptionInputAudioAppend,
    TranscriptionInputAudioComplete,
    TranscriptionMessageUpdate,
    TranscriptionUpdate,
    TranscriptionUplinkMessage,
)

from .audio_formats import Source, aeach, checked, each, need_input, pieces
from .session import Session
from .session_async import AsyncSession

__all__ = ["AsyncTranscriptionSession", "TranscriptionSession"]


def _append(sound: str) -> TranscriptionUplinkMessage:
    return TranscriptionInputAudioAppend(data=SocketAudio(delta=sound))


def _maker(operation: str, settings: object) -> Callable[[bytes], TranscriptionUplinkMessage]:
    told = settings.data.input_audio if isinstance(settings, TranscriptionUpdate) and settings.data else None
    need_input(operation, told)
    return checked(operation, told, _append)


class TranscriptionSession(Session[TranscriptionUplinkMessage, TranscriptionDownlinkMessage]):
    """Turns speech into text."""

    def listen(self, sound: bytes | Iterable[bytes]) -> Generator[str, None, None]:
        """Turn sound into text.

        Args:
            sound: Pieces of sound, such as `cozekit.audio.PCM.chunks` makes or a microphone gives; or all of it. They
                are sent by a thread of their own while the text is received.

        Returns:
            The whole text so far, again and again as more is understood. The last one is the text. Leaving it early
            closes the session.

        Raises:
            InvalidArgumentError: The session was opened without `input_audio`, or the sound is of another format.
            SocketFailed: While reading: Coze told a failure.
            SocketClosed: While reading: the connection ended before the text did.
            APITimeoutError: While reading: nothing was sent or received for too long.
        """
        make = _maker(self._state.operation, self._settings)
        return self._listen(each(pieces(sound), make, TranscriptionInputAudioComplete()))

    def _listen(self, messages: Iterable[TranscriptionUplinkMessage]) -> Generator[str, None, None]:
        with closing(self._exchange(messages)) as answer:
            for message in answer:
                match message:
                    case TranscriptionMessageUpdate(data=SocketTranscript(content=str(text))):
                        yield text


class AsyncTranscriptionSession(AsyncSession[TranscriptionUplinkMessage, TranscriptionDownlinkMessage]):
    """Turns speech into text."""

    def listen(self, sound: bytes | Source[bytes]) -> AsyncGenerator[str, None]:
        """Turn sound into text. See `TranscriptionSession.listen`; pieces may come from an async iterable, too."""
        make = _maker(self._state.operation, self._settings)
        return self._listen(aeach(pieces(sound), make, TranscriptionInputAudioComplete()))

    async def _listen(self, messages: AsyncIterable[TranscriptionUplinkMessage]) -> AsyncGenerator[str, None]:
        async with aclosing(self._exchange(messages)) as answer:
            async for message in answer:
                match message:
                    case TranscriptionMessageUpdate(data=SocketTranscript(content=str(text))):
                        yield text
