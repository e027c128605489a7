"""Histories of workflow runs."""

from __future__ import annotations

import json
from typing import Any

from .._common.errors import EXECUTION_NOT_FOUND, missing
from .._http.context import Call, ResponseFields
from ._common import drop_none, get_or_404
from ._registry import operation

_NODES_KEPT, _OUTPUT_KEPT = 86_400, 7 * 86_400  # seconds
_RUN_MODES = {"sync": 0, "stream": 1, "async": 2}


@operation("workflows.runs.run_histories.retrieve")
def retrieve(call: Call) -> ResponseFields:
    """Return the history of a run."""
    run = _run(call)
    is_running = _is_running(call, run)
    entry = {
        "execute_id": run["execute_id"],
        "execute_status": "Running" if is_running else run["status"],
        "bot_id": run.get("bot_id", "0"),
        "connector_id": run["connector_id"],
        "connector_uid": run["connector_uid"],
        "run_mode": _RUN_MODES[run["mode"]],
        "output": "" if is_running else _output(call, run),
        "node_execute_status": {
            title: {
                "node_id": node["node_id"],
                "is_finish": not is_running,
                "update_time": run["update_time"],
                "node_execute_uuid": node["node_execute_uuid"],
            }
            for title, node in run.get("nodes", {}).items()
        },
        "create_time": run["create_time"],
        "update_time": run["update_time"],
        "error_code": "" if is_running else str(run.get("error_code", "")),
        "error_message": "" if is_running else run.get("error_message", ""),
        "debug_url": run["debug_url"],
        "usage": run.get("usage"),
        "is_output_trimmed": False,
        "interrupt_data": run.get("interrupt"),
        "logid": run["logid"],
    }
    return {"data": [drop_none(entry)]}


@operation("workflows.runs.run_histories.execute_nodes.retrieve")
def retrieve_node(call: Call) -> ResponseFields:
    """Return the output of a node."""
    run, key = _run(call), call.path["node_execute_uuid"]
    for node in run.get("nodes", {}).values():
        if node["node_execute_uuid"] == key:
            is_running = _is_running(call, run)
            is_gone = is_running or _age(call, run) >= _NODES_KEPT
            return {"data": {"is_finish": not is_running, "node_output": "" if is_gone else node["output"]}}
    raise missing(EXECUTION_NOT_FOUND, "node_execute_uuid", key)


def _run(call: Call) -> dict[str, Any]:
    key = call.path["execute_id"]
    run = get_or_404(call.state, "run", key, name="execute_id", code=EXECUTION_NOT_FOUND)
    if run["workflow_id"] != call.path["workflow_id"]:
        raise missing(EXECUTION_NOT_FOUND, "execute_id", key)
    return run


def _is_running(call: Call, run: dict[str, Any]) -> bool:
    return run["status"] == "Interrupted" or bool(run.get("ends_at", 0) > call.state.clock.now())


def _age(call: Call, run: dict[str, Any]) -> float:
    return call.state.clock.now() - float(run["update_time"])


def _output(call: Call, run: dict[str, Any]) -> str:
    """Serialize an output that has not expired."""
    age = _age(call, run)
    nodes = run.get("nodes", {}) if age < _NODES_KEPT else {}
    outputs = {title: node["output"] for title, node in nodes.items()}
    if "output" in run and age < _OUTPUT_KEPT:
        outputs["Output"] = run["output"]
    return json.dumps(outputs, ensure_ascii=False, separators=(",", ":"))
