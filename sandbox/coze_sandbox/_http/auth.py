"""Authentication and permissions."""

from __future__ import annotations

from collections.abc import Collection

from .._common.errors import INVALID_TOKEN, NO_PERMISSION, CallError
from .._spec.spec import Operation
from .._state.seed import USER_ID
from .._state.state import SandboxState
from .context import Call

__all__ = ["authorize", "parse_bearer", "check_token_scope"]

# Permissions that a permission of channel apps implies.
_IMPLIED = {"Connector.botChat": ("cancelChat", "chat", "getChat", "submitToolChat")}
# Permissions that operations need in addition to the described one.
_ADDITIONAL_PERMISSIONS = {"bots.unpublish": "Connector.disconnectBot", "chat.messages.list": "listMessage"}
_TAKES_JWT, _DOTS_OF_JWT = {"oauth_apps.authorizations.list"}, 2
# These belong to an account, not to a workspace.
_ACCOUNT_RESOURCES = ("audio", "conversations", "files")


def parse_bearer(header: str | None) -> str:
    """Return the bearer token of an Authorization header, or an empty string."""
    scheme, _, token = (header or "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""


def authorize(operation: Operation, header: str | None, state: SandboxState) -> str:
    """Check the token of a request.

    Args:
        operation: The operation.
        header: The Authorization header, or None.
        state: The state, which has the issued tokens.

    Returns:
        The id of the account behind the token.

    Raises:
        CallError: The token is missing, unknown, expired or lacks the permission.
    """
    options = state.options
    if operation.public:
        return USER_ID
    token = parse_bearer(header)
    if not token:
        raise CallError(INVALID_TOKEN, "authentication is invalid")
    if operation.issues_tokens or (operation.id in _TAKES_JWT and token.count(".") == _DOTS_OF_JWT):
        return USER_ID  # the handler checks the secret or the JWT
    if token in options.foreign_tokens:
        raise CallError(
            NO_PERMISSION,
            "The token you entered is incorrect. Please double-check and try again."
            " Tokens of api.coze.com and of api.coze.cn are not interchangeable.",
        )
    if token == options.token:
        return USER_ID
    issued = state.find("token", token)
    if issued is not None and issued["expires_at"] > state.clock.now():
        _check_permission(operation, issued["permissions"])
        if issued.get("workspace_id") and operation.id.partition(".")[0] in _ACCOUNT_RESOURCES:
            raise CallError(NO_PERMISSION, "The token is for one workspace, and this call is about the account.")
        return str(issued["user_id"])
    if token not in options.tokens:
        raise CallError(INVALID_TOKEN, "authentication is invalid")
    _check_permission(operation, options.tokens[token])
    return USER_ID


def check_token_scope(call: Call) -> None:
    """Check a call against the workspace and the bots for which its token was issued.

    Raises:
        CallError: The call is for another workspace or another bot.
    """
    issued = call.state.find("token", call.bearer) if call.bearer else None
    if issued is None:
        return
    named = {**call.body, **call.query, **call.path}
    workspace, bots = issued.get("workspace_id"), issued.get("bot_ids")
    wanted = named.get("workspace_id", named.get("space_id"))
    if workspace is not None and wanted is not None and wanted != workspace:
        raise CallError(NO_PERMISSION, f"The token is for the workspace {workspace} only.")
    if bots is not None and "bot_id" in named and named["bot_id"] not in bots:
        raise CallError(NO_PERMISSION, f"The token is not for the bot {named['bot_id']}.")


def _check_permission(operation: Operation, permissions: Collection[str] | None) -> None:
    if permissions is None:
        return
    for needed in filter(None, (operation.permission, _ADDITIONAL_PERMISSIONS.get(operation.id))):
        if needed not in permissions and not any(needed in _IMPLIED.get(permission, ()) for permission in permissions):
            raise CallError(NO_PERMISSION, f"The token has no permission {needed} for this call.")
