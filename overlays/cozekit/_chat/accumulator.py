"""The state of a chat, accumulated from its events."""

from __future__ import annotations

from binascii import a2b_base64
from collections.abc import Iterable
from typing import TypeAlias

from coze_api.models import (
    AudioDeltaEvent,
    Chat,
    ChatDoneEvent,
    ChatflowDone,
    ChatStreamEvent,
    ChatUsage,
    Message,
    MessageCompletedEvent,
    MessageDeltaEvent,
    MessageType,
)

from .._type_guards import TextBuffer, instance_of, instances_of, key_of, text_of

__all__ = ["ChatAccumulator", "StreamAccumulator", "answer_text", "follow_up_questions", "usage_of"]

_ANSWERS = (MessageType.ANSWER, None)  # a delta without a type may belong to an answer
_MessageKey: TypeAlias = tuple[object, ...]


class ChatAccumulator:
    """The answer of a bot so far, received by a stream or over a WebSocket.

    Attributes:
        chat: The chat in its latest state; None before the first event.
        messages: The completed messages, in the order of their completion.
    """

    chat: Chat | None
    messages: list[Message]
    _partial_messages: dict[str | int | None, TextBuffer]  # the text of incomplete answers by message id

    @property
    def answer(self) -> str:
        """The text of the answer so far. If a bot gives several answers, each begins a line."""
        completed = answer_text(self.messages)
        return "\n".join(filter(None, [completed, *(text.text for text in list(self._partial_messages.values()))]))

    @property
    def follow_ups(self) -> list[str]:
        """Questions that the bot suggests, as far as they have arrived."""
        return follow_up_questions(self.messages)

    @property
    def usage(self) -> ChatUsage | None:
        """Tokens used; zero until the chat has ended."""
        return usage_of(self.chat)


class StreamAccumulator(ChatAccumulator):
    """The state of a chat so far, accumulated from the events of a stream.

    Attributes:
        debug_url: Page that shows the run of a chatflow node by node; None until the stream contains it, and for bots.
    """

    debug_url: str | None

    def _reset(self) -> None:
        self.chat = None
        self.messages = []
        self.debug_url = None
        self._partial_messages = {}
        self._last_delta: Message | None = None  # the message of the latest event, if it adds to the text
        self._last_message_id: object = None  # id of the message that added to the text last
        self._open_message_id: object = None  # id of the message that deltas are added to
        self._open_deltas = TextBuffer()  # the text of that message in `_partial_messages`
        self._line_break_before: Message | None = None  # the message that begins a line, after another answer
        self._reasoned_message_ids: set[str | int | None] = set()  # messages whose reasoning arrived in pieces

    def _on_event(self, event: ChatStreamEvent) -> None:
        """Process an event. This runs for each event of a stream."""
        self._last_delta = None
        data = event.data
        if isinstance(data, Message):
            if isinstance(event, MessageDeltaEvent):
                content = data.content
                if content and content.__class__ is str and data.type in _ANSWERS:
                    if data.id != self._open_message_id:
                        self._open_message(data)
                    self._open_deltas.append(content)
                    self._last_delta = data
                if data.reasoning_content:
                    self._reasoned_message_ids.add(key_of(data.id))
            elif isinstance(event, MessageCompletedEvent):
                self._on_completed(data)
        elif isinstance(data, Chat):
            self.chat = data
        elif isinstance(event, ChatDoneEvent) and isinstance(data, ChatflowDone):
            self.debug_url = instance_of(data.debug_url, str)

    def _on_completed(self, message: Message) -> None:
        self.messages.append(message)
        partial = self._partial_messages.pop(key_of(message.id), None)
        self._open_message_id, self._open_deltas = None, TextBuffer()  # so that a long answer is not stored twice
        if not partial and text_of(message.content) and message.type is MessageType.ANSWER:
            self._switch_message(message)
            self._last_delta = message  # it arrived in one piece

    def _open_message(self, message: Message) -> None:
        self._switch_message(message)
        self._open_message_id = message.id
        self._open_deltas = self._partial_messages.setdefault(key_of(message.id), TextBuffer())

    def _switch_message(self, message: Message) -> None:
        self._line_break_before = message if self._last_message_id not in (None, message.id) else None
        self._last_message_id = message.id

    def _text_delta(self) -> str:
        """Return what the latest event adds to the text."""
        delta = self._last_delta
        if delta is None:
            return ""
        return f"\n{delta.content}" if delta is self._line_break_before else delta.content

    def _reasoning_delta(self, event: ChatStreamEvent) -> str:
        """Return what an event adds to the reasoning before the answer."""
        data = event.data
        if not isinstance(data, Message):
            return ""
        new = isinstance(event, MessageDeltaEvent) or (
            isinstance(event, MessageCompletedEvent) and key_of(data.id) not in self._reasoned_message_ids
        )
        return text_of(data.reasoning_content) if new else ""

    def _audio_delta(self, event: ChatStreamEvent) -> bytes:
        """Return what an event adds to the spoken answer.

        Raises:
            ValueError: It is not Base64.
        """
        if not isinstance(event, AudioDeltaEvent) or not isinstance(event.data, Message):
            return b""
        try:
            return a2b_base64(text_of(event.data.content))
        except ValueError as error:  # `binascii.Error`, or its base class for text that is not ASCII
            raise ValueError(f"a piece of the spoken answer is not Base64: {error}") from error

    def _unseen_messages(self, messages: Iterable[Message], known: Iterable[Message]) -> list[Message]:
        """Return the messages that are new: not received on this stream and not in *known*."""
        seen = {_message_key(message) for message in (*self.messages, *known)}
        unseen = []
        for message in messages:
            key = _message_key(message)
            if key not in seen:
                seen.add(key)
                unseen.append(message)
        return unseen

    def _add_message(self, message: Message) -> None:
        """Add a message that did not arrive on the stream."""
        self.messages.append(message)
        self._partial_messages.pop(key_of(message.id), None)


def _message_key(message: Message) -> _MessageKey:
    message_id = key_of(message.id)
    return (message_id,) if message_id else (key_of(message.type), text_of(message.content))


def answer_text(messages: list[Message]) -> str:
    """Return the answers among *messages* as one text."""
    return "\n".join(_texts_of(messages, MessageType.ANSWER))


def follow_up_questions(messages: list[Message]) -> list[str]:
    """Return the suggested questions among *messages*."""
    return _texts_of(messages, MessageType.FOLLOW_UP)


def usage_of(chat: Chat | None) -> ChatUsage | None:
    """Return the token usage of a chat; None if it has none."""
    return None if chat is None else instance_of(chat.usage, ChatUsage)


def _texts_of(messages: list[Message], message_type: MessageType) -> list[str]:
    matching = [message for message in instances_of(messages, Message) if message.type is message_type]
    return list(filter(None, (text_of(message.content) for message in matching)))
