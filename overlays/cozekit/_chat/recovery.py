"""Asking for a chat whose stream broke off."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import attrs

from coze_api._core._operation import Options
from coze_api.models import Chat, ChatStatus, Message

from .._polling import Waiting
from .._type_guards import instances_of, text_of
from ..errors import APIError, ChatFailed, StreamFailed
from .result import is_chat_pending, raise_if_failed

if TYPE_CHECKING:
    from coze_api.params.chat import RetrieveParams

    from .stream import ChatStream
    from .stream_async import AsyncChatStream

__all__ = ["ChatRef", "await_chat", "wait_for_chat", "note_on_error", "finish_stream", "chat_ref"]

_NOTE = "recover() can only ask for a chat that was started with auto_save_history true, which is the default."
_UNKNOWN = (
    "it did not tell which chat it is of, so nothing can be recovered; if the conversation is known, "
    "conversations.messages.list has what the chat says in it"
)


@attrs.frozen
class ChatRef:
    """How to ask for the chat of a stream.

    Attributes:
        chats: The resource that asks: `ChatAPI` or `AsyncChatAPI`.
        options: What the caller added to the request that began the stream.
        conversation_id: The chat's conversation, where it is known.
        chat_id: The chat's id, where it is known.
    """

    chats: Any
    options: Options
    conversation_id: str = ""
    chat_id: str = ""

    @property
    def arguments(self) -> RetrieveParams:
        """The arguments of every request about the chat."""
        return {
            "conversation_id": self.conversation_id,
            "chat_id": self.chat_id,
            "extra_headers": self.options.headers,
            "timeout": self.options.timeout,
        }


def chat_ref(stream: ChatStream | AsyncChatStream) -> ChatRef:
    """Return how to ask for the chat of *stream*.

    Raises:
        StreamFailed: The stream failed before it told which chat it is of.
        StreamInterrupted: It broke off before.
        RuntimeError: It was not made by a method of a `Coze`.
    """
    found = stream._chat_ref
    if found is None:
        raise RuntimeError("only streams that were made by a Coze or an AsyncCoze can be recovered")
    chat = stream.chat
    if chat is not None and text_of(chat.id) and text_of(chat.conversation_id):
        found = attrs.evolve(found, conversation_id=chat.conversation_id, chat_id=chat.id)
    if found.chat_id:
        return found
    failure = stream._failure
    if isinstance(failure, StreamFailed):
        raise failure
    raise stream._broken_off(_UNKNOWN) from failure


def wait_for_chat(found: ChatRef, interval: float, limit: float) -> tuple[Chat, list[Message]]:
    """Wait for the end of a chat.

    Returns:
        The chat in its final state, and its messages.
    """
    waiting, arguments = Waiting(interval, limit), found.arguments
    chat = found.chats.retrieve(**arguments)
    while is_chat_pending(chat, waiting):
        waiting.sleep()
        chat = found.chats.retrieve(**arguments)
    with tolerate_missing_messages(chat):
        return chat, instances_of(found.chats.messages.list(**arguments), Message)
    return chat, []


async def await_chat(found: ChatRef, interval: float, limit: float) -> tuple[Chat, list[Message]]:
    """Wait for the end of a chat. See `ask`."""
    waiting, arguments = Waiting(interval, limit), found.arguments
    chat = await found.chats.retrieve(**arguments)
    while is_chat_pending(chat, waiting):
        await waiting.asleep()
        chat = await found.chats.retrieve(**arguments)
    with tolerate_missing_messages(chat):
        return chat, instances_of(await found.chats.messages.list(**arguments), Message)
    return chat, []


def finish_stream(stream: ChatStream | AsyncChatStream, chat: Chat) -> None:
    """End a stream as its chat ended.

    Raises:
        ChatFailed: The chat failed.
    """
    stream.chat = chat
    stream._ended, stream._failure = True, None
    try:
        raise_if_failed(chat)
    except ChatFailed as error:
        error.stream = stream
        stream._failure = error
        raise


@contextmanager
def note_on_error() -> Iterator[None]:
    """Tell with a refusal what is needed."""
    try:
        yield
    except APIError as error:
        error.add_note(_NOTE)
        raise


@contextmanager
def tolerate_missing_messages(chat: Chat) -> Iterator[None]:
    """Let a chat that failed have no messages, since why it failed is what matters."""
    try:
        yield
    except APIError:
        if chat.status is not ChatStatus.FAILED:
            raise
