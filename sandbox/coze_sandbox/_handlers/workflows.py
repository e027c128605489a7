"""Workflows themselves. They are seed data: the API cannot create any."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .._common.errors import INVALID_PARAMETER, NOT_FOUND, CallError, missing
from .._common.json_body import parse_json
from .._http.context import Call, ResponseFields
from .._state.state import SandboxState
from ._bot_serializers import API_CHANNEL, published
from ._common import check_file, get_or_404, numbered_page, token_page
from ._registry import operation

__all__ = ["VERSION", "debug_url", "runnable"]

_ICON = "https://sandbox.invalid/workflow.png"
_INPUT = {"parameters": {"input": {"type": "string", "required": False, "description": "The text."}}}
_OUTPUT = {"terminate_plan": "return_variables", "parameters": {"output": {"type": "string", "required": False}}}
VERSION = "v0.0.1"
"""The only version of a published workflow."""


@operation("workflows.list")
def list_workflows(call: Call) -> ResponseFields:
    """List the workflows of a workspace in one state of publication."""
    state, query = call.state, call.query
    get_or_404(state, "workspace", query["workspace_id"])
    workflows = [
        _summary(state, workflow)
        for workflow in state.store.list("workflow", query["workspace_id"])
        if _is_wanted(query.get("publish_status"), published=workflow["published"])
        and query.get("workflow_mode", workflow["mode"]) == workflow["mode"]
        and query.get("app_id", workflow["app_id"]) == workflow["app_id"]
    ]
    page, has_more = numbered_page(call, workflows, size=10)
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
    entries = [
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
    return token_page(call, entries, "items", size=10)


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


def runnable(call: Call) -> dict[str, Any]:
    """Return the workflow of a call that runs one.

    Raises:
        CallError: The workflow, bot or app does not exist or is not published.
    """
    state, body = call.state, call.body
    workflow = get_or_404(state, "workflow", body["workflow_id"])
    if not workflow["published"]:
        raise missing(NOT_FOUND, "workflow_id", body["workflow_id"])
    if "bot_id" in body and "app_id" in body:
        raise CallError(INVALID_PARAMETER, "body.app_id: must not be given with bot_id")
    if body.get("bot_id"):
        published(state, get_or_404(state, "bot", body["bot_id"]), API_CHANNEL)
    if body.get("app_id"):
        get_or_404(state, "app", body["app_id"])
    if body.get("workflow_version", VERSION) != VERSION:
        raise missing(NOT_FOUND, "workflow_version", body["workflow_version"])
    for value in body.get("parameters", {}).values():
        _check_files(state, value)
    return workflow


def debug_url(workflow: Mapping[str, Any], execute_id: str) -> str:
    """Return the URL of the debug page of a run."""
    return (
        f"https://www.coze.cn/work_flow?execute_id={execute_id}"
        f"&space_id={workflow['space_id']}&workflow_id={workflow['workflow_id']}"
    )


def _check_files(state: SandboxState, value: Any) -> None:
    for item in value if isinstance(value, list) else [value]:
        if isinstance(item, str) and item.lstrip().startswith("{"):
            try:
                parsed = parse_json(item, "parameters")
            except CallError:
                continue
            if isinstance(parsed, dict) and isinstance(parsed.get("file_id"), str):
                check_file(state, parsed["file_id"])
