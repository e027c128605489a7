"""Calls: a user and a bot talk, turn by turn."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterable, Callable, Generator, Iterable, Sequence
from contextlib import aclosing, closing
from typing import TYPE_CHECKING, Any, TypedDict, Unpack

from coze_api.models import (
    ChatSocketAudioCompleted,
    ChatSocketAudioDelta,
    ChatSocketChatCancel,
    ChatSocketDownlinkMessage,
    ChatSocketGenerateAudio,
    ChatSocketInputAudioAppend,
    ChatSocketInputAudioComplete,
    ChatSocketMessageCreate,
    ChatSocketSettings,
    ChatSocketUpdate,
    ChatSocketUplinkMessage,
    EnterMessageContentType,
    Message,
    MessageRole,
    SocketAudio,
    SocketEnterMessage,
    SocketSpokenText,
    SocketSpokenTextMode,
)

from ..errors import CozeError, InvalidArgumentError
from .audio_formats import Source, aeach, checked, decoded, each, need_input, need_output, pieces
from .session import Session
from .session_async import AsyncSession
from .session_state import SocketState
from .turn import AsyncTurn, Turn

if TYPE_CHECKING:
    from .._tool_results import OnToolCall, OnToolError, OnToolRun
    from .._tools.runner_base import ToolRunnerBase

__all__ = ["AsyncChatSession", "ChatSession"]

_State = SocketState[ChatSocketUplinkMessage, ChatSocketDownlinkMessage]


class ToolSettings(TypedDict, total=False):
    """How tools are carried out. They are those of `chat.run`."""

    max_rounds: int
    on_tool_error: OnToolError
    on_tool_call: OnToolCall | None
    on_tool_run: OnToolRun | None


def _append(sound: str) -> ChatSocketUplinkMessage:
    return ChatSocketInputAudioAppend(data=SocketAudio(delta=sound))


def _told(settings: object) -> ChatSocketSettings:
    told = settings.data if isinstance(settings, ChatSocketUpdate) else None
    return told or ChatSocketSettings()


def _maker(state: _State, settings: object) -> Callable[[bytes], ChatSocketUplinkMessage]:
    told = _told(settings).input_audio
    need_input(state.operation, told)
    return checked(state.operation, told, _append)


def _text(given: object) -> list[ChatSocketUplinkMessage] | None:
    """Make the messages of what the user writes; None where it is sound."""
    if isinstance(given, str):
        if not given:
            raise InvalidArgumentError("there is nothing to say: the text is empty")
        given = SocketEnterMessage(role=MessageRole.USER, content_type=EnterMessageContentType.TEXT, content=given)
    return [ChatSocketMessageCreate(data=given)] if isinstance(given, SocketEnterMessage) else None


def _spoken(text: str) -> list[ChatSocketUplinkMessage]:
    if not text:
        raise InvalidArgumentError("there is nothing to speak: the text is empty")
    return [ChatSocketGenerateAudio(data=SocketSpokenText(mode=SocketSpokenTextMode.TEXT, text=text))]


def _loop(tools: Sequence[Callable[..., Any]], settings: ToolSettings, *, may_await: bool) -> ToolRunnerBase | None:
    if not tools and not settings:
        return None
    if may_await:
        from .._tools.runner_async import AsyncToolRunner  # loaded by those who have tools

        return AsyncToolRunner.create(tools, **settings)
    from .._tools.runner import ToolRunner

    return ToolRunner.create(tools, **settings)


def _is_spoken(message: ChatSocketDownlinkMessage) -> bool:
    return isinstance(message, ChatSocketAudioCompleted)


def _expects_update(state: _State, settings: ChatSocketUplinkMessage) -> frozenset[str]:
    """Name what confirms settings, unless they say that it is not to be sent."""
    wanted = _told(settings).event_subscriptions
    found = state.confirmations(settings)
    return found & frozenset(wanted) if wanted else found


class ChatSession(Session[ChatSocketUplinkMessage, ChatSocketDownlinkMessage]):
    """A call with a bot.

    `talk` is one turn after the other, as with a button to talk. Where Coze finds the ends of what the user says
    (turn detection by the server), send sound by `converse` and see what comes.
    """

    _turn: Turn | None = None

    def _confirmations(self, settings: ChatSocketUplinkMessage) -> frozenset[str]:
        return _expects_update(self._state, settings)

    def _need_output(self) -> None:
        need_output(self._state.operation, _told(self._settings).output_audio)

    def talk(
        self,
        what: str | SocketEnterMessage | bytes | Iterable[bytes],
        *,
        tools: Sequence[Callable[..., Any]] = (),
        **settings: Unpack[ToolSettings],
    ) -> Turn:
        """Say something to the bot.

        Args:
            what: A text, a message, or sound: pieces of it, or all of it. Pieces are sent by a thread of their own
                while the answer is received, and end the turn.
            tools: Functions for what the bot calls, as in `chat.run`. They are carried out while the turn is read.
            **settings: `max_rounds`, `on_tool_error`, `on_tool_call` and `on_tool_run`, as in `chat.run`.

        Returns:
            The turn, to be read as it happens. What is said is sent when reading begins. If the turn before is not at
            its end, the bot is told to stop first.

        Raises:
            InvalidArgumentError: The session was opened without `input_audio`, or the sound is of another format; or a
                function is no tool.
        """
        loop = _loop(tools, settings, may_await=False)
        messages: Iterable[ChatSocketUplinkMessage] | None = _text(what)
        if messages is None:
            make = _maker(self._state, self._settings)
            messages = each(pieces(what), make, ChatSocketInputAudioComplete())  # type: ignore[arg-type]  # `_text` took all that is no sound
        self._turn = Turn(self, self._exchange(messages, closes=False), loop, self._turn)
        return self._turn

    def _settle(self, before: Turn) -> None:
        """End the turn before, whose rest would be taken for a part of this one."""
        begun = before.latest_begun
        before.close()
        if begun is None or begun.is_settled or not self.is_open:
            return
        begun.close()
        self.send(ChatSocketChatCancel())
        while not begun.ended:
            try:
                begun._see(self._receive(timeout=self._state.options.close_timeout))
            except CozeError as error:
                if begun.settles(error):
                    return
                raise

    def speak(self, text: str) -> Generator[bytes, None, None]:
        """Have a text spoken as it is, without asking the bot, for example when the user is silent.

        Args:
            text: The text, fewer than 1024 bytes of UTF-8.

        Returns:
            The sound, piece by piece, in the format of `output_audio`. An answer that is being given is interrupted.
        """
        self._need_output()
        return self._speak(_spoken(text))

    def _speak(self, messages: list[ChatSocketUplinkMessage]) -> Generator[bytes, None, None]:
        with closing(self._exchange(messages, _is_spoken, closes=False)) as answer:
            for message in answer:
                match message:
                    case ChatSocketAudioDelta(data=Message(content=sound)):
                        yield decoded(sound)

    def converse(self, sound: Iterable[bytes]) -> Generator[ChatSocketDownlinkMessage, None, None]:
        """Send sound and receive whatever comes, over many turns, until you leave or the connection is closed.

        For turn detection by the server: `turn_detection` in the settings.

        Args:
            sound: Pieces of sound, such as a microphone gives. They are sent by a thread of their own.

        Returns:
            All messages. Leaving it early closes the session.
        """
        make = _maker(self._state, self._settings)
        return self._exchange(map(make, sound), lambda _: False)


class AsyncChatSession(AsyncSession[ChatSocketUplinkMessage, ChatSocketDownlinkMessage]):
    """A call with a bot, awaited. See `ChatSession`."""

    _turn: AsyncTurn | None = None

    def _confirmations(self, settings: ChatSocketUplinkMessage) -> frozenset[str]:
        return _expects_update(self._state, settings)

    def _need_output(self) -> None:
        need_output(self._state.operation, _told(self._settings).output_audio)

    def talk(
        self,
        what: str | SocketEnterMessage | bytes | Source[bytes],
        *,
        tools: Sequence[Callable[..., Any]] = (),
        **settings: Unpack[ToolSettings],
    ) -> AsyncTurn:
        """Say something to the bot. See `ChatSession.talk`.

        Pieces of sound may come from an async iterable, too, and tools may be async functions.
        """
        loop = _loop(tools, settings, may_await=True)
        messages: Any = _text(what)
        if messages is None:
            make = _maker(self._state, self._settings)
            messages = aeach(pieces(what), make, ChatSocketInputAudioComplete())  # type: ignore[arg-type]  # `_text` took all that is no sound
        self._turn = AsyncTurn(self, self._exchange(messages, closes=False), loop, self._turn)
        return self._turn

    async def _settle(self, before: AsyncTurn) -> None:
        """End the turn before, whose rest would be taken for a part of this one."""
        begun = before.latest_begun
        await before.close()
        if begun is None or begun.is_settled or not self.is_open:
            return
        await begun.close()
        await self.send(ChatSocketChatCancel())
        while not begun.ended:
            try:
                begun._see(await self._receive(timeout=self._state.options.close_timeout))
            except CozeError as error:
                if begun.settles(error):
                    return
                raise

    def speak(self, text: str) -> AsyncGenerator[bytes, None]:
        """Have a text spoken as it is, without asking the bot. See `ChatSession.speak`."""
        self._need_output()
        return self._speak(_spoken(text))

    async def _speak(self, messages: list[ChatSocketUplinkMessage]) -> AsyncGenerator[bytes, None]:
        async with aclosing(self._exchange(messages, _is_spoken, closes=False)) as answer:
            async for message in answer:
                match message:
                    case ChatSocketAudioDelta(data=Message(content=sound)):
                        yield decoded(sound)

    def converse(self, sound: Source[bytes]) -> AsyncGenerator[ChatSocketDownlinkMessage, None]:
        """Send sound and receive whatever comes, over many turns. See `ChatSession.converse`."""
        make = _maker(self._state, self._settings)
        return self._exchange(_amap(make, sound), lambda _: False)


async def _amap(
    make: Callable[[bytes], ChatSocketUplinkMessage], sound: Source[bytes]
) -> AsyncGenerator[ChatSocketUplinkMessage, None]:
    if isinstance(sound, AsyncIterable):
        async for piece in sound:
            yield make(piece)
    else:
        for piece in sound:
            yield make(piece)
