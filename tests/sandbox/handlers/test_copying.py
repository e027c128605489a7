"""Apps, and copies of bots, apps, workflows and templates."""

from __future__ import annotations

import pytest

from coze_sandbox import APP_ID, BOT_ID, COLLEAGUE_IDS, WORKFLOW_ECHO, WORKSPACE_ID

TASKS = "/v1/entities/copy_tasks"


def copy(api, kind, key, **members):
    return api.ok("POST", TASKS, json={"entity_id": key, "entity_type": kind, **members})


def apps(api, **query):
    return api.ok("GET", "/v1/apps", params={"workspace_id": WORKSPACE_ID, **query})


def test_bot_is_copied_at_once(api):
    """A bot that stays in its workspace is copied at once, as a draft."""
    key = copy(api, "bot", BOT_ID)["copied_entity_id"]
    bot = api.ok("GET", f"/v1/bots/{key}", params={"is_published": "false"})
    assert (bot["bot_id"], bot["name"]) == (key, "Sandbox bot")
    assert api.refused("GET", f"/v1/bots/{key}") == (400, 4015)


def test_app_is_copied_by_a_task(api):
    """An app is copied by a task that ends with the clock, and once only."""
    task = copy(api, "app", APP_ID)["task_id"]
    assert api.ok("GET", f"{TASKS}/{task}")["task_status"] == "in_progress"
    assert apps(api, publish_status="all")["total"] == 1
    api.sandbox.clock.advance(1)
    done = [api.ok("GET", f"{TASKS}/{task}") for _ in range(2)]
    assert done[0] == done[1]
    assert (done[0]["task_status"], done[0]["source_entity_id"]) == ("successful", APP_ID)
    drafts = apps(api, publish_status="unpublished_draft")["items"]
    assert [app["id"] for app in drafts] == [done[0]["target_entity_id"]]
    assert api.refused("GET", f"{TASKS}/1") == (404, 4200)


def test_copies_between_workspaces(api):
    """What lies in a team's workspace can be copied to another one, what lies in the own cannot."""
    teams = [api.ok("POST", "/v1/workspaces", json={"name": name, "description": ""})["id"] for name in ("one", "two")]
    bot_id = api.ok("POST", "/v1/bot/create", json={"space_id": teams[0], "name": "Iris"})["bot_id"]
    task = copy(api, "bot", bot_id, to_workspace_id=teams[1])["task_id"]
    api.sandbox.clock.advance(1)
    copied = api.ok("GET", f"{TASKS}/{task}")["target_entity_id"]
    query = {"workspace_id": teams[1], "publish_status": "all"}
    assert [bot["id"] for bot in api.ok("GET", "/v1/bots", params=query)["items"]] == [copied]
    body = {"entity_id": BOT_ID, "entity_type": "bot", "to_workspace_id": teams[0]}
    assert api.refused("POST", TASKS, json=body) == (400, 4000)
    foreign = {"name": "three", "description": "", "owner_uid": COLLEAGUE_IDS[0]}
    body = {"entity_id": bot_id, "entity_type": "bot"}
    body["to_workspace_id"] = api.ok("POST", "/v1/workspaces", json=foreign)["id"]
    assert api.refused("POST", TASKS, json=body) == (404, 4200)


def test_workflow_is_copied_as_a_draft(api):
    """The copy of a workflow is listed and cannot be run before it is published."""
    task = copy(api, "workflow", WORKFLOW_ECHO)["task_id"]
    api.sandbox.clock.advance(1)
    key = api.ok("GET", f"{TASKS}/{task}")["target_entity_id"]
    assert api.ok("GET", f"/v1/workflows/{key}")["workflow_detail"]["workflow_id"] == key
    assert api.refused("POST", "/v1/workflow/run", json={"workflow_id": key}) == (404, 4200)


@pytest.mark.parametrize(
    ("body", "failure"),
    [
        ({}, (400, 4000)),
        ({"entity_id": BOT_ID, "entity_type": "app"}, (404, 4200)),
        ({"entity_id": BOT_ID, "entity_type": "bot", "to_workspace_id": "1"}, (404, 4200)),
    ],
)
def test_refused_copies(api, body, failure):
    """What is to be copied must exist, and so must the workspace."""
    assert api.refused("POST", TASKS, json=body) == failure


def test_template(api):
    """A template becomes a bot, which is a draft of the given name."""
    body = {"workspace_id": WORKSPACE_ID, "name": "News desk"}
    duplicate = api.ok("POST", "/v1/templates/7/duplicate", json=body)
    bot = api.ok("GET", f"/v1/bots/{duplicate['entity_id']}", params={"is_published": "false"})
    assert bot["name"] == "News desk"
    assert api.refused("POST", "/v1/templates/7/duplicate", json={"workspace_id": "1"}) == (404, 4200)


def test_apps(api):
    """Apps are listed by state of publication and channel."""
    assert [app["id"] for app in apps(api)["items"]] == [APP_ID]
    assert apps(api, connector_id="999")["total"] == 0
    assert apps(api, publish_status="unpublished_draft")["total"] == 0
    assert api.refused("GET", "/v1/apps", params={"workspace_id": "1"}) == (404, 4200)


def test_collaborators_of_an_app(api):
    """Members of the workspace are added to an app and removed again."""
    api.join(COLLEAGUE_IDS[0])
    path = f"/v1/apps/{APP_ID}/collaborators"
    api.ok("POST", path, json={"collaborators": [{"user_id": COLLEAGUE_IDS[0]}]})
    assert api.refused("POST", path, json={"collaborators": [{"user_id": "1"}]}) == (404, 4200)
    api.ok("DELETE", f"{path}/{COLLEAGUE_IDS[0]}")
    assert api.refused("DELETE", f"{path}/{COLLEAGUE_IDS[0]}") == (404, 4200)
    assert api.refused("DELETE", "/v1/apps/1/collaborators/2") == (404, 4200)
