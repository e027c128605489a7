"""A chat as it happens: events, text as it comes, and in the end the chat."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterable
from typing import TYPE_CHECKING, Any, ClassVar, Self

from coze_api._core._operation import Operation, Options
from coze_api._core._stream import AsyncStream
from coze_api.models import ChatFailedEvent, ChatStreamEvent, Message, MessageCompletedEvent

from ..errors import ChatFailed, CozeError, DecodeError
from .accumulator import StreamAccumulator

if TYPE_CHECKING:
    from .recovery import ChatRef

__all__ = ["AsyncChatStream"]


class ChatStreamBase(StreamAccumulator):
    """What both kinds of streams of chats decide alike, beside what all streams do."""

    _chat_ref: ChatRef | None = None
    _operation: Operation[Any]
    _failure: CozeError | None
    _ended: bool
    _observe: ClassVar[Callable[..., None] | None] = StreamAccumulator._on_event

    def _set_chat_ref(self, chats: Any, options: Options, conversation_id: str = "", chat_id: str = "") -> Self:
        """Set how `recover` asks for the chat, and which it is, where that is known before the stream tells it."""
        from .recovery import ChatRef

        self._chat_ref = ChatRef(chats, options, conversation_id, chat_id)
        return self

    def _nothing_missing(self) -> bool:
        """Tell whether nothing can be missing.

        Raises:
            ChatFailed: The chat failed. An error of the stream alone says nothing of the chat.
        """
        failure = self._failure
        if isinstance(failure, ChatFailed):
            if isinstance(failure.event, ChatFailedEvent | None):
                raise failure
            return False
        return self._ended

    def _decode_audio(self, event: ChatStreamEvent) -> bytes:
        """Return what an event adds to the spoken answer.

        Raises:
            DecodeError: It is not Base64.
        """
        try:
            return self._audio_delta(event)
        except ValueError as error:
            raise DecodeError(str(error), operation=self._operation.id) from error

    def _to_chat_failed(self, error: CozeError) -> CozeError:
        """Turn the failure of a stream into that of its chat."""
        failed = ChatFailed.__new__(ChatFailed, *error.args)
        failed.__dict__.update(error.__dict__)
        failed.chat, failed.stream = self.chat, self
        return failed

    def _advised(self, reason: str) -> str:
        """Add to the reason why the stream broke off how to find the chat, which may go on without it."""
        if self.chat is None:
            return reason
        return (
            f"{reason}; recover() of the stream gets the rest, as does chat.retrieve for chat {self.chat.id} of "
            f"conversation {self.chat.conversation_id}"
        )


class AsyncChatStream(ChatStreamBase, AsyncStream[ChatStreamEvent]):
    """The events of a chat.

    Iterate over it for events, or over `text` for the words, `reasoning` for the thoughts before them, `audio` for the
    spoken answer, `completed_messages` for whole messages; each of them reads the stream. At any time `chat`,
    `messages`, `answer`, `follow_ups`, `usage`, `debug_url` and `logid` tell what is known so far.

    It ends in one of three ways: properly, by `ChatFailed`, or by `StreamInterrupted`, whose `stream` still has all
    that arrived, and whose rest `recover` gets.
    """

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self._reset()

    @property
    async def text(self) -> AsyncIterator[str]:
        """The answer's text, piece by piece, as it is said. Reads the stream, as iterating over events does."""
        async for _ in self:
            if delta := self._text_delta():
                yield delta

    @property
    async def reasoning(self) -> AsyncIterator[str]:
        """What a deep-thinking model thinks before it answers, piece by piece. Reads the stream."""
        async for event in self:
            if delta := self._reasoning_delta(event):
                yield delta

    @property
    async def audio(self) -> AsyncIterator[bytes]:
        """The spoken answer, piece by piece, decoded. Reads the stream.

        Coze speaks only if a message of the request has audio. For WAV it answers by raw PCM: 24 kHz, 16 bit, one
        channel, little-endian; for Ogg Opus by Opus: 48 kHz, one channel, frames of 10 ms.
        """
        async for event in self:
            if delta := self._decode_audio(event):
                yield delta

    @property
    async def completed_messages(self) -> AsyncIterator[Message]:
        """Each message as it is complete; `messages` keeps them. Reads the stream."""
        async for event in self:
            if isinstance(event, MessageCompletedEvent) and isinstance(event.data, Message):
                yield event.data

    async def recover(
        self, *, poll_interval: float = 1.0, poll_timeout: float = 600.0, known: Iterable[Message] = ()
    ) -> AsyncIterator[Message]:
        """Get what is missing after the stream broke off or was closed, by asking for its chat.

        Waits until the chat has ended, and then yields each message that the stream did not bring whole, once, in the
        order of the chat's messages. `messages`, `answer`, `chat` and so on know them too, and at the end the stream
        has ended as if it had not broken off. Where nothing is missing, nothing is asked.

        The chat must have been started with `auto_save_history` true, which is the default. The token needs the
        permissions of `chat.retrieve` and `chat.messages.list`.

        Args:
            poll_interval: Seconds before asking again; Coze wants at least one. Grows up to 5 seconds.
            poll_timeout: Seconds to wait at most.
            known: Messages that are not to be yielded, such as those of the chat before it waited for tool outputs.

        Yields:
            The messages that are missing.

        Raises:
            StreamInterrupted: The stream broke off before it told which chat it is of.
            ChatFailed: The chat failed; its messages were yielded before.
            PollTimeout: The chat did not end in time. Recovering again goes on.
            APIError: Coze refused a call.
        """
        await AsyncStream.close(self)
        if self._nothing_missing():
            return
        from .recovery import await_chat, chat_ref, finish_stream, note_on_error

        found = chat_ref(self)
        with note_on_error():
            chat, messages = await await_chat(found, poll_interval, poll_timeout)
        for message in self._unseen_messages(messages, known):
            self._add_message(message)
            yield message
        finish_stream(self, chat)

    def _failed(self, event: ChatStreamEvent) -> CozeError:
        return self._remember(self._to_chat_failed(super()._failed(event)))
