"""Conversations and the messages in them."""

from __future__ import annotations

from typing import Any

import attrs
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, consumes, initialize, invariant, multiple, precondition, rule

from coze_sandbox import BOT_ID, COLLEAGUE_IDS
from tests.contract.machines._base import MANY, SIZES, TEXTS, Machine, items

__all__ = ["Conversations"]

NO_CONVERSATION, NO_MESSAGE, NO_FEEDBACK, NOTHING_TO_DO = 4002, 4005, 4200, 4000
META = st.dictionaries(st.sampled_from(["topic", "lang"]), TEXTS, max_size=2)
ROLES = st.sampled_from(["user", "assistant"])
ORDERS = st.sampled_from(["asc", "desc"])


@attrs.define
class KnownMessage:
    """A message as it should be."""

    role: str
    content: str
    meta_data: dict[str, str]
    section: str


@attrs.define
class Kept:
    """A conversation as it should be, its messages by id in the order in which they came."""

    name: str
    meta_data: dict[str, str]
    section: str
    messages: dict[str, KnownMessage] = attrs.field(factory=dict)


class Conversations(Machine):
    """Any order of conversations made, renamed, cleared and deleted, and of messages in them."""

    conversations = Bundle("conversations")
    messages = Bundle("messages")

    def begin(self) -> None:
        """Begin without any."""
        self.kept: dict[str, Kept] = {}
        self.gone: set[str] = set()
        token = self.sandbox.scenario.token(COLLEAGUE_IDS[0])
        self.as_another = {"extra_headers": {"Authorization": f"Bearer {token}"}}

    @initialize(target=conversations)
    def first(self) -> Any:
        """Make a conversation with messages, one of which is deleted: much can be done with it."""
        key = self.create("first", {}, [("user", "one"), ("assistant", "two"), ("user", "three"), ("user", "four")])
        self.unsay((key, next(iter(self.kept[key].messages))))
        return key

    @initialize(target=messages)
    def second(self) -> Any:
        """Make another one, whose messages are picked."""
        key = self.create("second", {}, [("user", "one"), ("assistant", "two"), ("user", "three")])
        return multiple(*((key, message) for message in self.kept[key].messages))

    @precondition(lambda self: len(self.kept) < MANY)
    @rule(target=conversations, name=TEXTS, meta_data=META, first=st.lists(st.tuples(ROLES, TEXTS), max_size=3))
    def create(self, name: str, meta_data: dict[str, str], first: list[tuple[str, str]]) -> Any:
        """A new conversation has the name, the meta data and the messages that it was made with."""
        self.later()
        messages = [{"role": role, "content": content, "content_type": "text"} for role, content in first]
        conversation = self.coze.conversations.create(bot_id=BOT_ID, name=name, meta_data=meta_data, messages=messages)
        assert conversation.id not in self.kept.keys() | self.gone
        known = self.kept[conversation.id] = Kept(name, meta_data, conversation.last_section_id)
        self.shown(conversation, conversation.id)
        for message in items(self.coze.conversations.messages.list(conversation_id=conversation.id, order="asc")):
            role, content = first[len(known.messages)]
            known.messages[message.id] = KnownMessage(role, content, {}, known.section)
        assert len(known.messages) == len(first)
        return conversation.id

    @rule(key=conversations, name=TEXTS)
    def rename(self, key: str, name: str) -> None:
        """The name is changed, and the response shows it."""
        self.later()
        if key in self.gone:
            self.refused(NO_CONVERSATION, self.coze.conversations.update, conversation_id=key, name=name)
            return
        self.kept[key].name = name
        self.shown(self.coze.conversations.update(conversation_id=key, name=name), key)

    @rule(key=conversations)
    def clear(self, key: str) -> None:
        """A new section begins; the messages stay."""
        if key in self.gone:
            self.refused(NO_CONVERSATION, self.coze.conversations.clear, conversation_id=key)
            return
        section = self.coze.conversations.clear(conversation_id=key)
        assert section.conversation_id == key
        assert section.id != self.kept[key].section
        self.kept[key].section = section.id

    @rule(key=consumes(conversations))
    def delete(self, key: str) -> None:
        """The conversation is gone, with its messages."""
        if key not in self.gone:
            self.coze.conversations.delete(conversation_id=key)
        self.gone.add(key)
        messages = self.kept.pop(key).messages if key in self.kept else {}
        self.refused(NO_CONVERSATION, self.coze.conversations.delete, conversation_id=key)
        self.refused(NO_CONVERSATION, self.coze.conversations.retrieve, conversation_id=key)
        self.refused(NO_CONVERSATION, self.coze.conversations.messages.list, conversation_id=key)
        for message in messages:
            where = {"conversation_id": key, "message_id": message}
            self.refused(NO_CONVERSATION, self.coze.conversations.messages.retrieve, **where)

    @rule(target=messages, key=conversations, role=ROLES, content=TEXTS, meta_data=META)
    def add_message(self, key: str, role: str, content: str, meta_data: dict[str, str]) -> Any:
        """A new message is the last one, and has what it was made of."""
        self.later()
        message = {"role": role, "content": content, "content_type": "text", "meta_data": meta_data}
        if key in self.gone:
            self.refused(NO_CONVERSATION, self.coze.conversations.messages.create, conversation_id=key, **message)
            return multiple()
        created = self.coze.conversations.messages.create(conversation_id=key, **message)
        known = self.kept[key]
        assert created.id not in known.messages
        known.messages[created.id] = KnownMessage(role, content, meta_data, known.section)
        self.same(created, key, created.id)
        return multiple((key, created.id))

    @rule(place=messages, content=st.none() | TEXTS, meta_data=META)
    def edit(self, place: tuple[str, str], content: str | None, meta_data: dict[str, str]) -> None:
        """What is given is changed in the message, and nothing else."""
        self.later()
        call, where = self.coze.conversations.messages.update, self.where(place)
        changes: dict[str, Any] = {} if content is None else {"content": content, "content_type": "text"}
        changes |= {"meta_data": meta_data} if meta_data else {}
        if not self.is_there(place):
            self.refused(self.absence(place), call, **where, content="x", content_type="text")
        elif not changes:
            self.refused(NOTHING_TO_DO, call, **where)
        else:
            known = self.kept[place[0]].messages[place[1]]
            known.content = known.content if content is None else content
            known.meta_data = meta_data or known.meta_data
            self.same(call(**where, **changes), *place)
            self.same(self.coze.conversations.messages.retrieve(**where), *place)

    @rule(place=messages)
    def unsay(self, place: tuple[str, str]) -> None:
        """The message is shown for the last time."""
        where = self.where(place)
        if self.is_there(place):
            self.same(self.coze.conversations.messages.delete(**where), *place)
            del self.kept[place[0]].messages[place[1]]
        self.refused(self.absence(place), self.coze.conversations.messages.delete, **where)
        self.refused(self.absence(place), self.coze.conversations.messages.retrieve, **where)

    @rule(place=messages)
    def rate(self, place: tuple[str, str]) -> None:
        """Feedback can be given, and taken back once."""
        feedback, where = self.coze.conversations.messages.feedback, self.where(place)
        if not self.is_there(place):
            self.refused(self.absence(place), feedback.create, **where, feedback_type="like")
            return
        feedback.create(**where, feedback_type="like")
        feedback.create(**where, feedback_type="unlike", comment="No.")
        feedback.delete(**where)
        self.refused(NO_FEEDBACK, feedback.delete, **where)

    @rule(key=conversations, order=ORDERS, size=SIZES, data=st.data())
    def listed(self, key: str, order: str, size: int, data: st.DataObject) -> None:
        """Messages are listed in both orders, in pages of any size, and from any message on in both directions."""
        if key in self.gone:
            return
        ids = list(self.kept[key].messages)
        ids = ids if order == "asc" else ids[::-1]
        where = {"conversation_id": key, "order": order}
        listed = items(self.coze.conversations.messages.list(**where, limit=size))
        assert [message.id for message in listed] == ids
        for message in listed:
            self.same(message, key, message.id)
        if ids:
            place = data.draw(st.integers(0, len(ids) - 1))
            after = items(self.coze.conversations.messages.list(**where, after_id=ids[place], limit=size))
            assert [message.id for message in after] == ids[place + 1 :]
            before = self.coze.conversations.messages.list(**where, before_id=ids[place], limit=size)
            nearest = ids[max(place - size, 0) : place]
            assert [message.id for message in before.items] == nearest

    @invariant()
    def lists(self) -> None:
        """Every conversation is listed in both orders, and shown as it should be, and not there for another account."""
        size = 1 + len(self.kept) % 2
        for order, expected in (("ASC", list(self.kept)), ("DESC", list(self.kept)[::-1])):
            listed = items(self.coze.conversations.list(bot_id=BOT_ID, sort_order=order, page_size=size))
            assert [conversation.id for conversation in listed] == expected
            for conversation in listed:
                self.shown(conversation, conversation.id)
        for key in self.kept:
            self.shown(self.coze.conversations.retrieve(conversation_id=key), key)
            where = {"conversation_id": key, **self.as_another}
            self.refused(NO_CONVERSATION, self.coze.conversations.retrieve, **where)
            self.refused(NO_CONVERSATION, self.coze.conversations.messages.list, **where)

    def shown(self, shown: Any, key: str) -> None:
        """Compare a conversation that is shown with what it should be."""
        known = self.kept[key]
        members = (shown.id, shown.name, shown.meta_data or {}, shown.last_section_id)
        assert members == (key, known.name, known.meta_data, known.section)

    def same(self, shown: Any, key: str, message: str) -> None:
        """Compare a message that is shown with what it should be."""
        known = self.kept[key].messages[message]
        members = (shown.id, shown.conversation_id, shown.role, shown.content, shown.meta_data or {}, shown.section_id)
        assert members == (message, key, known.role, known.content, known.meta_data, known.section)

    def is_there(self, place: tuple[str, str]) -> bool:
        """Return whether a message should be there."""
        return place[0] in self.kept and place[1] in self.kept[place[0]].messages

    def absence(self, place: tuple[str, str]) -> int:
        """Return the code for a message that is gone, alone or with its conversation."""
        return NO_MESSAGE if place[0] in self.kept else NO_CONVERSATION

    def where(self, place: tuple[str, str]) -> dict[str, str]:
        """Name a message."""
        return {"conversation_id": place[0], "message_id": place[1]}
