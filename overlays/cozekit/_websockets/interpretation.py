"""Speech interpreted while it is still being spoken."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Callable, Generator, Iterable, Iterator
from typing import Generic, Self, TypeVar

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
from .audio_formats import Source, aeach, checked, decoded, each, need_input, need_output, pieces
from .session import Session
from .session_async import AsyncSession

__all__ = ["AsyncInterpretation", "AsyncInterpretationSession", "Interpretation", "InterpretationSession"]

M = TypeVar("M")


def _append(sound: str) -> InterpretationUplinkMessage:
    return InterpretationInputAudioAppend(data=SocketAudio(delta=sound))


def _told(settings: object) -> InterpretationSettings:
    told = settings.data if isinstance(settings, InterpretationUpdate) else None
    return told or InterpretationSettings()


def _maker(operation: str, settings: object) -> Callable[[bytes], InterpretationUplinkMessage]:
    told = _told(settings).input_audio
    need_input(operation, told)
    return checked(operation, told, _append)


class _Heard(Generic[M]):
    """What an interpretation told so far.

    Attributes:
        ended: Whether everything was interpreted.
    """

    def __init__(self, session: Session | AsyncSession, answer: M) -> None:  # type: ignore[type-arg]  # either kind
        self._session = session
        self._answer = answer
        self._original = TextBuffer()
        self._translation = TextBuffer()
        self.ended = False
        self._failure: CozeError | None = None

    @property
    def original(self) -> str:
        """What was said, as far as it was understood."""
        return self._original.text

    @property
    def translation(self) -> str:
        """The same in the other language."""
        return self._translation.text

    def _raise_failure(self) -> None:
        """Raise again what ended it: reading on does not turn a failure into an end."""
        if self._failure is not None:
            raise self._failure

    def _see(self, message: InterpretationDownlinkMessage) -> None:
        self.ended = self._session._state.is_end(message)
        match message:
            case InterpretationTranscriptionDelta(data=InterpretationText(delta=str(text))):
                self._original.append(text)
            case InterpretationTranslationDelta(data=InterpretationText(delta=str(text))):
                self._translation.append(text)

    def _need_audio(self) -> None:
        state = self._session._state
        need_output(state.operation, _told(self._session._settings).output_audio)


class Interpretation(_Heard[Generator[InterpretationDownlinkMessage, None, None]]):
    """An interpretation as it happens. Iterate over it for messages, over `text` for words, or over `audio` for sound.

    Leaving it early closes the session.
    """

    def __iter__(self) -> Iterator[InterpretationDownlinkMessage]:
        return self

    def __next__(self) -> InterpretationDownlinkMessage:
        self._raise_failure()
        try:
            message = next(self._answer)
        except CozeError as error:
            self._failure = error
            raise
        self._see(message)
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
        self._need_audio()
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
        """Leave it. Before its end, that closes the session."""
        self._answer.close()


class AsyncInterpretation(_Heard[AsyncGenerator[InterpretationDownlinkMessage, None]]):
    """An interpretation as it happens, awaited. See `Interpretation`."""

    def __aiter__(self) -> AsyncIterator[InterpretationDownlinkMessage]:
        return self

    async def __anext__(self) -> InterpretationDownlinkMessage:
        self._raise_failure()
        try:
            message = await anext(self._answer)
        except CozeError as error:
            self._failure = error
            raise
        self._see(message)
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
        self._need_audio()
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
        """Leave it. Before its end, that closes the session."""
        await self._answer.aclose()


class InterpretationSession(Session[InterpretationUplinkMessage, InterpretationDownlinkMessage]):
    """Interprets speech."""

    def interpret(self, sound: bytes | Iterable[bytes]) -> Interpretation:
        """Interpret what is said.

        Args:
            sound: Pieces of sound, or all of it. They are sent by a thread of their own while the rest is received.

        Returns:
            The interpretation, to be read as it happens. Sending begins with reading.

        Raises:
            InvalidArgumentError: The session was opened without `input_audio`, or the sound is of another format.
        """
        make = _maker(self._state.operation, self._settings)
        messages = each(pieces(sound), make, InterpretationInputAudioComplete())
        return Interpretation(self, self._exchange(messages))


class AsyncInterpretationSession(AsyncSession[InterpretationUplinkMessage, InterpretationDownlinkMessage]):
    """Interprets speech."""

    def interpret(self, sound: bytes | Source[bytes]) -> AsyncInterpretation:
        """Interpret what is said. See `InterpretationSession.interpret`; pieces may be async."""
        make = _maker(self._state.operation, self._settings)
        messages = aeach(pieces(sound), make, InterpretationInputAudioComplete())
        return AsyncInterpretation(self, self._exchange(messages))
