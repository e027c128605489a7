"""Streams of chats: the decisions of the sync and the async stream."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, ClassVar, Self

import attrs

from coze_api._core._stream_base import BaseStream
from coze_api.models import ChatFailedEvent, ChatStreamEvent

from .._type_guards import text_of
from ..errors import ChatFailed, CozeError, DecodeError, StreamFailed
from .accumulator import StreamAccumulator
from .chat_ref import ChatRef
from .result import raise_if_failed

if TYPE_CHECKING:
    from coze_api._core._operation import Options
    from coze_api.models import Chat

__all__ = ["ChatStreamBase"]

_UNKNOWN_CHAT = (
    "it contained no chat id, so nothing can be recovered; if the conversation is known, call "
    "conversations.messages.list to get its messages"
)


class ChatStreamBase(StreamAccumulator, BaseStream[ChatStreamEvent]):
    """A stream of a chat without its input and output."""

    _failure_type = ChatFailed
    _observe: ClassVar[Callable[..., None] | None] = StreamAccumulator._on_event
    _ref: ChatRef | None = None
    _cancel_on_exit = False

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self._reset()

    def _set_chat_ref(
        self,
        chats: Any,
        options: Options,
        conversation_id: str = "",
        chat_id: str = "",
        *,
        cancel_on_exit: bool = False,
    ) -> Self:
        """Remember which chat `recover` should fetch, and whether closing the stream cancels it."""
        self._ref = ChatRef(chats, options, conversation_id, chat_id)
        self._cancel_on_exit = cancel_on_exit
        return self

    def _chat_ref(self) -> ChatRef:
        """Return which chat to fetch.

        Raises:
            StreamFailed: The stream failed before it contained a chat id.
            StreamInterrupted: It was interrupted before it contained a chat id.
            RuntimeError: It was not created by a method of a `Coze`.
        """
        ref = self._ref
        if ref is None:
            raise RuntimeError("this stream cannot be recovered; create it by a method of Coze or AsyncCoze")
        chat = self.chat
        if chat is not None and text_of(chat.id) and text_of(chat.conversation_id):
            return attrs.evolve(ref, conversation_id=chat.conversation_id, chat_id=chat.id)
        if ref.chat_id:
            return ref
        if isinstance(self._failure, StreamFailed):
            raise self._failure
        raise self._interruption(_UNKNOWN_CHAT) from self._failure

    def _nothing_missing(self) -> bool:
        """Return whether the stream contained the whole chat.

        Raises:
            ChatFailed: The chat failed. An error of the stream alone does not mean that.
        """
        failure = self._failure
        if isinstance(failure, ChatFailed):
            if isinstance(failure.event, ChatFailedEvent | None):
                raise failure
            return False
        return self._ended

    def _set_final_chat(self, chat: Chat) -> None:
        """End the stream with the chat in its final state.

        Raises:
            ChatFailed: The chat failed.
        """
        self.chat = chat
        self._ended, self._failure = True, None
        try:
            raise_if_failed(chat)
        except ChatFailed as error:
            error.stream = self
            self._failure = error
            raise

    def _decode_audio(self, event: ChatStreamEvent) -> bytes:
        """Return the spoken audio of an event.

        Raises:
            DecodeError: It is not Base64.
        """
        try:
            return self._audio_delta(event)
        except ValueError as error:
            raise DecodeError(str(error), operation=self._operation.id) from error

    def _failed(self, event: ChatStreamEvent) -> CozeError:
        error = super()._failed(event)
        assert isinstance(error, ChatFailed)
        error.chat, error.stream = self.chat, self
        return error

    def _with_advice(self, reason: str) -> str:
        """Add how to get the rest of the chat, which may continue without the stream."""
        if self.chat is None:
            return reason
        return (
            f"{reason}; call recover() of the stream to get the rest, or chat.retrieve for chat {self.chat.id} of "
            f"conversation {self.chat.conversation_id}"
        )
