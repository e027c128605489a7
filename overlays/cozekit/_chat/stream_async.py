"""A chat as it happens: events, text as it comes, and in the end the chat."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterable
from typing import TYPE_CHECKING, Any, ClassVar, Self

from coze_api._core._operation import Operation, Options
from coze_api._core._stream import AsyncStream
from coze_api.models import ChatFailedEvent, ChatStreamEvent, Message, MessageCompletedEvent

from ..errors import ChatFailed, CozeError, DecodeError
from .accumulator import Snapshot

if TYPE_CHECKING:
    from .recovery import Whereabouts

__all__ = ["AsyncChatStream"]


class _ChatState(Snapshot):
    """What both kinds of streams of chats decide alike, beside what all streams do."""

    _whereabouts: Whereabouts | None = None
    _operation: Operation[Any]
    _failure: CozeError | None
    _ended: bool
    _observe: ClassVar[Callable[..., None] | None] = Snapshot._see

    def _found_by(self, chats: Any, options: Options, conversation: str = "", chat: str = "") -> Self:
        """Set how `recover` asks for the chat, and which it is, where that is known before the stream tells it."""
        from .recovery import Whereabouts

        self._whereabouts = Whereabouts(chats, options, conversation, chat)
        return self

    def _is_complete(self) -> bool:
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

    def _spoken(self, event: ChatStreamEvent) -> bytes:
        """Return what an event adds to the spoken answer.

        Raises:
            DecodeError: It is not Base64.
        """
        try:
            return self._sound(event)
        except ValueError as error:
            raise DecodeError(str(error), operation=self._operation.id) from error

    def _explain(self, error: CozeError) -> CozeError:
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


class AsyncChatStream(_ChatState, AsyncStream[ChatStreamEvent]):
    """The events of a chat.

    Iterate over it for events, or over `text` for the words, `reasoning` for the thoughts before them, `audio` for the
    spoken answer, `completed_messages` for whole messages; each of them reads the stream. At any time `chat`,
    `messages`, `answer`, `follow_ups`, `usage`, `debug_url` and `logid` tell what is known so far.

    It ends in one of three ways: properly, by `ChatFailed`, or by `StreamInterrupted`, whose `stream` still has all
    that arrived, and whose rest `recover` gets.
    """

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self._begin()

    @property
    async def text(self) -> AsyncIterator[str]:
        """The answer's text, piece by piece, as it is said. Reads the stream, as iterating over events does."""
        async for _ in self:
            if words := self._words():
                yield words

    @property
    async def reasoning(self) -> AsyncIterator[str]:
        """What a deep-thinking model thinks before it answers, piece by piece. Reads the stream."""
        async for event in self:
            if thoughts := self._thoughts(event):
                yield thoughts

    @property
    async def audio(self) -> AsyncIterator[bytes]:
        """The spoken answer, piece by piece, decoded. Reads the stream.

        Coze speaks only if a message of the request has audio. For WAV it answers by raw PCM: 24 kHz, 16 bit, one
        channel, little-endian; for Ogg Opus by Opus: 48 kHz, one channel, frames of 10 ms.
        """
        async for event in self:
            if sound := self._spoken(event):
                yield sound

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
        if self._is_complete():
            return
        from .recovery import aask, explained, settle, whereabouts_of

        found = whereabouts_of(self)
        with explained():
            chat, messages = await aask(found, poll_interval, poll_timeout)
        for message in self._missing(messages, known):
            self._catch_up(message)
            yield message
        settle(self, chat)

    def _failed(self, event: ChatStreamEvent) -> CozeError:
        return self._remember(self._explain(super()._failed(event)))
