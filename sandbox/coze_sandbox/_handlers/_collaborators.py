"""Who may edit a thing, besides its owner: the same for bots, apps and workflows."""

from __future__ import annotations

from .._common.errors import INVALID_PARAMETER, NOT_FOUND, CallError, missing
from .._http.context import Call
from ._common import get_or_404

__all__ = ["add_collaborators", "remove_collaborator"]


def add_collaborators(call: Call, kind: str, key: str, space_id: str) -> None:
    """Let the accounts in the body edit the thing *key* of a workspace, and keep them as *kind*.

    Raises:
        CallError: An account does not exist, or is no member of the workspace.
    """
    for entry in call.body["collaborators"]:
        user_id = entry["user_id"]
        get_or_404(call.state, "user", user_id)
        if call.state.store.get("member", f"{space_id}/{user_id}") is None:
            raise CallError(INVALID_PARAMETER, f"The account {user_id} is no member of the workspace.")
        call.state.store.put(kind, f"{key}/{user_id}", {"user_id": user_id}, key)


def remove_collaborator(call: Call, kind: str, key: str) -> None:
    """Let the account in the path edit the thing *key* no longer.

    Raises:
        CallError: The account is none of its collaborators.
    """
    user_id = call.path["user_id"]
    if not call.state.store.delete(kind, f"{key}/{user_id}"):
        raise missing(NOT_FOUND, "user_id", user_id)
