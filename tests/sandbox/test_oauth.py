"""Tokens for OAuth apps."""

from __future__ import annotations

import base64
import hashlib
import json
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from coze_sandbox import WORKSPACE_ID

BASE = "/api/permission/oauth2"
TOKEN = f"{BASE}/token"
JWT = "urn:ietf:params:oauth:grant-type:jwt-bearer"
DEVICE = "urn:ietf:params:oauth:grant-type:device_code"
REDIRECT = "https://app.example.com/callback?tenant=7"


@pytest.fixture
def public(coze_sandbox):
    """Give a client without a token."""
    with httpx.Client(base_url=coze_sandbox.base_url) as http:
        yield http


def secret(text="secret"):
    return {"Authorization": f"Bearer {text}"}


def code_of(public, path=f"{BASE}/authorize", **query):
    query = {"response_type": "code", "client_id": "app", "redirect_uri": REDIRECT, "state": "s 1", **query}
    response = public.get(path, params=query)
    assert response.status_code == 302
    address = urlsplit(response.headers["location"])
    assert address._replace(query="").geturl() == REDIRECT.partition("?")[0]
    answer = parse_qs(address.query)
    assert (answer["state"], answer["tenant"]) == (["s 1"], ["7"])
    return answer["code"][0]


def by_code(code, **members):
    body = {"grant_type": "authorization_code", "client_id": "app", "redirect_uri": REDIRECT, "code": code}
    return {**body, **members}


def refused(response):
    body = response.json()
    assert set(body) == {"error_code", "error_message", "error", "error_description"}
    assert response.headers["x-tt-logid"]
    return response.status_code, body["error_code"]


def test_web_app(public, coze_sandbox):
    """A code, which works once, is worth a token that opens other operations until it expires."""
    code = code_of(public)
    assert refused(public.post(TOKEN, json=by_code(code))) == (400, "invalid_client")
    wrong = by_code(code, redirect_uri="https://evil.example.com/")
    assert refused(public.post(TOKEN, json=wrong, headers=secret())) == (400, "invalid_request")
    token = public.post(TOKEN, json=by_code(code), headers=secret()).json()
    assert token["access_token"].startswith("czu_")
    assert token["expires_in"] == pytest.approx(coze_sandbox.clock.now() + 900, abs=2)
    me = public.get("/v1/users/me", headers=secret(token["access_token"]))
    assert me.json()["code"] == 0
    assert refused(public.post(TOKEN, json=by_code(code), headers=secret())) == (400, "invalid_request")
    coze_sandbox.clock.advance(1000)
    me = public.get("/v1/users/me", headers=secret(token["access_token"]))
    assert (me.status_code, me.json()["code"]) == (401, 4100)


def test_refresh(public, coze_sandbox):
    """A refresh token works once, needs the secret as the first one did, and brings the next."""
    token = public.post(TOKEN, json=by_code(code_of(public)), headers=secret()).json()
    body = {"grant_type": "refresh_token", "client_id": "app", "refresh_token": token["refresh_token"]}
    assert refused(public.post(TOKEN, json=body)) == (400, "invalid_client")
    again = public.post(TOKEN, json=body, headers=secret()).json()
    assert again["refresh_token"] != token["refresh_token"]
    assert refused(public.post(TOKEN, json=body, headers=secret())) == (400, "invalid_request")
    body["refresh_token"] = again["refresh_token"]
    coze_sandbox.clock.advance(31 * 86_400)
    assert refused(public.post(TOKEN, json=body, headers=secret())) == (400, "invalid_request")


@pytest.mark.parametrize("method", ["plain", "S256"])
def test_pkce(public, method):
    """With PKCE the verifier stands for the secret."""
    verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
    digest = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
    challenge = verifier if method == "plain" else digest
    query = {"code_challenge": challenge, "code_challenge_method": method}
    wrong = by_code(code_of(public, **query), code_verifier="x")
    assert refused(public.post(TOKEN, json=wrong)) == (400, "invalid_request")
    right = by_code(code_of(public, **query), code_verifier=verifier)
    assert "access_token" in public.post(TOKEN, json=right).json()


def test_code_expires(public, coze_sandbox):
    """A code is worth nothing after five minutes, and nothing to another app."""
    code = code_of(public)
    other = by_code(code, client_id="other")
    assert refused(public.post(TOKEN, json=other, headers=secret())) == (400, "invalid_request")
    coze_sandbox.clock.advance(301)
    assert refused(public.post(TOKEN, json=by_code(code), headers=secret())) == (400, "invalid_request")


def test_device(public, coze_sandbox):
    """A device waits once, must not ask too often, and then gets its token."""
    begun = public.post(f"{BASE}/device/code", json={"client_id": "app"}).json()
    body = {"grant_type": DEVICE, "client_id": "app", "device_code": begun["device_code"]}
    assert refused(public.post(TOKEN, json=body)) == (400, "authorization_pending")
    assert refused(public.post(TOKEN, json=body)) == (400, "slow_down")
    coze_sandbox.clock.advance(begun["interval"])
    assert "refresh_token" in public.post(TOKEN, json=body).json()
    assert refused(public.post(TOKEN, json=body)) == (400, "invalid_request")


def test_device_code_expires(public, coze_sandbox):
    """A device code is worth nothing after its time."""
    begun = public.post(f"{BASE}/device/code", json={"client_id": "app"}).json()
    coze_sandbox.clock.advance(begun["expires_in"] + 1)
    body = {"grant_type": DEVICE, "client_id": "app", "device_code": begun["device_code"]}
    assert refused(public.post(TOKEN, json=body)) == (400, "expired_token")


def jwt(now, **claims):
    def part(value):
        return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()

    claims = {"iss": "1", "aud": "api.coze.cn", "iat": int(now), "exp": int(now) + 600, "jti": "j", **claims}
    return f"{part({'alg': 'RS256', 'typ': 'JWT', 'kid': 'k'})}.{part(claims)}.c2lnbmVk"


@pytest.mark.parametrize("path", [TOKEN, f"{BASE}/account/1/token", f"{BASE}/enterprise_id/1/token"])
def test_jwt(public, coze_sandbox, path):
    """A JWT works once, and the token is valid as long as was asked for."""
    body = {"grant_type": JWT, "duration_seconds": 86_399}
    now = coze_sandbox.clock.now()
    token = public.post(path, json=body, headers=secret(jwt(now))).json()
    assert token["access_token"].startswith("czs_")
    assert "refresh_token" not in token
    assert token["expires_in"] == pytest.approx(now + 86_399, abs=2)
    assert refused(public.post(path, json=body, headers=secret(jwt(now)))) == (400, "invalid_client")
    assert refused(public.post(path, json=body))[1] == "invalid_client"


def test_bad_jwts(public, coze_sandbox):
    """What is no JWT, lacks a claim or is out of its time is worth no token."""
    now = coze_sandbox.clock.now()
    bad = ["x", "a.b.c", "W10.W10.x", jwt(now, jti=""), jwt(now, exp=int(now) - 1), jwt(now, iat=int(now) + 3600)]
    bad += [jwt(now).rpartition(".")[0] + ".", jwt(now, exp="soon"), jwt(now, exp=float("inf")), "e30.e30.x"]
    for text in bad:
        response = public.post(TOKEN, json={"grant_type": JWT}, headers=secret(text))
        assert refused(response) == (400, "invalid_client"), text


def test_bad_requests(public):
    """A bad body, a missing member and an unknown grant are told in the shape of OAuth."""
    for body in ({}, {"grant_type": "password"}, by_code(""), {"grant_type": DEVICE, "client_id": "app"}):
        assert refused(public.post(TOKEN, json=body, headers=secret())) == (400, "invalid_request")


def test_bad_authorizations(public):
    """A missing parameter or an address that is none is told in the usual envelope."""
    query = {"response_type": "code", "client_id": "app", "redirect_uri": "nowhere", "state": "s"}
    broken = {**query, "redirect_uri": "http://["}
    for one in (query, broken, {**query, "response_type": "token"}, {"client_id": "app"}):
        response = public.get(f"{BASE}/authorize", params=one)
        assert (response.status_code, response.json()["code"]) == (400, 4000)


def test_one_workspace(public):
    """The same works for one workspace, which must exist."""
    path = f"{BASE}/workspace_id/{WORKSPACE_ID}"
    code = code_of(public, f"{path}/authorize")
    assert "access_token" in public.post(TOKEN, json=by_code(code), headers=secret()).json()
    assert "device_code" in public.post(f"{path}/device/code", json={"client_id": "app"}).json()
    lost = public.post(f"{BASE}/workspace_id/1/device/code", json={"client_id": "app"})
    assert refused(lost) == (404, "invalid_request")
