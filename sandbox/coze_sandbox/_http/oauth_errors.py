"""Errors of the operations that issue tokens; they have no envelope."""

from __future__ import annotations

from typing import Any

from .._common.errors import INVALID_TOKEN, NO_PERMISSION, RATE_LIMITED, CallError

__all__ = ["OAuthError", "oauth_error_body"]

_ERROR_CODES = {INVALID_TOKEN: "invalid_client", NO_PERMISSION: "access_deny", RATE_LIMITED: "slow_down"}


class OAuthError(CallError):
    """An error of a token request.

    Args:
        error_code: Error code of OAuth, such as `invalid_request`.
        msg: The error message.
    """

    def __init__(self, error_code: str, msg: str) -> None:
        super().__init__(INVALID_TOKEN, msg, status=400)
        self.error_code = error_code


_GRANT = "body.grant_type: "


def _error_code(failure: CallError) -> str:
    if isinstance(failure, OAuthError):
        return failure.error_code
    if failure.msg.startswith(_GRANT) and " is not one of " in failure.msg:
        return "unsupported_grant_type"
    return _ERROR_CODES.get(failure.code, "invalid_request")


def oauth_error_body(failure: CallError) -> dict[str, Any]:
    """Return the error body of these operations.

    Coze uses other member names for devices than for the rest; the body has both.
    """
    error_code = _error_code(failure)
    return {
        "error_code": error_code,
        "error_message": failure.msg,
        "error": error_code,
        "error_description": failure.msg,
    }
