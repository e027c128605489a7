"""What the events of a chat add up to."""

from __future__ import annotations

from binascii import Error, a2b_base64
from collections.abc import Iterable
from typing import TYPE_CHECKING, TypeAlias

from coze_api.models import (
    AudioDeltaEvent,
    Chat,
    ChatDoneEvent,
    ChatflowDone,
    ChatStreamEvent,
    Message,
    MessageCompletedEvent,
    MessageDeltaEvent,
    MessageType,
)

if TYPE_CHECKING:
    from coze_api.models import ChatUsage

__all__ = ["Answer", "Snapshot", "answer_of", "follow_ups_of"]

_ANSWERS = (MessageType.ANSWER, None)  # no type in a piece tells nothing against it
_Identity: TypeAlias = tuple[object, ...]


class Answer:
    """What a bot has answered so far, be it by a stream or over a WebSocket.

    Attributes:
        chat: The chat in its latest state; None before the first event.
        messages: The messages that are complete, in the order of their completion.
    """

    chat: Chat | None
    messages: list[Message]
    _growing: dict[str, list[str]]  # pieces of the answers that are not complete, by message id

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


class Snapshot(Answer):
    """What a stream told so far. Shared by the sync and the async stream.

    Attributes:
        debug_url: Page that shows the run of a chatflow node by node; None until the stream tells it, and for bots.
    """

    debug_url: str | None

    def _begin(self) -> None:
        """Begin with nothing told."""
        self.chat = None
        self.messages = []
        self.debug_url = None
        self._growing = {}
        self._said: Message | None = None  # what the latest event adds to the text
        self._teller: str | None = None  # id of the message that added to it last
        self._grower: str | None = None  # id of the message that grows now
        self._pieces: list[str] = []  # what that message has in `_growing`
        self._apart: Message | None = None  # what begins a line, since another answer was before it
        self._thought: set[str] = set()  # messages whose thoughts came in pieces

    def _see(self, event: ChatStreamEvent) -> None:
        """Take note of an event. This runs for each of them."""
        self._said = None
        data = event.data
        if isinstance(data, Message):
            if isinstance(event, MessageDeltaEvent):
                if data.content and data.type in _ANSWERS:
                    if data.id != self._grower:
                        self._grow(data)
                    self._pieces.append(data.content)
                    self._said = data
                if data.reasoning_content:
                    self._thought.add(data.id)
            elif isinstance(event, MessageCompletedEvent):
                self._complete(data)
        elif isinstance(data, Chat):
            self.chat = data
        elif isinstance(event, ChatDoneEvent) and isinstance(data, ChatflowDone):
            self.debug_url = data.debug_url

    def _complete(self, message: Message) -> None:
        self.messages.append(message)
        grew = self._growing.pop(message.id, None)
        self._grower, self._pieces = None, []  # a long answer is not to be held twice
        if not grew and message.content and message.type is MessageType.ANSWER:
            self._turn(message)
            self._said = message  # it came in one piece

    def _grow(self, message: Message) -> None:
        self._turn(message)
        self._grower = message.id
        self._pieces = self._growing.setdefault(message.id, [])

    def _turn(self, message: Message) -> None:
        self._apart = message if self._teller not in (None, message.id) else None
        self._teller = message.id

    def _words(self) -> str:
        """Return what the latest event adds to the text."""
        said = self._said
        if said is None:
            return ""
        return f"\n{said.content}" if said is self._apart else said.content

    def _thoughts(self, event: ChatStreamEvent) -> str:
        """Return what an event adds to the thoughts before the answer."""
        data = event.data
        if not isinstance(data, Message):
            return ""
        new = isinstance(event, MessageDeltaEvent) or (
            isinstance(event, MessageCompletedEvent) and data.id not in self._thought
        )
        return (data.reasoning_content or "") if new else ""

    def _sound(self, event: ChatStreamEvent) -> bytes:
        """Return what an event adds to the spoken answer.

        Raises:
            ValueError: It is not Base64.
        """
        if not isinstance(event, AudioDeltaEvent) or not isinstance(event.data, Message):
            return b""
        try:
            return a2b_base64(event.data.content or "")
        except Error as error:
            raise ValueError(f"a piece of the spoken answer is not Base64: {error}") from error

    def _missing(self, messages: Iterable[Message], known: Iterable[Message]) -> list[Message]:
        """Pick the messages that neither came by this stream nor are *known*."""
        had = {_identity(message) for message in (*self.messages, *known)}
        found = []
        for message in messages:
            identity = _identity(message)
            if identity not in had:
                had.add(identity)
                found.append(message)
        return found

    def _catch_up(self, message: Message) -> None:
        """Take note of a message that did not come by the stream."""
        self.messages.append(message)
        self._growing.pop(message.id, None)


def _identity(message: Message) -> _Identity:
    return (message.id,) if message.id else (message.type, message.content)


def answer_of(messages: list[Message]) -> str:
    """Join the answers among *messages*."""
    return "\n".join(message.content for message in messages if message.type is MessageType.ANSWER and message.content)


def follow_ups_of(messages: list[Message]) -> list[str]:
    """Pick the suggested questions among *messages*."""
    return [message.content for message in messages if message.type is MessageType.FOLLOW_UP and message.content]
