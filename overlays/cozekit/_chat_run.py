"""Chats that call tools: what comes of them, and the stream of all their rounds."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from typing import TYPE_CHECKING, Generic, TypeVar

import attrs

from coze_api.models import Chat, ChatStreamEvent, Message

from ._chat_result import ChatResult
from ._chat_stream import AsyncChatStream, ChatStream
from ._rounds import AsyncRounds, Parts, Rounds

if TYPE_CHECKING:
    from coze_api.models import ChatUsage, ToolOutput

    from ._tool_loop import ToolLoop, ToolRun

__all__ = ["AsyncChatRunStream", "ChatRun", "ChatRunStream"]

C = TypeVar("C", bound=ChatStream | AsyncChatStream)


@attrs.frozen
class ChatRun(ChatResult):
    """A chat that has ended, with the tools that it called.

    Attributes:
        chat: Its final state.
        messages: Its messages.
        tool_runs: The calls that were carried out, in order.
    """

    tool_runs: list[ToolRun] = attrs.field(factory=list)


class _Told(Parts[C], Generic[C]):
    """What the rounds of a chat told so far."""

    _loop: ToolLoop

    @property
    def chat(self) -> Chat | None:
        """The chat in its latest state; None before the first event."""
        return next((part.chat for part in reversed(self._parts) if part.chat is not None), None)

    @property
    def messages(self) -> list[Message]:
        """The messages that are complete, in the order of their completion."""
        return [message for part in self._parts for message in part.messages]

    @property
    def answer(self) -> str:
        """The text of the answer so far. Where a bot gives several answers, each begins a line."""
        return "\n".join(filter(None, (part.answer for part in self._parts)))

    @property
    def follow_ups(self) -> list[str]:
        """Questions that the bot suggests, as far as they came."""
        return [text for part in self._parts for text in part.follow_ups]

    @property
    def usage(self) -> ChatUsage | None:
        """Tokens used; zero until the chat ended."""
        return None if self.chat is None else self.chat.usage

    @property
    def tool_runs(self) -> list[ToolRun]:
        """The tool calls that were carried out so far, in order."""
        return list(self._loop.runs)

    def _begins_a_line(self) -> bool:
        return not self._current.answer and any(part.answer for part in self._parts)


class ChatRunStream(_Told[ChatStream], Rounds[ChatStream, ChatStreamEvent]):
    """The events of a chat, and of all that follows when it calls tools.

    Iterate over it for events or over `text` for the words. Tools are carried out between two rounds, while the next
    event is waited for. Afterwards `chat`, `messages`, `answer`, `tool_runs` and so on tell the rest.
    """

    def __init__(
        self, first: ChatStream, loop: ToolLoop, submit: Callable[[Chat, list[ToolOutput]], ChatStream]
    ) -> None:
        super().__init__(first)
        self._loop = loop
        self._submit = submit

    @property
    def text(self) -> Iterator[str]:
        """The answer's text, piece by piece, as it is said. Reads the stream, as iterating over events does."""
        while True:
            apart = self._begins_a_line()
            for piece in self._current.text:
                yield f"\n{piece}" if apart else piece
                apart = False
            if not self._go_on():
                return

    def _following(self) -> ChatStream | None:
        chat = self._current.chat
        outputs = self._loop.answer(chat)
        return self._submit(chat, outputs) if chat is not None and outputs else None


class AsyncChatRunStream(_Told[AsyncChatStream], AsyncRounds[AsyncChatStream, ChatStreamEvent]):
    """The events of a chat, and of all that follows when it calls tools, awaited. See `ChatRunStream`."""

    def __init__(
        self, first: AsyncChatStream, loop: ToolLoop, submit: Callable[[Chat, list[ToolOutput]], AsyncChatStream]
    ) -> None:
        super().__init__(first)
        self._loop = loop
        self._submit = submit

    @property
    async def text(self) -> AsyncIterator[str]:
        """The answer's text, piece by piece, as it is said. Reads the stream, as iterating over events does."""
        while True:
            apart = self._begins_a_line()
            async for piece in self._current.text:
                yield f"\n{piece}" if apart else piece
                apart = False
            if not await self._go_on():
                return

    async def _following(self) -> AsyncChatStream | None:
        chat = self._current.chat
        outputs = await self._loop.aanswer(chat)
        return self._submit(chat, outputs) if chat is not None and outputs else None
