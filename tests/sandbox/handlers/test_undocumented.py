"""Operations that only the vendor's interface definitions have."""

from __future__ import annotations

import uuid

import httpx
import jwt
import pytest

from coze_sandbox import (
    BOT_ID,
    COLLEAGUE_IDS,
    ORGANIZATION_ID,
    SERVICE_APP,
    USER_ID,
    WEB_APP,
    WORKFLOW_ECHO,
    WORKFLOW_FAIL,
    WORKSPACE_ID,
    Sandbox,
)

NOTES = "7300000000000000831"
CONTENT = "/v1/files/content/retrieve"


@pytest.fixture
def bot(api):
    """Create a bot with a plugin that needs an authorization and one that needs none."""
    plugins = api.ok("GET", "/v1/plugins/mget", params={"ids": f"{NOTES},7300000000000000801"})["items"]
    assert len(plugins) == 2
    entries = [{"plugin_id": plugin["plugin_id"], "api_id": plugin["tools"][0]["tool_id"]} for plugin in plugins]
    body = {"space_id": WORKSPACE_ID, "name": "Notes", "plugin_id_list": {"id_list": entries}}
    return api.ok("POST", "/v1/bot/create", json=body)["bot_id"]


def authorizations(sandbox, app, **claims):
    """List the authorizations of an app with a JWT that it signs, and return the response."""
    config, now = sandbox.oauth.jwt_config(SERVICE_APP.client_id), int(sandbox.clock.now())
    payload = {"iss": SERVICE_APP.client_id, "aud": "api.coze.cn", "iat": now, "exp": now + 60, "jti": uuid.uuid4().hex}
    signed = jwt.encode({**payload, **claims}, config["private_key"], "RS256", {"kid": config["public_key_id"]})
    return httpx.get(
        f"{sandbox.base_url}/v1/oauth-apps/{app}/authorizations", headers={"Authorization": f"Bearer {signed}"}
    )


def test_workspace_is_deleted_with_its_members(api):
    """A deleted workspace is not listed, has no members, and cannot be deleted again."""
    key = api.ok("POST", "/v1/workspaces", json={"name": "Team", "description": ""})["id"]
    api.ok("DELETE", f"/v1/workspaces/{key}")
    assert [workspace["id"] for workspace in api.ok("GET", "/v1/workspaces")["workspaces"]] == [WORKSPACE_ID]
    assert api.refused("GET", f"/v1/workspaces/{key}/members") == (404, 4200)
    assert api.refused("DELETE", f"/v1/workspaces/{key}") == (404, 4200)


def test_role_of_a_member(api):
    """The role of a member changes, that of the owner and of strangers does not."""
    path = f"/v1/workspaces/{WORKSPACE_ID}/members"
    api.join(COLLEAGUE_IDS[0])
    api.ok("PUT", f"{path}/{COLLEAGUE_IDS[0]}", json={"role_type": "admin"})
    roles = {member["user_id"]: member["role_type"] for member in api.ok("GET", path)["items"]}
    assert roles == {USER_ID: "owner", COLLEAGUE_IDS[0]: "admin"}
    assert api.refused("PUT", f"{path}/{COLLEAGUE_IDS[0]}", json={"role_type": "owner"}) == (400, 4000)
    assert api.refused("PUT", f"{path}/{USER_ID}", json={"role_type": "member"}) == (400, 4000)
    assert api.refused("PUT", f"{path}/{COLLEAGUE_IDS[1]}", json={"role_type": "member"}) == (404, 4200)


def test_applications(api):
    """An application fails for members and for accounts that do not exist, and makes nobody a member."""
    path = f"/v1/workspaces/{WORKSPACE_ID}/members"
    answer = api.ok("POST", f"{path}/apply", json={"user_ids": [COLLEAGUE_IDS[0], USER_ID, "9"]})
    assert answer == {"applied_success_user_ids": [COLLEAGUE_IDS[0]], "applied_failed_user_ids": [USER_ID, "9"]}
    assert len(api.ok("GET", path)["items"]) == 1


@pytest.mark.parametrize(
    ("sent", "received"),
    [("text/plain", "text/plain"), ("application/x-unknown", "application/octet-stream")],
)
def test_download(api, sent, received):
    """A file comes back as it was uploaded, with its name; a type that is not described is sent as bytes."""
    content = b"hello" * 1000
    key = api.ok("POST", "/v1/files/upload", files={"file": ("a b.txt", content, sent)})["id"]
    response = api.send("GET", CONTENT, params={"file_id": key})
    assert (response.status_code, response.content) == (200, content)
    assert response.headers["content-type"].partition(";")[0] == received
    assert response.headers["content-disposition"] == "attachment; filename*=UTF-8''a%20b.txt"


@pytest.mark.parametrize(("size", "status"), [(1 << 20, 200), ((1 << 20) + 1, 400)])
def test_download_of_large_files(api, size, status):
    """The sandbox keeps the content of files of up to one mebibyte."""
    key = api.ok("POST", "/v1/files/upload", files={"file": ("a.bin", bytes(size))})["id"]
    response = api.send("GET", CONTENT, params={"file_id": key})
    assert response.status_code == status
    assert status != 200 or response.content == bytes(size)


def test_download_of_an_unknown_file(api):
    """A file that was never uploaded is answered with 4200."""
    assert api.refused("GET", CONTENT, params={"file_id": "9"}) == (404, 4200)


def test_revoked_plugin(api, bot):
    """A revoked plugin is listed as unauthorized for the user and the channel, and stays authorized elsewhere."""

    def status(**names):
        items = api.ok("GET", "/v1/authorized_plugins", params={"entity_id": bot, **names})["items"]
        assert [plugin["plugin_id"] for plugin in items] == [NOTES]
        return items[0]["status"]

    assert status() == 1
    api.ok("POST", "/v1/authorized_plugins/revoke", json={"entity_id": bot, "plugin_id": NOTES, "user_id": "u"})
    assert (status(user_id="u"), status(user_id="v"), status(user_id="u", connector_id="999")) == (2, 1, 1)
    api.ok("POST", "/v1/authorized_plugins/revoke", json={"entity_id": bot, "entity_type": "0", "user_id": "v"})
    assert status(user_id="v") == 2


def test_plugins_of_other_entities(api):
    """Bots without such plugins, and calls that name no entity, have none; unknown bots are answered with 4200."""
    for names in ({}, {"entity_id": BOT_ID}, {"entity_id": WORKFLOW_ECHO, "entity_type": "2"}):
        assert api.ok("GET", "/v1/authorized_plugins", params=names) == {"items": []}
    assert api.refused("GET", "/v1/authorized_plugins", params={"entity_id": "9"}) == (404, 4200)


def test_authorizations_of_a_service_app(coze_sandbox):
    """An app lists the accounts and organizations for which it got tokens, page by page."""
    config = coze_sandbox.oauth.jwt_config(SERVICE_APP.client_id)
    assert authorizations(coze_sandbox, SERVICE_APP.client_id).json()["data"] == {"items": [], "has_more": False}
    for account in (COLLEAGUE_IDS[0], ORGANIZATION_ID, COLLEAGUE_IDS[0]):
        now = int(coze_sandbox.clock.now())
        claims = {"iss": SERVICE_APP.client_id, "aud": "api.coze.cn", "iat": now, "exp": now + 60}
        signed = jwt.encode(
            {**claims, "jti": uuid.uuid4().hex}, config["private_key"], "RS256", {"kid": config["public_key_id"]}
        )
        httpx.post(
            f"{coze_sandbox.base_url}/api/permission/oauth2/account/{account}/token",
            headers={"Authorization": f"Bearer {signed}"},
            json={"grant_type": "urn:ietf:params:oauth:grant-type:jwt-bearer"},
        ).raise_for_status()
    items = authorizations(coze_sandbox, SERVICE_APP.client_id).json()["data"]["items"]
    assert [authorization["account"]["account_id"] for authorization in items] == [COLLEAGUE_IDS[0], ORGANIZATION_ID]
    assert [authorization["account"]["account_type"] for authorization in items] == ["user", "organization"]


def test_authorizations_of_another_app(coze_sandbox):
    """An app does not see the authorizations of another, and one that has expired or is unknown sees none."""
    assert authorizations(coze_sandbox, WEB_APP.client_id).json()["code"] == 4101
    assert authorizations(coze_sandbox, SERVICE_APP.client_id, exp=1).json()["code"] == 4100
    assert authorizations(coze_sandbox, SERVICE_APP.client_id, iss="9").json()["code"] == 4100


def test_consent_is_an_authorization():
    """An app that a user allowed in the browser is authorized, for the workspace if it was requested for one."""
    with Sandbox(auto_consent=True) as sandbox, httpx.Client(base_url=sandbox.base_url) as http:
        query = {"client_id": WEB_APP.client_id, "redirect_uri": WEB_APP.redirect_uris[0]}
        query |= {"response_type": "code", "state": "s"}
        path = f"/api/permission/oauth2/workspace_id/{WORKSPACE_ID}/authorize"
        assert http.get(path, params=query).status_code == 302
        answer = http.get(
            f"/v1/oauth-apps/{WEB_APP.client_id}/authorizations", headers={"Authorization": f"Bearer {sandbox.token}"}
        ).json()
        (item,) = answer["data"]["items"]
        assert item["account"]["account_id"] == USER_ID
        assert item["permission"]["workspace_permission"]["workspace_ids"] == [WORKSPACE_ID]
        assert sandbox.violations == []


def test_document_from_a_form(api, coze_sandbox):
    """A file that is sent as a form becomes a document, which is processed."""
    body = {"name": "Manual", "space_id": WORKSPACE_ID, "format_type": 0}
    key = api.ok("POST", "/v1/datasets", json=body)["dataset_id"]
    path = f"/v1/datasets/{key}/documents_v2"
    (document,) = api.send("POST", path, files={"file": ("a.txt", b"text")}).json()["document_infos"]
    assert (document["name"], document["type"], document["size"], document["status"]) == ("a.txt", "txt", 4, 0)
    coze_sandbox.clock.advance(3600)
    listed = api.send("POST", "/open_api/knowledge/document/list", json={"dataset_id": key}).json()
    assert [(info["document_id"], info["status"]) for info in listed["document_infos"]] == [
        (document["document_id"], 1)
    ]
    assert api.ok("GET", "/v1/datasets", params={"space_id": WORKSPACE_ID})["dataset_list"][0]["doc_count"] == 1
    assert api.refused("POST", "/v1/datasets/9/documents_v2", files={"file": ("a.txt", b"text")}) == (404, 4200)


def test_history_at_the_older_address(api):
    """The older address returns the same run, with its input and other names of two members."""
    body = {"workflow_id": WORKFLOW_ECHO, "parameters": {"input": "Hi"}}
    key = api.send("POST", "/v1/workflow/run", json=body).json()["execute_id"]
    old = "/v1/workflow/get_run_history"
    (run,) = api.ok("GET", old, params={"workflow_id": WORKFLOW_ECHO, "execute_id": key})
    (newer,) = api.ok("GET", f"/v1/workflows/{WORKFLOW_ECHO}/run_histories/{key}")
    assert (run["log_id"], run["error_msg"]) == (newer["logid"], newer["error_message"])
    assert (run["output"], run["input"]) == (newer["output"], '{"input": "Hi"}')
    assert api.refused("GET", old, params={"workflow_id": WORKFLOW_FAIL, "execute_id": key})[0] == 404
    assert api.refused("GET", old, params={"workflow_id": WORKFLOW_ECHO}) == (400, 4000)
