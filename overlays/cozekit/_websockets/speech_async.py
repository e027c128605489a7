"""Text spoken while it is still being written."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterable
from contextlib import aclosing

from coze_api._core._messages import EncodedMessage
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

from .audio_formats import decoded, require_output_format
from .concurrency import AsyncSource
from .session_async import AsyncSession

__all__ = ["AsyncSpeechSession"]


def _append(text: str) -> SpeechTextAppend:
    return SpeechTextAppend(data=SpeechText(delta=text))


def _at_once(text: str) -> list[SpeechUplinkMessage]:
    return [_append(text), SpeechTextComplete()]


def _require_format(operation: str, settings: object) -> None:
    data = settings.data if isinstance(settings, SpeechUpdate) else None
    require_output_format(operation, data.output_audio if data else None)


class AsyncSpeechSession(AsyncSession[SpeechUplinkMessage, SpeechDownlinkMessage]):
    """Turns text into speech."""

    def say(self, text: str | AsyncSource[str]) -> AsyncGenerator[bytes, None]:
        """Speak a text.

        Args:
            text: The text, or chunks of it as they are written, which may end anywhere. Pieces are sent in
                the background while the sound is received. Async clients take async iterables, too.

        Returns:
            The sound, piece by piece, in the format of `output_audio`. Leaving it early closes the session.

        Raises:
            InvalidArgumentError: The session was opened without `output_audio`.
            SocketFailed: While reading: Coze reported a failure.
            SocketClosed: While reading: the connection ended before the sound did.
            APITimeoutError: While reading: nothing came for too long.
        """
        _require_format(self._state.operation, self._settings)
        return self._say(
            _at_once(text) if isinstance(text, str) else self._messages(text, _append, SpeechTextComplete())
        )

    async def _say(
        self, messages: list[SpeechUplinkMessage] | AsyncIterable[SpeechUplinkMessage | EncodedMessage]
    ) -> AsyncGenerator[bytes, None]:
        async with aclosing(self._exchange(messages)) as answer:
            async for message in answer:
                match message:
                    case SpeechAudioUpdate(data=SocketAudio(delta=sound)):
                        yield decoded(sound)
