"""Chats that call tools: what comes of them, and the stream of all their rounds."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from typing import TYPE_CHECKING, Generic, TypeVar

import attrs

from coze_api.models import Chat, ChatStreamEvent, Message

from .._streams.chained import AsyncChainedStream, ChainedStream, ChainedStreamBase
from .accumulator import usage_of
from .result import ChatResult
from .stream import ChatStream
from .stream_async import AsyncChatStream

if TYPE_CHECKING:
    from coze_api.models import ChatUsage, ToolOutput

    from .._tools.runner import ToolRun, ToolRunner

__all__ = ["AsyncChatRunStream", "ChatRun", "ChatRunStream"]

T = TypeVar("T")
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


class _RunState(ChainedStreamBase[C], Generic[C]):
    """What the rounds of a chat told so far."""

    _runner: ToolRunner

    @property
    def chat(self) -> Chat | None:
        """The chat in its latest state; None before the first event."""
        return next((stream.chat for stream in reversed(self._streams) if stream.chat is not None), None)

    @property
    def messages(self) -> list[Message]:
        """The messages that are complete, in the order of their completion."""
        return [message for stream in self._streams for message in stream.messages]

    @property
    def answer(self) -> str:
        """The text of the answer so far. Where a bot gives several answers, each begins a line."""
        return "\n".join(filter(None, (stream.answer for stream in self._streams)))

    @property
    def follow_ups(self) -> list[str]:
        """Questions that the bot suggests, as far as they came."""
        return [text for stream in self._streams for text in stream.follow_ups]

    @property
    def usage(self) -> ChatUsage | None:
        """Tokens used; zero until the chat ended."""
        return usage_of(self.chat)

    @property
    def tool_runs(self) -> list[ToolRun]:
        """The tool calls that were carried out so far, in order."""
        return list(self._runner.runs)

    def _needs_line_break(self) -> bool:
        return not self._current.answer and any(stream.answer for stream in self._streams)


class ChatRunStream(_RunState[ChatStream], ChainedStream[ChatStream, ChatStreamEvent]):
    """The events of a chat, and of all that follows when it calls tools.

    Iterate over it for events, or over `text`, `reasoning`, `audio` or `completed_messages`, as over a `ChatStream`.
    Tools are carried out between two rounds, while the next event is waited for. At any time `chat`, `messages`,
    `answer`, `tool_runs` and so on tell what is known so far.
    """

    def __init__(
        self, first: ChatStream, runner: ToolRunner, submit: Callable[[Chat, list[ToolOutput]], ChatStream]
    ) -> None:
        super().__init__(first)
        self._runner = runner
        self._submit = submit

    @property
    def text(self) -> Iterator[str]:
        """The answer's text, piece by piece, as it is said. Reads the stream, as iterating over events does."""
        while True:
            apart = self._needs_line_break()
            for piece in self._current.text:
                yield f"\n{piece}" if apart else piece
                apart = False
            if not self._advance():
                return

    @property
    def reasoning(self) -> Iterator[str]:
        """What a deep-thinking model thinks before it answers, piece by piece. Reads the stream."""
        return self._iter_parts(lambda stream: stream.reasoning)

    @property
    def audio(self) -> Iterator[bytes]:
        """The spoken answer, piece by piece, decoded. Reads the stream. See `ChatStream.audio` for the format."""
        return self._iter_parts(lambda stream: stream.audio)

    @property
    def completed_messages(self) -> Iterator[Message]:
        """Each message as it is complete; `messages` keeps them. Reads the stream."""
        return self._iter_parts(lambda stream: stream.completed_messages)

    def recover(self, *, poll_interval: float = 1.0, poll_timeout: float = 600.0) -> Iterator[Message]:
        """Get what is missing after the stream of a round broke off, by asking for its chat. See `ChatStream.recover`.

        If the chat then waits for tools, reading on carries them out and goes on. Of tools that were interrupted, by
        Ctrl-C perhaps, those that had ended are not called again; the others are.

        Args:
            poll_interval: Seconds before asking again; Coze wants at least one. Grows up to 5 seconds.
            poll_timeout: Seconds to wait at most.

        Yields:
            The messages that are missing, each once.

        Raises:
            StreamInterrupted: The stream broke off before it told which chat it is of.
            ChatFailed: The chat failed; its messages were yielded before.
            PollTimeout: The chat did not end in time. Recovering again goes on.
            APIError: Coze refused a call.
        """
        known = [message for stream in self._streams[:-1] for message in stream.messages]
        yield from self._current.recover(poll_interval=poll_interval, poll_timeout=poll_timeout, known=known)
        self._clear_interruption()

    def _iter_parts(self, view: Callable[[ChatStream], Iterator[T]]) -> Iterator[T]:
        while True:
            yield from view(self._current)
            if not self._advance():
                return

    def _next_stream(self) -> ChatStream | None:
        chat = self._current.chat
        outputs = self._runner.run_calls(chat)
        return self._submit(chat, outputs) if chat is not None and outputs else None


class AsyncChatRunStream(_RunState[AsyncChatStream], AsyncChainedStream[AsyncChatStream, ChatStreamEvent]):
    """The events of a chat, and of all that follows when it calls tools, awaited. See `ChatRunStream`."""

    def __init__(
        self, first: AsyncChatStream, runner: ToolRunner, submit: Callable[[Chat, list[ToolOutput]], AsyncChatStream]
    ) -> None:
        super().__init__(first)
        self._runner = runner
        self._submit = submit

    @property
    async def text(self) -> AsyncIterator[str]:
        """The answer's text, piece by piece, as it is said. Reads the stream, as iterating over events does."""
        while True:
            apart = self._needs_line_break()
            async for piece in self._current.text:
                yield f"\n{piece}" if apart else piece
                apart = False
            if not await self._advance():
                return

    @property
    def reasoning(self) -> AsyncIterator[str]:
        """What a deep-thinking model thinks before it answers, piece by piece. Reads the stream."""
        return self._iter_parts(lambda stream: stream.reasoning)

    @property
    def audio(self) -> AsyncIterator[bytes]:
        """The spoken answer, piece by piece, decoded. Reads the stream. See `ChatStream.audio` for the format."""
        return self._iter_parts(lambda stream: stream.audio)

    @property
    def completed_messages(self) -> AsyncIterator[Message]:
        """Each message as it is complete; `messages` keeps them. Reads the stream."""
        return self._iter_parts(lambda stream: stream.completed_messages)

    async def recover(self, *, poll_interval: float = 1.0, poll_timeout: float = 600.0) -> AsyncIterator[Message]:
        """Get what is missing after the stream of a round broke off, to be iterated by `async for`.

        See `ChatRunStream.recover`.
        """
        known = [message for stream in self._streams[:-1] for message in stream.messages]
        async for message in self._current.recover(poll_interval=poll_interval, poll_timeout=poll_timeout, known=known):
            yield message
        self._clear_interruption()

    async def _iter_parts(self, view: Callable[[AsyncChatStream], AsyncIterator[T]]) -> AsyncIterator[T]:
        while True:
            async for one in view(self._current):
                yield one
            if not await self._advance():
                return

    async def _next_stream(self) -> AsyncChatStream | None:
        chat = self._current.chat
        outputs = await self._runner.arun_calls(chat)
        return self._submit(chat, outputs) if chat is not None and outputs else None
