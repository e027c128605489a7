"""Errors of Coze: business codes and their HTTP statuses."""

from __future__ import annotations

from typing import Any

__all__ = [
    "ALREADY_MEMBER",
    "BOT_NOT_PUBLISHED",
    "CHAT_IS_RUNNING",
    "CHAT_NOT_CANCELABLE",
    "CHAT_NOT_FOUND",
    "CLIENT_LEFT",
    "CONVERSATION_NOT_FOUND",
    "EXECUTION_ENDED",
    "EXECUTION_NOT_FOUND",
    "FILE_EMPTY",
    "FILE_TOO_LARGE",
    "FILE_TYPE",
    "INTERNAL",
    "INVALID_PARAMETER",
    "INVALID_TOKEN",
    "LAST_SUPER_ADMIN",
    "MESSAGE_NOT_FOUND",
    "META_DATA_LIMIT",
    "NOT_FOUND",
    "NO_PERMISSION",
    "RATE_LIMITED",
    "SPEECH_TOO_LONG",
    "TEAM_FULL",
    "TOO_MANY_FILES",
    "TOO_MANY_MESSAGES",
    "UNSAVED_NEEDS_STREAM",
    "CallError",
    "missing",
    "status_of",
]

SPEECH_TOO_LONG = 3010
INVALID_PARAMETER = 4000
CHAT_NOT_FOUND = 4001
CONVERSATION_NOT_FOUND = 4002
META_DATA_LIMIT = 4003
TOO_MANY_MESSAGES = 4004
MESSAGE_NOT_FOUND = 4005
UNSAVED_NEEDS_STREAM = 4007
RATE_LIMITED = 4013
BOT_NOT_PUBLISHED = 4015
CHAT_IS_RUNNING = 4016
INVALID_TOKEN = 4100
NO_PERMISSION = 4101
CHAT_NOT_CANCELABLE = 4104
NOT_FOUND = 4200
ALREADY_MEMBER = 4201
FILE_EMPTY = 4300
TOO_MANY_FILES = 4301
FILE_TOO_LARGE = 4302
FILE_TYPE = 4303
EXECUTION_NOT_FOUND = 4314
EXECUTION_ENDED = 4315
INTERNAL = 5000
TEAM_FULL = 777074011
LAST_SUPER_ADMIN = 777074044

_LARGEST_ID = 2**63 - 1
_LONGEST_ID = len(str(_LARGEST_ID))
_TEXT_IDS = ("enterprise_id", "event_id")  # ids that hold more than digits

CLIENT_LEFT = 499  # only logged: the client has disconnected

# Coze documents no HTTP status for its codes; these are the ones that its JavaScript SDK expects.
_STATUS_OF_CATEGORY = {
    "authentication": 401,
    "conflict": 409,
    "content_policy": 400,
    "invalid_request": 400,
    "not_found": 404,
    "permission": 403,
    "quota": 429,
    "rate_limit": 429,
    "server": 500,
    "timeout": 408,
}


class CallError(Exception):
    """An error response to a call.

    Args:
        code: Business code of the error table.
        msg: The error message.
        status: HTTP status; the one of the code by default.
        members: Additional members of the error envelope, such as `debug_url`.
        headers: Additional response headers.
    """

    def __init__(
        self,
        code: int,
        msg: str,
        *,
        status: int | None = None,
        members: dict[str, Any] | None = None,
        headers: dict[str, str] | None = None,
    ) -> None:
        super().__init__(f"{code}: {msg}")
        self.code = code
        self.msg = msg
        self.status = status
        self.members = members or {}
        self.headers = headers or {}


def missing(code: int, name: str, value: str) -> CallError:
    """Return the error for a resource that does not exist.

    Ids of Coze are 64-bit numbers. For any other text the parameter is malformed, which is another error than a
    missing resource.

    Args:
        code: Business code for a missing resource.
        name: Name of the id, such as `bot_id`.
        value: The id.
    """
    if name.endswith("_id") and name not in _TEXT_IDS and not _is_number(value):
        return CallError(INVALID_PARAMETER, f"{name}: {value!r} is not an id: ids are numbers, written in digits")
    return CallError(
        code,
        f"Requested resource {name}={value} does not exist. Please ensure that the resource exists"
        " and the token has access to it.",
    )


def _is_number(value: str) -> bool:
    return value.isascii() and value.isdecimal() and len(value) <= _LONGEST_ID and int(value) <= _LARGEST_ID


def status_of(code: int, table: dict[int, dict[str, Any]]) -> int:
    """Return the HTTP status for a business code.

    Args:
        code: The business code.
        table: The error table of the spec, by code.

    Returns:
        The status in the table, else that of the code's category, else 400.
    """
    entry = table.get(code, {})
    named = entry.get("http_status")
    if isinstance(named, int):
        return named
    return _STATUS_OF_CATEGORY.get(entry.get("category", ""), 400)
