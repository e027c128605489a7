"""One turn of a call: what the user says, and what the bot answers."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Generator, Iterator, Sequence
from typing import TYPE_CHECKING, Any, Generic, Self, TypeVar

from coze_api.models import (
    Chat,
    ChatSocketAudioDelta,
    ChatSocketChatCancel,
    ChatSocketChatCanceled,
    ChatSocketDownlinkMessage,
    ChatSocketMessageCompleted,
    ChatSocketMessageDelta,
    ChatSocketRequiresAction,
    ChatSocketSubmitToolOutputs,
    ChatSocketTranscriptCompleted,
    ChatSocketTranscriptUpdate,
    Message,
    MessageRole,
    MessageType,
    SocketToolOutputs,
    SocketTranscript,
    ToolOutput,
)

from .._chat.accumulator import ChatAccumulator
from .._chat.cancel_on_exit import is_cancelable
from .._type_guards import TextBuffer, key_of, text_of
from ..errors import ActionRequired, APITimeoutError, ChatFailed, CozeError, InvalidArgumentError, SocketFailed
from .audio_formats import decoded

if TYPE_CHECKING:
    from .._tool_results import ToolRun
    from .._tools.runner_base import ToolRunnerBase
    from .chat import AsyncChatSession, ChatSession

__all__ = ["AsyncTurn", "Turn"]

S = TypeVar("S", bound="ChatSession | AsyncChatSession")
A = TypeVar("A")


class _Snapshot(ChatAccumulator, Generic[S, A]):
    """What a turn told so far.

    Attributes:
        chat: The chat in its latest state; None before Coze made one.
        messages: The messages that are complete, in the order of their completion, without the user's own.
        transcript: What the user said, as far as it was understood.
        canceled: Whether the answer was broken off.
        ended: Whether nothing more will come.
    """

    def __init__(self, session: S, answer: A, loop: ToolRunnerBase | None, before: Self | None) -> None:
        self._session = session
        self._answer = answer
        self._loop = loop
        self._before = before  # the turn that this one ends when it begins
        self.chat = None
        self.messages = []
        self.transcript = ""
        self.canceled = False
        self.ended = False
        self._partial_messages = {}
        self._text = ""  # what the latest message adds to the answer
        self._sound = b""  # the same, spoken
        self._waits = False
        self._begun = False
        self._failure: CozeError | None = None

    @property
    def tool_runs(self) -> list[ToolRun]:
        """The tools that were carried out, in order."""
        return [] if self._loop is None else list(self._loop.runs)

    @property
    def latest_begun(self) -> Self | None:
        """The turn itself where it was read, else the latest before it that was; None if none was."""
        turn: Self | None = self
        while turn is not None and not turn._begun:
            turn = turn._before
        return turn

    @property
    def is_settled(self) -> bool:
        """Whether nothing more of it will come: it has ended, or failed while no chat ran that could be canceled."""
        return self.ended or (isinstance(self._failure, SocketFailed) and not is_cancelable(self.chat))

    def settles(self, error: CozeError) -> bool:
        """Tell whether an error ends the turn as well as an end would: it failed, or Coze says nothing more of it."""
        return isinstance(error, ChatFailed | SocketFailed | APITimeoutError)

    def _raise_failure(self) -> None:
        """Raise again what ended the turn: reading on does not turn a failure into an end."""
        self._begun = True
        if self._failure is not None:
            raise self._failure

    def _broke(self, error: CozeError) -> None:
        """Note what ended the turn."""
        self._failure = error
        if isinstance(error, ChatFailed):
            self.ended, self.chat, error.stream = True, error.chat, self

    def _see(self, message: ChatSocketDownlinkMessage) -> None:
        self._text, self._sound = "", b""
        self.ended = self._session._state.is_end(message)
        self._waits = isinstance(message, ChatSocketRequiresAction)
        match message:
            case ChatSocketMessageDelta(data=Message(type=MessageType.ANSWER | None, content=str(text)) as piece):
                self._partial_messages.setdefault(key_of(piece.id), TextBuffer()).append(text)
                self._text = text
            case ChatSocketMessageCompleted(data=Message() as whole):
                self._complete(whole)
            case ChatSocketAudioDelta(data=Message(content=sound)):
                self._sound = decoded(sound)
            case ChatSocketTranscriptUpdate() | ChatSocketTranscriptCompleted():
                if isinstance(message.data, SocketTranscript):
                    self.transcript = text_of(message.data.content)
            case ChatSocketChatCanceled():
                self.canceled = True
            case _ if isinstance(state := getattr(message, "data", None), Chat):
                self.chat = state

    def _complete(self, whole: Message) -> None:
        if whole.role == MessageRole.USER:
            return
        self.messages.append(whole)
        if self._partial_messages.pop(key_of(whole.id), None) is None and whole.type is MessageType.ANSWER:
            self._text = text_of(whole.content)  # it came in one piece

    def _outputs(self, outputs: Sequence[ToolOutput | dict[str, Any]]) -> ChatSocketSubmitToolOutputs:
        if self.chat is None:
            raise InvalidArgumentError("no chat waits for tool outputs: there is none yet")
        made = [ToolOutput.from_dict(output) if isinstance(output, dict) else output for output in outputs]
        return ChatSocketSubmitToolOutputs(data=SocketToolOutputs(chat_id=self.chat.id, tool_outputs=made))

    def _need_no_tools(self) -> None:
        """Refuse to wait for words that come only after tool outputs."""
        if self._waits:
            raise ActionRequired(
                "the bot waits for tool outputs: give them by turn.submit_tool_outputs(…) and read on, or iterate over "
                f"the turn itself and answer each {ChatSocketRequiresAction.__name__}",
                chat=self.chat,
            )


class Turn(_Snapshot["ChatSession", Generator[ChatSocketDownlinkMessage, None, None]]):
    """A turn as it happens. Iterate over it for messages, over `text` for words, or over `audio` for sound.

    What the user says is sent when reading begins. Leaving it early stops sending; the next turn tells the bot to stop.
    """

    def __iter__(self) -> Iterator[ChatSocketDownlinkMessage]:
        return self

    def __next__(self) -> ChatSocketDownlinkMessage:
        self._raise_failure()
        try:
            if self._before is not None:
                self._session._settle(self._before)
                self._before = None
            message = next(self._answer)
        except CozeError as error:
            self._broke(error)
            raise
        self._see(message)
        if self._waits and self._loop is not None and (outputs := self._loop.run_calls(self.chat)):
            self.submit_tool_outputs(outputs)
        return message

    @property
    def text(self) -> Iterator[str]:
        """The answer's text, piece by piece."""
        for _ in self:
            self._need_no_tools()
            if self._text:
                yield self._text

    @property
    def audio(self) -> Iterator[bytes]:
        """The answer's sound, piece by piece. Needs `output_audio`."""
        self._session._need_output()
        return self._sounds()

    def _sounds(self) -> Iterator[bytes]:
        for _ in self:
            self._need_no_tools()
            if self._sound:
                yield self._sound

    def until_done(self) -> Self:
        """Read to the end and return the turn itself.

        Raises:
            ActionRequired: The bot calls tools. Give their outputs by `submit_tool_outputs` and read on.
            ChatFailed: The chat failed.
            SocketClosed: The connection ended before the turn did.
        """
        for _ in self:
            self._need_no_tools()
        return self

    def submit_tool_outputs(self, outputs: Sequence[ToolOutput | dict[str, Any]]) -> None:
        """Give the results of the tool calls that `chat.required_action` names. Then go on reading.

        Args:
            outputs: One result for each call.
        """
        self._session.send(self._outputs(outputs))
        self._waits = False

    def cancel(self) -> None:
        """Tell the bot to stop. Go on reading to the end, or begin the next turn."""
        self._session.send(ChatSocketChatCancel())

    def close(self) -> None:
        """Leave the turn."""
        self._answer.close()


class AsyncTurn(_Snapshot["AsyncChatSession", AsyncGenerator[ChatSocketDownlinkMessage, None]]):
    """A turn as it happens, awaited. See `Turn`."""

    def __aiter__(self) -> AsyncIterator[ChatSocketDownlinkMessage]:
        return self

    async def __anext__(self) -> ChatSocketDownlinkMessage:
        self._raise_failure()
        try:
            if self._before is not None:
                await self._session._settle(self._before)
                self._before = None
            message = await anext(self._answer)
        except CozeError as error:
            self._broke(error)
            raise
        self._see(message)
        if self._waits and self._loop is not None and (outputs := await self._loop.run_calls(self.chat)):
            await self.submit_tool_outputs(outputs)
        return message

    @property
    async def text(self) -> AsyncIterator[str]:
        """The answer's text, piece by piece."""
        async for _ in self:
            self._need_no_tools()
            if self._text:
                yield self._text

    @property
    def audio(self) -> AsyncIterator[bytes]:
        """The answer's sound, piece by piece. Needs `output_audio`."""
        self._session._need_output()
        return self._sounds()

    async def _sounds(self) -> AsyncIterator[bytes]:
        async for _ in self:
            self._need_no_tools()
            if self._sound:
                yield self._sound

    async def until_done(self) -> Self:
        """Read to the end and return the turn itself. See `Turn.until_done`."""
        async for _ in self:
            self._need_no_tools()
        return self

    async def submit_tool_outputs(self, outputs: Sequence[ToolOutput | dict[str, Any]]) -> None:
        """Give the results of the tool calls that `chat.required_action` names. See `Turn.submit_tool_outputs`."""
        await self._session.send(self._outputs(outputs))
        self._waits = False

    async def cancel(self) -> None:
        """Tell the bot to stop. Go on reading to the end, or begin the next turn."""
        await self._session.send(ChatSocketChatCancel())

    async def close(self) -> None:
        """Leave the turn."""
        await self._answer.aclose()
