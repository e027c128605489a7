"""Visibility rules: an account can read its own documents and those of its workspaces."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .store import Store

__all__ = ["can_read"]

# Member with the id of the owner, by kind.
_OWNERS = {
    "api_app": "_creator_id",
    "bill_task": "_creator_id",
    "conversation": "creator_id",
    "database_task": "_creator_id",
    "file": "_creator_id",
    "voiceprint_group": "creator_id",
    "voice": "_creator_id",
}
_IN_WORKSPACES = {"app", "bot", "database", "dataset", "folder", "workflow"}

# Kinds that are visible with their parent: kind of the parent, and the member with its id.
_PARENTS = {"document": ("dataset", "_dataset_id"), "run": ("workflow", "workflow_id")}


def can_read(store: Store, kind: str, key: str, document: Mapping[str, Any], user_id: str) -> bool:
    """Return whether an account can read a document.

    Args:
        store: The store, which has the memberships.
        kind: Kind of the document.
        key: Its id.
        document: The document.
        user_id: The account.
    """
    if kind == "workspace":
        return _is_member(store, key, user_id)
    if kind in _OWNERS:
        return bool(document.get(_OWNERS[kind], user_id) == user_id)
    if kind in _PARENTS:
        parent, name = _PARENTS[kind]
        kind, document = parent, store.get(parent, document[name]) or {}
    if kind not in _IN_WORKSPACES:
        return True
    return _is_member(store, document.get("space_id", document.get("workspace_id", "")), user_id)


def _is_member(store: Store, workspace_id: str, user_id: str) -> bool:
    return store.get("member", f"{workspace_id}/{user_id}") is not None
