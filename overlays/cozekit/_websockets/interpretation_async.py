"""Speech interpreted while it is still being spoken."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from typing import Any, Self

from coze_api._core._messages import EncodedMessage
from coze_api.models import (
    InterpretationAudioDelta,
    InterpretationDownlinkMessage,
    InterpretationInputAudioAppend,
    InterpretationInputAudioComplete,
    InterpretationSettings,
    InterpretationText,
    InterpretationTranscriptionDelta,
    InterpretationTranslationDelta,
    InterpretationUpdate,
    InterpretationUplinkMessage,
    SocketAudio,
)

from .._type_guards import TextBuffer
from ..errors import CozeError
from .audio_formats import audio_message_factory, chunks, decoded, require_input_format, require_output_format
from .concurrency import AsyncSource
from .session_async import AsyncSession
from .session_state import SessionState

__all__ = ["AsyncInterpretation", "AsyncInterpretationSession"]


_State = SessionState[InterpretationUplinkMessage, InterpretationDownlinkMessage]


def _settings_of(settings: object) -> InterpretationSettings:
    data = settings.data if isinstance(settings, InterpretationUpdate) else None
    return data or InterpretationSettings()


def _message_factory(state: _State, settings: object) -> Callable[[bytes], EncodedMessage]:
    declared = _settings_of(settings).input_audio
    require_input_format(state.operation, declared)
    return audio_message_factory(
        state.operation, declared, state.protocol.uplink.writer(InterpretationInputAudioAppend)
    )


class _InterpretationState:
    """The messages of an interpretation, accumulated.

    Attributes:
        ended: Whether everything was interpreted.
    """

    def __init__(self, session: Any, messages: Any) -> None:
        self._session = session
        self._messages = messages
        self._original = TextBuffer()
        self._translation = TextBuffer()
        self.ended = False
        self._failure: CozeError | None = None

    @property
    def original(self) -> str:
        """Transcript of the speech, as far as it was recognized."""
        return self._original.text

    @property
    def translation(self) -> str:
        """Translation of the speech so far."""
        return self._translation.text

    def _raise_failure(self) -> None:
        """Raise the exception that ended it again, so that a failure never looks like a normal end."""
        if self._failure is not None:
            raise self._failure

    def _on_message(self, message: InterpretationDownlinkMessage) -> None:
        self.ended = self._session._state.is_end(message)
        match message:
            case InterpretationTranscriptionDelta(data=InterpretationText(delta=str(text))):
                self._original.append(text)
            case InterpretationTranslationDelta(data=InterpretationText(delta=str(text))):
                self._translation.append(text)

    def _require_audio(self) -> None:
        state = self._session._state
        require_output_format(state.operation, _settings_of(self._session._settings).output_audio)


class AsyncInterpretation(_InterpretationState):
    """An interpretation in progress. Iterate over it for messages, over `text` for text, or over `audio` for sound.

    Closing it before its end closes the session.
    """

    def __aiter__(self) -> AsyncIterator[InterpretationDownlinkMessage]:
        return self

    async def __anext__(self) -> InterpretationDownlinkMessage:
        self._raise_failure()
        try:
            message: InterpretationDownlinkMessage = await anext(self._messages)
        except CozeError as error:
            self._failure = error
            raise
        self._on_message(message)
        return message

    @property
    async def text(self) -> AsyncIterator[str]:
        """The text in the other language, piece by piece."""
        async for message in self:
            match message:
                case InterpretationTranslationDelta(data=InterpretationText(delta=str(text))):
                    yield text

    @property
    def audio(self) -> AsyncIterator[bytes]:
        """The sound in the other language, piece by piece. Needs `output_audio`."""
        self._require_audio()
        return self._sound()

    async def _sound(self) -> AsyncIterator[bytes]:
        async for message in self:
            match message:
                case InterpretationAudioDelta(data=SocketAudio(delta=sound)):
                    yield decoded(sound)

    async def until_done(self) -> Self:
        """Read to the end and return the interpretation itself."""
        async for _ in self:
            pass
        return self

    async def close(self) -> None:
        """Stop the interpretation. Before its end, this closes the session."""
        await self._messages.aclose()


class AsyncInterpretationSession(AsyncSession[InterpretationUplinkMessage, InterpretationDownlinkMessage]):
    """Interprets speech."""

    def interpret(self, sound: bytes | AsyncSource[bytes]) -> AsyncInterpretation:
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
        return AsyncInterpretation(self, self._exchange(messages))
