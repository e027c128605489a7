"""Workspaces, their members, and the account."""

from __future__ import annotations

import httpx

from coze_sandbox import COLLEAGUE_IDS, USER_ID, WORKSPACE_ID, Sandbox

TEAM = {"name": "Team", "description": "A team."}


def members(api, key):
    data = api.ok("GET", f"/v1/workspaces/{key}/members")
    return {member["user_id"]: member["role_type"] for member in data["items"]}


def test_account(api):
    """The account behind the token is the owner of the sandbox."""
    assert api.ok("GET", "/v1/users/me")["user_id"] == USER_ID


def test_default_workspace(api):
    """There is one personal workspace at the start."""
    data = api.ok("GET", "/v1/workspaces")
    assert data["total_count"] == 1
    assert data["workspaces"][0]["id"] == WORKSPACE_ID
    assert data["workspaces"][0]["workspace_type"] == "personal"


def test_create_then_list_then_update(api):
    """A new team workspace is listed with the caller as owner, and can be renamed."""
    key = api.ok("POST", "/v1/workspaces", json=TEAM)["id"]
    api.ok("PUT", f"/v1/workspaces/{key}", json={"name": "Other"})
    team = api.ok("GET", "/v1/workspaces")["workspaces"][1]
    assert (team["id"], team["name"], team["description"]) == (key, "Other", "A team.")
    assert (team["role_type"], team["workspace_type"]) == ("owner", "team")


def test_pages(api):
    """Workspaces are paged by number."""
    keys = [api.ok("POST", "/v1/workspaces", json=TEAM)["id"] for _ in range(2)]
    page = api.ok("GET", "/v1/workspaces", params={"page_num": 2, "page_size": 2})
    assert [workspace["id"] for workspace in page["workspaces"]] == keys[1:]
    assert page["total_count"] == 3


def test_members_come_and_go(api):
    """Added accounts are listed with their role; the response sorts ids by added, already joined and unknown."""
    key = api.ok("POST", "/v1/workspaces", json=TEAM)["id"]
    path = f"/v1/workspaces/{key}/members"
    first, second, _ = COLLEAGUE_IDS
    users = [
        {"user_id": first, "role_type": "admin"},
        {"user_id": USER_ID, "role_type": "member"},
        {"user_id": "1", "role_type": "member"},
    ]
    added = api.ok("POST", path, json={"users": users})
    assert added["added_success_user_ids"] == [first]
    assert added["already_joined_user_ids"] == [USER_ID]
    assert added["not_exist_user_ids"] == ["1"]
    assert members(api, key) == {USER_ID: "owner", first: "admin"}
    assert api.ok("GET", "/v1/workspaces")["workspaces"][1]["admin_uids"] == [first]
    removed = api.ok("DELETE", path, json={"user_ids": [first, second, USER_ID]})
    assert removed["removed_success_user_ids"] == [first]
    assert removed["not_in_workspace_user_ids"] == [second]
    assert removed["owner_not_support_remove_user_ids"] == [USER_ID]
    assert members(api, key) == {USER_ID: "owner"}


def test_full_workspace():
    """As many members as allowed may join; one too many is refused, and none of that call joins."""
    with Sandbox(workspace_limit=3) as sandbox:
        headers = {"Authorization": f"Bearer {sandbox.token}"}
        with httpx.Client(base_url=sandbox.base_url, headers=headers) as http:
            path = f"/v1/workspaces/{WORKSPACE_ID}/members"
            users = [{"user_id": key, "role_type": "member"} for key in COLLEAGUE_IDS]
            assert http.post(path, json={"users": users}).json()["code"] == 702042018
            assert http.get(path).json()["data"]["total_count"] == 1
            assert http.post(path, json={"users": users[:2]}).json()["code"] == 0
            assert http.get(path).json()["data"]["total_count"] == 3


def test_unknown_workspace(api):
    """Whatever is done with an unknown workspace is answered with 4200."""
    assert api.refused("PUT", "/v1/workspaces/1", json={"name": "n"}) == (404, 4200)
    assert api.refused("GET", "/v1/workspaces/1/members") == (404, 4200)
    body = {"user_ids": ["1"]}
    assert api.refused("DELETE", "/v1/workspaces/1/members", json=body) == (404, 4200)
