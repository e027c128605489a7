"""Helpers for tests of authorization: flows that look sync, and a user with a browser."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx

from coze_sandbox import Sandbox
from cozekit import auth
from cozekit.auth import Token, new_state, new_verifier
from tests.overlay._clients import Connect

__all__ = [
    "PUBLIC_APP",
    "REDIRECT",
    "SECRET",
    "WEB_APP",
    "Flows",
    "ahead",
    "browse",
    "expired",
    "jwt_config",
    "query_of",
    "token_requests",
]

WEB_APP, SECRET = "81730000000000000000000000000001.app.coze", "secret_sandbox"
PUBLIC_APP = "81730000000000000000000000000002.app.coze"
REDIRECT = "http://127.0.0.1:9/callback"


def jwt_config(sandbox: Sandbox, *which: str) -> dict[str, str]:
    """Return the settings of a JWT app, as the Coze console exports them."""
    return dict(sandbox.oauth.jwt_config(*which))


class Flows:
    """Creates sync flows, or async flows that look sync."""

    def __init__(self, connect: Connect, sandbox: Sandbox) -> None:
        self._connect = connect
        self.sandbox = sandbox
        self.base_url = sandbox.base_url

    def __call__(self, name: str, *arguments: Any, **options: Any) -> Any:
        kind = getattr(auth, f"Async{name}" if self._connect.is_async else name)
        return self._connect.show(kind(*arguments, **{"base_url": self.base_url, **options}))

    def web(self, **options: Any) -> Any:
        return self("WebOAuth", WEB_APP, SECRET, REDIRECT, **options)

    def pkce(self, **options: Any) -> Any:
        return self("PKCEOAuth", PUBLIC_APP, REDIRECT, **options)

    def device(self, **options: Any) -> Any:
        return self("DeviceOAuth", PUBLIC_APP, **options)

    def jwt(self, *which: str, **options: Any) -> Any:
        config = jwt_config(self.sandbox, *which)
        return self("JWTOAuth", config["client_id"], config["private_key"], config["public_key_id"], **options)

    def web_token(self, **options: Any) -> tuple[Any, Token]:
        """Return the flow of a web app and a token that a user granted."""
        web, state = self.web(**options), new_state()
        return web, web.exchange(web.parse_callback(browse(web.authorize_url(state=state)), state=state))

    def pkce_token(self, **options: Any) -> tuple[Any, Token]:
        """Return the flow of an app without a secret and a token that a user granted."""
        pkce, state, verifier = self.pkce(**options), new_state(), new_verifier()
        url = pkce.authorize_url(state=state, code_verifier=verifier)
        return pkce, pkce.exchange(pkce.parse_callback(browse(url), state=state), code_verifier=verifier)

    def app(self, *which: str) -> dict[str, str]:
        """Return the settings of a JWT app."""
        return jwt_config(self.sandbox, *which)

    def app_file(self, folder: Path, **changes: Any) -> Path:
        """Write the settings file of a JWT app."""
        path = folder / "app.json"
        path.write_text(json.dumps({**jwt_config(self.sandbox), **changes}), encoding="utf-8")
        return path


def browse(url: str) -> str:
    """Act as the user's browser: open a URL and return the URL that Coze redirects to."""
    with httpx.Client() as http:
        response = http.get(url)
        while response.is_redirect and not response.headers["location"].startswith(REDIRECT):
            response = http.get(response.url.join(response.headers["location"]))
    assert response.is_redirect, response.text
    return response.headers["location"]


def query_of(url: str) -> dict[str, str]:
    """Return the query parameters of a URL."""
    return {name: value for name, [value] in parse_qs(urlsplit(url).query).items()}


def expired(token: Token) -> Token:
    """Return the token as it is one hour after its expiry."""
    then = datetime.now(UTC) - timedelta(hours=1)
    return Token(access_token=token.access_token, refresh_token=token.refresh_token, expires_at=then)


def ahead(clock: Callable[[], float], seconds: float) -> Callable[[], float]:
    """Return a clock that is ahead by the given seconds."""
    return lambda: clock() + seconds


def token_requests(sandbox: Sandbox) -> int:
    """Return the number of token requests that the sandbox received."""
    return sum((record.operation or "").startswith("oauth.token") for record in sandbox.requests)
