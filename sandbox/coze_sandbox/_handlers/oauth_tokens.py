"""Token requests with a code, a device code, a JWT or a refresh token."""

from __future__ import annotations

import base64
import hashlib
import hmac
from typing import Any
from urllib.parse import urlsplit

from .._common.errors import CallError
from .._config.oauth_apps import OAuthApp
from .._http.context import Call, ResponseFields
from .._http.oauth_errors import OAuthError
from .._oauth.consent import DEVICE, find_app, is_active, new_secret, record_authorization
from .._state.seed import USER_ID
from .._state.state import SandboxState
from ._registry import operation

_REFRESH_SECONDS = 30 * 86_400
_REFRESH = "oauth_refresh"
_CLAIMS = ("iss", "aud", "iat", "exp", "jti")
_HOSTS = frozenset({"api.coze.com", "api.coze.cn"})
_SKEW_SECONDS = 60
LIFETIME = 900
"""Default lifetime of a token in seconds."""


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
    for kind, limits in (("user", {"user_id": account}), ("organization", {})):
        if call.state.find(kind, account) is not None:
            record_authorization(call.state, app.client_id, account)  # such a token needs one
            return _for_jwt(call, app, **limits)
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
    now, polled_at = state.clock.now(), grant["polled_at"]
    if grant["expires_at"] <= now:
        raise OAuthError("expired_token", "The device code has expired.")
    interval = state.options.device_interval
    state.store.put(DEVICE, code, {**grant, "polled_at": now})
    if polled_at is not None and now < polled_at + interval:
        return OAuthError("slow_down", f"Poll at most every {interval} seconds.")
    if grant["allowed"] is None:
        return OAuthError("authorization_pending", "The user has not finished yet.")
    if not grant["allowed"]:
        return OAuthError("access_denied", "The user denied the request.")
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


def _same(secret: str, other: str) -> bool:
    return hmac.compare_digest(secret.encode(), other.encode())


def read_jwt(call: Call) -> OAuthApp:
    """Verify the JWT of a call, which can be used once, and return the app that signed it.

    Raises:
        OAuthError: The JWT or its signature is invalid, a claim is missing or wrong, it is not valid yet, has expired
            or was used before, or the app is deactivated.
    """
    header, claims = _unpack(call.bearer)
    app = _issuer(call, claims)
    _check_signature(call, app, header)
    _check_claims(call, claims)
    jti = str(claims["jti"])
    if call.state.find("jwt", jti) is not None:
        raise _invalid("jti was used before; sign a new JWT for each token")
    call.state.store.put("jwt", jti, {})
    return app


def _unpack(text: str) -> tuple[dict[str, Any], dict[str, Any]]:
    import jwt

    try:
        header = jwt.get_unverified_header(text)
        claims = jwt.decode(text, options={"verify_signature": False})
    except (jwt.PyJWTError, ValueError, RecursionError) as error:
        raise _invalid(str(error)) from error
    if header.get("alg") != "RS256" or header.get("typ") != "JWT":
        raise _invalid("the header needs alg RS256 and typ JWT")
    absent = [name for name in _CLAIMS if not claims.get(name)]
    if absent:
        raise _invalid(f"claims are missing: {', '.join(absent)}")
    return header, claims


def _issuer(call: Call, claims: dict[str, Any]) -> OAuthApp:
    app = find_app(call.state, str(claims["iss"]))
    if app is None:
        raise _invalid("iss is not a known OAuth app")
    if not is_active(call.state, app):
        raise OAuthError("access_deny", f"app: {app.name} is currently deactivated by the owner")
    if not (app.signs or app.kind == "any"):
        raise OAuthError("access_deny", "invalid app type")
    return app


def _check_signature(call: Call, app: OAuthApp, header: dict[str, Any]) -> None:
    import jwt

    if app.kind == "any":
        if not header.get("kid"):
            raise _invalid("the header needs kid")
        return
    keys = call.state.keys
    if header.get("kid") != keys.key_id(app.client_id):
        raise _invalid("kid is not a key of this app")
    # Tests can advance the clock of the sandbox, so the time claims are checked below.
    skipped = {f"verify_{name}": False for name in ("exp", "iat", "nbf", "aud", "iss", "sub", "jti")}
    try:
        jwt.decode(call.bearer, keys.public(app.client_id), algorithms=["RS256"], options=skipped)  # type: ignore[arg-type]  # a dict with known keys
    except (jwt.PyJWTError, ValueError) as error:
        raise _invalid(str(error)) from error


def _check_claims(call: Call, claims: dict[str, Any]) -> None:
    now = call.state.clock.now()
    begin, end = claims["iat"], claims["exp"]
    for name, value in (("iat", begin), ("exp", end)):
        if isinstance(value, bool) or not isinstance(value, int):
            raise _invalid(f"{name} must be an integer, in seconds")
    own = urlsplit(call.base_url)
    if str(claims["aud"]) not in {*_HOSTS, own.netloc, own.hostname}:
        raise _invalid("aud must be the host of the API, such as api.coze.com")
    if begin > now + _SKEW_SECONDS:
        raise _invalid("iat is in the future")
    if end <= now or end <= begin:
        raise _invalid("exp has passed; it must be later than iat and now")
    if not isinstance(claims.get("session_name", ""), str):
        raise _invalid("session_name must be a string")


def _invalid(msg: str) -> OAuthError:
    return OAuthError("invalid_client", f"invalid JWT: {msg}")


def new_token(
    state: SandboxState, app: OAuthApp, prefix: str, seconds: int = LIFETIME, **limits: Any
) -> dict[str, Any]:
    """Issue an access token.

    Args:
        state: The state.
        app: The app.
        prefix: Prefix of the token.
        seconds: Lifetime in seconds.
        **limits: Restrictions: `permissions`, `workspace_id`, `bot_ids`; and `user_id`, its account.
    """
    token, expires = new_secret(state, prefix), state.clock.seconds() + seconds
    allowed = limits.pop("permissions", None)
    if allowed is None and app.permissions is not None:
        allowed = sorted(app.permissions)
    document = {"user_id": USER_ID, "client_id": app.client_id, "permissions": allowed, **limits}
    state.store.put("token", token, {**document, "expires_at": expires})
    # A timestamp, not a duration, as at Coze.
    return {"access_token": token, "expires_in": expires, "token_type": "Bearer"}
