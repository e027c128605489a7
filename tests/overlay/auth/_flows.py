"""What tests of authorization share: flows of both kinds that look sync, and a user with a browser."""

from __future__ import annotations

import inspect
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
    """Return the settings of an app that signs, as the console of Coze gives them."""
    return dict(sandbox.oauth.jwt_config(*which))


class Flows:
    """Makes flows of one kind, which look as if they were sync."""

    def __init__(self, connect: Connect, sandbox: Sandbox) -> None:
        self._connect = connect
        self.sandbox = sandbox
        self.base_url = sandbox.base_url

    def __call__(self, name: str, *arguments: Any, **options: Any) -> Any:
        kind = getattr(auth, f"Async{name}" if self._connect.is_async else name)
        return _Shown(kind(*arguments, **{"base_url": self.base_url, **options}), self._connect)

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
        """Return the flow of a web app, and a token that a user gave it."""
        web, state = self.web(**options), new_state()
        return web, web.exchange(web.parse_callback(browse(web.authorize_url(state=state)), state=state))

    def pkce_token(self, **options: Any) -> tuple[Any, Token]:
        """Return the flow of an app without a secret, and a token that a user gave it."""
        pkce, state, verifier = self.pkce(**options), new_state(), new_verifier()
        url = pkce.authorize_url(state=state, code_verifier=verifier)
        return pkce, pkce.exchange(pkce.parse_callback(browse(url), state=state), code_verifier=verifier)

    def app(self, *which: str) -> dict[str, str]:
        """Return the settings of an app that signs."""
        return jwt_config(self.sandbox, *which)

    def app_file(self, folder: Path, **changes: Any) -> Path:
        """Write the file of an app that signs."""
        path = folder / "app.json"
        path.write_text(json.dumps({**jwt_config(self.sandbox), **changes}), encoding="utf-8")
        return path


class _Shown:
    def __init__(self, flow: Any, connect: Connect) -> None:
        self.raw = flow
        self._connect = connect

    def __getattr__(self, name: str) -> Any:
        value = getattr(self.raw, name)
        if not inspect.iscoroutinefunction(value):
            return value

        def call(*arguments: Any, **options: Any) -> Any:
            async def act() -> Any:
                return await value(*arguments, **options)

            return self._connect.run(act)

        return call


def browse(url: str) -> str:
    """Be the user's browser: open an address, and return the one that the browser is sent back to."""
    with httpx.Client() as http:
        response = http.get(url)
        while response.is_redirect and not response.headers["location"].startswith(REDIRECT):
            response = http.get(response.url.join(response.headers["location"]))
    assert response.is_redirect, response.text
    return response.headers["location"]


def query_of(url: str) -> dict[str, str]:
    """Return the query of an address."""
    return {name: value for name, [value] in parse_qs(urlsplit(url).query).items()}


def expired(token: Token) -> Token:
    """Return a token as it is an hour after its end."""
    then = datetime.now(UTC) - timedelta(hours=1)
    return Token(access_token=token.access_token, refresh_token=token.refresh_token, expires_at=then)


def ahead(clock: Callable[[], float], seconds: float) -> Callable[[], float]:
    """Return a clock that goes wrong by some seconds."""
    return lambda: clock() + seconds


def token_requests(sandbox: Sandbox) -> int:
    """Return how often the sandbox was asked for a token."""
    return sum((record.operation or "").startswith("oauth.token") for record in sandbox.requests)
