"""Plugins and their tools. They are seed data: the API cannot create any."""

from __future__ import annotations

from typing import Any

import jsonschema_rs

from .._common.errors import INVALID_PARAMETER, NO_PERMISSION, NOT_FOUND, CallError, missing
from .._http.context import Call, ResponseFields
from .._spec.validators import first_violation
from .._state.seed_plugins import run_tool
from .._state.store import public
from ._common import get_or_404
from ._registry import operation


@operation("plugins.retrieve")
def retrieve(call: Call) -> ResponseFields:
    """Return a plugin with its tools."""
    return {"data": public(get_or_404(call.state, "plugin", call.path["plugin_id"]))}


@operation("plugins.retrieve_many")
def retrieve_many(call: Call) -> ResponseFields:
    """Return plugins in the requested order, each once. Unknown ids are skipped."""
    plugins = [call.state.find("plugin", key) for key in dict.fromkeys(call.query["ids"])]
    return {"data": {"items": [public(plugin) for plugin in plugins if plugin is not None]}}


@operation("plugins.tools.call")
def call_tool(call: Call) -> ResponseFields:
    """Run a tool of a paid plugin, and count the call."""
    state, body = call.state, call.body
    plugin = get_or_404(state, "plugin", call.path["plugin_id"])
    tool = next((candidate for candidate in plugin["tools"] if candidate["name"] == body["tool_name"]), None)
    if tool is None:
        raise missing(NOT_FOUND, "tool_name", body["tool_name"])
    if not plugin["_paid"]:
        raise CallError(INVALID_PARAMETER, "Tools of free plugins can be used in bots and workflows only.")
    if not plugin["is_call_available"]:
        raise CallError(NO_PERMISSION, "The terms of this plugin were not accepted.")
    _check_arguments(tool["inputSchema"], body["arguments"])
    plugin["_calls"] += 1
    state.store.put("plugin", plugin["plugin_id"], plugin)
    return {"data": {"result": run_tool(tool["name"], body["arguments"])}}


def _check_arguments(schema: dict[str, Any], arguments: dict[str, Any]) -> None:
    violation = first_violation(jsonschema_rs.Draft202012Validator(schema), arguments, "body.arguments")
    if violation is not None:
        raise CallError(INVALID_PARAMETER, str(violation))
