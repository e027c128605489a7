"""Verification of the JWTs of token requests."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from .._config.oauth_apps import OAuthApp
from .._http.context import Call
from .._http.oauth_errors import OAuthError
from .._oauth.consent import find_app, is_active

__all__ = ["read_jwt"]

_CLAIMS = ("iss", "aud", "iat", "exp", "jti")
_HOSTS = frozenset({"api.coze.com", "api.coze.cn"})
_SKEW_SECONDS = 60


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
