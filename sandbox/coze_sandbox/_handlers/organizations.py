"""Organizations and their members."""

from __future__ import annotations

from typing import Any

from .._common.errors import ALREADY_MEMBER, INVALID_PARAMETER, LAST_SUPER_ADMIN, NOT_FOUND, CallError, missing
from .._http.context import Call, ResponseFields
from ._common import get_or_404, numbered_page
from ._registry import operation

_SUPER_ADMIN, _GUEST = "organization_super_admin", "organization_guest"


@operation("organizations.update")
def update(call: Call) -> None:
    """Change name and description; empty ones are kept."""
    organization = _organization(call)
    organization.update({name: call.body[name] for name in ("name", "description") if call.body.get(name)})
    key = organization["organization_id"]
    call.state.store.put("organization", key, organization, organization["enterprise_id"])


@operation("organizations.members.list")
def list_members(call: Call) -> ResponseFields:
    """List the members, the first to join first."""
    state = call.state
    members = state.store.list("organization_member", _organization(call)["organization_id"])
    page, _ = numbered_page(call, members)
    shown = []
    for member in page:
        user = get_or_404(state, "user", member["user_id"])
        shown.append(
            {
                "user_id": member["user_id"],
                "is_valid": True,
                "avatar_url": user["avatar_url"],
                "created_at": member["created_at"],
                "people_type": "guest" if member["role"] == _GUEST else "employee",
                "user_nickname": user["nick_name"],
                "user_unique_name": user["user_name"],
                "organization_role_type": member["role"],
            }
        )
    return {"data": {"items": shown, "total_count": len(members)}}


@operation("organizations.members.create")
def add_member(call: Call) -> None:
    """Add employees of the enterprise."""
    organization = _organization(call)
    for person in call.body["organization_people"]:
        place = f"{organization['enterprise_id']}/{person['user_id']}"
        if call.state.find("employee", place) is None:
            raise missing(NOT_FOUND, "user_id", person["user_id"])
        if call.state.find("organization_member", f"{organization['organization_id']}/{person['user_id']}") is not None:
            raise CallError(ALREADY_MEMBER, f"The account {person['user_id']} is a member of the organization already.")
        now = call.state.clock.seconds()
        _store(call, {"user_id": person["user_id"], "role": person["organization_role_type"], "created_at": now})


@operation("organizations.members.update")
def update_member(call: Call) -> None:
    """Change the role of an employee."""
    member, role = _member(call, call.path["user_id"]), call.body["organization_role_type"]
    if member["role"] == _GUEST:
        raise CallError(INVALID_PARAMETER, "The role of a guest cannot be changed.")
    if role != _SUPER_ADMIN:
        _check_not_last(call, member)
    _store(call, {**member, "role": role})


@operation("organizations.members.delete")
def remove_member(call: Call) -> None:
    """Remove a member."""
    member = _member(call, call.path["user_id"])
    _check_not_last(call, member)
    heir = _member(call, call.body["receiver_user_id"])
    if heir["role"] != _SUPER_ADMIN or heir["user_id"] == member["user_id"]:
        raise CallError(INVALID_PARAMETER, "body.receiver_user_id: must be another super administrator")
    call.state.store.delete("organization_member", f"{call.path['organization_id']}/{member['user_id']}")


def _organization(call: Call) -> dict[str, Any]:
    return get_or_404(call.state, "organization", call.path["organization_id"])


def _member(call: Call, user_id: str) -> dict[str, Any]:
    key = _organization(call)["organization_id"]
    member = call.state.find("organization_member", f"{key}/{user_id}")
    if member is None:
        raise missing(NOT_FOUND, "user_id", user_id)
    return member


def _check_not_last(call: Call, member: dict[str, Any]) -> None:
    members = call.state.store.list("organization_member", call.path["organization_id"])
    admins = [member["user_id"] for member in members if member["role"] == _SUPER_ADMIN]
    if admins == [member["user_id"]]:
        raise CallError(LAST_SUPER_ADMIN, "The last super administrator cannot be removed or demoted.")


def _store(call: Call, member: dict[str, Any]) -> None:
    key = call.path["organization_id"]
    call.state.store.put("organization_member", f"{key}/{member['user_id']}", member, key)
