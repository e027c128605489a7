"""Workspaces."""

from __future__ import annotations

from typing import Any

from .._common.errors import INVALID_PARAMETER, CallError
from .._http.context import Call, ResponseFields
from ._common import check_file, get_or_404, numbered_page
from ._registry import operation

__all__ = ["member_key"]

_ICON = "https://sandbox.invalid/workspace.png"


def member_key(workspace_id: str, user_id: str) -> str:
    """Return the key under which a membership is kept."""
    return f"{workspace_id}/{user_id}"


@operation("workspaces.list")
def list_workspaces(call: Call) -> ResponseFields:
    """List the workspaces in which the caller is a member."""
    query, store = call.query, call.state.store
    if ("user_id" in query) != ("coze_account_id" in query):
        raise CallError(INVALID_PARAMETER, "query.user_id: goes together with coze_account_id only")
    user_id = query.get("user_id", call.user_id)
    enterprise_id = query.get("enterprise_id", "")
    joined = [
        _seen_by(call, workspace, user_id)
        for workspace in store.list("workspace")
        if store.get("member", member_key(workspace["id"], user_id)) is not None
        and workspace["enterprise_id"] == enterprise_id
    ]
    page, _ = numbered_page(call, joined)
    return {"data": {"workspaces": page, "total_count": len(joined)}}


@operation("workspaces.create")
def create(call: Call) -> ResponseFields:
    """Create a team workspace, owned by the caller or by `owner_uid`."""
    state, body = call.state, call.body
    check_file(state, body.get("icon_file_id"), "icon_file_id")
    owner = body.get("owner_uid", call.user_id)
    get_or_404(state, "user", owner, name="owner_uid")
    key = state.new_id()
    workspace = {
        "id": key,
        "name": body["name"],
        "description": body["description"],
        "icon_url": _ICON,
        "owner_uid": owner,
        "workspace_type": "team",
        "enterprise_id": "",
    }
    state.store.put("workspace", key, workspace)
    member = {"user_id": owner, "role_type": "owner"}
    state.store.put("member", member_key(key, owner), member, key)
    return {"data": {"id": key}}


@operation("workspaces.update")
def update(call: Call) -> None:
    """Change name and description."""
    key = call.path["workspace_id"]
    workspace = get_or_404(call.state, "workspace", key)
    changes = {name: call.body[name] for name in ("name", "description") if name in call.body}
    call.state.store.put("workspace", key, {**workspace, **changes})


def _seen_by(call: Call, workspace: dict[str, Any], user_id: str) -> dict[str, Any]:
    members = call.state.store.list("member", workspace["id"])
    role = next(member["role_type"] for member in members if member["user_id"] == user_id)
    admins = [member["user_id"] for member in members if member["role_type"] == "admin"]
    return {**workspace, "role_type": role, "admin_uids": admins, "joined_status": "joined"}
