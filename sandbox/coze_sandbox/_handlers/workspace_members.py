"""Members of workspaces."""

from __future__ import annotations

from typing import Any

from .._common.errors import CallError
from .._http.context import Call, ResponseFields
from ._common import get_or_404, numbered_page
from ._registry import operation
from .workspaces import member_key

_TOO_MANY_MEMBERS = 702042018


@operation("workspaces.members.list")
def list_members(call: Call) -> ResponseFields:
    """List the members, the first to join first."""
    key = call.path["workspace_id"]
    get_or_404(call.state, "workspace", key)
    members = [_described(call, member) for member in call.state.store.list("member", key)]
    page, _ = numbered_page(call, members)
    return {"data": {"items": page, "total_count": len(members)}}


@operation("workspaces.members.create")
def create(call: Call) -> ResponseFields:
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
