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


class _Snapshot:
    """What a stream told so far. Shared by the sync and the async stream.

    Attributes:
        chat: The chat in its latest state; None before the first event.
        messages: The messages that are complete, in the order of their completion.
    """

    chat: Chat | None = None
    messages: list[Message]
    _pieces: list[str]

    def _see(self, event: ChatStreamEvent) -> None:
        kind = event.__class__
        if kind is MessageDeltaEvent:
            text = getattr(event.data, "content", None)
            if text:
                self._pieces.append(text)
        elif kind is MessageCompletedEvent and isinstance(event.data, Message):
            self.messages.append(event.data)
        elif isinstance(event.data, Chat):
            self.chat = event.data

    @property
    def answer(self) -> str:
        """The text of the answer so far."""
        return "".join(self._pieces) or answer_of(self.messages)

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
        self.messages = []
        self._pieces = []

    @property
    def text(self) -> Iterator[str]:
        """The answer's text, piece by piece. Reads the stream, as iterating over events does."""
        for event in self:
            if isinstance(event, MessageDeltaEvent) and event.data.content:
                yield event.data.content

    def _failed(self, event: ChatStreamEvent) -> CozeError:
        return self._remember(self._explain(super()._failed(event)))


class AsyncChatStream(_Snapshot, AsyncStream[ChatStreamEvent]):
    """The events of a chat, awaited. See `ChatStream`."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.messages = []
        self._pieces = []

    @property
    async def text(self) -> AsyncIterator[str]:
        """The answer's text, piece by piece. Reads the stream, as iterating over events does."""
        async for event in self:
            if isinstance(event, MessageDeltaEvent) and event.data.content:
                yield event.data.content

    def _failed(self, event: ChatStreamEvent) -> CozeError:
        return self._remember(self._explain(super()._failed(event)))
