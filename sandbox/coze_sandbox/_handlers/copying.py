"""Copies of bots, apps, workflows and templates."""

from __future__ import annotations

from typing import Any

from .._common.errors import INVALID_PARAMETER, CallError
from .._http.context import Call, ResponseFields
from .._state.state import SandboxState
from .._state.store import public
from ._common import get_or_404
from ._registry import operation


@operation("copy_tasks.create")
def start(call: Call) -> ResponseFields:
    """Copy a bot within its workspace at once, and everything else by a task that ends by the clock."""
    state, body = call.state, call.body
    kind, key = body.get("entity_type"), body.get("entity_id")
    if not kind or not key:
        raise CallError(INVALID_PARAMETER, "body.entity_id: entity_id and entity_type are required")
    source = get_or_404(state, kind, key, name="entity_id")
    home = source["space_id"]
    target = body.get("to_workspace_id", home)
    get_or_404(state, "workspace", target, name="to_workspace_id")
    if target != home and get_or_404(state, "workspace", home)["workspace_type"] == "personal":
        raise CallError(INVALID_PARAMETER, "Resources of a personal workspace can be copied only within it.")
    if kind == "bot" and target == home:
        return {"data": {"copied_entity_id": _copy(state, kind, source, target)}}
    task = {
        "task_id": state.new_id(),
        "entity_type": kind,
        "source_entity_id": key,
        "target_workspace_id": target,
        "_ends_at": state.clock.now() + state.options.answer_seconds,
        "_source": source,
    }
    state.store.put("copy_task", task["task_id"], task)
    return {"data": {"task_id": task["task_id"]}}


@operation("copy_tasks.retrieve")
def retrieve(call: Call) -> ResponseFields:
    """Return the status of a task. The copy is created at the first poll after its end time."""
    state = call.state
    task = get_or_404(state, "copy_task", call.path["task_id"], name="task_id")
    if "target_entity_id" not in task and task["_ends_at"] <= state.clock.now():
        task["target_entity_id"] = _copy(state, task["entity_type"], task["_source"], task["target_workspace_id"])
        state.store.put("copy_task", task["task_id"], task)
    shown = public(task)
    return {"data": {**shown, "task_status": "successful" if "target_entity_id" in task else "in_progress"}}


@operation("templates.duplicate")
def duplicate_template(call: Call) -> ResponseFields:
    """Create a bot from a template. No operation lists templates, so every id is one."""
    state, body = call.state, call.body
    get_or_404(state, "workspace", body["workspace_id"])
    now, template_id = state.clock.seconds(), call.path["template_id"]
    draft = {
        "name": body.get("name") or f"Template {template_id}",
        "description": f"Made from the template {template_id}.",
        "create_time": now,
        "owner_user_id": call.user_id,
    }
    bot = {"draft": draft, "collaboration_mode": "single"}
    return {"data": {"entity_id": _copy(state, "bot", bot, body["workspace_id"]), "entity_type": "agent"}}


def _copy(state: SandboxState, kind: str, source: dict[str, Any], space_id: str) -> str:
    """Copy as a draft, with the name and without the publications."""
    key, now = state.new_id(), state.clock.seconds()
    match kind:
        case "bot":
            draft = {**source["draft"], "bot_id": key, "create_time": now, "update_time": now}
            copied = {**source, "space_id": space_id, "draft": draft, "channels": {}}
        case "workflow":
            copied = {**source, "workflow_id": key, "space_id": space_id, "published": False}
            copied.update(created_at=now, updated_at=now)
        case _:
            copied = {**source, "id": key, "space_id": space_id, "is_published": False, "updated_at": now}
            copied.pop("published_at", None)
    state.store.put(kind, key, copied, space_id)
    return key
