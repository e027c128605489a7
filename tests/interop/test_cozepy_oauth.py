"""cozepy, the official Python SDK, gets its tokens from the sandbox."""

from __future__ import annotations

import hashlib
from base64 import urlsafe_b64encode
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from coze_sandbox import PUBLIC_APP, USER_ID, WEB_APP, Sandbox
from tests.interop._official import cozepy


def uses(sandbox: Sandbox, token: Any) -> bool:
    """Return whether a token works."""
    with cozepy.SyncHTTPClient() as http:
        me = cozepy.Coze(cozepy.TokenAuth(token.access_token), sandbox.base_url, http).users.me()
    return bool(me.user_id == USER_ID)


def agree(sandbox: Sandbox, address: str) -> str:
    """Open the address at which a person agrees, and return the code that comes back."""
    sandbox.oauth.auto_consent = True
    back = httpx.get(address).headers["location"]
    return parse_qs(urlsplit(back).query)["code"][0]


def test_service_app_gets_tokens(official: Any) -> None:
    """cozepy gets tokens with the downloaded configuration of a service app, for an account and a session."""
    app = official.adopt(cozepy.load_oauth_app_from_config(official.sandbox.oauth.jwt_config()))
    token = app.get_access_token(ttl=900, session_name="me")
    assert uses(official.sandbox, token)
    auth = cozepy.JWTAuth(oauth_app=app, ttl=900)
    with cozepy.SyncHTTPClient() as http:
        assert cozepy.Coze(auth, official.sandbox.base_url, http).users.me().user_id == USER_ID


def test_service_app_gets_a_token_with_a_scope(official: Any) -> None:
    """cozepy gets a token that may chat with one bot only."""
    app = official.adopt(cozepy.load_oauth_app_from_config(official.sandbox.oauth.jwt_config()))
    assert app.get_access_token(ttl=900, scope=cozepy.Scope.build_bot_chat(["7300000000000000200"])).access_token


def test_device_gets_and_refreshes_a_token(official: Any) -> None:
    """cozepy gets a token by the device flow once a person has agreed, and refreshes it."""
    app = official.adopt(cozepy.DeviceOAuthApp(PUBLIC_APP.client_id, official.sandbox.base_url))
    device = app.get_device_code()
    with pytest.raises(cozepy.CozePKCEAuthError) as caught:
        app.get_access_token(device.device_code)
    assert caught.value.error == cozepy.CozePKCEAuthErrorType.AUTHORIZATION_PENDING
    official.sandbox.oauth.decide(device.user_code)
    official.sandbox.clock.advance(10)
    token = app.get_access_token(device.device_code, poll=True)
    assert uses(official.sandbox, token)
    assert uses(official.sandbox, app.refresh_access_token(token.refresh_token))


def test_refused_device_raises_access_denied(official: Any) -> None:
    """cozepy raises `access_denied` when a person refuses the device code."""
    app = official.adopt(cozepy.DeviceOAuthApp(PUBLIC_APP.client_id, official.sandbox.base_url))
    device = app.get_device_code()
    official.sandbox.oauth.decide(device.user_code, allow=False)
    with pytest.raises(cozepy.CozePKCEAuthError) as caught:
        app.get_access_token(device.device_code)
    assert caught.value.error == cozepy.CozePKCEAuthErrorType.ACCESS_DENIED


def test_web_app_gets_and_refreshes_a_token(official: Any) -> None:
    """cozepy exchanges the code of a web app for a token, and refreshes it."""
    app = official.adopt(cozepy.WebOAuthApp(WEB_APP.client_id, WEB_APP.client_secret, official.sandbox.base_url))
    back = WEB_APP.redirect_uris[0]
    token = app.get_access_token(back, agree(official.sandbox, app.get_oauth_url(back, "s")))
    assert uses(official.sandbox, token)
    assert uses(official.sandbox, app.refresh_access_token(token.refresh_token))


def test_pkce_app_gets_a_token(official: Any) -> None:
    """cozepy exchanges a code for a token with its PKCE verifier."""
    app = official.adopt(cozepy.PKCEOAuthApp(PUBLIC_APP.client_id, official.sandbox.base_url))
    back, verifier = PUBLIC_APP.redirect_uris[0], "v" * 64
    address = app.get_oauth_url(back, verifier, "S256", state="s")
    challenge = urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
    assert challenge in address
    assert uses(official.sandbox, app.get_access_token(back, agree(official.sandbox, address), verifier))
