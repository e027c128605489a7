# @generated from transcriptions_async.py by `python -m generator sync`; do not edit.
"""Speech turned into text while it is still being spoken."""

from __future__ import annotations

from collections.abc import Generator, Iterable
from contextlib import closing

from coze_api._core._messages import EncodedMessage
from coze_api.models import (
    SocketTranscript,
    TranscriptionDownlinkMessage,
    TranscriptionInputAudioComplete,
    TranscriptionMessageUpdate,
    TranscriptionUplinkMessage,
)

from .audio_formats import chunks
from .concurrency import Source
from .session import Session
from .transcriptions_async import _message_factory

__all__ = ["TranscriptionSession"]


class TranscriptionSession(Session[TranscriptionUplinkMessage, TranscriptionDownlinkMessage]):
    """Turns speech into text."""

    def listen(self, sound: bytes | Source[bytes]) -> Generator[str, None]:
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

    def _listen(self, messages: Iterable[TranscriptionUplinkMessage | EncodedMessage]) -> Generator[str, None]:
        with closing(self._exchange(messages)) as answer:
            for message in answer:
                match message:
                    case TranscriptionMessageUpdate(data=SocketTranscript(content=str(text))):
                        yield text
