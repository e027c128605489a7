"""Calls: a user and a bot talk, turn by turn."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Callable, Sequence
from contextlib import aclosing
from typing import TYPE_CHECKING, Any, Self, TypedDict, Unpack

from coze_api._core._messages import EncodedMessage
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
    SocketEnterMessage,
    SocketSpokenText,
    SocketSpokenTextMode,
    ToolOutput,
)

from ..errors import CozeError, InvalidArgumentError
from .audio_formats import audio_message_factory, chunks, decoded, require_input_format, require_output_format
from .concurrency import AsyncSource
from .session_async import AsyncSession
from .session_state import SessionState
from .turn_state import TurnState

if TYPE_CHECKING:
    from .._tool_results import OnToolCall, OnToolError, OnToolRun
    from .._tools.runner_async import AsyncToolRunner

__all__ = ["AsyncChatSession", "AsyncTurn"]

_State = SessionState[ChatSocketUplinkMessage, ChatSocketDownlinkMessage]


class ToolSettings(TypedDict, total=False):
    """How tools are carried out. They are those of `chat.run`."""

    max_rounds: int
    on_tool_error: OnToolError
    on_tool_call: OnToolCall | None
    on_tool_run: OnToolRun | None


def _settings_of(settings: object) -> ChatSocketSettings:
    data = settings.data if isinstance(settings, ChatSocketUpdate) else None
    return data or ChatSocketSettings()


def _message_factory(state: _State, settings: object) -> Callable[[bytes], EncodedMessage]:
    declared = _settings_of(settings).input_audio
    require_input_format(state.operation, declared)
    return audio_message_factory(state.operation, declared, state.protocol.uplink.writer(ChatSocketInputAudioAppend))


def _text(given: object) -> list[ChatSocketUplinkMessage] | None:
    """Make the messages of what the user writes; None where it is sound."""
    if isinstance(given, str):
        if not given:
            raise InvalidArgumentError("there is nothing to send: the text is empty")
        given = SocketEnterMessage(role=MessageRole.USER, content_type=EnterMessageContentType.TEXT, content=given)
    return [ChatSocketMessageCreate(data=given)] if isinstance(given, SocketEnterMessage) else None


def _spoken(text: str) -> list[ChatSocketUplinkMessage]:
    if not text:
        raise InvalidArgumentError("there is nothing to speak: the text is empty")
    return [ChatSocketGenerateAudio(data=SocketSpokenText(mode=SocketSpokenTextMode.TEXT, text=text))]


def _tool_runner(tools: Sequence[Callable[..., Any]], settings: ToolSettings) -> AsyncToolRunner | None:
    if not tools and not settings:
        return None
    from .._tools.runner_async import AsyncToolRunner  # needed with tools only

    return AsyncToolRunner.create(tools, **settings)


def _is_spoken(message: ChatSocketDownlinkMessage) -> bool:
    return isinstance(message, ChatSocketAudioCompleted)


def _expects_update(state: _State, settings: ChatSocketUplinkMessage) -> frozenset[str]:
    """Return the kinds of message that confirm settings, without those that the settings unsubscribe from."""
    wanted = _settings_of(settings).event_subscriptions
    found = state.confirmations(settings)
    return found & frozenset(wanted) if wanted else found


class AsyncTurn(TurnState):
    """A turn in progress. Iterate over it for messages, over `text` for text, or over `audio` for sound.

    The user's input is sent when reading begins. Closing it early stops sending; the next turn cancels the answer.
    """

    def __aiter__(self) -> AsyncIterator[ChatSocketDownlinkMessage]:
        return self

    async def __anext__(self) -> ChatSocketDownlinkMessage:
        self._raise_failure()
        try:
            if self._before is not None:
                await self._session._finish_turn(self._before)
                self._before = None
            message: ChatSocketDownlinkMessage = await anext(self._answer)
        except CozeError as error:
            self._record_failure(error)
            raise
        self._on_message(message)
        if self._requires_action and self._tools is not None and (outputs := await self._tools.run_calls(self.chat)):
            await self.submit_tool_outputs(outputs)
        return message

    @property
    async def text(self) -> AsyncIterator[str]:
        """The answer's text, piece by piece."""
        async for _ in self:
            self._require_no_pending_tools()
            if self._text:
                yield self._text

    @property
    def audio(self) -> AsyncIterator[bytes]:
        """The answer's sound, piece by piece. Needs `output_audio`."""
        self._session._require_output()
        return self._sounds()

    async def _sounds(self) -> AsyncIterator[bytes]:
        async for _ in self:
            self._require_no_pending_tools()
            if self._sound:
                yield self._sound

    async def until_done(self) -> Self:
        """Read to the end and return the turn itself.

        Raises:
            ActionRequired: The bot calls tools. Submit their outputs by `submit_tool_outputs` and continue to read.
            ChatFailed: The chat failed.
            SocketClosed: The connection ended before the turn did.
        """
        async for _ in self:
            self._require_no_pending_tools()
        return self

    async def submit_tool_outputs(self, outputs: Sequence[ToolOutput | dict[str, Any]]) -> None:
        """Give the results of the tool calls that `chat.required_action` names. Then continue to read.

        Args:
            outputs: One result for each call.
        """
        await self._session.send(self._outputs(outputs))
        self._requires_action = False

    async def cancel(self) -> None:
        """Cancel the answer. Continue to read to the end, or begin the next turn."""
        await self._session.send(ChatSocketChatCancel())

    async def close(self) -> None:
        """Stop reading and sending. The next turn cancels the answer if it is not complete."""
        await self._answer.aclose()


class AsyncChatSession(AsyncSession[ChatSocketUplinkMessage, ChatSocketDownlinkMessage]):
    """A call with a bot.

    `talk` is one turn after the other, as with a push-to-talk button. If Coze detects the end of the user's speech
    (turn detection by the server), send sound by `converse` and read the messages.
    """

    _turn: AsyncTurn | None = None

    def _confirmations(self, settings: ChatSocketUplinkMessage) -> frozenset[str]:
        return _expects_update(self._state, settings)

    def _require_output(self) -> None:
        require_output_format(self._state.operation, _settings_of(self._settings).output_audio)

    def talk(
        self,
        what: str | SocketEnterMessage | bytes | AsyncSource[bytes],
        *,
        tools: Sequence[Callable[..., Any]] = (),
        **settings: Unpack[ToolSettings],
    ) -> AsyncTurn:
        """Send the user's input and return the turn that answers it.

        Args:
            what: A text, a message, or sound: all of it, or chunks. Chunks are sent in the background
                while the answer is received, and end the turn. Async clients take async iterables, too.
            tools: Functions that the bot may call, as in `chat.run`. They are called while the turn is read.
                Async clients take async functions, too.
            **settings: `max_rounds`, `on_tool_error`, `on_tool_call` and `on_tool_run`, as in `chat.run`.

        Returns:
            The turn. The input is sent when reading begins. If the turn before has not ended, its answer is canceled
            first.

        Raises:
            InvalidArgumentError: The session was opened without `input_audio`, or the sound is of another format; or a
                function is not a tool.
        """
        runner = _tool_runner(tools, settings)
        messages: Any = _text(what)
        if messages is None:
            make = _message_factory(self._state, self._settings)
            messages = self._messages(chunks(what), make, ChatSocketInputAudioComplete())  # type: ignore[arg-type]  # `_text` took all that is not sound
        self._turn = AsyncTurn(self, self._exchange(messages, closes=False), runner, self._turn)
        return self._turn

    async def _finish_turn(self, before: AsyncTurn) -> None:
        """End the turn before, so that the rest of its messages is not taken for a part of this one."""
        started = before.latest_started
        await before.close()
        if started is None or started.is_settled or not self.is_open:
            return
        await started.close()
        await self.send(ChatSocketChatCancel())
        while not started.ended:
            try:
                started._on_message(await self._receive(timeout=self._state.options.close_timeout))
            except CozeError as error:
                if started.ends_turn(error):
                    return
                raise

    def speak(self, text: str) -> AsyncGenerator[bytes, None]:
        """Speak a text as it is, without calling the bot, for example when the user is silent.

        Args:
            text: The text, fewer than 1024 bytes of UTF-8.

        Returns:
            The sound, piece by piece, in the format of `output_audio`. This interrupts an answer.
        """
        self._require_output()
        return self._speak(_spoken(text))

    async def _speak(self, messages: list[ChatSocketUplinkMessage]) -> AsyncGenerator[bytes, None]:
        async with aclosing(self._exchange(messages, _is_spoken, closes=False)) as answer:
            async for message in answer:
                match message:
                    case ChatSocketAudioDelta(data=Message(content=sound)):
                        yield decoded(sound)

    def converse(self, sound: AsyncSource[bytes]) -> AsyncGenerator[ChatSocketDownlinkMessage, None]:
        """Send sound and receive all messages of many turns, until the iteration ends or the connection is closed.

        For turn detection by the server: `turn_detection` in the settings.

        Args:
            sound: Pieces of sound, such as from a microphone. They are sent in the background. Async clients take
                async iterables, too.

        Returns:
            All messages. Closing it early closes the session.
        """
        make = _message_factory(self._state, self._settings)
        return self._exchange(self._messages(sound, make), lambda _: False)
