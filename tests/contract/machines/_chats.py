"""Chats without a stream: from the first message to the answer, by way of tools, failures and canceling."""

from __future__ import annotations

from typing import Any

import attrs
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, initialize, invariant, multiple, precondition, rule

from coze_sandbox import BOT_ID
from tests.contract.machines._base import MANY, SECONDS, Machine, items

__all__ = ["Chats"]

RUNNING, WAITING, COMPLETED, FAILED, CANCELED = "in_progress", "requires_action", "completed", "failed", "canceled"
OCCUPIED, NOT_CANCELABLE, NO_CHAT, NOTHING_TO_DO = 4016, 4104, 4001, 4000
FAILURE = 4008
# The message for each end of a chat.
MESSAGES = {COMPLETED: "/say Yes.", WAITING: '/tool look {"at": "it"}', FAILED: f"/fail {FAILURE} No."}


@attrs.define
class KnownChat:
    """A chat as it should be."""

    conversation: str
    becomes: str
    ends_at: float
    status: str = RUNNING
    answers: tuple[str, ...] = ()
    outputs: tuple[str, ...] = ()


class Chats(Machine):
    """Any order of chats begun, canceled and given what their tools found, while time goes by."""

    chats = Bundle("chats")

    def begin(self) -> None:
        """Begin without any."""
        self.known: dict[str, KnownChat] = {}
        self.latest: dict[str, str] = {}

    @initialize(target=chats, becomes=st.sampled_from(list(MESSAGES)))
    def first(self, becomes: str) -> Any:
        """Begin a chat: much can be done with it."""
        return self.start(None, becomes)

    @precondition(lambda self: len(self.latest) < MANY)
    @rule(target=chats, becomes=st.sampled_from(list(MESSAGES)))
    def begin_another(self, becomes: str) -> Any:
        """A chat without a conversation begins one."""
        return self.start(None, becomes)

    @precondition(lambda self: len(self.known) < 2 * MANY)
    @rule(target=chats, key=chats, becomes=st.sampled_from(list(MESSAGES)))
    def continue_conversation(self, key: str, becomes: str) -> Any:
        """A conversation continues unless a chat is running in it."""
        conversation = self.known[key].conversation
        if self.known[self.latest[conversation]].status == RUNNING:
            self.refused(OCCUPIED, self.send, conversation=conversation, becomes=becomes)
            return multiple()
        return self.start(conversation, becomes)

    @rule(seconds=st.sampled_from([1.0, SECONDS]))
    def wait(self, seconds: float) -> None:
        """Chats end when their time has come."""
        self.later(seconds)
        for chat in self.known.values():
            if chat.status == RUNNING and chat.ends_at <= self.sandbox.clock.now():
                chat.status = chat.becomes
                if chat.status == COMPLETED:
                    chat.answers = (f"look says: {chat.outputs[-1]}",) if chat.outputs else ("Yes.",)

    @rule(key=chats)
    def cancel(self, key: str) -> None:
        """A running chat ends at once and without an answer, another one cannot be canceled."""
        chat, where = self.known[key], self.where(key)
        if chat.status == RUNNING:
            assert self.coze.chat.cancel(**where).status == CANCELED
            chat.status = CANCELED
        self.refused(NOT_CANCELABLE, self.coze.chat.cancel, **where)

    @rule(key=chats, output=st.sampled_from(["dark", "light"]))
    def submit(self, key: str, output: str) -> None:
        """A chat that waits for its tools continues with their outputs, another one takes nothing."""
        chat, where = self.known[key], self.where(key)
        if chat.status != WAITING:
            outputs = [{"tool_call_id": "1", "output": output}]
            self.refused(NOTHING_TO_DO, self.coze.chat.submit_tool_outputs, **where, tool_outputs=outputs)
            return
        [call] = self.coze.chat.retrieve(**where).required_action.submit_tool_outputs.tool_calls
        assert call.function.name == "look"
        outputs = [{"tool_call_id": call.id, "output": output}]
        assert self.coze.chat.submit_tool_outputs(**where, tool_outputs=outputs).status == RUNNING
        chat.status, chat.becomes, chat.ends_at = RUNNING, COMPLETED, self.sandbox.clock.now() + SECONDS
        chat.outputs = (*chat.outputs, output)
        self.latest[chat.conversation] = key

    @invariant()
    def shown(self) -> None:
        """Every chat has its status, its failure, and what was written in it, and is in its own conversation only."""
        for key, chat in self.known.items():
            shown = self.coze.chat.retrieve(**self.where(key))
            assert (shown.status, shown.conversation_id) == (chat.status, chat.conversation)
            assert shown.last_error.code == (FAILURE if chat.status == FAILED else 0)
            assert (shown.required_action is not None) == (chat.status == WAITING)
            written = items(self.coze.chat.messages.list(**self.where(key)))
            assert tuple(message.content for message in written if message.type == "answer") == chat.answers
            assert tuple(message.content for message in written if message.type == "tool_response") == chat.outputs
            for other in self.latest.keys() - {chat.conversation}:
                self.refused(NO_CHAT, self.coze.chat.retrieve, conversation_id=other, chat_id=key)

    def start(self, conversation: str | None, becomes: str) -> str:
        """Begin a chat."""
        chat = self.send(conversation, becomes)
        assert chat.id not in self.known
        assert conversation is None or chat.conversation_id == conversation
        self.known[chat.id] = KnownChat(chat.conversation_id, becomes, self.sandbox.clock.now() + SECONDS)
        self.latest[chat.conversation_id] = chat.id
        return str(chat.id)

    def send(self, conversation: str | None, becomes: str) -> Any:
        """Send a message to the bot."""
        messages = [{"role": "user", "content": MESSAGES[becomes], "content_type": "text"}]
        where = {} if conversation is None else {"conversation_id": conversation}
        return self.coze.chat.create(bot_id=BOT_ID, user_id="user-1", additional_messages=messages, **where)

    def where(self, key: str) -> dict[str, str]:
        """Name a chat."""
        return {"conversation_id": self.known[key].conversation, "chat_id": key}
