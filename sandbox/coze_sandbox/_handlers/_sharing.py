"""Who may edit a thing, besides its owner: the same for bots, apps and workflows."""

from __future__ import annotations

from .._call import Call
from .._errors import NOT_FOUND, missing
from ._common import need

__all__ = ["share", "unshare"]


def share(call: Call, kind: str, key: str) -> None:
    """Let the accounts in the body edit the thing *key*, and keep them as *kind*.

    Raises:
        CallError: An account does not exist.
    """
    for entry in call.body["collaborators"]:
        user_id = entry["user_id"]
        need(call.world, "user", user_id)
        call.world.store.put(kind, f"{key}/{user_id}", {"user_id": user_id}, key)


def unshare(call: Call, kind: str, key: str) -> None:
    """Let the account in the path edit the thing *key* no longer.

    Raises:
        CallError: The account is none of its collaborators.
    """
    user_id = call.path["user_id"]
    if not call.world.store.delete(kind, f"{key}/{user_id}"):
        raise missing(NOT_FOUND, "user_id", user_id)
