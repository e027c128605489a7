"""Token requests with a code, a device code, a JWT or a refresh token."""

from __future__ import annotations

import base64
import hashlib
import hmac
from typing import Any

from .._common.errors import CallError
from .._config.oauth_apps import OAuthApp
from .._http.context import Call, ResponseFields
from .._http.oauth_errors import OAuthError
from .._oauth.consent import DEVICE, find_app, is_active, new_secret
from ._jwt import read_jwt
from ._registry import operation
from ._tokens import LIFETIME, new_token

_REFRESH_SECONDS = 30 * 86_400
_REFRESH = "oauth_refresh"


@operation("oauth.token")
def exchange(call: Call) -> ResponseFields | CallError:
    """Issue a token for a code, a device code, a refresh token or a JWT.

    Raises:
        OAuthError: The grant is invalid.

    Returns:
        The token, or the error for a device that has to keep polling, which keeps the time of the poll.
    """
    match call.body["grant_type"]:
        case "authorization_code":
            return _from_code(call)
        case "refresh_token":
            return _from_refresh_token(call)
        case "urn:ietf:params:oauth:grant-type:device_code":
            return _from_device(call)
        case _:
            app = read_jwt(call)
            if app.kind == "enterprise":
                raise OAuthError("access_deny", "invalid app type")
            return _for_jwt(call, app, **_scope(call, app))


@operation("oauth.token_account")
def exchange_for_account(call: Call) -> ResponseFields:
    """Issue a token of another account, or of an organization, for a JWT."""
    app, account = read_jwt(call), call.path["account_id"]
    if app.kind not in {"service", "any"}:
        raise OAuthError("access_deny", "invalid app type")
    if call.state.find("user", account) is not None:
        return _for_jwt(call, app, user_id=account)
    if call.state.find("organization", account) is not None:
        return _for_jwt(call, app)
    raise OAuthError("invalid_request", "invalid request: account_id")


@operation("oauth.token_enterprise")
def exchange_for_enterprise(call: Call) -> ResponseFields:
    """Issue a token for the administration of an enterprise for a JWT."""
    app = read_jwt(call)
    if app.kind not in {"enterprise", "any"}:
        raise OAuthError("access_deny", "invalid app type")
    if call.state.find("enterprise", call.path["enterprise_id"]) is None:
        raise OAuthError("invalid_request", "invalid request: enterprise_id")
    return _for_jwt(call, app)


def _for_jwt(call: Call, app: OAuthApp, **limits: Any) -> ResponseFields:
    seconds = call.body.get("duration_seconds", LIFETIME)
    if seconds <= 0:
        raise OAuthError("invalid_request", "invalid request: duration_seconds")
    return new_token(call.state, app, "czs_", seconds, **limits)


def _scope(call: Call, app: OAuthApp) -> dict[str, Any]:
    """Return the restrictions in the scope of a channel app. Other apps have no scopes."""
    scope = call.body.get("scope")
    if app.kind != "channel" or scope is None:
        return {}
    wanted = set(scope["account_permission"]["permission_list"])
    if app.permissions is not None and not wanted <= app.permissions:
        raise OAuthError("invalid_request", "invalid request: scope")
    bots = scope["attribute_constraint"]["connector_bot_chat_attribute"]["bot_id_list"]
    return {"permissions": sorted(wanted), "bot_ids": bots}


def _from_code(call: Call) -> ResponseFields:
    app = _app(call)
    grant = _kept(call, "oauth_code", "code")
    if grant["redirect_uri"] != _given(call, "redirect_uri"):
        raise OAuthError("invalid_request", "invalid request: redirect_uri")
    challenge = grant["code_challenge"]
    has_secret = app.kind == "web" or challenge is None
    if has_secret:
        _need_secret(call, app)
    if challenge is not None and not _same(challenge, _challenge(_given(call, "code_verifier"), grant["method"])):
        raise OAuthError("invalid_request", "invalid request: code_verifier")
    call.state.store.delete("oauth_code", _given(call, "code"))
    return _with_refresh_token(call, app, grant["workspace_id"], has_secret=has_secret)


def _from_refresh_token(call: Call) -> ResponseFields:
    app = _app(call)
    grant = _kept(call, _REFRESH, "refresh_token")
    if grant["has_secret"]:
        _need_secret(call, app)
    call.state.store.delete(_REFRESH, _given(call, "refresh_token"))
    return _with_refresh_token(call, app, grant["workspace_id"], has_secret=grant["has_secret"])


def _from_device(call: Call) -> ResponseFields | CallError:
    app = _app(call)
    state, code = call.state, _given(call, "device_code")
    grant = state.find(DEVICE, code)
    if grant is None or grant["client_id"] != app.client_id:
        raise OAuthError("invalid_request", "invalid request: device_code")
    now, asked_at = state.clock.now(), grant["asked_at"]
    if grant["expires_at"] <= now:
        raise OAuthError("expired_token", "The device code has expired.")
    interval = state.options.device_interval
    state.store.put(DEVICE, code, {**grant, "asked_at": now})
    if asked_at is not None and now < asked_at + interval:
        return OAuthError("slow_down", f"Poll at most every {interval} seconds.")
    if grant["allowed"] is None:
        return OAuthError("authorization_pending", "The user has not finished yet.")
    if not grant["allowed"]:
        return OAuthError("access_denied", "The user refused.")
    state.store.delete(DEVICE, code)
    return _with_refresh_token(call, app, grant["workspace_id"], has_secret=False)


def _app(call: Call) -> OAuthApp:
    app = find_app(call.state, _given(call, "client_id"))
    if app is None:
        raise OAuthError("invalid_request", "invalid request: client_id")
    if not is_active(call.state, app):
        raise OAuthError("access_deny", f"app: {app.name} is currently deactivated by the owner")
    if app.signs:
        raise OAuthError("access_deny", "invalid app type")
    return app


def _kept(call: Call, kind: str, name: str) -> dict[str, Any]:
    """Return a one-time code or token that was issued to this app."""
    grant = call.state.find(kind, _given(call, name))
    if grant is None or grant["client_id"] != call.body["client_id"] or grant["expires_at"] <= call.state.clock.now():
        raise OAuthError("invalid_request", f"invalid request: {name}")
    return grant


def _with_refresh_token(call: Call, app: OAuthApp, workspace_id: str | None, *, has_secret: bool) -> ResponseFields:
    state, token = call.state, new_secret(call.state, "")
    grant = {"client_id": app.client_id, "has_secret": has_secret, "workspace_id": workspace_id}
    state.store.put(_REFRESH, token, {**grant, "expires_at": state.clock.now() + _REFRESH_SECONDS})
    return {**new_token(state, app, "czu_", workspace_id=workspace_id), "refresh_token": token}


def _need_secret(call: Call, app: OAuthApp) -> None:
    if not call.bearer:
        raise OAuthError("invalid_client", "the client secret is required as bearer")
    # An app of the kind `any` has no secret to compare.
    if app.client_secret is not None and not _same(call.bearer, app.client_secret):
        raise OAuthError("invalid_client", "the client secret is wrong")


def _given(call: Call, name: str) -> str:
    value = call.body.get(name)
    if not value:
        raise OAuthError("invalid_request", f"invalid request: {name}")
    return str(value)


def _challenge(verifier: str, method: str) -> str:
    if method == "plain":
        return verifier
    digest = hashlib.sha256(verifier.encode()).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


def _same(one: str, other: str) -> bool:
    return hmac.compare_digest(one.encode(), other.encode())
