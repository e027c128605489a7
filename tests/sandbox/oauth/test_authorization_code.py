"""Tokens for codes and refresh tokens."""

from __future__ import annotations

import attrs
import httpx
import pytest

from coze_sandbox import BOT_ID, CHANNEL_APP, PUBLIC_APP, WEB_APP, WORKSPACE_ID, OAuthApp, Sandbox
from tests.sandbox.oauth._apps import BASE, DEVICE, REDIRECT, TOKEN, authorize, bearer, by_code, challenge_of, refused

VERIFIER = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"


@pytest.fixture
def public(coze_sandbox):
    """Give a client without a token; people allow at once."""
    coze_sandbox.oauth.auto_consent = True
    with httpx.Client(base_url=coze_sandbox.base_url) as http:
        yield http


def new_tokens(public):
    return public.post(TOKEN, json=by_code(authorize(public)["code"]), headers=bearer()).json()


def test_web_app(public, coze_sandbox):
    """A code works once, with the app's secret, address and id, for a token that opens other operations for 15 minutes."""
    code = authorize(public)["code"]
    assert refused(public.post(TOKEN, json=by_code(code))) == (400, "invalid_client")
    assert refused(public.post(TOKEN, json=by_code(code), headers=bearer("guess"))) == (400, "invalid_client")
    wrong = by_code(code, redirect_uri="https://evil.example.com/")
    assert refused(public.post(TOKEN, json=wrong, headers=bearer())) == (400, "invalid_request")
    other = by_code(code, PUBLIC_APP)
    assert refused(public.post(TOKEN, json=other, headers=bearer())) == (400, "invalid_request")
    token = public.post(TOKEN, json=by_code(code), headers=bearer()).json()
    assert token["access_token"].startswith("czu_")
    assert token["expires_in"] == pytest.approx(coze_sandbox.clock.now() + 900, abs=2)
    me = public.get("/v1/users/me", headers=bearer(token["access_token"]))
    assert me.json()["code"] == 0
    assert refused(public.post(TOKEN, json=by_code(code), headers=bearer())) == (400, "invalid_request")
    coze_sandbox.clock.advance(901)
    me = public.get("/v1/users/me", headers=bearer(token["access_token"]))
    assert (me.status_code, me.json()["code"]) == (401, 4100)


def test_refresh(public, coze_sandbox):
    """A refresh token works once and for 30 days, needs the secret as the first one did, and brings the next."""
    token = new_tokens(public)
    body = {"grant_type": "refresh_token", "client_id": WEB_APP.client_id, "refresh_token": token["refresh_token"]}
    assert refused(public.post(TOKEN, json=body)) == (400, "invalid_client")
    stolen = {**body, "client_id": PUBLIC_APP.client_id}
    assert refused(public.post(TOKEN, json=stolen, headers=bearer())) == (400, "invalid_request")
    coze_sandbox.clock.advance(30 * 86_400 - 60)
    again = public.post(TOKEN, json=body, headers=bearer()).json()
    assert again["refresh_token"] != token["refresh_token"]
    assert refused(public.post(TOKEN, json=body, headers=bearer())) == (400, "invalid_request")
    body["refresh_token"] = again["refresh_token"]
    coze_sandbox.clock.advance(30 * 86_400 + 1)
    assert refused(public.post(TOKEN, json=body, headers=bearer())) == (400, "invalid_request")


@pytest.mark.parametrize("method", ["plain", "S256"])
def test_pkce(public, method):
    """With PKCE the verifier stands for the secret, at the first token as at the next ones."""
    challenge = VERIFIER if method == "plain" else challenge_of(VERIFIER)
    query = {"client_id": PUBLIC_APP.client_id, "code_challenge": challenge, "code_challenge_method": method}
    code = authorize(public, **query)["code"]
    for wrong in ({}, {"code_verifier": "x"}):
        assert refused(public.post(TOKEN, json=by_code(code, PUBLIC_APP, **wrong))) == (400, "invalid_request")
    token = public.post(TOKEN, json=by_code(code, PUBLIC_APP, code_verifier=VERIFIER)).json()
    body = {"grant_type": "refresh_token", "client_id": PUBLIC_APP.client_id, "refresh_token": token["refresh_token"]}
    assert "access_token" in public.post(TOKEN, json=body).json()


def test_web_app_with_pkce(public):
    """A challenge does not spare a web app its secret."""
    code = authorize(public, code_challenge=challenge_of(VERIFIER), code_challenge_method="S256")["code"]
    body = by_code(code, code_verifier=VERIFIER)
    assert refused(public.post(TOKEN, json=body)) == (400, "invalid_client")
    assert "access_token" in public.post(TOKEN, json=body, headers=bearer()).json()


def test_public_app_without_pkce(public):
    """An app without a secret is sent back without a code if it gave no challenge."""
    answer = authorize(public, client_id=PUBLIC_APP.client_id)
    assert answer["error"] == "invalid_request"
    assert "code" not in answer


def test_code_expires(public, coze_sandbox):
    """A code is worth nothing after five minutes."""
    code = authorize(public)["code"]
    coze_sandbox.clock.advance(301)
    assert refused(public.post(TOKEN, json=by_code(code), headers=bearer())) == (400, "invalid_request")


def test_refusal(public, coze_sandbox):
    """Where the user refuses, the browser goes back with access_denied and without a code."""
    coze_sandbox.oauth.auto_consent = False
    answer = authorize(public)
    assert answer["error"] == "access_denied"
    assert "code" not in answer


def test_bad_requests(public):
    """An invalid body, a missing member and an unknown app get errors in the shape of OAuth."""
    unknown = by_code("code_1", attrs.evolve(WEB_APP, client_id="1.app.coze"))
    for body in ({}, by_code(""), by_code("code_1"), {"grant_type": DEVICE}, unknown):
        assert refused(public.post(TOKEN, json=body, headers=bearer())) == (400, "invalid_request"), body
    response = public.post(TOKEN, json={"grant_type": "password"})
    assert refused(response) == (400, "unsupported_grant_type")
    assert "password" in response.json()["error_message"]


def test_wrong_type_of_app(public):
    """An app with a key pair cannot use codes, and gets the documented error message."""
    query = {"response_type": "code", "client_id": CHANNEL_APP.client_id, "redirect_uri": REDIRECT, "state": "s"}
    response = public.get(f"{BASE}/authorize", params=query)
    assert (response.status_code, response.json()["msg"]) == (403, "invalid app type")
    response = public.post(TOKEN, json=by_code("code_1", CHANNEL_APP), headers=bearer())
    assert refused(response) == (400, "access_deny")
    assert response.json()["error_message"] == "invalid app type"
    response = public.post(f"{BASE}/device/code", json={"client_id": WEB_APP.client_id})
    assert refused(response) == (400, "access_deny")


def test_deactivated_app(public, coze_sandbox):
    """An app that its owner deactivated gets no codes and no tokens until it is active again."""
    code = authorize(public)["code"]
    coze_sandbox.oauth.set_active(WEB_APP.client_id, active=False)
    response = public.post(TOKEN, json=by_code(code), headers=bearer())
    assert refused(response) == (400, "access_deny")
    assert response.json()["error_message"] == "app: Sandbox web app is currently deactivated by the owner"
    query = {"response_type": "code", "client_id": WEB_APP.client_id, "redirect_uri": REDIRECT, "state": "s"}
    assert public.get(f"{BASE}/authorize", params=query).json()["code"] == 4101
    coze_sandbox.oauth.set_active(WEB_APP.client_id, active=True)
    assert "access_token" in public.post(TOKEN, json=by_code(code), headers=bearer()).json()
    with pytest.raises(ValueError, match="unknown OAuth app"):
        coze_sandbox.oauth.set_active("1", active=False)


def test_bad_authorizations(public):
    """The user sees an unknown app or an unregistered address as an error, and the browser is sent nowhere."""
    good = {"response_type": "code", "client_id": WEB_APP.client_id, "redirect_uri": REDIRECT, "state": "s"}
    bad = ["nowhere", "http://[", "https://evil.example.com/callback", f"{REDIRECT}/2", f"{REDIRECT}#x", "app://x/y"]
    cases = [{**good, "redirect_uri": address} for address in bad]
    cases += [{**good, "client_id": "1.app.coze"}, {**good, "response_type": "token"}, {"client_id": "app"}]
    for query in cases:
        response = public.get(f"{BASE}/authorize", params=query)
        assert (response.status_code, response.json()["code"]) == (400, 4000), query


@pytest.mark.parametrize("state", ["", "%20ä&x=1"])
def test_state_comes_back(public, state):
    """The state comes back unchanged, also the empty one that the official SDKs send."""
    back = "http://127.0.0.1:7/back?x=1"
    query = {"response_type": "code", "client_id": WEB_APP.client_id, "redirect_uri": back, "state": state}
    response = public.get(f"{BASE}/authorize", params=query)
    location = httpx.URL(response.headers["location"])
    assert (location.params["state"], location.params["x"], location.port) == (state, "1", 7)


def test_one_workspace(public):
    """A token of one workspace opens it, but neither what belongs to the account nor another workspace."""
    code = authorize(public, f"{BASE}/workspace_id/{WORKSPACE_ID}/authorize")["code"]
    token = public.post(TOKEN, json=by_code(code), headers=bearer()).json()["access_token"]

    def code_of(path, **query):
        return public.get(path, params=query, headers=bearer(token)).json()["code"]

    assert code_of("/v1/bots", workspace_id=WORKSPACE_ID) == 0
    assert code_of("/v1/bots", workspace_id="7300000000000000999") == 4101
    assert code_of("/v1/conversations", bot_id=BOT_ID, connector_id="1024") == 4101
    lost = public.post(f"{BASE}/workspace_id/1/device/code", json={"client_id": PUBLIC_APP.client_id})
    assert refused(lost) == (404, "invalid_request")


def test_own_apps():
    """Apps of one's own have their id, secret, addresses and permissions; with a loopback address, at any port."""
    app = OAuthApp(
        client_id="7.app.coze",
        kind="web",
        client_secret="s",
        redirect_uris=("http://localhost:1/back",),
        permissions=frozenset({"listBot"}),
    )
    with Sandbox(oauth_apps=(app,), auto_consent=True) as sandbox, httpx.Client(base_url=sandbox.base_url) as http:
        back = "http://localhost:99/back"
        query = {"response_type": "code", "client_id": app.client_id, "state": "s"}
        elsewhere = http.get(f"{BASE}/authorize", params={**query, "redirect_uri": "http://localhost:99/other"})
        assert elsewhere.status_code == 400
        code = authorize(http, client_id=app.client_id, redirect_uri=back)["code"]
        body = by_code(code, app, redirect_uri=back)
        token = http.post(TOKEN, json=body, headers=bearer("s")).json()["access_token"]
        bots = http.get("/v1/bots", params={"workspace_id": WORKSPACE_ID}, headers=bearer(token))
        assert bots.json()["code"] == 0
        refusal = http.get("/v1/workspaces", headers=bearer(token)).json()
        assert (refusal["code"], "listWorkspace" in refusal["msg"]) == (4101, True)


def test_any_app():
    """Where any client id will do, it is that of an app with any address, for codes and for devices."""
    with Sandbox(any_oauth_app=True, auto_consent=True) as sandbox, httpx.Client(base_url=sandbox.base_url) as http:
        back = "https://own.example.com/x"
        code = authorize(http, client_id="mine", redirect_uri=back)["code"]
        body = by_code(code, client_id="mine", redirect_uri=back)
        assert refused(http.post(TOKEN, json=body)) == (400, "invalid_client")
        assert "access_token" in http.post(TOKEN, json=body, headers=bearer("whatever")).json()
        begun = http.post(f"{BASE}/device/code", json={"client_id": "mine"}).json()
        body = {"grant_type": DEVICE, "client_id": "mine", "device_code": begun["device_code"]}
        assert "access_token" in http.post(TOKEN, json=body).json()
