"""From what Coze says about a token that it does not give to an exception that says what to do."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from coze_api._core._secrets import without
from coze_api.models import OAuthErrorCode, OAuthGrantType
from coze_api.operations import oauth

from ..errors import (
    APIError,
    AuthorizationDenied,
    DeviceDenied,
    DeviceExpired,
    GatewayError,
    InvalidClient,
    InvalidGrant,
    OAuthError,
)

__all__ = ["to_oauth_error"]

_RETRYABLE = {OAuthErrorCode.INTERNAL_ERROR, OAuthErrorCode.AUTHORIZATION_PENDING, OAuthErrorCode.SLOW_DOWN}
_SECRETS = ("code", "refresh_token", "device_code", "code_verifier")

_LOG_IN = {
    OAuthGrantType.AUTHORIZATION_CODE: "A code works once and for a short time, for the app, redirect_uri and"
    " code_verifier that it was asked for with: send the user to authorize_url() again.",
    OAuthGrantType.REFRESH_TOKEN: "A refresh token works once and for 30 days. This one was used already (perhaps by a"
    " process that was stopped before it could keep the answer), has expired or was revoked: the user must log in"
    " again.",
    OAuthGrantType.DEVICE_CODE: "The device code is unknown or was used already: start again.",
}
_CLIENT = (
    "Check client id, secret or key, and the region: apps of coze.com are unknown to api.coze.cn and the other way"
    " round."
)
_JWT = (
    "Check that client id, private key and public key id belong together, that the app is of the base URL's region"
    " (coze.com or coze.cn), that audience= names the host of Coze where the base URL is a gateway's, and that the"
    " clock of this machine is right."
)
_CHANNEL = "Bind the OAuth app to its channel first."
_DENIED = "The user refused, the app was disabled by its owner, or it is of a type that may not do this."


def to_oauth_error(error: APIError, arguments: Mapping[str, Any], bearer: str | None = None) -> APIError:
    """Make an exception that says what to do of what the answer to a token request told.

    Args:
        error: What it told.
        arguments: What was sent.
        bearer: What was sent in the Authorization header.

    Returns:
        An `OAuthError`; *error* itself where it is none of OAuth's, such as a gateway's.
    """
    if isinstance(error, GatewayError) or (not error.reason and error.status not in {400, 401, 403}):
        return error
    kind, hint = _judge(error, arguments.get("grant_type"))
    made = kind(
        without(error.msg, [*(arguments.get(name) for name in _SECRETS), bearer]),
        code=error.code,
        status=error.status,
        logid=error.logid,
        operation=error.operation,
        hint=hint or error.hint,
        reason=error.reason,
        retryable=error.retryable or error.reason in _RETRYABLE,
    )
    made.response = error.response
    return made


def _judge(error: APIError, grant: Any) -> tuple[type[OAuthError], str]:
    device = grant == OAuthGrantType.DEVICE_CODE
    match error.reason:
        case OAuthErrorCode.INVALID_CLIENT:
            return InvalidClient, _JWT if grant == OAuthGrantType.JWT_BEARER else _CLIENT
        case OAuthErrorCode.ACCESS_DENY | OAuthErrorCode.ACCESS_DENIED:
            return (DeviceDenied, "The user refused.") if device else (AuthorizationDenied, _DENIED)
        case OAuthErrorCode.EXPIRED_TOKEN if device:
            return DeviceExpired, "Start again, and show the user the new code."
        case OAuthErrorCode.EXPIRED_TOKEN | "invalid_grant":
            return InvalidGrant, _LOG_IN.get(grant, "")
        case OAuthErrorCode.INVALID_REQUEST if grant in _LOG_IN and not _blames_another(error.msg, grant):
            return InvalidGrant, _LOG_IN[grant]
    if "bind connector" in error.msg:
        return OAuthError, _CHANNEL
    return OAuthError, ""


def _blames_another(message: str, grant: Any) -> bool:
    """Tell whether a message names an argument that has nothing to do with what was granted."""
    about = {
        OAuthGrantType.AUTHORIZATION_CODE: {"code", "redirect_uri", "code_verifier"},
        OAuthGrantType.REFRESH_TOKEN: {"refresh_token"},
        OAuthGrantType.DEVICE_CODE: {"device_code", "code"},
    }[grant]
    named = {argument.wire for argument in oauth.TOKEN.arguments.values() if argument.wire in message}
    return bool(named) and not named & about
