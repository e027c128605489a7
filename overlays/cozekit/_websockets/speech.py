# @generated from speech_async.py by `python -m generator sync`; do not edit.
"""Text spoken while it is still being written."""

from __future__ import annotations

from collections.abc import Generator, Iterable
from contextlib import closing

from coze_api._core._messages import EncodedMessage
from coze_api.models import (
    SocketAudio,
    SpeechAudioUpdate,
    SpeechDownlinkMessage,
    SpeechTextComplete,
    SpeechUplinkMessage,
)

from .audio_formats import decoded
from .concurrency import Source
from .session import Session
from .speech_async import _append, _at_once, _require_format

__all__ = ["SpeechSession"]


class SpeechSession(Session[SpeechUplinkMessage, SpeechDownlinkMessage]):
    """Turns text into speech."""

    def say(self, text: str | Source[str]) -> Generator[bytes, None]:
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

    def _say(
        self, messages: list[SpeechUplinkMessage] | Iterable[SpeechUplinkMessage | EncodedMessage]
    ) -> Generator[bytes, None]:
        with closing(self._exchange(messages)) as answer:
            for message in answer:
                match message:
                    case SpeechAudioUpdate(data=SocketAudio(delta=sound)):
                        yield decoded(sound)
