# @generated from stream_async.py by `python -m generator sync`; do not edit.
"""A chat as it happens: events, text as it comes, and in the end the chat."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from coze_api._core._stream import Stream
from coze_api.models import ChatStreamEvent, Message, MessageCompletedEvent

from ..errors import CozeError
from .stream_async import ChatStreamBase

__all__ = ["ChatStream"]


class ChatStream(ChatStreamBase, Stream[ChatStreamEvent]):
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
    def text(self) -> Iterator[str]:
        """The answer's text, piece by piece, as it is said. Reads the stream, as iterating over events does."""
        for _ in self:
            if delta := self._text_delta():
                yield delta

    @property
    def reasoning(self) -> Iterator[str]:
        """What a deep-thinking model thinks before it answers, piece by piece. Reads the stream."""
        for event in self:
            if delta := self._reasoning_delta(event):
                yield delta

    @property
    def audio(self) -> Iterator[bytes]:
        """The spoken answer, piece by piece, decoded. Reads the stream.

        Coze speaks only if a message of the request has audio. For WAV it answers by raw PCM: 24 kHz, 16 bit, one
        channel, little-endian; for Ogg Opus by Opus: 48 kHz, one channel, frames of 10 ms.
        """
        for event in self:
            if delta := self._decode_audio(event):
                yield delta

    @property
    def completed_messages(self) -> Iterator[Message]:
        """Each message as it is complete; `messages` keeps them. Reads the stream."""
        for event in self:
            if isinstance(event, MessageCompletedEvent) and isinstance(event.data, Message):
                yield event.data

    def recover(
        self, *, poll_interval: float = 1.0, poll_timeout: float = 600.0, known: Iterable[Message] = ()
    ) -> Iterator[Message]:
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
        Stream.close(self)
        if self._nothing_missing():
            return
        from .recovery import chat_ref, finish_stream, note_on_error, wait_for_chat

        found = chat_ref(self)
        with note_on_error():
            chat, messages = wait_for_chat(found, poll_interval, poll_timeout)
        for message in self._unseen_messages(messages, known):
            self._add_message(message)
            yield message
        finish_stream(self, chat)

    def _failed(self, event: ChatStreamEvent) -> CozeError:
        return self._remember(self._to_chat_failed(super()._failed(event)))
