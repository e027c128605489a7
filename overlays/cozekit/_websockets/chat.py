# @generated from chat_async.py by `python -m generator sync`; do not edit.
"""Calls: a user and a bot talk, turn by turn."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import closing
from typing import TYPE_CHECKING, Any, Self, Unpack

from coze_api.models import (
    ChatSocketAudioDelta,
    ChatSocketChatCancel,
    ChatSocketDownlinkMessage,
    ChatSocketInputAudioComplete,
    ChatSocketUplinkMessage,
    Message,
    SocketEnterMessage,
    ToolOutput,
)

from ..errors import CozeError
from .audio_formats import chunks, decoded, require_output_format
from .chat_async import ToolSettings, _expects_update, _is_spoken, _message_factory, _settings_of, _spoken, _text
from .concurrency import Source
from .session import Session
from .turn_state import TurnState

if TYPE_CHECKING:
    from .._tools.runner import ToolRunner

__all__ = ["ChatSession", "Turn"]


def _tool_runner(tools: Sequence[Callable[..., Any]], settings: ToolSettings) -> ToolRunner | None:
    if not tools and not settings:
        return None
    from .._tools.runner import ToolRunner  # needed with tools only

    return ToolRunner.create(tools, **settings)


class Turn(TurnState):
    """A turn in progress. Iterate over it for messages, over `text` for text, or over `audio` for sound.

    The user's input is sent when reading begins. Closing it early stops sending; the next turn cancels the answer.
    """

    def __iter__(self) -> Iterator[ChatSocketDownlinkMessage]:
        return self

    def __next__(self) -> ChatSocketDownlinkMessage:
        self._raise_failure()
        try:
            if self._before is not None:
                self._session._finish_turn(self._before)
                self._before = None
            message: ChatSocketDownlinkMessage = next(self._answer)
        except CozeError as error:
            self._record_failure(error)
            raise
        self._on_message(message)
        if self._requires_action and self._tools is not None and (outputs := self._tools.run_calls(self.chat)):
            self.submit_tool_outputs(outputs)
        return message

    @property
    def text(self) -> Iterator[str]:
        """The answer's text, piece by piece."""
        for _ in self:
            self._require_no_pending_tools()
            if self._text:
                yield self._text

    @property
    def audio(self) -> Iterator[bytes]:
        """The answer's sound, piece by piece. Needs `output_audio`."""
        self._session._require_output()
        return self._sounds()

    def _sounds(self) -> Iterator[bytes]:
        for _ in self:
            self._require_no_pending_tools()
            if self._sound:
                yield self._sound

    def until_done(self) -> Self:
        """Read to the end and return the turn itself.

        Raises:
            ActionRequired: The bot calls tools. Submit their outputs by `submit_tool_outputs` and continue to read.
            ChatFailed: The chat failed.
            SocketClosed: The connection ended before the turn did.
        """
        for _ in self:
            self._require_no_pending_tools()
        return self

    def submit_tool_outputs(self, outputs: Sequence[ToolOutput | dict[str, Any]]) -> None:
        """Give the results of the tool calls that `chat.required_action` names. Then continue to read.

        Args:
            outputs: One result for each call.
        """
        self._session.send(self._outputs(outputs))
        self._requires_action = False

    def cancel(self) -> None:
        """Cancel the answer. Continue to read to the end, or begin the next turn."""
        self._session.send(ChatSocketChatCancel())

    def close(self) -> None:
        """Stop reading and sending. The next turn cancels the answer if it is not complete."""
        self._answer.close()


class ChatSession(Session[ChatSocketUplinkMessage, ChatSocketDownlinkMessage]):
    """A call with a bot.

    `talk` is one turn after the other, as with a push-to-talk button. If Coze detects the end of the user's speech
    (turn detection by the server), send sound by `converse` and read the messages.
    """

    _turn: Turn | None = None

    def _confirmations(self, settings: ChatSocketUplinkMessage) -> frozenset[str]:
        return _expects_update(self._state, settings)

    def _require_output(self) -> None:
        require_output_format(self._state.operation, _settings_of(self._settings).output_audio)

    def talk(
        self,
        what: str | SocketEnterMessage | bytes | Source[bytes],
        *,
        tools: Sequence[Callable[..., Any]] = (),
        **settings: Unpack[ToolSettings],
    ) -> Turn:
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
        self._turn = Turn(self, self._exchange(messages, closes=False), runner, self._turn)
        return self._turn

    def _finish_turn(self, before: Turn) -> None:
        """End the turn before, so that the rest of its messages is not taken for a part of this one."""
        started = before.latest_started
        before.close()
        if started is None or started.is_settled or not self.is_open:
            return
        started.close()
        self.send(ChatSocketChatCancel())
        while not started.ended:
            try:
                started._on_message(self._receive(timeout=self._state.options.close_timeout))
            except CozeError as error:
                if started.ends_turn(error):
                    return
                raise

    def speak(self, text: str) -> Generator[bytes, None]:
        """Speak a text as it is, without calling the bot, for example when the user is silent.

        Args:
            text: The text, fewer than 1024 bytes of UTF-8.

        Returns:
            The sound, piece by piece, in the format of `output_audio`. This interrupts an answer.
        """
        self._require_output()
        return self._speak(_spoken(text))

    def _speak(self, messages: list[ChatSocketUplinkMessage]) -> Generator[bytes, None]:
        with closing(self._exchange(messages, _is_spoken, closes=False)) as answer:
            for message in answer:
                match message:
                    case ChatSocketAudioDelta(data=Message(content=sound)):
                        yield decoded(sound)

    def converse(self, sound: Source[bytes]) -> Generator[ChatSocketDownlinkMessage, None]:
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
