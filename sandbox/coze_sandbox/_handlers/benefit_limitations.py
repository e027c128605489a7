"""Quotas of end users. The sandbox has no end users, so no quota is ever used up."""

from __future__ import annotations

from typing import Any

from .._common.errors import INVALID_PARAMETER, CallError
from .._http.context import Call, ResponseFields
from .._state.store import public
from ._common import get_or_404, token_page
from ._registry import operation

_SETTINGS = ("active_mode", "started_at", "ended_at", "limit", "status", "trigger_unit", "trigger_time")
_NEVER = "never"


@operation("benefit_limitations.create")
def create(call: Call) -> ResponseFields:
    """Set a quota."""
    state, body = call.state, call.body
    _check_entity(body["entity_type"], body.get("entity_id"), "body.entity_id", needed=True)
    quota = {
        "benefit_id": state.new_id(),
        "entity_type": body["entity_type"],
        "status": "valid",
        "trigger_unit": _NEVER,
        "trigger_time": 1,
        **body["benefit_info"],
    }
    if "entity_id" in body:
        quota["entity_id"] = body["entity_id"]
    return {"data": {"benefit_info": public(_store(call, quota, "body.benefit_info"))}}


@operation("benefit_limitations.update")
def update(call: Call) -> ResponseFields:
    """Change a quota."""
    quota = get_or_404(call.state, "limitation", call.path["benefit_id"], name="benefit_id")
    quota.update({name: call.body[name] for name in _SETTINGS if name in call.body})
    return {"data": public(_store(call, quota, "body"))}


@operation("benefit_limitations.list")
def list_limitations(call: Call) -> ResponseFields:
    """List the quotas of one scope and kind in one state, the first that was set first."""
    query = call.query
    _check_entity(query["entity_type"], query.get("entity_id"), "query.entity_id", needed=False)
    limitations = [
        {name: value for name, value in quota.items() if name != "benefit_id"}
        for quota in call.state.store.list("limitation")
        if (quota["entity_type"], quota["benefit_type"]) == (query["entity_type"], query["benefit_type"])
        and quota["status"] == query.get("status", "valid")
        and query.get("entity_id", quota.get("entity_id")) == quota.get("entity_id")
    ]
    return token_page(call, limitations, "benefit_infos", size=20, next_name="page_token")


def _check_entity(entity_type: str, entity_id: str | None, where: str, *, needed: bool) -> None:
    is_single = entity_type.startswith("single_")
    if entity_id and not is_single:
        raise CallError(INVALID_PARAMETER, f"{where}: not with entity_type {entity_type}")
    if is_single and needed and not entity_id:
        raise CallError(INVALID_PARAMETER, f"{where}: is required with entity_type {entity_type}")


def _store(call: Call, quota: dict[str, Any], where: str) -> dict[str, Any]:
    """Save a quota if it is valid."""
    store = call.state.store
    if quota["ended_at"] <= quota["started_at"]:
        raise CallError(INVALID_PARAMETER, f"{where}.ended_at: must be after started_at")
    if quota["trigger_unit"] == _NEVER:
        quota["trigger_time"] = 1
    elif quota["trigger_time"] < 1:
        raise CallError(INVALID_PARAMETER, f"{where}.trigger_time: must be at least 1")
    if not quota["entity_type"].startswith("single_"):
        for other in store.list("limitation"):
            if other["benefit_id"] != quota["benefit_id"] and _kind(other) == _kind(quota):
                raise CallError(INVALID_PARAMETER, f"A quota of this kind exists already: {other['benefit_id']}.")
    return store.put("limitation", quota["benefit_id"], quota)


def _kind(quota: dict[str, Any]) -> tuple[str, str, bool]:
    return quota["entity_type"], quota["benefit_type"], quota["trigger_unit"] == _NEVER
