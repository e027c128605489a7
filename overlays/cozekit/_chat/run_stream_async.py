"""Chats that call tools: one stream over all rounds."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from typing import TYPE_CHECKING, Generic, TypeVar

from coze_api.models import Chat, ChatStreamEvent, Message

from .._streams.chained_async import AsyncChainedStream
from .._streams.chained_base import ChainedStreamBase
from .accumulator import usage_of
from .stream_async import AsyncChatStream
from .stream_base import ChatStreamBase

if TYPE_CHECKING:
    from coze_api.models import ChatUsage, ToolOutput

    from .._tool_results import ToolRun
    from .._tools.runner_async import AsyncToolRunner
    from .._tools.runner_base import ToolRunnerBase

__all__ = ["AsyncChatRunStream"]

T = TypeVar("T")
ChatStreamT = TypeVar("ChatStreamT", bound=ChatStreamBase)


class _RunState(ChainedStreamBase[ChatStreamT], Generic[ChatStreamT]):
    """State accumulated over all rounds of a chat."""

    _runner: ToolRunnerBase

    @property
    def chat(self) -> Chat | None:
        """The chat in its latest state; None before the first event."""
        return next((stream.chat for stream in reversed(self._streams) if stream.chat is not None), None)

    @property
    def messages(self) -> list[Message]:
        """The completed messages, in the order of their completion."""
        return [message for stream in self._streams for message in stream.messages]

    @property
    def answer(self) -> str:
        """The text of the answer so far. If a bot gives several answers, each begins a line."""
        return "\n".join(filter(None, (stream.answer for stream in self._streams)))

    @property
    def follow_ups(self) -> list[str]:
        """Questions that the bot suggests, as far as they have arrived."""
        return [text for stream in self._streams for text in stream.follow_ups]

    @property
    def usage(self) -> ChatUsage | None:
        """Tokens used; zero until the chat has ended."""
        return usage_of(self.chat)

    @property
    def tool_runs(self) -> list[ToolRun]:
        """The executed tool calls so far, in order."""
        return list(self._runner.runs)

    def _needs_line_break(self) -> bool:
        return not self._current.answer and any(stream.answer for stream in self._streams)


class AsyncChatRunStream(_RunState[AsyncChatStream], AsyncChainedStream[AsyncChatStream, ChatStreamEvent]):
    """The events of a chat through all its rounds of tool calls.

    Iterate over it for events, or over `text`, `reasoning`, `audio` or `completed_messages`, as over an
    `AsyncChatStream`. Tools are executed between two rounds, while the caller waits for the next event. `chat`,
    `messages`, `answer`, `tool_runs` and so on are what has arrived so far, at any time.
    """

    def __init__(
        self,
        first: AsyncChatStream,
        loop: AsyncToolRunner,
        submit: Callable[[Chat, list[ToolOutput]], AsyncChatStream],
    ) -> None:
        super().__init__(first)
        self._runner: AsyncToolRunner = loop
        self._submit = submit

    @property
    async def text(self) -> AsyncIterator[str]:
        """The text of the answer, in pieces as they arrive. Reads the stream, as iterating over events does."""
        while True:
            line_break = self._needs_line_break()
            async for delta in self._current.text:
                yield f"\n{delta}" if line_break else delta
                line_break = False
            if not await self._advance():
                return

    @property
    def reasoning(self) -> AsyncIterator[str]:
        """The reasoning of a deep-thinking model before its answer, in pieces as they arrive. Reads the stream."""
        return self._iter_parts(lambda stream: stream.reasoning)

    @property
    def audio(self) -> AsyncIterator[bytes]:
        """The spoken answer, in decoded pieces as they arrive. Reads the stream.

        Coze sends audio only if a message of the request contains audio. For WAV it sends raw PCM: 24 kHz, 16 bit, one
        channel, little-endian; for Ogg Opus it sends Opus: 48 kHz, one channel, frames of 10 ms.
        """
        return self._iter_parts(lambda stream: stream.audio)

    @property
    def completed_messages(self) -> AsyncIterator[Message]:
        """Each message when it is complete; `messages` keeps them. Reads the stream."""
        return self._iter_parts(lambda stream: stream.completed_messages)

    async def recover(self, *, poll_interval: float = 1.0, poll_timeout: float = 600.0) -> AsyncIterator[Message]:
        """Fetch what is missing after the stream of a round was interrupted or closed.

        Polls the chat until it has ended or waits for tools, and then yields each message that did not arrive
        completely, once. If the chat waits for tools, reading the stream again executes them and continues. Of tools
        that were interrupted, by Ctrl-C for example, those that had finished are not called again; the others are.

        The chat must have been started with `auto_save_history` true, which is the default. The token needs the
        permissions of `chat.retrieve` and `chat.messages.list`.

        Args:
            poll_interval: Seconds between two polls; Coze wants at least one. Grows up to 5 seconds.
            poll_timeout: Seconds to wait at most.

        Yields:
            The messages that are missing.

        Raises:
            StreamInterrupted: The stream was interrupted before it contained the id of its chat.
            ChatFailed: The chat failed; its messages were yielded before.
            PollTimeout: The chat did not end in time. Call it again to continue.
            APIError: Coze returned an error.
        """
        known = [message for stream in self._streams[:-1] for message in stream.messages]
        async for message in self._current.recover(poll_interval=poll_interval, poll_timeout=poll_timeout, known=known):
            yield message
        self._clear_interruption()

    async def _iter_parts(self, parts_of: Callable[[AsyncChatStream], AsyncIterator[T]]) -> AsyncIterator[T]:
        while True:
            async for part in parts_of(self._current):
                yield part
            if not await self._advance():
                return

    async def _next_stream(self) -> AsyncChatStream | None:
        chat = self._current.chat
        outputs = await self._runner.run_calls(chat)
        return self._submit(chat, outputs) if chat is not None and outputs else None
