"""Maps errors of the token endpoint to exceptions with a remedy."""

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
    " code_verifier that it was issued for: send the user to authorize_url() again.",
    OAuthGrantType.REFRESH_TOKEN: "A refresh token works once and for 30 days. This one was already used (perhaps by a"
    " process that stopped before it could store the response), has expired or was revoked: the user must log in"
    " again.",
    OAuthGrantType.DEVICE_CODE: "The device code is unknown or was already used: start again.",
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
_DENIED = "The user denied access, the app was disabled by its owner, or an app of its type may not do this."


def to_oauth_error(error: APIError, arguments: Mapping[str, Any], bearer: str | None = None) -> APIError:
    """Return the exception for the error response to a token request.

    Args:
        error: The error of the response.
        arguments: Arguments of the request.
        bearer: Bearer of its Authorization header.

    Returns:
        An `OAuthError`; *error* itself if it is not an OAuth error, such as that of a gateway.
    """
    if isinstance(error, GatewayError) or (not error.reason and error.status not in {400, 401, 403}):
        return error
    kind, hint = _classify(error, arguments.get("grant_type"))
    result = kind(
        without(error.msg, [*(arguments.get(name) for name in _SECRETS), bearer]),
        code=error.code,
        status=error.status,
        logid=error.logid,
        operation=error.operation,
        hint=hint or error.hint,
        reason=error.reason,
        retryable=error.retryable or error.reason in _RETRYABLE,
    )
    result.response = error.response
    return result


def _classify(error: APIError, grant: Any) -> tuple[type[OAuthError], str]:
    device = grant == OAuthGrantType.DEVICE_CODE
    match error.reason:
        case OAuthErrorCode.INVALID_CLIENT:
            return InvalidClient, _JWT if grant == OAuthGrantType.JWT_BEARER else _CLIENT
        case OAuthErrorCode.ACCESS_DENY | OAuthErrorCode.ACCESS_DENIED:
            return (DeviceDenied, "The user denied access.") if device else (AuthorizationDenied, _DENIED)
        case OAuthErrorCode.EXPIRED_TOKEN if device:
            return DeviceExpired, "Start again, and show the user the new code."
        case OAuthErrorCode.EXPIRED_TOKEN | "invalid_grant":
            return InvalidGrant, _LOG_IN.get(grant, "")
        case OAuthErrorCode.INVALID_REQUEST if grant in _LOG_IN and not _mentions_other_argument(error.msg, grant):
            return InvalidGrant, _LOG_IN[grant]
    if "bind connector" in error.msg:
        return OAuthError, _CHANNEL
    return OAuthError, ""


def _mentions_other_argument(message: str, grant: Any) -> bool:
    """Return whether a message names an argument other than the one that the grant depends on."""
    about = {
        OAuthGrantType.AUTHORIZATION_CODE: {"code", "redirect_uri", "code_verifier"},
        OAuthGrantType.REFRESH_TOKEN: {"refresh_token"},
        OAuthGrantType.DEVICE_CODE: {"device_code", "code"},
    }[grant]
    named = {argument.wire for argument in oauth.TOKEN.arguments.values() if argument.wire in message}
    return bool(named) and not named & about
