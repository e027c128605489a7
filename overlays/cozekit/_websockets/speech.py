"""Text spoken while it is still being written."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterable, Generator, Iterable
from contextlib import aclosing, closing

from coze_api.models import (
    SocketAudio,
    SpeechAudioUpdate,
    SpeechDownlinkMessage,
    SpeechText,
    SpeechTextAppend,
    SpeechTextComplete,
    SpeechUpdate,
    SpeechUplinkMessage,
)

from .audio_formats import Source, aeach, decoded, each, need_output
from .session import Session
from .session_async import AsyncSession

__all__ = ["AsyncSpeechSession", "SpeechSession"]


def _append(text: str) -> SpeechTextAppend:
    return SpeechTextAppend(data=SpeechText(delta=text))


def _at_once(text: str) -> list[SpeechUplinkMessage]:
    return [_append(text), SpeechTextComplete()]


def _need_format(operation: str, settings: object) -> None:
    told = settings.data if isinstance(settings, SpeechUpdate) else None
    need_output(operation, told.output_audio if told else None)


class SpeechSession(Session[SpeechUplinkMessage, SpeechDownlinkMessage]):
    """Turns text into speech."""

    def say(self, text: str | Iterable[str]) -> Generator[bytes, None, None]:
        """Speak a text.

        Args:
            text: The text, or pieces of it as they are written, which may end anywhere. Pieces are sent by a thread of
                their own while the sound is received.

        Returns:
            The sound, piece by piece, in the format of `output_audio`. Leaving it early closes the session.

        Raises:
            InvalidArgumentError: The session was opened without `output_audio`.
            SocketFailed: While reading: Coze told a failure.
            SocketClosed: While reading: the connection ended before the sound did.
            APITimeoutError: While reading: nothing came for too long.
        """
        _need_format(self._state.operation, self._settings)
        messages = _at_once(text) if isinstance(text, str) else each(text, _append, SpeechTextComplete())
        return self._say(messages)

    def _say(self, messages: Iterable[SpeechUplinkMessage]) -> Generator[bytes, None, None]:
        with closing(self._exchange(messages)) as answer:
            for message in answer:
                match message:
                    case SpeechAudioUpdate(data=SocketAudio(delta=sound)):
                        yield decoded(sound)


class AsyncSpeechSession(AsyncSession[SpeechUplinkMessage, SpeechDownlinkMessage]):
    """Turns text into speech."""

    def say(self, text: str | Source[str]) -> AsyncGenerator[bytes, None]:
        """Speak a text. See `SpeechSession.say`; pieces may come from an async iterable, too."""
        _need_format(self._state.operation, self._settings)
        return self._say(_at_once(text) if isinstance(text, str) else aeach(text, _append, SpeechTextComplete()))

    async def _say(
        self, messages: list[SpeechUplinkMessage] | AsyncIterable[SpeechUplinkMessage]
    ) -> AsyncGenerator[bytes, None]:
        async with aclosing(self._exchange(messages)) as answer:
            async for message in answer:
                match message:
                    case SpeechAudioUpdate(data=SocketAudio(delta=sound)):
                        yield decoded(sound)
