"""Workflows themselves. They are seed data: the API cannot create any."""

from __future__ import annotations

from typing import Any

from .._http.context import Call, ResponseFields
from .._state.state import SandboxState
from ._common import get_or_404, numbered_page, token_page
from ._registry import operation
from ._workflows import VERSION

_ICON = "https://sandbox.invalid/workflow.png"
_INPUT = {"parameters": {"input": {"type": "string", "required": False, "description": "The text."}}}
_OUTPUT = {"terminate_plan": "return_variables", "parameters": {"output": {"type": "string", "required": False}}}


@operation("workflows.list")
def list_workflows(call: Call) -> ResponseFields:
    """List the workflows of a workspace in one state of publication."""
    state, query = call.state, call.query
    get_or_404(state, "workspace", query["workspace_id"])
    found = [
        _summary(state, workflow)
        for workflow in state.store.list("workflow", query["workspace_id"])
        if _is_wanted(query.get("publish_status"), published=workflow["published"])
        and query.get("workflow_mode", workflow["mode"]) == workflow["mode"]
        and query.get("app_id", workflow["app_id"]) == workflow["app_id"]
    ]
    page, has_more = numbered_page(call, found, size=10)
    return {"data": {"items": page, "has_more": has_more}}


@operation("workflows.retrieve")
def retrieve(call: Call) -> ResponseFields:
    """Return a workflow."""
    workflow = get_or_404(call.state, "workflow", call.path["workflow_id"])
    return {"data": {"workflow_detail": _summary(call.state, workflow), **_inside(call)}}


@operation("workflows.versions.list")
def list_versions(call: Call) -> ResponseFields:
    """List the versions of a workflow, newest first: a draft, and the published one."""
    state, key = call.state, call.path["workflow_id"]
    workflow = get_or_404(state, "workflow", key)
    versions = [("", False)]
    if workflow["published"]:
        versions.append((VERSION, True))
    found = [
        {
            "version": version,
            "workflow_id": key,
            "description": f"Version {version}." if version else "Draft.",
            "creator": _creator(state, workflow),
            "created_at": str(workflow["created_at"]),
            "updated_at": str(workflow["updated_at"]),
            **_inside(call),
        }
        for version, published in versions
        if _is_wanted(call.query.get("publish_status"), published=published)
    ]
    return token_page(call, found, "items", size=10)


def _summary(state: SandboxState, workflow: dict[str, Any]) -> dict[str, Any]:
    return {
        "workflow_id": workflow["workflow_id"],
        "workflow_name": workflow["name"],
        "description": f"Runs the script {workflow['script']}.",
        "icon_url": _ICON,
        "app_id": workflow["app_id"],
        "creator": _creator(state, workflow),
        "created_at": str(workflow["created_at"]),
        "updated_at": str(workflow["updated_at"]),
    }


def _creator(state: SandboxState, workflow: dict[str, Any]) -> dict[str, Any]:
    user = get_or_404(state, "user", workflow["creator_id"])
    return {"id": user["user_id"], "name": user["user_name"]}


def _inside(call: Call) -> dict[str, Any]:
    return {"input": _INPUT, "output": _OUTPUT} if call.query.get("include_input_output") else {}


def _is_wanted(status: str | None, *, published: bool) -> bool:
    return status == "all" or published == (status != "unpublished_draft")
