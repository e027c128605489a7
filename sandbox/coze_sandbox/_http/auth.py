"""Who is calling, and whether they may."""

from __future__ import annotations

from collections.abc import Collection

from .._common.errors import INVALID_TOKEN, NO_PERMISSION, CallError
from .._spec.spec import Operation
from .._state.seed import USER_ID
from .._state.state import SandboxState
from .context import Call

__all__ = ["authorize", "parse_bearer", "check_token_scope"]

# What the permission of channel apps opens.
_IMPLIED = {"Connector.botChat": ("cancelChat", "chat", "getChat", "submitToolChat")}
# Conversations, files and voices belong to an account and to no workspace.
# What two operations need besides the permission of their description.
_NEEDED_TOO = {"bots.unpublish": "Connector.disconnectBot", "chat.messages.list": "listMessage"}
_OF_THE_ACCOUNT = ("audio", "conversations", "files")


def parse_bearer(header: str | None) -> str:
    """Return what stands behind `Bearer` in the Authorization header, or an empty text."""
    scheme, _, token = (header or "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""


def authorize(operation: Operation, header: str | None, state: SandboxState) -> str:
    """Check the token of a request.

    Args:
        operation: What is called.
        header: The Authorization header, if there is one.
        state: Which tokens are known, from the start or because they were given out.

    Returns:
        The id of the account behind the token.

    Raises:
        CallError: There is no token, it is unknown, or it lacks the permission.
    """
    options = state.options
    if operation.public:
        return USER_ID
    token = parse_bearer(header)
    if not token:
        raise CallError(INVALID_TOKEN, "authentication is invalid")
    if operation.issues_tokens:
        return USER_ID
    if token in options.foreign_tokens:
        raise CallError(
            NO_PERMISSION,
            "The token you entered is incorrect. Please double-check and try again."
            " Tokens of api.coze.com and of api.coze.cn are not interchangeable.",
        )
    if token == options.token:
        return USER_ID
    given_out = state.find("token", token)
    if given_out is not None and given_out["expires_at"] > state.clock.now():
        _check_permission(operation, given_out["permissions"])
        if given_out.get("workspace_id") and operation.id.partition(".")[0] in _OF_THE_ACCOUNT:
            raise CallError(NO_PERMISSION, "The token is for one workspace, and this call is about the account.")
        return str(given_out["user_id"])
    if token not in options.tokens:
        raise CallError(INVALID_TOKEN, "authentication is invalid")
    _check_permission(operation, options.tokens[token])
    return USER_ID


def check_token_scope(call: Call) -> None:
    """Refuse what lies beyond a token that was given out for one workspace, or for some bots.

    Raises:
        CallError: The call names another workspace or another bot.
    """
    given_out = call.state.find("token", call.bearer) if call.bearer else None
    if given_out is None:
        return
    named = {**call.body, **call.query, **call.path}
    workspace, bots = given_out.get("workspace_id"), given_out.get("bot_ids")
    wanted = named.get("workspace_id", named.get("space_id"))
    if workspace is not None and wanted is not None and wanted != workspace:
        raise CallError(NO_PERMISSION, f"The token is for the workspace {workspace} only.")
    if bots is not None and "bot_id" in named and named["bot_id"] not in bots:
        raise CallError(NO_PERMISSION, f"The token is not for the bot {named['bot_id']}.")


def _check_permission(operation: Operation, permissions: Collection[str] | None) -> None:
    if permissions is None:
        return
    for needed in filter(None, (operation.permission, _NEEDED_TOO.get(operation.id))):
        if needed not in permissions and not any(needed in _IMPLIED.get(one, ()) for one in permissions):
            raise CallError(NO_PERMISSION, f"The token has no permission {needed} for this call.")
