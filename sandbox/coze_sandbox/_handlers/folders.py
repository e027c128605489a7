"""Folders. They are seed data: the API can only read them."""

from __future__ import annotations

from typing import Any

from .._http.context import Call, ResponseFields
from .._state.state import SandboxState
from ._common import get_or_404, numbered_page
from ._registry import operation


@operation("folders.list")
def list_folders(call: Call) -> ResponseFields:
    """List the folders directly in a workspace or in another folder."""
    state, query = call.state, call.query
    get_or_404(state, "workspace", query["workspace_id"])
    parent = query.get("parent_folder_id", "")
    if parent:
        get_or_404(state, "folder", parent, name="parent_folder_id")
    folders = _inside(state, query["workspace_id"], parent)
    page, has_more = numbered_page(call, folders)
    shown = [_shown(state, folder) for folder in page]
    return {"data": {"items": shown, "has_more": has_more, "total_count": len(folders)}}


@operation("folders.retrieve")
def retrieve(call: Call) -> ResponseFields:
    """Return a folder."""
    return {"data": _shown(call.state, get_or_404(call.state, "folder", call.path["folder_id"]))}


def _inside(state: SandboxState, workspace_id: str, parent: str) -> list[dict[str, Any]]:
    return [folder for folder in state.store.list("folder", workspace_id) if folder["parent_folder_id"] == parent]


def _shown(state: SandboxState, folder: dict[str, Any]) -> dict[str, Any]:
    count = len(_inside(state, folder["workspace_id"], folder["id"]))
    return {**folder, "children_count": count}
