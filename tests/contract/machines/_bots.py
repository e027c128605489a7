"""Bots: drafts that are edited, versions that are published, and chats with what is online."""

from __future__ import annotations

from typing import Any

import attrs
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, initialize, invariant, multiple, precondition, rule

from coze_sandbox import BOT_ID, USER_ID, WORKSPACE_ID
from tests.contract.machines._base import MANY, SECONDS, SIZES, TEXTS, Machine, items

__all__ = ["Bots"]

API_CHANNEL = "1024"
NOT_FOUND, NOT_PUBLISHED, RUNNING = 4200, 4015, 4016
CHANGES = st.fixed_dictionaries({}, optional={"name": TEXTS, "description": TEXTS, "prompt": TEXTS})


@attrs.define
class Kept:
    """A bot as it should be.

    Attributes:
        draft: What can be edited.
        changed: When it was last edited.
        online: What is published, with the time of its last edit and that of the publication.
        versions: The published versions, the oldest first.
    """

    draft: dict[str, str]
    changed: int
    online: tuple[dict[str, str], int, int] | None = None
    versions: list[str] = attrs.field(factory=list)


def body(changes: dict[str, str]) -> dict[str, Any]:
    """Turn changes into arguments."""
    given: dict[str, Any] = dict(changes)
    if "prompt" in given:
        given["prompt_info"] = {"prompt": given.pop("prompt")}
    return given


class Bots(Machine):
    """Any order of edits, publications, lists and chats."""

    bots = Bundle("bots")

    def begin(self) -> None:
        """Take over the bot that is there from the start."""
        (first,) = items(self.coze.bots.list(workspace_id=WORKSPACE_ID))
        assert first.id == BOT_ID
        draft = {"name": first.name, "description": first.description}
        versions = [one.version for one in self.coze.bots.versions.list(bot_id=BOT_ID)]
        self.kept = {BOT_ID: Kept(draft, self.now, (draft, self.now, self.now), versions)}

    @initialize(target=bots)
    def first(self) -> Any:
        """Publish a version more: much can be done then."""
        self.publish(BOT_ID)
        return BOT_ID

    @precondition(lambda self: len(self.kept) < MANY)
    @rule(target=bots, name=TEXTS, changes=CHANGES)
    def create(self, name: str, changes: dict[str, str]) -> Any:
        """A new bot has an id of its own and what it was made of; it is not published."""
        now = self.later()
        given = {**changes, "name": name}
        made = self.coze.bots.create(space_id=WORKSPACE_ID, **body(given)).bot_id
        assert made not in self.kept
        self.kept[made] = Kept(given, now)
        return multiple(made)

    @rule(bot=bots, changes=CHANGES)
    def update(self, bot: str, changes: dict[str, str]) -> None:
        """What is named is changed in the draft, and nothing else."""
        kept = self.kept[bot]
        kept.changed = self.later()
        kept.draft = {**kept.draft, **changes}
        self.coze.bots.update(bot_id=bot, **body(changes))

    @rule(bot=bots)
    def publish(self, bot: str) -> None:
        """The draft as it is goes online, as a version that there was not before."""
        kept, now = self.kept[bot], self.later()
        made = self.coze.bots.publish(bot_id=bot, connector_ids=[API_CHANNEL])
        assert made.bot_id == bot
        assert made.version not in kept.versions
        kept.versions.append(made.version)
        kept.online = (kept.draft, kept.changed, now)

    @rule(bot=bots)
    def unpublish(self, bot: str) -> None:
        """The bot goes offline, if it is online."""
        arguments = {"bot_id": bot, "connector_id": API_CHANNEL}
        if self.kept[bot].online is None:
            self.refused(NOT_PUBLISHED, self.coze.bots.unpublish, **arguments)
        else:
            self.coze.bots.unpublish(**arguments)
            self.kept[bot].online = None

    @rule(bot=bots)
    def retrieve(self, bot: str) -> None:
        """Draft and published version are what they were made of."""
        kept = self.kept[bot]
        self.same(self.coze.bots.retrieve(bot_id=bot, is_published=False), bot, kept.draft, "")
        for call in (self.coze.bots.retrieve, self.coze.bots.retrieve_published):
            if kept.online is None:
                self.refused(NOT_PUBLISHED, call, bot_id=bot)
            else:
                self.same(call(bot_id=bot), bot, kept.online[0], kept.versions[-1])

    @rule(bot=bots, size=SIZES)
    def versions(self, bot: str, size: int) -> None:
        """All published versions are listed, the newest first, whatever the size of pages."""
        listed = items(self.coze.bots.versions.list(bot_id=bot, page_size=size))
        assert [one.version for one in listed] == self.kept[bot].versions[::-1]

    @rule(bot=bots, text=TEXTS)
    def chat(self, bot: str, text: str) -> None:
        """A published bot answers the message once its time has come; one that is not published is refused."""
        arguments = {"bot_id": bot, "user_id": USER_ID, "additional_messages": [text]}
        if self.kept[bot].online is None:
            self.refused(NOT_PUBLISHED, self.coze.chat.create, **arguments)
            return
        chat = self.coze.chat.create(**arguments)
        place = {"conversation_id": chat.conversation_id, "chat_id": chat.id}
        assert (chat.bot_id, chat.status) == (bot, "in_progress")
        self.refused(RUNNING, self.coze.chat.create, conversation_id=chat.conversation_id, **arguments)
        self.later(SECONDS)
        ended = self.coze.chat.retrieve(**place)
        assert (ended.id, ended.status) == (chat.id, "completed")
        answers = list(self.coze.chat.messages.list(**place))
        assert [(one.type, one.chat_id) for one in answers] == [("answer", chat.id), ("verbose", chat.id)]
        assert answers[0].content == f"You said: {text}"
        messages = items(self.coze.conversations.messages.list(conversation_id=chat.conversation_id, order="asc"))
        assert [one.content for one in messages] == [text, f"You said: {text}"]

    @rule()
    def unknown(self) -> None:
        """What was never made is not found."""
        self.refused(NOT_FOUND, self.coze.bots.retrieve, bot_id="1")
        self.refused(NOT_FOUND, self.coze.bots.update, bot_id="1", name="x")
        self.refused(NOT_FOUND, self.coze.bots.publish, bot_id="1", connector_ids=[API_CHANNEL])

    @invariant()
    def lists(self) -> None:
        """Every list has what there is, changed last first, in pages of any size."""
        size = 1 + len(self.kept) % 2
        where = {"workspace_id": WORKSPACE_ID, "page_size": size}
        online = {key: one.online for key, one in self.kept.items() if one.online is not None}
        expected = sorted(((-changed, key, draft["name"]) for key, (draft, changed, _) in online.items()))
        listed = items(self.coze.bots.list(**where), len(online))
        assert [(one.id, one.name) for one in listed] == [(key, name) for _, key, name in expected]
        drafts = sorted((-one.changed, key, one.draft["name"]) for key, one in self.kept.items())
        every = items(self.coze.bots.list(**where, publish_status="all"), len(self.kept))
        assert [(one.id, one.name) for one in every] == [(key, name) for _, key, name in drafts]
        assert {one.id for one in every if one.is_published} == online.keys()
        published = items(self.coze.bots.list_published(space_id=WORKSPACE_ID, page_size=size), len(online))
        assert {one.bot_id: (one.bot_name, int(one.publish_time)) for one in published} == {
            key: (draft["name"], since) for key, (draft, _, since) in online.items()
        }

    def same(self, shown: Any, bot: str, expected: dict[str, str], version: str) -> None:
        """Compare a bot that is shown with what it should be."""
        assert (shown.bot_id, shown.version) == (bot, version)
        assert (shown.name, shown.description) == (expected["name"], expected.get("description", ""))
        assert shown.prompt_info.prompt == expected.get("prompt", "")
