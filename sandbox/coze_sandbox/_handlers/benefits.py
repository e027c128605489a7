"""The plan of the account, which is the largest one."""

from __future__ import annotations

from typing import Any

from .._common.errors import INVALID_PARAMETER, CallError
from .._http.context import Call, ResponseFields
from ._registry import operation

_CALLS_PER_SECOND = {"plugin": 100, "chat": 300, "workflow": 200}
_TOOL_CALLS = 10_000


@operation("benefits.retrieve")
def retrieve(call: Call) -> ResponseFields:
    """Return the plan and the requested limits. Calls of tools are counted, but not limited."""
    query = call.query
    limits = []
    for kind in dict.fromkeys(query.get("benefit_type_list", ())):
        if kind == "call_tool_limit":
            used = sum(plugin["_calls"] for plugin in call.state.store.list("plugin"))
            limits.append(_limit(kind, used, _TOOL_CALLS))
        elif "resource_id" not in query:
            raise CallError(INVALID_PARAMETER, f"query.resource_id: is required with {kind}")
        else:
            limit = _limit(kind, 0, _CALLS_PER_SECOND[query["resource_id"]])
            limits.append({**limit, "resource_id": query["resource_id"]})
    data: ResponseFields = {"basic_info": {"user_level": "enterprise"}}
    if limits:
        data["benefit_info"] = limits
    return {"data": data}


def _limit(kind: str, used: int, total: int) -> dict[str, Any]:
    counter = {"used": used, "total": total, "start_at": 0, "end_at": 0, "strategy": "by_quota"}
    quota = {"item_info": counter, "status": "valid"}
    return {"benefit_type": kind, "basic": quota, "extra": [], "effective": quota}
