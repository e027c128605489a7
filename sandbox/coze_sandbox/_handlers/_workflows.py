"""Checks before a workflow runs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .._common.errors import INVALID_PARAMETER, NOT_FOUND, CallError, missing
from .._common.json_body import parse_json
from .._http.context import Call
from .._state.state import SandboxState
from ._bot_serializers import API_CHANNEL, published
from ._common import check_file, get_or_404

__all__ = ["VERSION", "debug_url", "runnable"]

VERSION = "v0.0.1"
"""The only version of a published workflow."""


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
    for one in value if isinstance(value, list) else [value]:
        if isinstance(one, str) and one.lstrip().startswith("{"):
            try:
                parsed = parse_json(one, "parameters")
            except CallError:
                continue
            if isinstance(parsed, dict) and isinstance(parsed.get("file_id"), str):
                check_file(state, parsed["file_id"])
