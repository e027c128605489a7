"""A chat as it happens: events, text as it comes, and in the end the chat."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import TYPE_CHECKING, Any

from coze_api._core._stream import AsyncStream, Stream
from coze_api.models import (
    Chat,
    ChatStreamEvent,
    Message,
    MessageCompletedEvent,
    MessageDeltaEvent,
    MessageType,
)

from .errors import ChatFailed, CozeError

if TYPE_CHECKING:
    from coze_api.models import ChatUsage

__all__ = ["AsyncChatStream", "ChatStream"]

_ANSWERS = (MessageType.ANSWER, None)  # no type in a piece tells nothing against it


class _Snapshot:
    """What a stream told so far. Shared by the sync and the async stream.

    Attributes:
        chat: The chat in its latest state; None before the first event.
        messages: The messages that are complete, in the order of their completion.
    """

    chat: Chat | None = None
    messages: list[Message]
    _growing: dict[str, list[str]]  # pieces of the answers that are not complete, by message id
    _news = ""  # what the latest event adds to the text
    _teller: str | None = None  # id of the message that added to it last

    def _see(self, event: ChatStreamEvent) -> None:
        self._news = ""
        data = event.data
        if isinstance(data, Chat):
            self.chat = data
        elif not isinstance(data, Message):
            return
        elif isinstance(event, MessageDeltaEvent):
            if data.content and data.type in _ANSWERS:
                self._growing.setdefault(data.id, []).append(data.content)
                self._tell(data)
        elif isinstance(event, MessageCompletedEvent):
            self.messages.append(data)
            if self._growing.pop(data.id, None) is None and data.content and data.type is MessageType.ANSWER:
                self._tell(data)  # it came in one piece

    def _tell(self, message: Message) -> None:
        apart = self._teller is not None and self._teller != message.id
        self._news = f"\n{message.content}" if apart else message.content
        self._teller = message.id

    @property
    def answer(self) -> str:
        """The text of the answer so far. Where a bot gives several answers, each begins a line."""
        complete = answer_of(self.messages)
        return "\n".join(filter(None, [complete, *map("".join, self._growing.values())]))

    @property
    def follow_ups(self) -> list[str]:
        """Questions that the bot suggests, as far as they came."""
        return follow_ups_of(self.messages)

    @property
    def usage(self) -> ChatUsage | None:
        """Tokens used; zero until the chat ended."""
        return None if self.chat is None else self.chat.usage

    def _explain(self, error: CozeError) -> CozeError:
        """Turn the failure of a stream into that of its chat."""
        failed = ChatFailed.__new__(ChatFailed, *error.args)
        failed.__dict__.update(error.__dict__)
        failed.chat, failed.stream = self.chat, self
        return failed

    def _whereabouts(self, reason: str) -> str:
        """Add to the reason why the stream broke off how to find the chat, which may go on without it."""
        if self.chat is None:
            return reason
        return f"{reason}; ask chat.retrieve for chat {self.chat.id} of conversation {self.chat.conversation_id}"


def answer_of(messages: list[Message]) -> str:
    """Join the answers among *messages*."""
    return "\n".join(message.content for message in messages if message.type is MessageType.ANSWER and message.content)


def follow_ups_of(messages: list[Message]) -> list[str]:
    """Pick the suggested questions among *messages*."""
    return [message.content for message in messages if message.type is MessageType.FOLLOW_UP and message.content]


class ChatStream(_Snapshot, Stream[ChatStreamEvent]):
    """The events of a chat.

    Iterate over it for events or over `text` for the words; afterwards `chat`, `messages`, `answer`, `follow_ups`,
    `usage` and `logid` tell the rest. It ends in one of three ways: properly, by `ChatFailed`, or by
    `StreamInterrupted`, whose `stream` still has all that arrived.
    """

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self._observe = self._see
        self.messages = []
        self._growing = {}

    @property
    def text(self) -> Iterator[str]:
        """The answer's text, piece by piece, as it is said. Reads the stream, as iterating over events does."""
        for _ in self:
            if self._news:
                yield self._news

    def _failed(self, event: ChatStreamEvent) -> CozeError:
        return self._remember(self._explain(super()._failed(event)))

    def _interrupted(self, reason: str) -> CozeError:
        return super()._interrupted(self._whereabouts(reason))


class AsyncChatStream(_Snapshot, AsyncStream[ChatStreamEvent]):
    """The events of a chat, awaited. See `ChatStream`."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self._observe = self._see
        self.messages = []
        self._growing = {}

    @property
    async def text(self) -> AsyncIterator[str]:
        """The answer's text, piece by piece, as it is said. Reads the stream, as iterating over events does."""
        async for _ in self:
            if self._news:
                yield self._news

    def _failed(self, event: ChatStreamEvent) -> CozeError:
        return self._remember(self._explain(super()._failed(event)))

    def _interrupted(self, reason: str) -> CozeError:
        return super()._interrupted(self._whereabouts(reason))
