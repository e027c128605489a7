# @generated from interpretation_async.py by `python -m generator sync`; do not edit.
"""Speech interpreted while it is still being spoken."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Self

from coze_api.models import (
    InterpretationAudioDelta,
    InterpretationDownlinkMessage,
    InterpretationInputAudioComplete,
    InterpretationText,
    InterpretationTranslationDelta,
    InterpretationUplinkMessage,
    SocketAudio,
)

from ..errors import CozeError
from .audio_formats import chunks, decoded
from .concurrency import Source
from .interpretation_async import _InterpretationState, _message_factory
from .session import Session

__all__ = ["Interpretation", "InterpretationSession"]


class Interpretation(_InterpretationState):
    """An interpretation in progress. Iterate over it for messages, over `text` for text, or over `audio` for sound.

    Closing it before its end closes the session.
    """

    def __iter__(self) -> Iterator[InterpretationDownlinkMessage]:
        return self

    def __next__(self) -> InterpretationDownlinkMessage:
        self._raise_failure()
        try:
            message: InterpretationDownlinkMessage = next(self._messages)
        except CozeError as error:
            self._failure = error
            raise
        self._on_message(message)
        return message

    @property
    def text(self) -> Iterator[str]:
        """The text in the other language, piece by piece."""
        for message in self:
            match message:
                case InterpretationTranslationDelta(data=InterpretationText(delta=str(text))):
                    yield text

    @property
    def audio(self) -> Iterator[bytes]:
        """The sound in the other language, piece by piece. Needs `output_audio`."""
        self._require_audio()
        return self._sound()

    def _sound(self) -> Iterator[bytes]:
        for message in self:
            match message:
                case InterpretationAudioDelta(data=SocketAudio(delta=sound)):
                    yield decoded(sound)

    def until_done(self) -> Self:
        """Read to the end and return the interpretation itself."""
        for _ in self:
            pass
        return self

    def close(self) -> None:
        """Stop the interpretation. Before its end, this closes the session."""
        self._messages.close()


class InterpretationSession(Session[InterpretationUplinkMessage, InterpretationDownlinkMessage]):
    """Interprets speech."""

    def interpret(self, sound: bytes | Source[bytes]) -> Interpretation:
        """Interpret speech.

        Args:
            sound: Pieces of sound, or all of it. They are sent in the background while the rest is received.
                Async clients take async iterables, too.

        Returns:
            The interpretation, to be read as it happens. Sending begins with reading.

        Raises:
            InvalidArgumentError: The session was opened without `input_audio`, or the sound is of another format.
        """
        make = _message_factory(self._state, self._settings)
        messages = self._messages(chunks(sound), make, InterpretationInputAudioComplete())
        return Interpretation(self, self._exchange(messages))
