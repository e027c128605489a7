"""Tokens for devices."""

from __future__ import annotations

import httpx
import pytest

from coze_sandbox import PUBLIC_APP
from tests.sandbox.oauth._apps import BASE, DEVICE, TOKEN, refused


@pytest.fixture
def public(coze_sandbox):
    """Give a client without a token."""
    with httpx.Client(base_url=coze_sandbox.base_url) as http:
        yield http


@pytest.fixture
def begun(public):
    """Return the device authorization response."""
    response = public.post(f"{BASE}/device/code", json={"client_id": PUBLIC_APP.client_id})
    assert response.status_code == 200
    return response.json()


def poll(public, begun):
    body = {"grant_type": DEVICE, "client_id": PUBLIC_APP.client_id, "device_code": begun["device_code"]}
    return public.post(TOKEN, json=body)


def test_allowed(public, coze_sandbox, begun):
    """A device waits for its user, is slowed down when it polls too often, and then gets its token once."""
    assert refused(poll(public, begun)) == (400, "authorization_pending")
    assert refused(poll(public, begun)) == (400, "slow_down")
    coze_sandbox.clock.advance(begun["interval"])
    assert refused(poll(public, begun)) == (400, "authorization_pending")
    coze_sandbox.oauth.decide(begun["user_code"])
    assert refused(poll(public, begun)) == (400, "slow_down")
    coze_sandbox.clock.advance(begun["interval"])
    token = poll(public, begun).json()
    assert token["access_token"].startswith("czu_")
    assert token["refresh_token"]
    coze_sandbox.clock.advance(begun["interval"])
    assert refused(poll(public, begun)) == (400, "invalid_request")


def test_refused(public, coze_sandbox, begun):
    """A device whose user refuses gets an error, as often as it polls."""
    coze_sandbox.oauth.decide(begun["user_code"], allow=False)
    for _ in range(2):
        assert refused(poll(public, begun)) == (400, "access_denied")
        coze_sandbox.clock.advance(begun["interval"])


def test_expired(public, coze_sandbox, begun):
    """A device code is worth nothing after its time, and its user comes too late."""
    coze_sandbox.clock.advance(begun["expires_in"] + 1)
    assert refused(poll(public, begun)) == (400, "expired_token")
    with pytest.raises(ValueError, match="expired"):
        coze_sandbox.oauth.decide(begun["user_code"])


def test_other_app(public, begun):
    """A device code is worth nothing to another app or misspelt."""
    for wrong in ({"client_id": "81730000000000000000000000000001.app.coze"}, {"device_code": "x"}):
        body = {"grant_type": DEVICE, "client_id": PUBLIC_APP.client_id, "device_code": begun["device_code"], **wrong}
        assert refused(public.post(TOKEN, json=body)) == (400, "invalid_request")


def test_by_control_endpoints(public, begun):
    """Other processes see who waits, and decide."""
    (waiting,) = public.get("/_sandbox/oauth").json()["waiting"]
    assert (waiting["kind"], waiting["key"]) == ("device", begun["user_code"].replace("-", ""))
    decided = public.post("/_sandbox/oauth/decide", json={"key": begun["user_code"].lower(), "allow": True})
    assert decided.json() == {"location": None}
    assert public.get("/_sandbox/oauth").json()["waiting"] == []
    assert "access_token" in poll(public, begun).json()
    again = public.post("/_sandbox/oauth/decide", json={"key": begun["user_code"], "allow": True})
    assert again.status_code == 400


def test_auto_consent_decides_codes_of_devices(public, coze_sandbox):
    """With `auto_consent`, the first poll of a device gets its tokens or the error; a reset ends it."""
    for decision, word in ((True, None), (False, "access_denied"), (None, "authorization_pending")):
        assert public.post("/_sandbox/oauth", json={"auto_consent": decision}).status_code == 200
        begun = public.post(f"{BASE}/device/code", json={"client_id": PUBLIC_APP.client_id}).json()
        assert poll(public, begun).json().get("error") == word
    assert public.post("/_sandbox/oauth", json={"auto_consent": "yes"}).status_code == 400
    coze_sandbox.oauth.auto_consent = True
    coze_sandbox.reset()
    assert coze_sandbox.oauth.auto_consent is None
