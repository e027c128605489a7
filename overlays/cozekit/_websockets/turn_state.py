"""The state of one turn of a call, accumulated from its messages."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Self

from coze_api.models import (
    Chat,
    ChatSocketAudioDelta,
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

__all__ = ["TurnState"]


class TurnState(ChatAccumulator):
    """The messages of a turn, accumulated.

    Attributes:
        chat: The chat in its latest state; None before Coze made one.
        messages: The messages that are complete, in the order of their completion, without the user's own.
        transcript: Transcript of the user's speech, as far as it was recognized.
        canceled: Whether the answer was canceled.
        ended: Whether nothing more will come.
    """

    def __init__(self, session: Any, answer: Any, tools: ToolRunnerBase | None, before: Self | None) -> None:
        self._session = session
        self._answer = answer
        self._tools: Any = tools
        self._before = before  # the turn that this one ends when it begins
        self.chat = None
        self.messages = []
        self.transcript = ""
        self.canceled = False
        self.ended = False
        self._partial_messages = {}
        self._text = ""  # what the latest message adds to the answer
        self._sound = b""  # the same, spoken
        self._requires_action = False
        self._started = False
        self._failure: CozeError | None = None

    @property
    def tool_runs(self) -> list[ToolRun]:
        """The tools that were carried out, in order."""
        return [] if self._tools is None else list(self._tools.runs)

    @property
    def latest_started(self) -> Self | None:
        """The turn itself if it was read, else the latest one before it that was; None if there is none."""
        turn: Self | None = self
        while turn is not None and not turn._started:
            turn = turn._before
        return turn

    @property
    def is_settled(self) -> bool:
        """Whether nothing more of it will come: it has ended, or failed while no chat ran that could be canceled."""
        return self.ended or (isinstance(self._failure, SocketFailed) and not is_cancelable(self.chat))

    def ends_turn(self, error: CozeError) -> bool:
        """Return whether an error ends the turn: the turn failed, or no more messages come."""
        return isinstance(error, ChatFailed | SocketFailed | APITimeoutError)

    def _raise_failure(self) -> None:
        """Raise the exception that ended the turn again, so that a failure never looks like a normal end."""
        self._started = True
        if self._failure is not None:
            raise self._failure

    def _record_failure(self, error: CozeError) -> None:
        """Record the exception that ended the turn."""
        self._failure = error
        if isinstance(error, ChatFailed):
            self.ended, self.chat, error.stream = True, error.chat, self

    def _on_message(self, message: ChatSocketDownlinkMessage) -> None:
        self._text, self._sound = "", b""
        self.ended = self._session._state.is_end(message)
        self._requires_action = isinstance(message, ChatSocketRequiresAction)
        match message:
            case ChatSocketAudioDelta(data=Message(content=sound)):  # first, because it is by far the most frequent
                self._sound = decoded(sound)
            case ChatSocketMessageDelta(data=Message(type=MessageType.ANSWER | None, content=str(text)) as piece):
                self._partial_messages.setdefault(key_of(piece.id), TextBuffer()).append(text)
                self._text = text
            case ChatSocketMessageCompleted(data=Message() as whole):
                self._complete(whole)
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

    def _require_no_pending_tools(self) -> None:
        """Raise ActionRequired while the bot waits for tool outputs."""
        if self._requires_action:
            raise ActionRequired(
                "the bot waits for tool outputs: give them by turn.submit_tool_outputs(…) and read on, or iterate over "
                f"the turn itself and respond to each {ChatSocketRequiresAction.__name__}",
                chat=self.chat,
            )
