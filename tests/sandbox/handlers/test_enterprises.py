"""Enterprises, organizations, folders and channels."""

from __future__ import annotations

import pytest

from coze_sandbox import (
    BOT_ID,
    COLLEAGUE_IDS,
    ENTERPRISE_ID,
    FOLDER_ID,
    ORGANIZATION_ID,
    USER_ID,
    WORKSPACE_ID,
    Sandbox,
)

EMPLOYEES = f"/v1/enterprises/{ENTERPRISE_ID}/members"
ORGANIZATIONS = f"/v1/enterprises/{ENTERPRISE_ID}/organizations"
FIRST, SECOND, _ = COLLEAGUE_IDS


@pytest.fixture
def employee(api) -> str:
    """Give an account that is an employee."""
    api.ok("POST", EMPLOYEES, json={"users": [{"user_id": FIRST, "role": "enterprise_member"}]})
    return FIRST


@pytest.fixture
def organization(api) -> str:
    """Give an organization beside the default one."""
    body = {"name": "Research", "super_admin_user_id": USER_ID}
    return api.ok("POST", ORGANIZATIONS, json=body)["organization_id"]


def members(api, organization):
    items = api.ok("GET", f"/v1/organizations/{organization}/members")["items"]
    return {member["user_id"]: member["organization_role_type"] for member in items}


def join(api, organization, user_id, role="organization_member"):
    person = {"user_id": user_id, "organization_role_type": role}
    api.ok("POST", f"/v1/organizations/{organization}/members", json={"organization_people": [person]})


def test_employees(api, employee):
    """An employee belongs to the default organization, and to none once removed."""
    assert members(api, ORGANIZATION_ID) == {USER_ID: "organization_super_admin", FIRST: "organization_member"}
    api.ok("PUT", f"{EMPLOYEES}/{FIRST}", json={"role": "enterprise_admin"})
    heir = {"receiver_user_id": USER_ID}
    api.ok("DELETE", f"{EMPLOYEES}/{FIRST}", json=heir)
    assert members(api, ORGANIZATION_ID) == {USER_ID: "organization_super_admin"}
    assert api.refused("DELETE", f"{EMPLOYEES}/{FIRST}", json=heir) == (404, 4200)
    assert api.refused("PUT", f"{EMPLOYEES}/{FIRST}", json={"role": "enterprise_admin"}) == (404, 4200)


def test_heirs_of_employees(api, employee):
    """Who inherits is another employee and an administrator."""
    assert api.refused("DELETE", f"{EMPLOYEES}/{FIRST}", json={"receiver_user_id": FIRST}) == (400, 4000)
    assert api.refused("DELETE", f"{EMPLOYEES}/{USER_ID}", json={"receiver_user_id": FIRST}) == (400, 4000)
    assert api.refused("DELETE", f"{EMPLOYEES}/{FIRST}", json={"receiver_user_id": SECOND}) == (404, 4200)


def test_full_enterprise():
    """An enterprise takes as many members as the sandbox is configured for."""
    import httpx

    with Sandbox(workspace_limit=1) as sandbox:
        body = {"users": [{"user_id": FIRST, "role": "enterprise_member"}]}
        headers = {"Authorization": f"Bearer {sandbox.token}"}
        answer = httpx.post(sandbox.base_url + EMPLOYEES, headers=headers, json=body)
    assert (answer.status_code, answer.json()["code"]) == (429, 777074011)


def test_organizations(api, organization):
    """Organizations are listed with the default one first, and renamed."""
    listed = api.ok("GET", ORGANIZATIONS)
    assert [entry["organization_id"] for entry in listed["items"]] == [ORGANIZATION_ID, organization]
    assert [entry["is_default_organization"] for entry in listed["items"]] == [True, False]
    api.ok("PUT", f"/v1/organizations/{organization}", json={"name": "Science", "description": ""})
    assert (
        api.ok("GET", ORGANIZATIONS, params={"page_num": 2, "page_size": 1})["items"][0]["organization_name"]
        == "Science"
    )
    lost = {"name": "n", "super_admin_user_id": FIRST}
    assert api.refused("POST", ORGANIZATIONS, json=lost) == (404, 4200)
    assert api.refused("PUT", "/v1/organizations/1", json={"name": "n"}) == (404, 4200)


def test_members_of_an_organization(api, employee, organization):
    """Employees join, change roles and leave; then only can they leave the enterprise."""
    path = f"/v1/organizations/{organization}/members"
    join(api, organization, FIRST)
    heir = {"receiver_user_id": USER_ID}
    assert api.refused("DELETE", f"{EMPLOYEES}/{FIRST}", json=heir) == (400, 4000)
    api.ok("PUT", f"{path}/{FIRST}", json={"organization_role_type": "organization_admin"})
    assert members(api, organization)[FIRST] == "organization_admin"
    assert api.refused("DELETE", f"{path}/{USER_ID}", json={"receiver_user_id": FIRST}) == (409, 777074044)
    demote = {"organization_role_type": "organization_member"}
    assert api.refused("PUT", f"{path}/{USER_ID}", json=demote) == (409, 777074044)
    api.ok("DELETE", f"{path}/{FIRST}", json=heir)
    assert api.refused("DELETE", f"{path}/{FIRST}", json=heir) == (404, 4200)
    api.ok("DELETE", f"{EMPLOYEES}/{FIRST}", json=heir)
    person = {"user_id": FIRST, "organization_role_type": "organization_member"}
    assert api.refused("POST", path, json={"organization_people": [person]}) == (404, 4200)


def test_guests(api, employee, organization):
    """Guests are distinguished from employees, and stay guests."""
    join(api, organization, FIRST, "organization_guest")
    path = f"/v1/organizations/{organization}/members"
    assert [member["people_type"] for member in api.ok("GET", path)["items"]] == ["employee", "guest"]
    change = {"organization_role_type": "organization_admin"}
    assert api.refused("PUT", f"{path}/{FIRST}", json=change) == (400, 4000)
    assert api.refused("DELETE", f"{path}/{FIRST}", json={"receiver_user_id": FIRST}) == (400, 4000)


def test_folders(api):
    """Folders are listed level by level."""
    query = {"workspace_id": WORKSPACE_ID, "folder_type": "development"}
    root = api.ok("GET", "/v1/folders", params=query)
    assert [(folder["id"], folder["children_count"]) for folder in root["items"]] == [(FOLDER_ID, 1)]
    inner = api.ok("GET", "/v1/folders", params={**query, "parent_folder_id": FOLDER_ID})
    assert (inner["total_count"], inner["has_more"]) == (1, False)
    assert api.ok("GET", f"/v1/folders/{inner['items'][0]['id']}") == inner["items"][0]
    assert api.refused("GET", "/v1/folders/1") == (404, 4200)
    assert api.refused("GET", "/v1/folders", params={**query, "parent_folder_id": "1"}) == (404, 4200)


def test_channels(api):
    """Channels are added to workspaces, review bots, and get devices."""
    api.ok("POST", "/v1/connectors/7/install", json={"workspace_id": WORKSPACE_ID})
    assert api.refused("POST", "/v1/connectors/7/install", json={"workspace_id": "1"}) == (404, 4200)
    api.ok("PUT", f"/v1/connectors/7/bots/{BOT_ID}", json={"audit_status": 2})
    assert api.refused("PUT", "/v1/connectors/7/bots/1", json={"audit_status": 2}) == (404, 4200)
    devices = {"configs": [{"key": "device", "enums": [{"label": "Lamp", "value": "1"}]}]}
    api.ok("POST", "/v1/connectors/7/user_configs", json=devices)


def test_members_twice(api, employee, organization):
    """Adding a person who is a member already fails with 4201, and the role stays."""
    users = [{"user_id": FIRST, "role": "enterprise_admin"}]
    assert api.refused("POST", EMPLOYEES, json={"users": users}) == (409, 4201)
    join(api, organization, FIRST)
    person = {"user_id": FIRST, "organization_role_type": "organization_admin"}
    body = {"organization_people": [person]}
    assert api.refused("POST", f"/v1/organizations/{organization}/members", json=body) == (409, 4201)
    assert members(api, organization)[FIRST] == "organization_member"
