"""Tokens for OAuth apps. Every client id is that of an app, and every user agrees."""

from __future__ import annotations

import base64
import hashlib
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from .._call import Call, Members, Redirect
from .._errors import INVALID_PARAMETER, CallError
from .._oauth_errors import OAuthFailure
from ._common import need
from ._registry import operation
from ._tokens import LIFETIME, new_secret, new_token, read_jwt

__all__ = ["authorize", "authorize_workspace", "begin_device", "begin_device_workspace", "exchange", "exchange_jwt"]

_CODE_SECONDS = 300
_DEVICE_SECONDS = 300
_DEVICE_INTERVAL = 5
_REFRESH_SECONDS = 30 * 86_400


@operation("oauth.authorize")
def authorize(call: Call) -> Redirect:
    """Skip the page of Coze: the user agrees at once, and the browser goes back with a code.

    Raises:
        CallError: The address to go back to is none.
    """
    query, world = call.query, call.world
    try:
        address = urlsplit(query["redirect_uri"])
    except ValueError as error:
        raise CallError(INVALID_PARAMETER, f"query.redirect_uri: {error}") from error
    if not address.scheme or not address.netloc:
        raise CallError(INVALID_PARAMETER, "query.redirect_uri: not an address")
    code = new_secret(world, "code_")
    kept = {name: query.get(name) for name in ("client_id", "redirect_uri", "code_challenge")}
    kept["method"] = query.get("code_challenge_method", "plain")
    world.store.put("oauth_code", code, {**kept, "expires_at": world.clock.now() + _CODE_SECONDS})
    own = parse_qsl(address.query, keep_blank_values=True)
    answer = urlencode([*own, ("code", code), ("state", query["state"])])
    return Redirect(urlunsplit(address._replace(query=answer)))


@operation("oauth.authorize_workspace")
def authorize_workspace(call: Call) -> Redirect:
    """Do the same for one workspace.

    Raises:
        CallError: There is no such workspace, or the address to go back to is none.
    """
    need(call.world, "workspace", call.path["workspace_id"])
    return authorize(call)


@operation("oauth.device_code")
def begin_device(call: Call) -> Members:
    """Begin the authorization of a device."""
    world, now = call.world, call.world.clock.now()
    code = new_secret(world, "")
    kept = {"client_id": call.body["client_id"], "expires_at": now + _DEVICE_SECONDS, "asked_at": None}
    world.store.put("oauth_device", code, kept)
    return {
        "device_code": code,
        "user_code": f"{code[:4]}-{code[4:8]}".upper(),
        "verification_uri": "https://sandbox.invalid/device",
        "expires_in": _DEVICE_SECONDS,
        "interval": _DEVICE_INTERVAL,
    }


@operation("oauth.device_code_workspace")
def begin_device_workspace(call: Call) -> Members:
    """Do the same for one workspace.

    Raises:
        CallError: There is no such workspace.
    """
    need(call.world, "workspace", call.path["workspace_id"])
    return begin_device(call)


@operation("oauth.token")
def exchange(call: Call) -> Members | CallError:
    """Give a token for a code, a device code, a refresh token or a JWT.

    Raises:
        OAuthFailure: What was sent is not worth a token.

    Returns:
        The token, or that the device has to wait; that it asked is kept.
    """
    match call.body["grant_type"]:
        case "authorization_code":
            return _from_code(call)
        case "refresh_token":
            return _from_refresh_token(call)
        case "urn:ietf:params:oauth:grant-type:device_code":
            return _from_device(call)
        case _:
            return exchange_jwt(call)


@operation("oauth.token_account")
@operation("oauth.token_enterprise")
def exchange_jwt(call: Call) -> Members:
    """Give a token for a JWT.

    Raises:
        OAuthFailure: The JWT is not worth a token.
    """
    read_jwt(call)
    return new_token(call.world, "czs_", call.body.get("duration_seconds", LIFETIME))


def _from_code(call: Call) -> Members:
    kept = _once(call, "oauth_code", "code")
    if kept["redirect_uri"] != _given(call, "redirect_uri"):
        raise OAuthFailure("invalid_request", "invalid request: redirect_uri")
    challenge = kept["code_challenge"]
    if challenge is None:
        _need_secret(call)
    elif challenge != _challenge(_given(call, "code_verifier"), kept["method"]):
        raise OAuthFailure("invalid_request", "invalid request: code_verifier")
    return _with_refresh_token(call, has_secret=challenge is None)


def _from_refresh_token(call: Call) -> Members:
    kept = _once(call, "oauth_refresh", "refresh_token")
    if kept["has_secret"]:
        _need_secret(call)
    return _with_refresh_token(call, has_secret=kept["has_secret"])


def _from_device(call: Call) -> Members | CallError:
    """Let the device ask twice: the user is said to agree meanwhile."""
    world, code = call.world, _given(call, "device_code")
    kept = world.find("oauth_device", code)
    if kept is None or kept["client_id"] != _given(call, "client_id"):
        raise OAuthFailure("invalid_request", "invalid request: device_code")
    now = world.clock.now()
    if kept["expires_at"] <= now:
        raise OAuthFailure("expired_token", "The device code has expired.")
    asked_at = kept["asked_at"]
    if asked_at is not None and now >= asked_at + _DEVICE_INTERVAL:
        world.store.delete("oauth_device", code)
        return _with_refresh_token(call, has_secret=False)
    world.store.put("oauth_device", code, {**kept, "asked_at": now})
    if asked_at is not None:
        return OAuthFailure("slow_down", f"Ask every {_DEVICE_INTERVAL} seconds only.")
    return OAuthFailure("authorization_pending", "The user has not finished yet.")


def _once(call: Call, kind: str, name: str) -> dict[str, Any]:
    """Take back something that was given out and works once."""
    value = _given(call, name)
    kept = call.world.find(kind, value)
    if kept is None or kept["client_id"] != _given(call, "client_id") or kept["expires_at"] <= call.world.clock.now():
        raise OAuthFailure("invalid_request", f"invalid request: {name}")
    call.world.store.delete(kind, value)
    return kept


def _with_refresh_token(call: Call, *, has_secret: bool) -> Members:
    world, token = call.world, new_secret(call.world, "")
    kept = {"client_id": call.body["client_id"], "has_secret": has_secret}
    world.store.put("oauth_refresh", token, {**kept, "expires_at": world.clock.now() + _REFRESH_SECONDS})
    return {**new_token(world, "czu_"), "refresh_token": token}


def _need_secret(call: Call) -> None:
    if not call.bearer:
        raise OAuthFailure("invalid_client", "the client secret is required as bearer")


def _given(call: Call, name: str) -> str:
    value = call.body.get(name)
    if not value:
        raise OAuthFailure("invalid_request", f"invalid request: {name}")
    return str(value)


def _challenge(verifier: str, method: str) -> str:
    if method == "plain":
        return verifier
    digest = hashlib.sha256(verifier.encode()).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
