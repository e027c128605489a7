"""Collaborators of bots, apps and workflows."""

from __future__ import annotations

from .._common.errors import INVALID_PARAMETER, NOT_FOUND, CallError, missing
from .._http.context import Call
from ._common import get_or_404

__all__ = ["add_collaborators", "remove_collaborator"]


def add_collaborators(call: Call, kind: str, key: str, space_id: str) -> None:
    """Add the accounts in the body as collaborators of *key*, in documents of the kind *kind*.

    Raises:
        CallError: An account does not exist, or is not a member of the workspace.
    """
    for entry in call.body["collaborators"]:
        user_id = entry["user_id"]
        get_or_404(call.state, "user", user_id)
        if call.state.store.get("member", f"{space_id}/{user_id}") is None:
            raise CallError(INVALID_PARAMETER, f"The account {user_id} is not a member of the workspace.")
        call.state.store.put(kind, f"{key}/{user_id}", {"user_id": user_id}, key)


def remove_collaborator(call: Call, kind: str, key: str) -> None:
    """Remove the account in the path from the collaborators of *key*.

    Raises:
        CallError: The account is not a collaborator.
    """
    user_id = call.path["user_id"]
    if not call.state.store.delete(kind, f"{key}/{user_id}"):
        raise missing(NOT_FOUND, "user_id", user_id)
