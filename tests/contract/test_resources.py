"""Resources that need no state machine: those that are created once, or exist from the start."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from coze_sandbox import (
    APP_ID,
    BOT_ID,
    COLLEAGUE_IDS,
    FOLDER_ID,
    LIVE_ID,
    PLUGIN_ID,
    RTC_APP_ID,
    USER_ID,
    VOICE_ID,
    WORKFLOW_ASK,
    WORKFLOW_CHAT,
    WORKFLOW_ECHO,
    WORKFLOW_UNPUBLISHED,
    WORKSPACE_ID,
    Sandbox,
)
from cozekit.errors import APIError
from tests.contract.machines._base import SECONDS, Stage, items, stage
from tests.contract.machines._tokens import bearer

NOT_FOUND, NO_CONVERSATION, NOT_ALLOWED, NOT_PUBLISHED, EMPTY = 4200, 4002, 4000, 4015, 4300
CHANNEL = "999"


@pytest.fixture(scope="module")
def running() -> Iterator[Stage]:
    """Give a sandbox and a client to all tests."""
    with stage() as stand:
        yield stand


@pytest.fixture
def sandbox(running: Stage) -> Sandbox:
    """Give the sandbox as it is at the start."""
    running.sandbox.reset()
    return running.sandbox


@pytest.fixture
def coze(running: Stage, sandbox: Sandbox) -> Iterator[Any]:
    """Give the client, all of whose responses must be as described."""
    yield running.coze
    assert sandbox.violations == []


def code_of(call: Any, **arguments: Any) -> int:
    """Return the code with which a call is refused."""
    with pytest.raises(APIError) as caught:
        call(**arguments)
    return caught.value.code


def test_file(coze: Any, sandbox: Sandbox) -> None:
    """A file is returned as it was uploaded, to the account that did so, and can be used from then on."""
    first, second = (coze.files.upload(file=(name, content)) for name, content in (("a.png", b"12"), ("b.txt", b"345")))
    assert first.id != second.id
    for uploaded, name, size in ((first, "a.png", 2), (second, "b.txt", 3)):
        retrieved = coze.files.retrieve(file_id=uploaded.id)
        assert (retrieved.id, retrieved.file_name, retrieved.bytes, retrieved.created_at) == (
            uploaded.id,
            name,
            size,
            sandbox.clock.seconds(),
        )
        assert (uploaded.file_name, uploaded.bytes) == (name, size)
    coze.bots.update(bot_id=BOT_ID, icon_file_id=first.id)
    assert first.id in coze.bots.retrieve(bot_id=BOT_ID, is_published=False).icon_url
    other = bearer(sandbox.scenario.token(COLLEAGUE_IDS[0]))
    assert code_of(coze.files.retrieve, file_id=first.id, extra_headers=other) == NOT_FOUND
    assert code_of(coze.files.retrieve, file_id="1") == NOT_FOUND
    assert code_of(coze.files.upload, file=("a.png", b"")) == EMPTY
    assert code_of(coze.bots.update, bot_id=BOT_ID, icon_file_id="1") == NOT_FOUND


def test_folders(coze: Any) -> None:
    """Folders are listed where they lie, with the number of items in them."""
    where = {"workspace_id": WORKSPACE_ID, "folder_type": "development"}
    (outer,) = items(coze.folders.list(**where), 1)
    assert (outer.id, outer.children_count, outer.parent_folder_id) == (FOLDER_ID, 1, "")
    (inner,) = items(coze.folders.list(parent_folder_id=FOLDER_ID, **where), 1)
    assert (inner.parent_folder_id, inner.children_count) == (FOLDER_ID, 0)
    assert items(coze.folders.list(parent_folder_id=inner.id, **where), 0) == []
    assert coze.folders.retrieve(folder_id=FOLDER_ID) == outer
    assert coze.folders.retrieve(folder_id=inner.id) == inner
    assert code_of(coze.folders.retrieve, folder_id="1") == NOT_FOUND
    assert code_of(coze.folders.list, parent_folder_id="1", **where) == NOT_FOUND
    assert code_of(coze.folders.list, workspace_id="1", folder_type="development") == NOT_FOUND


def test_room(coze: Any, sandbox: Sandbox) -> None:
    """A room has an id, a user and a token of its own, and a conversation that is new where none is given."""
    rooms = [coze.audio.rooms.create(bot_id=BOT_ID), coze.audio.rooms.create(bot_id=BOT_ID, uid="u")]
    assert rooms[1].uid == "u"
    for member in ("room_id", "token", "uid"):
        assert len({getattr(room, member) for room in rooms}) == 2
    assert {room.app_id for room in rooms} == {RTC_APP_ID}
    conversations = items(coze.conversations.list(bot_id=BOT_ID, sort_order="ASC"))
    again = coze.audio.rooms.create(bot_id=BOT_ID, conversation_id=conversations[0].id)
    assert len(items(coze.conversations.list(bot_id=BOT_ID))) == 2
    documents = [sandbox.store.get("room", room.room_id) for room in (*rooms, again)]
    talks = [conversations[0].id, conversations[1].id, conversations[0].id]
    assert [conversation and conversation["conversation_id"] for conversation in documents] == talks


def test_room_is_refused(coze: Any) -> None:
    """A room needs a bot that is published, and the rest that is named."""
    draft = coze.bots.create(space_id=WORKSPACE_ID, name="Iris").bot_id
    call = coze.audio.rooms.create
    assert code_of(call, bot_id=draft) == NOT_PUBLISHED
    assert code_of(call, bot_id="1") == NOT_FOUND
    assert code_of(call, bot_id=BOT_ID, conversation_id="1") == NO_CONVERSATION
    assert code_of(call, bot_id=BOT_ID, voice_id="1") == NOT_FOUND
    assert code_of(call, bot_id=BOT_ID, workflow_id="1") == NOT_FOUND
    assert call(bot_id=BOT_ID, voice_id=VOICE_ID, workflow_id=WORKFLOW_CHAT).room_id


def test_live(coze: Any) -> None:
    """A live session has a stream of its sound and one of the interpretation."""
    live = coze.audio.live.retrieve(live_id=LIVE_ID)
    assert [stream.live_type for stream in live.stream_infos] == ["origin", "translation"]
    assert len({stream.stream_id for stream in live.stream_infos}) == 2
    assert live.app_id == RTC_APP_ID
    assert code_of(coze.audio.live.retrieve, live_id="1") == NOT_FOUND


def test_channels(coze: Any, sandbox: Sandbox) -> None:
    """The decisions of channels are stored; no operation returns them, so they are looked up in the sandbox."""
    store = sandbox.store
    coze.connectors.install(connector_id=CHANNEL, workspace_id=WORKSPACE_ID)
    coze.connectors.install(connector_id=CHANNEL, workspace_id=WORKSPACE_ID)
    assert store.list("connector", WORKSPACE_ID) == [{"id": CHANNEL}]
    coze.connectors.bots.update(connector_id=CHANNEL, bot_id=BOT_ID, audit_status=3, reason="No.")
    assert store.list("review", CHANNEL) == [{"audit_status": 3, "reason": "No."}]
    coze.connectors.bots.update(connector_id=CHANNEL, bot_id=BOT_ID, audit_status=2)
    assert store.list("review", CHANNEL) == [{"audit_status": 2}]
    devices = [{"value": value, "label": label} for value, label in (("d1", "One"), ("d2", "Two"))]
    coze.connectors.bind(connector_id=CHANNEL, configs=[{"key": "device", "enums": devices}])
    coze.connectors.bind(connector_id=CHANNEL, configs=[{"key": "device", "enums": devices[:1]}])
    assert store.list("device", CHANNEL) == devices
    assert code_of(coze.connectors.install, connector_id=CHANNEL, workspace_id="1") == NOT_FOUND
    assert code_of(coze.connectors.bots.update, connector_id=CHANNEL, bot_id="1", audit_status=2) == NOT_FOUND


def test_channel_of_a_bot(coze: Any) -> None:
    """A bot is online in the channels that it was published to, each with its own version."""
    first = coze.bots.publish(bot_id=BOT_ID, connector_ids=["1024", CHANNEL]).version
    second = coze.bots.publish(bot_id=BOT_ID, connector_ids=["1024"]).version
    versions = items(coze.bots.versions.list(bot_id=BOT_ID, connector_id=CHANNEL))
    assert [version.version for version in versions] == [first]
    assert [version.version for version in items(coze.bots.versions.list(bot_id=BOT_ID))][:2] == [second, first]
    (draft,) = items(coze.bots.versions.list(bot_id=BOT_ID, publish_status="unpublished_draft"))
    assert (draft.version, draft.creator.id) == ("", USER_ID)
    where = {"workspace_id": WORKSPACE_ID, "connector_id": CHANNEL}
    assert [bot.id for bot in items(coze.bots.list(**where), 1)] == [BOT_ID]
    coze.bots.unpublish(bot_id=BOT_ID, connector_id=CHANNEL)
    assert items(coze.bots.list(**where), 0) == []
    assert coze.bots.retrieve(bot_id=BOT_ID).version == second


def test_account(coze: Any, sandbox: Sandbox) -> None:
    """Every token shows the account that it belongs to."""
    assert coze.users.me().user_id == USER_ID
    for account in COLLEAGUE_IDS:
        assert coze.users.me(extra_headers=bearer(sandbox.scenario.token(account))).user_id == account


def test_plan(coze: Any) -> None:
    """The plan has the requested limits, and how many calls of tools are used up."""
    assert coze.benefits.retrieve().benefit_info in (None, [])
    for used in (0, 1, 2):
        (limit,) = coze.benefits.retrieve(benefit_type_list=["call_tool_limit"]).benefit_info
        assert (limit.benefit_type, limit.basic.item_info.used) == ("call_tool_limit", used)
        coze.plugins.tools.call(plugin_id=PLUGIN_ID, tool_name="mirror", arguments={"text": "x"})
    (rate,) = coze.benefits.retrieve(benefit_type_list=["api_run_qps"], resource_id="chat").benefit_info
    assert (rate.resource_id, rate.effective.item_info.total) == ("chat", 300)
    assert code_of(coze.benefits.retrieve, benefit_type_list=["api_run_qps"]) == NOT_ALLOWED


def test_store(coze: Any) -> None:
    """Each category of the store lists its own plugins; the best match is found by its name first."""
    categories = items(coze.stores.categories.list(entity_type="plugin", page_size=1))
    assert len(categories) == len({category.id for category in categories}) > 0
    every = {plugin.metainfo.entity_id: plugin.metainfo for plugin in items(coze.stores.plugins.list())}
    by_category = [
        (plugin.metainfo.entity_id, category.id)
        for category in categories
        for plugin in items(coze.stores.plugins.list(category_ids=[category.id]))
    ]
    assert dict(by_category) == {key: metainfo.category.id for key, metainfo in every.items()}
    assert len(by_category) == len(every)
    for key, metainfo in every.items():
        best = items(coze.stores.plugins.list(keyword=metainfo.name.upper(), sort_type="relative"))
        assert best[0].metainfo.entity_id == key
    official = {key for key, metainfo in every.items() if metainfo.is_official}
    assert {plugin.metainfo.entity_id for plugin in items(coze.stores.plugins.list(is_official=True))} == official
    assert code_of(coze.stores.plugins.list, sort_type="relative") == NOT_ALLOWED


def test_workflows(coze: Any) -> None:
    """Workflows are listed by kind and state, and shown with inputs and outputs on request."""
    where = {"workspace_id": WORKSPACE_ID, "page_num": 1, "page_size": 2}
    every = [item.workflow_id for item in items(coze.workflows.list(publish_status="all", **where))]
    online = [key for key in every if key != WORKFLOW_UNPUBLISHED]
    assert {WORKFLOW_ECHO, WORKFLOW_ASK, WORKFLOW_CHAT} < set(online)
    assert [item.workflow_id for item in items(coze.workflows.list(**where))] == online
    chatflows = items(coze.workflows.list(workflow_mode="chatflow", **where))
    assert [chatflow.workflow_id for chatflow in chatflows] == [WORKFLOW_CHAT]
    assert items(coze.workflows.list(app_id=APP_ID, **where)) == []
    bare, full = (
        coze.workflows.retrieve(workflow_id=WORKFLOW_ECHO, include_input_output=wanted) for wanted in (False, True)
    )
    assert bare.workflow_detail == full.workflow_detail
    assert (bare.input, list(full.input.parameters)) == (None, ["input"])
    assert full.workflow_detail.creator.id == USER_ID
    assert code_of(coze.workflows.retrieve, workflow_id="1") == NOT_FOUND
    assert code_of(coze.workflows.list, **{**where, "workspace_id": "1"}) == NOT_FOUND


@pytest.mark.parametrize(
    ("workflow", "state", "versions"),
    [
        (WORKFLOW_ECHO, "all", ["", "v0.0.1"]),
        (WORKFLOW_ECHO, None, ["v0.0.1"]),
        (WORKFLOW_ECHO, "unpublished_draft", [""]),
        (WORKFLOW_UNPUBLISHED, "all", [""]),
        (WORKFLOW_UNPUBLISHED, None, []),
    ],
)
def test_versions_of_a_workflow(coze: Any, workflow: str, state: str | None, versions: list[str]) -> None:
    """The versions of a workflow are listed in pages, the draft first."""
    listed = items(coze.workflows.versions.list(workflow_id=workflow, publish_status=state, page_size=1))
    assert [(entry.version, entry.workflow_id) for entry in listed] == [(version, workflow) for version in versions]


def test_icons(coze: Any) -> None:
    """A knowledge base and a workspace take a file as icon, which must be there."""
    file = coze.files.upload(file=("a.png", b"12")).id
    coze.datasets.create(name="one", space_id=WORKSPACE_ID, format_type=0, file_id=file)
    (shown,) = items(coze.datasets.list(space_id=WORKSPACE_ID), 1)
    assert file in shown.icon_url
    assert code_of(coze.datasets.create, name="x", space_id=WORKSPACE_ID, format_type=0, file_id="1") == NOT_FOUND
    assert code_of(coze.workspaces.create, name="x", description="", icon_file_id="1") == NOT_FOUND


def test_chatflow(coze: Any, sandbox: Sandbox) -> None:
    """A chatflow answers as the bot does, in a conversation that keeps the messages."""
    conversation = coze.conversations.create(bot_id=BOT_ID)
    place = {"bot_id": BOT_ID, "conversation_id": conversation.id}
    with coze.workflows.chat.stream(
        workflow_id=WORKFLOW_CHAT, additional_messages=["Hi"], parameters={}, **place
    ) as stream:
        texts = [event.data.content for event in stream if event.event == "conversation.message.delta"]
    assert "".join(texts) == "You said: Hi"
    sandbox.clock.advance(SECONDS)
    messages = items(coze.conversations.messages.list(conversation_id=conversation.id, order="asc"))
    assert [message.content for message in messages] == ["Hi", "You said: Hi"]
