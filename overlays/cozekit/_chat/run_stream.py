# @generated from run_stream_async.py by `python -m generator sync`; do not edit.
"""Chats that call tools: one stream over all rounds."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from coze_api.models import Chat, ChatStreamEvent, Message

from .._streams.chained import ChainedStream
from .run_stream_async import T, _RunState
from .stream import ChatStream

if TYPE_CHECKING:
    from coze_api.models import ToolOutput

    from .._tools.runner import ToolRunner

__all__ = ["ChatRunStream"]


class ChatRunStream(_RunState[ChatStream], ChainedStream[ChatStream, ChatStreamEvent]):
    """The events of a chat through all its rounds of tool calls.

    Iterate over it for events, or over `text`, `reasoning`, `audio` or `completed_messages`, as over an
    `ChatStream`. Tools are executed between two rounds, while the caller waits for the next event. `chat`,
    `messages`, `answer`, `tool_runs` and so on are what has arrived so far, at any time.
    """

    def __init__(
        self, first: ChatStream, loop: ToolRunner, submit: Callable[[Chat, list[ToolOutput]], ChatStream]
    ) -> None:
        super().__init__(first)
        self._runner: ToolRunner = loop
        self._submit = submit

    @property
    def text(self) -> Iterator[str]:
        """The text of the answer, in pieces as they arrive. Reads the stream, as iterating over events does."""
        while True:
            line_break = self._needs_line_break()
            for delta in self._current.text:
                yield f"\n{delta}" if line_break else delta
                line_break = False
            if not self._advance():
                return

    @property
    def reasoning(self) -> Iterator[str]:
        """The reasoning of a deep-thinking model before its answer, in pieces as they arrive. Reads the stream."""
        return self._iter_parts(lambda stream: stream.reasoning)

    @property
    def audio(self) -> Iterator[bytes]:
        """The spoken answer, in decoded pieces as they arrive. Reads the stream.

        Coze sends audio only if a message of the request contains audio. For WAV it sends raw PCM: 24 kHz, 16 bit, one
        channel, little-endian; for Ogg Opus it sends Opus: 48 kHz, one channel, frames of 10 ms.
        """
        return self._iter_parts(lambda stream: stream.audio)

    @property
    def completed_messages(self) -> Iterator[Message]:
        """Each message when it is complete; `messages` keeps them. Reads the stream."""
        return self._iter_parts(lambda stream: stream.completed_messages)

    def recover(self, *, poll_interval: float = 1.0, poll_timeout: float = 600.0) -> Iterator[Message]:
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
        yield from self._current.recover(poll_interval=poll_interval, poll_timeout=poll_timeout, known=known)
        self._clear_interruption()

    def _iter_parts(self, parts_of: Callable[[ChatStream], Iterator[T]]) -> Iterator[T]:
        while True:
            yield from parts_of(self._current)
            if not self._advance():
                return

    def _next_stream(self) -> ChatStream | None:
        chat = self._current.chat
        outputs = self._runner.run_calls(chat)
        return self._submit(chat, outputs) if chat is not None and outputs else None
