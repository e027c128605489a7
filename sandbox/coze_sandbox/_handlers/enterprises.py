"""Enterprises: their employees, and the organizations in them."""

from __future__ import annotations

from typing import Any

from .._common.errors import ALREADY_MEMBER, INVALID_PARAMETER, NOT_FOUND, TEAM_FULL, CallError, missing
from .._http.context import Call, ResponseFields
from ._common import get_or_404, numbered_page
from ._registry import operation

_MOST_ORGANIZATIONS = 20


@operation("enterprises.members.create")
def add_employee(call: Call) -> None:
    """Add accounts, which belong to the default organization from then on."""
    state, key = call.state, _enterprise(call)
    now = state.clock.seconds()
    default = next(
        organization for organization in state.store.list("organization", key) if organization["is_default"]
    )["organization_id"]
    for user in call.body.get("users", ()):
        get_or_404(state, "user", user["user_id"])
        if state.find("employee", f"{key}/{user['user_id']}") is not None:
            raise CallError(ALREADY_MEMBER, f"The account {user['user_id']} is a member of the enterprise already.")
        if len(state.store.list("employee", key)) >= state.options.workspace_limit:
            raise CallError(TEAM_FULL, "The enterprise has reached its member limit.")
        state.store.put("employee", f"{key}/{user['user_id']}", dict(user), key)
        member = {"user_id": user["user_id"], "role": "organization_member", "created_at": now}
        state.store.put("organization_member", f"{default}/{user['user_id']}", member, default)


@operation("enterprises.members.update")
def update_employee(call: Call) -> None:
    """Change the role of an employee."""
    key = _enterprise(call)
    employee = {**_employee(call, call.path["user_id"]), "role": call.body["role"]}
    call.state.store.put("employee", f"{key}/{employee['user_id']}", employee, key)


@operation("enterprises.members.delete")
def remove_employee(call: Call) -> None:
    """Remove an employee who is in no organization but the default one."""
    state, key, user_id = call.state, _enterprise(call), call.path["user_id"]
    _employee(call, user_id)
    heir = _employee(call, call.body["receiver_user_id"])
    if heir["role"] != "enterprise_admin" or heir["user_id"] == user_id:
        raise CallError(INVALID_PARAMETER, "body.receiver_user_id: must be another administrator")
    for organization in state.store.list("organization", key):
        place = f"{organization['organization_id']}/{user_id}"
        if not organization["is_default"] and state.find("organization_member", place):
            raise CallError(INVALID_PARAMETER, "The member is still in an organization.")
        state.store.delete("organization_member", place)
    state.store.delete("employee", f"{key}/{user_id}")


@operation("enterprises.organizations.create")
def create_organization(call: Call) -> ResponseFields:
    """Create an organization with a super administrator."""
    state, key, admin = call.state, _enterprise(call), call.body["super_admin_user_id"]
    _employee(call, admin)
    if len(state.store.list("organization", key)) >= _MOST_ORGANIZATIONS:
        raise CallError(INVALID_PARAMETER, f"An enterprise has at most {_MOST_ORGANIZATIONS} organizations.")
    organization_id = state.new_id()
    organization = {
        "organization_id": organization_id,
        "name": call.body["name"],
        "description": call.body.get("description", ""),
        "is_default": False,
        "enterprise_id": key,
    }
    state.store.put("organization", organization_id, organization, key)
    member = {"user_id": admin, "role": "organization_super_admin", "created_at": state.clock.seconds()}
    state.store.put("organization_member", f"{organization_id}/{admin}", member, organization_id)
    return {"data": {"organization_id": organization_id}}


@operation("enterprises.organizations.list")
def list_organizations(call: Call) -> ResponseFields:
    """List the organizations, the default one first."""
    organizations = call.state.store.list("organization", _enterprise(call))
    page, _ = numbered_page(call, organizations)
    shown = [
        {
            "organization_id": organization["organization_id"],
            "organization_name": organization["name"],
            "organization_icon_url": "https://sandbox.invalid/organization.png",
            "is_default_organization": organization["is_default"],
        }
        for organization in page
    ]
    return {"data": {"items": shown, "total_count": len(organizations)}}


def _enterprise(call: Call) -> str:
    key: str = get_or_404(call.state, "enterprise", call.path["enterprise_id"])["enterprise_id"]
    return key


def _employee(call: Call, user_id: str) -> dict[str, Any]:
    employee = call.state.find("employee", f"{call.path['enterprise_id']}/{user_id}")
    if employee is None:
        raise missing(NOT_FOUND, "user_id", user_id)
    return employee
