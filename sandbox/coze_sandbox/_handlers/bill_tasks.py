"""Tasks that export bills of end users to files."""

from __future__ import annotations

from typing import Any

from .._common.errors import INVALID_PARAMETER, CallError
from .._http.context import Call, ResponseFields
from .._state.state import SandboxState
from .._state.store import public
from ._common import numbered_page
from ._registry import operation

_DAY = 86_400
_BEIJING = 8 * 3600  # days are those of Beijing, as in the documented example
_FIRST_DAY = 1_741_795_200  # 13 March 2025
_KEPT = 7 * _DAY


@operation("bill_tasks.create")
def create(call: Call) -> ResponseFields:
    """Start a task, for yesterday by default. Times are extended to full days."""
    state, body = call.state, call.body
    now = state.clock.seconds()
    today = _midnight(now)
    yesterday = today - _DAY
    started_at = _midnight(body.get("started_at", min(body.get("ended_at", yesterday), yesterday)))
    ended_at = _midnight(body.get("ended_at", yesterday)) + _DAY - 1
    for name, moment in (("started_at", started_at), ("ended_at", ended_at)):
        if not _FIRST_DAY <= moment < today:
            raise CallError(INVALID_PARAMETER, f"body.{name}: must be between 13 March 2025 and yesterday")
    if started_at > ended_at:
        raise CallError(INVALID_PARAMETER, "body.ended_at: must not be before started_at")
    task: dict[str, Any] = {
        "task_id": state.new_id(),
        "started_at": started_at,
        "ended_at": ended_at,
        "created_at": now,
        "expires_at": now + _KEPT,
        "_creator_id": call.user_id,
        "_ends_at": state.clock.now() + state.options.answer_seconds,
    }
    state.store.put("bill_task", task["task_id"], task)
    return {"data": _shown(state, task)}


@operation("bill_tasks.list")
def list_tasks(call: Call) -> ResponseFields:
    """List the tasks named, or those of the last seven days, the newest first. Those of others are left out."""
    state, wanted = call.state, call.query.get("task_ids")
    since = state.clock.now() - _KEPT
    tasks = [
        task
        for task in reversed(state.list("bill_task"))
        if (task["task_id"] in wanted if wanted else task["created_at"] >= since)
    ]
    page, _ = numbered_page(call, tasks)
    return {"data": {"total": len(tasks), "task_infos": [_shown(state, task) for task in page]}}


def _midnight(moment: int) -> int:
    return (moment + _BEIJING) // _DAY * _DAY - _BEIJING


def _shown(state: SandboxState, task: dict[str, Any]) -> dict[str, Any]:
    """Return the current state of a task, with one file per month until they expire."""
    now = state.clock.now()
    is_done = task["_ends_at"] <= now
    count = (task["ended_at"] - task["started_at"]) // (31 * _DAY) + 1 if is_done and now < task["expires_at"] else 0
    key = task["task_id"]
    return {
        **public(task),
        "status": "succeed" if is_done else "running",
        "file_urls": [f"https://sandbox.invalid/bill/{key}_{number}.csv" for number in range(1, count + 1)],
    }
