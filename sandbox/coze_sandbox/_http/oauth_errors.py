"""Failures of the operations that give tokens out; they have no envelope."""

from __future__ import annotations

from typing import Any

from .._common.errors import INVALID_TOKEN, NO_PERMISSION, RATE_LIMITED, CallError

__all__ = ["OAuthError", "oauth_error_body"]

_ERROR_CODES = {INVALID_TOKEN: "invalid_client", NO_PERMISSION: "access_deny", RATE_LIMITED: "slow_down"}


class OAuthError(CallError):
    """A token that is not given.

    Args:
        word: Why, as OAuth calls it.
        msg: Why, in words.
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
    """Write a failure as these operations do.

    Coze calls the members by other names for devices than for the rest, so each has both.
    """
    word = _error_code(failure)
    return {
        "error_code": word,
        "error_message": failure.msg,
        "error": word,
        "error_description": failure.msg,
    }
