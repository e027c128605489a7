"""What tests of authorization share: apps of the sandbox, a key, and flows of both kinds that look sync."""

from __future__ import annotations

import inspect
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
from _both import Connect

from cozekit import auth
from cozekit.auth import Token

__all__ = ["CLIENT_ID", "REDIRECT", "SECRET", "Flows", "browse", "expired", "keys", "token_requests"]

WEB_APP, SECRET = "81730000000000000000000000000001.app.coze", "secret_sandbox"
PUBLIC_APP = "81730000000000000000000000000002.app.coze"
REDIRECT = "http://127.0.0.1:9/callback"


@cache
def keys() -> tuple[str, str]:
    """Return a private key and its public key, in PEM form."""
    from cryptography.hazmat.primitives import serialization as form
    from cryptography.hazmat.primitives.asymmetric import rsa

    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    private = key.private_bytes(form.Encoding.PEM, form.PrivateFormat.PKCS8, form.NoEncryption())
    public = key.public_key().public_bytes(form.Encoding.PEM, form.PublicFormat.SubjectPublicKeyInfo)
    return private.decode(), public.decode()


class Flows:
    """Makes flows of one kind, which look as if they were sync."""

    def __init__(self, connect: Connect, base_url: str) -> None:
        self._connect = connect
        self.base_url = base_url

    def __call__(self, name: str, *arguments: Any, **options: Any) -> Any:
        kind = getattr(auth, f"Async{name}" if self._connect.is_async else name)
        return _Shown(kind(*arguments, **{"base_url": self.base_url, **options}), self._connect)

    def web(self, **options: Any) -> Any:
        return self("WebOAuth", CLIENT_ID, SECRET, REDIRECT, **options)

    def pkce(self, **options: Any) -> Any:
        return self("PKCEOAuth", CLIENT_ID, REDIRECT, **options)

    def device(self, **options: Any) -> Any:
        return self("DeviceOAuth", CLIENT_ID, **options)

    def jwt(self, **options: Any) -> Any:
        return self("JWTOAuth", CLIENT_ID, keys()[0], "fingerprint", **options)


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
    """Be the user's browser: open an address, agree, and return the address that the browser is sent back to."""
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


def token_requests(sandbox: Any) -> int:
    """Return how often the sandbox was asked for a token."""
    return sum(
        record.operation is not None and record.operation.startswith("oauth.token") for record in sandbox.requests
    )
