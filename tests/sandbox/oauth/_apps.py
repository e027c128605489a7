"""What the tests of OAuth share."""

from __future__ import annotations

import base64
import hashlib
from urllib.parse import parse_qs, urlsplit

from coze_sandbox import PUBLIC_APP, WEB_APP

__all__ = ["BASE", "DEVICE", "JWT", "REDIRECT", "TOKEN", "authorize", "bearer", "by_code", "challenge_of", "refused"]

BASE = "/api/permission/oauth2"
TOKEN = f"{BASE}/token"
JWT = "urn:ietf:params:oauth:grant-type:jwt-bearer"
DEVICE = "urn:ietf:params:oauth:grant-type:device_code"
REDIRECT = "https://app.example.com/callback"


def bearer(text=WEB_APP.client_secret):
    return {"Authorization": f"Bearer {text}"}


def authorize(public, path=f"{BASE}/authorize", **query):
    """Send the browser of nobody, and return what it brings back."""
    query = {
        "response_type": "code",
        "client_id": WEB_APP.client_id,
        "redirect_uri": REDIRECT,
        "state": "s 1",
        **query,
    }
    response = public.get(path, params=query)
    assert response.status_code == 302, response.text
    address = urlsplit(response.headers["location"])
    answer = {name: values[0] for name, values in parse_qs(address.query).items()}
    if answer.pop("authorize_key", None) is not None:
        return response.headers["location"]
    assert address._replace(query="").geturl() == query["redirect_uri"].partition("?")[0]
    assert answer.pop("state") == query["state"]
    return answer


def by_code(code, app=WEB_APP, **members):
    body = {
        "grant_type": "authorization_code",
        "client_id": app.client_id,
        "redirect_uri": REDIRECT,
        "code": code,
    }
    return {**body, **members}


def challenge_of(verifier):
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()


def refused(response):
    """Return status, word and text of a refusal, which has each under both documented names."""
    body = response.json()
    assert set(body) == {"error_code", "error_message", "error", "error_description"}
    assert (body["error"], body["error_description"]) == (body["error_code"], body["error_message"])
    assert response.headers["x-tt-logid"]
    return response.status_code, body["error_code"]


assert PUBLIC_APP.client_secret is None
