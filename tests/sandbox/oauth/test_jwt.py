"""Tokens for JWTs."""

from __future__ import annotations

import json
import subprocess
import sys
import uuid

import httpx
import jwt
import pytest

from coze_sandbox import (
    BOT_ID,
    CHANNEL_APP,
    COLLEAGUE_IDS,
    ENTERPRISE_APP,
    ENTERPRISE_ID,
    ORGANIZATION_ID,
    SERVICE_APP,
    WEB_APP,
    OAuthApp,
    Sandbox,
)
from tests.sandbox.oauth._apps import BASE, JWT, TOKEN, bearer, refused

ACCOUNT = f"{BASE}/account/{COLLEAGUE_IDS[0]}/token"
ENTERPRISE = f"{BASE}/enterprise_id/{ENTERPRISE_ID}/token"


@pytest.fixture
def public(coze_sandbox):
    """Give a client without a token."""
    with httpx.Client(base_url=coze_sandbox.base_url) as http:
        yield http


@pytest.fixture
def sign(coze_sandbox):
    """Give a way to sign a JWT as an app does; headers begin with `h_`."""

    def signed(app=SERVICE_APP, key=None, **changes):
        config = coze_sandbox.oauth.jwt_config(app.client_id)
        now = int(coze_sandbox.clock.now())
        claims = {"iss": app.client_id, "aud": "api.coze.cn", "iat": now, "exp": now + 600, "jti": uuid.uuid4().hex}
        headers = {"kid": config["public_key_id"]}
        for name, value in changes.items():
            place, bare = (headers, name[2:]) if name.startswith("h_") else (claims, name)
            place[bare] = value
        claims = {name: value for name, value in claims.items() if value is not None}
        if headers["kid"] is None:
            del headers["kid"]
        algorithm = headers.pop("alg", "RS256")
        return jwt.encode(claims, key or config["private_key"], algorithm, headers)

    return signed


def request_token(public, text, path=TOKEN, **members):
    return public.post(path, json={"grant_type": JWT, **members}, headers=bearer(text))


def test_once(public, coze_sandbox, sign):
    """A JWT works once, for a token without a refresh token that is valid as long as requested."""
    text = sign(session_name="user-1")
    token = request_token(public, text, duration_seconds=86_399).json()
    assert token["access_token"].startswith("czs_")
    assert "refresh_token" not in token
    assert token["expires_in"] == pytest.approx(coze_sandbox.clock.now() + 86_399, abs=2)
    again = request_token(public, text)
    assert refused(again) == (400, "invalid_client")
    assert "jti" in again.json()["error_message"]
    me = public.get("/v1/users/me", headers=bearer(token["access_token"]))
    assert me.json()["code"] == 0


def test_default_duration(public, coze_sandbox, sign):
    """Without a wish the token is valid for 15 minutes; a day or nothing is refused, and the JWT is still good."""
    text = sign()
    for seconds in (86_400, 0, -1):
        assert refused(request_token(public, text, duration_seconds=seconds)) == (400, "invalid_request")
    assert request_token(public, text).json()["expires_in"] == pytest.approx(coze_sandbox.clock.now() + 900, abs=2)


@pytest.mark.parametrize(
    ("changes", "word"),
    [
        ({"h_kid": "other"}, "kid"),
        ({"h_kid": None}, "kid"),
        ({"h_typ": None}, "typ"),
        ({"h_alg": "RS384"}, "RS256"),
        ({"h_alg": "HS256", "key": "x" * 64}, "RS256"),
        ({"iss": None}, "iss"),
        ({"iss": "1"}, "iss"),
        ({"aud": None}, "aud"),
        ({"aud": "www.coze.cn"}, "aud"),
        ({"iat": None}, "iat"),
        ({"iat": 1.5}, "iat"),
        ({"iat": 99_999_999_999}, "future"),
        ({"exp": None}, "exp"),
        ({"exp": 1}, "exp"),
        ({"exp": True}, "exp"),
        ({"jti": None}, "jti"),
        ({"session_name": 7}, "session_name"),
    ],
    ids=lambda value: value if isinstance(value, str) else "-".join(value),
)
def test_bad_jwts(public, sign, changes, word):
    """A JWT with a wrong header or claim is worth no token, and the refusal names it."""
    response = request_token(public, sign(**changes))
    assert refused(response) == (400, "invalid_client")
    assert word in response.json()["error_message"]


def test_bad_signatures(public, coze_sandbox, sign):
    """A JWT that another app signed, one that was changed or cut, and text that is not a JWT get no token."""
    other = coze_sandbox.oauth.jwt_config(CHANNEL_APP.client_id)["private_key"]
    good = sign()
    head, body, signature = good.split(".")
    bad = [
        sign(key=other),
        f"{head}.{body}.",
        f"{head}.{body}",
        f"{head}.{body}x.{signature}",
        "x",
        "a.b.c",
        "W10.W10.x",
    ]
    for text in bad:
        assert refused(request_token(public, text)) == (400, "invalid_client"), text
    assert refused(public.post(TOKEN, json={"grant_type": JWT})) == (400, "invalid_client")
    assert refused(public.post(ACCOUNT, json={"grant_type": JWT})) == (401, "invalid_client")
    assert "access_token" in request_token(public, good).json()


@pytest.mark.parametrize("host", ["api.coze.com", "api.coze.cn", "own", "own with port"])
def test_audience(public, sign, host):
    """The audience is one of the hosts of Coze, or that of the sandbox as official SDKs write it."""
    own = {"own": public.base_url.host, "own with port": public.base_url.netloc.decode()}
    assert "access_token" in request_token(public, sign(aud=own.get(host, host))).json()


def test_another_account(public, sign):
    """A token of another account is that account's; one of an organization works as well, one of nobody does not."""
    token = request_token(public, sign(), ACCOUNT).json()["access_token"]
    me = public.get("/v1/users/me", headers=bearer(token)).json()
    assert me["data"]["user_id"] == COLLEAGUE_IDS[0]
    assert "access_token" in request_token(public, sign(), f"{BASE}/account/{ORGANIZATION_ID}/token").json()
    assert refused(request_token(public, sign(), f"{BASE}/account/1/token")) == (400, "invalid_request")


def test_enterprise(public, sign):
    """Only enterprise privileged apps get tokens of an enterprise, and none but those."""
    assert "access_token" in request_token(public, sign(ENTERPRISE_APP), ENTERPRISE).json()
    assert refused(request_token(public, sign(), ENTERPRISE)) == (400, "access_deny")
    assert refused(request_token(public, sign(ENTERPRISE_APP))) == (400, "access_deny")
    assert refused(request_token(public, sign(ENTERPRISE_APP), f"{BASE}/enterprise_id/1/token")) == (
        400,
        "invalid_request",
    )
    assert refused(request_token(public, sign(CHANNEL_APP), ACCOUNT)) == (400, "access_deny")


def test_channel(public, sign):
    """The token of a channel app may chat and no more, and with the bots of its scope only."""
    bots = {"connector_bot_chat_attribute": {"bot_id_list": [BOT_ID]}}
    scope = {"account_permission": {"permission_list": ["Connector.botChat"]}, "attribute_constraint": bots}
    token = request_token(public, sign(CHANNEL_APP), scope=scope).json()["access_token"]

    message = {"role": "user", "content": "Hi", "content_type": "text"}

    def chat_with(bot_id):
        body = {"bot_id": bot_id, "user_id": "u", "additional_messages": [message]}
        return public.post("/v3/chat", json=body, headers=bearer(token)).json()["code"]

    assert (chat_with(BOT_ID), chat_with("7300000000000000999")) == (0, 4101)
    assert public.get("/v1/workspaces", headers=bearer(token)).json()["code"] == 4101
    scope["account_permission"]["permission_list"].append("createBot")
    assert refused(request_token(public, sign(CHANNEL_APP), scope=scope)) == (400, "invalid_request")


def test_scope_of_other_apps(public, sign):
    """For apps that are none of a channel a scope is without effect, and null is none."""
    bots = {"connector_bot_chat_attribute": {"bot_id_list": []}}
    scope = {"account_permission": {"permission_list": []}, "attribute_constraint": bots}
    for wish in (scope, None):
        token = request_token(public, sign(), scope=wish).json()["access_token"]
        assert public.get("/v1/workspaces", headers=bearer(token)).json()["code"] == 0


def test_wrong_apps(public, coze_sandbox, sign):
    """An app with a secret cannot sign, and a deactivated one gets nothing."""
    assert refused(request_token(public, sign(iss=WEB_APP.client_id))) == (400, "access_deny")
    coze_sandbox.oauth.set_active(SERVICE_APP.client_id, active=False)
    assert refused(request_token(public, sign())) == (400, "access_deny")


def test_config(public, coze_sandbox):
    """The configuration has the members of the vendor's file, is the same until the end, and comes by HTTP as well."""
    config = coze_sandbox.oauth.jwt_config()
    assert config.keys() == {
        "client_type", "client_id", "coze_www_base", "coze_api_base", "private_key", "public_key_id",
    }  # fmt: skip
    assert config["coze_api_base"] == coze_sandbox.base_url
    assert public.get("/_sandbox/oauth/jwt-config").json() == config
    for wrong in (WEB_APP.client_id, "1"):
        assert public.get("/_sandbox/oauth/jwt-config", params={"client_id": wrong}).status_code == 400


def test_own_key(sign, coze_sandbox):
    """An app registered with a public key is verified by it, and its private key is not known."""
    config = coze_sandbox.oauth.jwt_config()
    from coze_sandbox._config.oauth_apps import _public_half

    app = OAuthApp(client_id="42", kind="service", public_key=_public_half(config["private_key"]))
    with Sandbox(oauth_apps=(app,)) as sandbox, httpx.Client(base_url=sandbox.base_url) as http:
        text = sign(iss="42")  # the same key pair has the same fingerprint
        assert "access_token" in request_token(http, text).json()
        with pytest.raises(ValueError, match="is unknown"):
            sandbox.oauth.jwt_config("42")


def test_any_app():
    """Where any client id will do, the signature of an unknown app is not looked at, but its claims are."""
    with Sandbox(any_oauth_app=True) as sandbox, httpx.Client(base_url=sandbox.base_url) as http:
        now = int(sandbox.clock.now())
        claims = {"iss": "mine", "aud": "api.coze.com", "iat": now, "exp": now + 60, "jti": "1"}
        key = sandbox.oauth.jwt_config()["private_key"]
        assert "access_token" in request_token(http, jwt.encode(claims, key, "RS256", {"kid": "k"})).json()
        claims["exp"] = now - 1
        assert refused(request_token(http, jwt.encode(claims, key, "RS256", {"kid": "k"}))) == (400, "invalid_client")


def test_config_of_a_process(tmp_path):
    """With --write-jwt-config the process writes the file, which nobody else may read."""
    path = tmp_path / "app.json"
    command = [sys.executable, "-m", "coze_sandbox", "--print-json", "--write-jwt-config", str(path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            facts = json.loads(process.stdout.readline())
            config = json.loads(path.read_text(encoding="utf-8"))
            assert path.stat().st_mode & 0o777 == 0o600
            assert config["coze_api_base"] == facts["base_url"]
            now = int(httpx.get(f"{facts['base_url']}/_sandbox/").json()["now"])
            claims = {"iss": config["client_id"], "aud": "api.coze.cn", "iat": now, "exp": now + 60, "jti": "1"}
            text = jwt.encode(claims, config["private_key"], "RS256", {"kid": config["public_key_id"]})
            with httpx.Client(base_url=facts["base_url"]) as http:
                assert "access_token" in request_token(http, text).json()
        finally:
            process.terminate()
