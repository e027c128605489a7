"""Who is calling, and whether they may."""

from __future__ import annotations

from ._document import Operation
from ._errors import INVALID_TOKEN, NO_PERMISSION, CallError
from ._seed import USER_ID
from ._world import World

__all__ = ["authorize", "bearer"]


def bearer(header: str | None) -> str:
    """Return what stands behind `Bearer` in the Authorization header, or an empty text."""
    scheme, _, token = (header or "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""


def authorize(operation: Operation, header: str | None, world: World) -> str:
    """Check the token of a request.

    Args:
        operation: What is called.
        header: The Authorization header, if there is one.
        world: Which tokens are known, from the start or because they were given out.

    Returns:
        The id of the account behind the token.

    Raises:
        CallError: There is no token, it is unknown, or it lacks the permission.
    """
    options = world.options
    if operation.public:
        return USER_ID
    token = bearer(header)
    if not token:
        raise CallError(INVALID_TOKEN, "authentication is invalid")
    if operation.grants:
        return USER_ID
    if token in options.foreign_tokens:
        raise CallError(
            NO_PERMISSION,
            "The token you entered is incorrect. Please double-check and try again."
            " Tokens of api.coze.com and of api.coze.cn are not interchangeable.",
        )
    if token == options.token:
        return USER_ID
    given_out = world.find("token", token)
    if given_out is not None and given_out["expires_at"] > world.clock.now():
        return USER_ID
    if token not in options.tokens:
        raise CallError(INVALID_TOKEN, "authentication is invalid")
    permissions = options.tokens[token]
    needed = operation.permission
    if permissions is not None and needed is not None and needed not in permissions:
        raise CallError(NO_PERMISSION, f"The token has no permission {needed} for this call.")
    return USER_ID
