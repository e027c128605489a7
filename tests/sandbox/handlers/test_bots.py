"""Bots: drafts, publishing, versions, collaborators."""

from __future__ import annotations

import pytest

from coze_sandbox import BOT_ID, COLLEAGUE_IDS, USER_ID, WORKSPACE_ID


@pytest.fixture
def bot_id(api) -> str:
    """Give a bot that is not published."""
    body = {"space_id": WORKSPACE_ID, "name": "Iris", "prompt_info": {"prompt": "Be kind."}}
    return api.ok("POST", "/v1/bot/create", json=body)["bot_id"]


def publish(api, bot_id, *channels):
    body = {"bot_id": bot_id, "connector_ids": list(channels or ("1024",))}
    return api.ok("POST", "/v1/bot/publish", json=body)["version"]


def listed(api, **query):
    query = {"workspace_id": WORKSPACE_ID, **query}
    return {bot["id"] for bot in api.ok("GET", "/v1/bots", params=query)["items"]}


def test_create_then_retrieve_the_draft(api, bot_id):
    """A new bot can be retrieved as a draft, with what it was given."""
    bot = api.ok("GET", f"/v1/bots/{bot_id}", params={"is_published": "false"})
    assert (bot["bot_id"], bot["name"]) == (bot_id, "Iris")
    assert bot["prompt_info"] == {"prompt": "Be kind."}
    assert bot["owner_user_id"] == USER_ID


@pytest.mark.parametrize("path", [f"/v1/bots/{BOT_ID}", f"/v1/bot/get_online_info?bot_id={BOT_ID}"])
def test_members_that_nothing_is_set_for(api, path):
    """What was not set for a bot is answered as empty, as in the published sample, and not left out."""
    bot = api.ok("GET", path)
    for name in ("shortcut_commands", "variables", "voice_info_list", "plugin_info_list", "workflow_info_list"):
        assert bot[name] == []
    empty = {"image_url": "", "origin_image_url": "", "theme_color": "", "canvas_position": {}, "gradient_position": {}}
    assert bot["background_image_info"] == {"web_background_image": empty, "mobile_background_image": empty}


def test_create_needs_workspace_and_icon(api):
    """A bot cannot be made in an unknown workspace or with an unknown icon."""
    body = {"space_id": "1", "name": "n"}
    assert api.refused("POST", "/v1/bot/create", json=body) == (404, 4200)
    body = {"space_id": WORKSPACE_ID, "name": "n", "icon_file_id": "1"}
    assert api.refused("POST", "/v1/bot/create", json=body) == (404, 4200)
    icon = api.ok("POST", "/v1/files/upload", files={"file": ("i.png", b"x")})["id"]
    created = api.ok("POST", "/v1/bot/create", json={**body, "icon_file_id": icon})
    shown = api.ok("GET", f"/v1/bots/{created['bot_id']}", params={"is_published": "false"})
    assert icon in shown["icon_url"]


def test_name_is_limited(api):
    """A name longer than described is refused."""
    body = {"space_id": WORKSPACE_ID, "name": "n" * 21}
    assert api.refused("POST", "/v1/bot/create", json=body) == (400, 4000)


def test_unpublished_bot(api, bot_id):
    """What is not published cannot be retrieved as published, nor be chatted with."""
    assert api.refused("GET", f"/v1/bots/{bot_id}") == (400, 4015)
    query = {"bot_id": bot_id}
    assert api.refused("GET", "/v1/bot/get_online_info", params=query) == (400, 4015)
    assert api.refused("POST", "/v3/chat", json=api.chat("Hi", bot_id=bot_id)) == (400, 4015)


def test_draft_can_be_chatted_with(api, bot_id):
    """A draft can be chatted with if the call requests it, and then has no version."""
    draft = api.chat("Hi", bot_id=bot_id, publish_status="unpublished_draft")
    assert api.ok("POST", "/v3/chat", json=draft)["bot_id"] == bot_id
    assert api.refused("POST", "/v3/chat", json={**draft, "bot_version": "1"}) == (400, 4000)


def test_update_changes_the_draft_only(api, bot_id):
    """What is online stays as it was until the bot is published again."""
    publish(api, bot_id)
    api.ok("POST", "/v1/bot/update", json={"bot_id": bot_id, "name": "Rose"})
    assert api.ok("GET", f"/v1/bots/{bot_id}")["name"] == "Iris"
    assert api.ok("GET", f"/v1/bots/{bot_id}", params={"is_published": False})["name"] == "Rose"
    publish(api, bot_id)
    assert api.ok("GET", "/v1/bot/get_online_info", params={"bot_id": bot_id})["name"] == "Rose"


def test_versions_grow(api, bot_id):
    """Each publishing makes a version; they are listed newest first, page by page."""
    versions = [publish(api, bot_id) for _ in range(3)]
    assert sorted(set(versions), key=int) == versions
    path = f"/v1/bots/{bot_id}/versions"
    first = api.ok("GET", path, params={"page_size": 2})
    assert [version["version"] for version in first["items"]] == [versions[2], versions[1]]
    assert first["has_more"] is True
    second = api.ok("GET", path, params={"page_size": 2, "page_num": 2})
    assert ([version["version"] for version in second["items"]], second["has_more"]) == (
        versions[:1],
        False,
    )
    draft = api.ok("GET", path, params={"publish_status": "unpublished_draft"})["items"]
    assert [version["publish_status"] for version in draft] == ["unpublished_draft"]


def test_chat_with_an_old_version(api, bot_id):
    """A chat may name a version; an unknown one is refused."""
    old = publish(api, bot_id)
    publish(api, bot_id)
    chat = api.chat("Hi", bot_id=bot_id, bot_version=old)
    assert api.ok("POST", "/v3/chat", json=chat)["bot_id"] == bot_id
    assert api.refused("POST", "/v3/chat", json={**chat, "bot_version": "1"}) == (404, 4200)


def test_lists_by_state_of_publication(api, bot_id):
    """Lists distinguish drafts from published bots, channel by channel."""
    assert listed(api) == {BOT_ID}
    assert listed(api, publish_status="unpublished_draft") == {bot_id}
    assert listed(api, publish_status="all") == {BOT_ID, bot_id}
    publish(api, bot_id, "999")
    assert listed(api) == {BOT_ID}
    assert listed(api, connector_id="999") == {bot_id}
    publish(api, bot_id)
    assert listed(api, publish_status="published_draft") == {BOT_ID, bot_id}
    online = api.ok("GET", "/v1/space/published_bots_list", params={"space_id": WORKSPACE_ID})
    assert {bot["bot_id"] for bot in online["space_bots"]} == {BOT_ID, bot_id}


def test_pages_do_not_overlap(api):
    """All pages together have each bot once, and each page has the total."""
    for number in range(5):
        body = {"space_id": WORKSPACE_ID, "name": f"bot {number}"}
        publish(api, api.ok("POST", "/v1/bot/create", json=body)["bot_id"])
    seen = []
    for page in (1, 2, 3, 4):
        query = {"workspace_id": WORKSPACE_ID, "page_num": page, "page_size": 2}
        data = api.ok("GET", "/v1/bots", params=query)
        assert data["total"] == 6
        seen += [bot["id"] for bot in data["items"]]
    assert len(seen) == len(set(seen)) == 6


def test_unpublish(api, bot_id):
    """A bot taken offline cannot be chatted with, and cannot be taken offline twice."""
    publish(api, bot_id)
    path, body = f"/v1/bots/{bot_id}/unpublish", {"connector_id": "1024"}
    api.ok("POST", path, json=body)
    assert api.refused("POST", "/v3/chat", json=api.chat("Hi", bot_id=bot_id)) == (400, 4015)
    assert api.refused("POST", path, json=body) == (400, 4015)


def test_collaborators(api, bot_id):
    """Collaborators need collaboration mode and membership, and are dropped with the mode."""
    path = f"/v1/bots/{bot_id}/collaborators"
    body = {"collaborators": [{"user_id": COLLEAGUE_IDS[0]}]}
    mode = f"/v1/bots/{bot_id}/collaboration_mode"
    assert api.refused("POST", path, json=body) == (400, 4000)
    api.ok("POST", mode, json={"collaboration_mode": "collaboration"})
    api.join(COLLEAGUE_IDS[0])
    api.ok("POST", path, json=body)
    stranger = {"collaborators": [{"user_id": "1"}]}
    assert api.refused("POST", path, json=stranger) == (404, 4200)
    api.ok("DELETE", f"{path}/{COLLEAGUE_IDS[0]}")
    assert api.refused("DELETE", f"{path}/{COLLEAGUE_IDS[0]}") == (404, 4200)
    api.ok("POST", path, json=body)
    api.ok("POST", mode, json={"collaboration_mode": "single"})
    assert api.refused("DELETE", f"{path}/{COLLEAGUE_IDS[0]}") == (404, 4200)


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("GET", "/v1/bots/1", None),
        ("GET", "/v1/bots/1/versions", None),
        ("POST", "/v1/bot/update", {"bot_id": "1"}),
        ("POST", "/v1/bot/publish", {"bot_id": "1", "connector_ids": ["1024"]}),
        ("POST", "/v1/bots/1/unpublish", {"connector_id": "1024"}),
        ("POST", "/v1/bots/1/collaboration_mode", {"collaboration_mode": "single"}),
        ("POST", "/v1/bots/1/collaborators", {"collaborators": [{"user_id": "2"}]}),
        ("DELETE", "/v1/bots/1/collaborators/2", None),
    ],
)
def test_unknown_bot(api, method, path, body):
    """Whatever is done with an unknown bot is answered with 4200."""
    assert api.refused(method, path, json=body) == (404, 4200)


def test_only_the_configuration_is_edited(api, bot_id):
    """Members that are not described change nothing, and a value out of range is refused."""
    stranger = {"bot_id": bot_id, "owner_user_id": 7, "create_time": "x", "name": "Rose"}
    api.ok("POST", "/v1/bot/update", json=stranger)
    bot = api.ok("GET", f"/v1/bots/{bot_id}", params={"is_published": False})
    assert (bot["owner_user_id"], bot["name"]) == (USER_ID, "Rose")
    body = {"bot_id": bot_id, "model_info_config": {"model_id": "1", "top_p": 2}}
    assert api.refused("POST", "/v1/bot/update", json=body) == (400, 4000)
