"""Streams of chats: events, text and audio as they arrive, and in the end the chat."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable

from coze_api._core._stream_async import AsyncStream
from coze_api.models import Chat, ChatStatus, ChatStreamEvent, Message, MessageCompletedEvent
from coze_api.operations import chat as _operations

from .._polling_async import poll_until_done
from .._type_guards import instances_of
from ..errors import APIError, StreamInterrupted
from .cancel_on_exit import acancel_chat
from .chat_ref import ChatRef
from .stream_base import ChatStreamBase

__all__ = ["AsyncChatStream"]

_NOTE = "recover() can only fetch chats that were started with auto_save_history true, which is the default."


class AsyncChatStream(ChatStreamBase, AsyncStream[ChatStreamEvent]):
    """The events of a chat.

    Iterate over it for events, over `text` for the text of the answer, `reasoning` for the reasoning before it, `audio`
    for the spoken answer, or `completed_messages` for whole messages; each of them reads the stream. `chat`,
    `messages`, `answer`, `follow_ups`, `usage`, `debug_url` and `logid` are what has arrived so far, at any time.

    It ends in one of three ways: normally, by `ChatFailed`, or by `StreamInterrupted`, whose `stream` still has
    everything that arrived; `recover` fetches the rest.
    """

    @property
    async def text(self) -> AsyncIterator[str]:
        """The text of the answer, in pieces as they arrive. Reads the stream, as iterating over events does."""
        async for _ in self:
            if delta := self._text_delta():
                yield delta

    @property
    async def reasoning(self) -> AsyncIterator[str]:
        """The reasoning of a deep-thinking model before its answer, in pieces as they arrive. Reads the stream."""
        async for event in self:
            if delta := self._reasoning_delta(event):
                yield delta

    @property
    async def audio(self) -> AsyncIterator[bytes]:
        """The spoken answer, in decoded pieces as they arrive. Reads the stream.

        Coze sends audio only if a message of the request contains audio. For WAV it sends raw PCM: 24 kHz, 16 bit, one
        channel, little-endian; for Ogg Opus it sends Opus: 48 kHz, one channel, frames of 10 ms.
        """
        async for event in self:
            if delta := self._decode_audio(event):
                yield delta

    @property
    async def completed_messages(self) -> AsyncIterator[Message]:
        """Each message when it is complete; `messages` keeps them. Reads the stream."""
        async for event in self:
            if isinstance(event, MessageCompletedEvent) and isinstance(event.data, Message):
                yield event.data

    async def recover(
        self, *, poll_interval: float = 1.0, poll_timeout: float = 600.0, known: Iterable[Message] = ()
    ) -> AsyncIterator[Message]:
        """Fetch what is missing after the stream was interrupted or closed.

        Polls the chat until it has ended, and then yields each message that did not arrive completely, once, in the
        order of the chat's messages. `messages`, `answer`, `chat` and so on include them, and at the end the stream has
        ended as if it had not been interrupted. If nothing is missing, no request is sent.

        The chat must have been started with `auto_save_history` true, which is the default. The token needs the
        permissions of `chat.retrieve` and `chat.messages.list`.

        Args:
            poll_interval: Seconds between two polls; Coze wants at least one. Grows up to 5 seconds.
            poll_timeout: Seconds to wait at most.
            known: Messages not to yield, for example those of the chat before it waited for tool outputs.

        Yields:
            The messages that are missing.

        Raises:
            StreamInterrupted: The stream was interrupted before it contained the id of its chat.
            ChatFailed: The chat failed; its messages were yielded before.
            PollTimeout: The chat did not end in time. Call it again to continue.
            APIError: Coze returned an error.
        """
        await AsyncStream.close(self)
        if self._nothing_missing():
            return
        chat, messages = await _wait_for_chat(self._chat_ref(), poll_interval, poll_timeout)
        for message in self._unseen_messages(messages, known):
            self._add_message(message)
            yield message
        self._set_final_chat(chat)

    async def close(self) -> None:
        """Close the connection, and cancel the chat if it still runs and `cancel_on_exit` is set.

        Safe to call at any time, also while the stream is read elsewhere: that read raises `StreamInterrupted`.
        """
        cancel, self._cancel_on_exit = self._cancel_on_exit, False
        try:
            await super().close()
        finally:
            if cancel and not self.ended and self._ref is not None:
                await acancel_chat(self._ref.chats, self.chat)

    async def __aexit__(self, *details: object) -> None:
        if isinstance(details[1], StreamInterrupted):
            self._cancel_on_exit = False  # the chat may be recovered
        await super().__aexit__(*details)


async def _wait_for_chat(ref: ChatRef, interval: float, limit: float) -> tuple[Chat, list[Message]]:
    """Poll a chat until it ends. Return it in its final state, and its messages."""
    try:
        chat: Chat = await poll_until_done(
            _operations.CREATE,
            lambda: ref.chats.retrieve(**ref.params),
            f"the chat {ref.params['chat_id']} did not end",
            interval=interval,
            limit=limit,
        )
        try:
            return chat, instances_of(await ref.chats.messages.list(**ref.params), Message)
        except APIError:
            if chat.status is not ChatStatus.FAILED:
                raise
            return chat, []  # why the chat failed is more important
    except APIError as error:
        error.add_note(_NOTE)
        raise
