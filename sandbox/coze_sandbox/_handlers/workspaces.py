"""Workspaces and their members."""

from __future__ import annotations

from typing import Any

from .._common.errors import INVALID_PARAMETER, NOT_FOUND, CallError, missing
from .._http.context import Call, ResponseFields
from ._common import check_file, get_or_404, numbered_page
from ._registry import operation

__all__ = ["member_key"]

_ICON = "https://sandbox.invalid/workspace.png"
_TOO_MANY_MEMBERS = 702042018


def member_key(workspace_id: str, user_id: str) -> str:
    """Return the key under which a membership is kept."""
    return f"{workspace_id}/{user_id}"


@operation("workspaces.list")
def list_workspaces(call: Call) -> ResponseFields:
    """List the workspaces in which the caller is a member."""
    query, store = call.query, call.state.store
    if ("user_id" in query) != ("coze_account_id" in query):
        raise CallError(INVALID_PARAMETER, "query.user_id: must be given together with coze_account_id")
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


@operation("workspaces.delete")
def delete_workspace(call: Call) -> None:
    """Delete a workspace and its memberships. What is in it stays: what Coze does with it is not known."""
    key = call.path["workspace_id"]
    get_or_404(call.state, "workspace", key)
    call.state.store.delete("workspace", key)
    call.state.store.delete_children("member", key)


def _seen_by(call: Call, workspace: dict[str, Any], user_id: str) -> dict[str, Any]:
    members = call.state.store.list("member", workspace["id"])
    role = next(member["role_type"] for member in members if member["user_id"] == user_id)
    admins = [member["user_id"] for member in members if member["role_type"] == "admin"]
    return {**workspace, "role_type": role, "admin_uids": admins, "joined_status": "joined"}


@operation("workspaces.members.list")
def list_members(call: Call) -> ResponseFields:
    """List the members, the first to join first."""
    key = call.path["workspace_id"]
    get_or_404(call.state, "workspace", key)
    members = [_described(call, member) for member in call.state.store.list("member", key)]
    page, _ = numbered_page(call, members)
    return {"data": {"items": page, "total_count": len(members)}}


@operation("workspaces.members.create")
def create_member(call: Call) -> ResponseFields:
    """Add accounts, and return the result of each. Accounts join at once, without an invitation."""
    state, key = call.state, call.path["workspace_id"]
    get_or_404(state, "workspace", key)
    result: dict[str, list[str]] = {
        "added_success_user_ids": [],
        "invited_success_user_ids": [],
        "not_exist_user_ids": [],
        "already_joined_user_ids": [],
        "already_invited_user_ids": [],
    }
    count = len(state.store.list("member", key))
    for user in call.body.get("users", ()):
        user_id = user["user_id"]
        if state.find("user", user_id) is None:
            result["not_exist_user_ids"].append(user_id)
        elif state.find("member", member_key(key, user_id)) is not None:
            result["already_joined_user_ids"].append(user_id)
        else:
            count += 1
            if count > state.options.workspace_limit:
                raise CallError(_TOO_MANY_MEMBERS, "The workspace would get too many members.")
            member = {"user_id": user_id, "role_type": user["role_type"]}
            state.store.put("member", member_key(key, user_id), member, key)
            result["added_success_user_ids"].append(user_id)
    return {"data": result}


@operation("workspaces.members.update")
def update_member(call: Call) -> None:
    """Change the role of a member. That of the owner stays.

    Raises:
        CallError: The workspace does not exist, or the user is not a member or owns it.
    """
    state, key = call.state, call.path["workspace_id"]
    get_or_404(state, "workspace", key)
    member = state.find("member", member_key(key, call.path["user_id"]))
    if member is None:
        raise missing(NOT_FOUND, "user_id", call.path["user_id"])
    if member["role_type"] == "owner":
        raise CallError(INVALID_PARAMETER, "path.user_id: the role of the owner cannot be changed")
    changed = {**member, "role_type": call.body.get("role_type", member["role_type"])}
    state.store.put("member", member_key(key, member["user_id"]), changed, key)


@operation("workspaces.members.apply")
def apply(call: Call) -> ResponseFields:
    """Apply for accounts, which fails for members and unknown ones. Nobody decides on applications."""
    state, key = call.state, call.path["workspace_id"]
    get_or_404(state, "workspace", key)
    applied: list[str] = []
    failed: list[str] = []
    for user_id in call.body.get("user_ids", ()):
        is_known = state.find("user", user_id) is not None
        is_member = state.find("member", member_key(key, user_id)) is not None
        (applied if is_known and not is_member else failed).append(user_id)
    return {"data": {"applied_success_user_ids": applied, "applied_failed_user_ids": failed}}


@operation("workspaces.members.delete")
def delete(call: Call) -> ResponseFields:
    """Remove accounts, and return the result of each. The owner cannot be removed."""
    state, key = call.state, call.path["workspace_id"]
    get_or_404(state, "workspace", key)
    removed: list[str] = []
    absent: list[str] = []
    owners: list[str] = []
    for user_id in call.body["user_ids"]:
        member = state.find("member", member_key(key, user_id))
        if member is None:
            absent.append(user_id)
        elif member["role_type"] == "owner":
            owners.append(user_id)
        else:
            state.store.delete("member", member_key(key, user_id))
            removed.append(user_id)
    return {
        "data": {
            "removed_success_user_ids": removed,
            "not_in_workspace_user_ids": absent,
            "owner_not_support_remove_user_ids": owners,
        }
    }


def _described(call: Call, member: dict[str, Any]) -> dict[str, Any]:
    user = get_or_404(call.state, "user", member["user_id"])
    return {
        **member,
        "user_nickname": user["nick_name"],
        "user_unique_name": user["user_name"],
        "avatar_url": user["avatar_url"],
    }
