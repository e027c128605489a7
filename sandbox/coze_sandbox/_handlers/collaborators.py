"""Collaboration on apps, bots and workflows. Apps have no collaboration mode."""

from __future__ import annotations

from typing import Any

from .._common.errors import INVALID_PARAMETER, NOT_FOUND, CallError, missing
from .._http.context import Call
from ._common import get_or_404
from ._registry import operation

_COLLABORATORS = {"app": "app_collaborator", "bot": "collaborator", "workflow": "workflow_collaborator"}


@operation("bots.collaboration_modes.update", "workflows.collaboration_modes.update")
def update_mode(call: Call) -> None:
    """Set the collaboration mode. The mode with a single editor removes the collaborators of a bot; a workflow must
    not have any.
    """
    store = call.state.store
    kind, key, document = _shared(call)
    document["collaboration_mode"] = call.body.get("collaboration_mode", "single")
    if document["collaboration_mode"] == "single":
        if kind == "workflow" and store.list(_COLLABORATORS[kind], key):
            raise CallError(INVALID_PARAMETER, "The workflow still has collaborators.")
        store.delete_children(_COLLABORATORS[kind], key)
    store.put(kind, key, document, document["space_id"])


@operation("apps.collaborators.create", "bots.collaborators.create", "workflows.collaborators.create")
def create(call: Call) -> None:
    """Add members of the workspace as collaborators."""
    store = call.state.store
    kind, key, document = _shared(call)
    if document.get("collaboration_mode") == "single":
        raise CallError(INVALID_PARAMETER, f"The {kind} is not in collaboration mode.")
    for entry in call.body["collaborators"]:
        user_id = entry["user_id"]
        get_or_404(call.state, "user", user_id)
        if store.get("member", f"{document['space_id']}/{user_id}") is None:
            raise CallError(INVALID_PARAMETER, f"The account {user_id} is not a member of the workspace.")
        store.put(_COLLABORATORS[kind], f"{key}/{user_id}", {"user_id": user_id}, key)


@operation("apps.collaborators.delete", "bots.collaborators.delete", "workflows.collaborators.delete")
def delete(call: Call) -> None:
    """Remove a collaborator."""
    kind, key, _ = _shared(call)
    user_id = call.path["user_id"]
    if not call.state.store.delete(_COLLABORATORS[kind], f"{key}/{user_id}"):
        raise missing(NOT_FOUND, "user_id", user_id)


def _shared(call: Call) -> tuple[str, str, dict[str, Any]]:
    """Return kind, id and document of the resource."""
    kind = call.operation.id.partition("s.")[0]
    key = call.path[f"{kind}_id"]
    return kind, key, get_or_404(call.state, kind, key)
