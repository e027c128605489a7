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
    arguments: dict[str, Any] = dict(changes)
    if "prompt" in arguments:
        arguments["prompt_info"] = {"prompt": arguments.pop("prompt")}
    return arguments


class Bots(Machine):
    """Any order of edits, publications, lists and chats."""

    bots = Bundle("bots")

    def begin(self) -> None:
        """Take over the bot that is there from the start."""
        (first,) = items(self.coze.bots.list(workspace_id=WORKSPACE_ID))
        assert first.id == BOT_ID
        draft = {"name": first.name, "description": first.description}
        versions = [version.version for version in self.coze.bots.versions.list(bot_id=BOT_ID)]
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
        draft = {**changes, "name": name}
        bot_id = self.coze.bots.create(space_id=WORKSPACE_ID, **body(draft)).bot_id
        assert bot_id not in self.kept
        self.kept[bot_id] = Kept(draft, now)
        return multiple(bot_id)

    @rule(bot=bots, changes=CHANGES)
    def update(self, bot: str, changes: dict[str, str]) -> None:
        """What is named is changed in the draft, and nothing else."""
        known = self.kept[bot]
        known.changed = self.later()
        known.draft = {**known.draft, **changes}
        self.coze.bots.update(bot_id=bot, **body(changes))

    @rule(bot=bots)
    def publish(self, bot: str) -> None:
        """The draft as it is goes online, as a version that there was not before."""
        known, now = self.kept[bot], self.later()
        response = self.coze.bots.publish(bot_id=bot, connector_ids=[API_CHANNEL])
        assert response.bot_id == bot
        assert response.version not in known.versions
        known.versions.append(response.version)
        known.online = (known.draft, known.changed, now)

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
        known = self.kept[bot]
        self.same(self.coze.bots.retrieve(bot_id=bot, is_published=False), bot, known.draft, "")
        for call in (self.coze.bots.retrieve, self.coze.bots.retrieve_published):
            if known.online is None:
                self.refused(NOT_PUBLISHED, call, bot_id=bot)
            else:
                self.same(call(bot_id=bot), bot, known.online[0], known.versions[-1])

    @rule(bot=bots, size=SIZES)
    def versions(self, bot: str, size: int) -> None:
        """All published versions are listed, the newest first, whatever the size of pages."""
        listed = items(self.coze.bots.versions.list(bot_id=bot, page_size=size))
        assert [version.version for version in listed] == self.kept[bot].versions[::-1]

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
        assert [(answer.type, answer.chat_id) for answer in answers] == [("answer", chat.id), ("verbose", chat.id)]
        assert answers[0].content == f"You said: {text}"
        messages = items(self.coze.conversations.messages.list(conversation_id=chat.conversation_id, order="asc"))
        assert [message.content for message in messages] == [text, f"You said: {text}"]

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
        online = {key: state.online for key, state in self.kept.items() if state.online is not None}
        expected = sorted(((-changed, key, draft["name"]) for key, (draft, changed, _) in online.items()))
        listed = items(self.coze.bots.list(**where), len(online))
        assert [(bot.id, bot.name) for bot in listed] == [(key, name) for _, key, name in expected]
        drafts = sorted((-state.changed, key, state.draft["name"]) for key, state in self.kept.items())
        every = items(self.coze.bots.list(**where, publish_status="all"), len(self.kept))
        assert [(bot.id, bot.name) for bot in every] == [(key, name) for _, key, name in drafts]
        assert {bot.id for bot in every if bot.is_published} == online.keys()
        published = items(self.coze.bots.list_published(space_id=WORKSPACE_ID, page_size=size), len(online))
        assert {entry.bot_id: (entry.bot_name, int(entry.publish_time)) for entry in published} == {
            key: (draft["name"], since) for key, (draft, _, since) in online.items()
        }

    def same(self, shown: Any, bot: str, expected: dict[str, str], version: str) -> None:
        """Compare a bot that is shown with what it should be."""
        assert (shown.bot_id, shown.version) == (bot, version)
        assert (shown.name, shown.description) == (expected["name"], expected.get("description", ""))
        assert shown.prompt_info.prompt == expected.get("prompt", "")
