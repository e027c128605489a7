"""Runs of workflows and their histories."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

import attrs

from .._common.errors import EXECUTION_ENDED, EXECUTION_NOT_FOUND, INVALID_PARAMETER, CallError, missing
from .._http.context import Call, ResponseFields, Stream, StreamEvent
from .._scenario.workflow_outcomes import next_outcome, run_outcome
from .._state.state import SandboxState
from .._workflows.scripts import HEARTBEAT, resume_script, run_script
from ._bot_serializers import API_CHANNEL
from ._common import drop_none, get_or_404
from ._registry import operation
from .workflows import debug_url, runnable

_NODES_KEPT, _OUTPUT_KEPT = 86_400, 7 * 86_400  # seconds
_RUN_MODES = {"sync": 0, "stream": 1, "async": 2}

_FIRST_GAP, _GAP = 30.0, 35.0  # seconds until a heartbeat


@operation("workflows.runs.create")
def create(call: Call) -> ResponseFields | CallError:
    """Run a workflow to its end or its first question, optionally in the background.

    Raises:
        CallError: The workflow does not exist or is not published.

    Returns:
        The result, or the failure of the run.
    """
    state = call.state
    mode = "async" if call.body.get("is_async") else "sync"
    run, events = _new_run(call, mode)
    for _ in events:
        pass
    return _result(state, run)


@operation("workflows.runs.resume")
def resume(call: Call) -> ResponseFields | CallError:
    """Submit the reply to the question of a run, and resume it.

    Raises:
        CallError: The run does not exist or has ended.

    Returns:
        The result, or the failure of the run.
    """
    run = _interrupted(call)
    for _ in _resumed(call, run):
        pass
    return _result(call.state, run)


@operation("workflows.runs.stream")
def stream(call: Call) -> Stream:
    """Run a workflow and stream its events."""
    run, events = _new_run(call, "stream")
    return Stream(_finish_stream(call.state, run, events), "workflow")


@operation("workflows.runs.stream_resume")
def stream_resume(call: Call) -> Stream:
    """Submit the reply to the question of a run, and stream the rest."""
    run = _interrupted(call)
    return Stream(_finish_stream(call.state, run, _resumed(call, run)), "workflow")


def _new_run(call: Call, mode: str) -> tuple[dict[str, Any], Iterator[StreamEvent]]:
    state, body = call.state, call.body
    workflow = runnable(call)
    key, now = state.new_id(), state.clock.seconds()
    run = {
        "execute_id": key,
        "workflow_id": body["workflow_id"],
        "connector_id": body.get("connector_id", API_CHANNEL),
        "connector_uid": body.get("ext", {}).get("user_id", call.user_id),
        "logid": call.logid,
        "parameters": body.get("parameters", {}),
        "mode": mode,
        "resumes": 0,
        "status": "Running",
        "create_time": now,
        "update_time": now,
        "debug_url": debug_url(workflow, key),
    }
    if body.get("bot_id"):
        run["bot_id"] = body["bot_id"]
    _store(state, run)
    outcome = next_outcome(state, run["workflow_id"])
    return run, run_script(state, run, workflow["script"]) if outcome is None else run_outcome(state, run, outcome)


def _resumed(call: Call, run: dict[str, Any]) -> Iterator[StreamEvent]:
    outcome = next_outcome(call.state, run["workflow_id"])
    if outcome is not None:
        return run_outcome(call.state, run, outcome)
    return resume_script(call.state, run, call.body["resume_data"])


def _interrupted(call: Call) -> dict[str, Any]:
    state, body = call.state, call.body
    execute_id = body["event_id"].partition("/")[0]
    run = get_or_404(state, "run", execute_id, name="event_id", code=EXECUTION_NOT_FOUND)
    if run["workflow_id"] != body["workflow_id"]:
        raise missing(EXECUTION_NOT_FOUND, "event_id", body["event_id"])
    interrupt = run.get("interrupt")
    if interrupt is None:
        raise CallError(EXECUTION_ENDED, "The execution has ended and cannot be resumed.")
    if (body["event_id"], body["interrupt_type"]) != (interrupt["event_id"], interrupt["type"]):
        raise CallError(INVALID_PARAMETER, "body.event_id: not the event that interrupted the run")
    run.pop("interrupt")
    return run


def _finish_stream(state: SandboxState, run: dict[str, Any], events: Iterator[StreamEvent]) -> Iterator[StreamEvent]:
    """Append the final event, and save the run, which is completed if the client disconnects."""
    try:
        for event in events:
            yield from with_heartbeats(event)
        run["update_time"] = state.clock.seconds()
        page = {"debug_url": run["debug_url"], "node_execute_uuid": ""}
        match run["status"]:
            case "Interrupted":
                yield StreamEvent("Interrupt", {"interrupt_data": run["interrupt"], "node_title": "Question"})
            case "Fail":
                error = {"error_code": run["error_code"], "error_message": run["error_message"]}
                yield StreamEvent("Error", {**error, **page})
                yield StreamEvent("Done", page)  # as recorded; it does not mean success
            case _:
                yield StreamEvent("Done", page)
    finally:
        for _ in events:
            pass
        _store(state, run)


def with_heartbeats(event: StreamEvent) -> Iterator[StreamEvent]:
    """Precede an event that is long in coming by heartbeats, at the times of a recording."""
    pause, gap = event.pause, _FIRST_GAP
    while pause > gap:
        yield StreamEvent("PING", HEARTBEAT, gap)
        pause, gap = pause - gap, _GAP
    yield attrs.evolve(event, pause=pause)


def _result(state: SandboxState, run: dict[str, Any]) -> ResponseFields | CallError:
    run["update_time"] = state.clock.seconds()
    if run["mode"] == "async":
        run["ends_at"] = state.clock.now() + run.get("seconds", state.options.answer_seconds)
        _store(state, run)
        return {"execute_id": run["execute_id"], "debug_url": run["debug_url"]}
    _store(state, run)
    if run["status"] == "Fail":
        members = {"debug_url": run["debug_url"]}
        return CallError(run["error_code"], run["error_message"], members=members)
    result = {
        "data": run.get("output", ""),
        "execute_id": run["execute_id"],
        "debug_url": run["debug_url"],
        "usage": run.get("usage", {"input_count": 0, "output_count": 0, "token_count": 0}),
        "interrupt_data": run.get("interrupt"),
    }
    return drop_none(result)


def _store(state: SandboxState, run: dict[str, Any]) -> dict[str, Any]:
    return state.store.put("run", run["execute_id"], run, run["workflow_id"])


@operation("workflows.runs.run_histories.retrieve")
def retrieve(call: Call) -> ResponseFields:
    """Return the history of a run."""
    return {"data": [drop_none(_history(call, _run(call, call.path)))]}


@operation("workflows.runs.retrieve_history")
def retrieve_history(call: Call) -> ResponseFields:
    """Return the history of a run as the older address does.

    Raises:
        CallError: No execution is named, or the run does not exist.
    """
    if "execute_id" not in call.query:
        raise CallError(INVALID_PARAMETER, "query.execute_id: is required")
    run = _run(call, call.query)
    entry = _history(call, run)
    entry.update(log_id=entry.pop("logid"), error_msg=entry.pop("error_message"))
    del entry["interrupt_data"]
    entry["input"] = json.dumps(run["parameters"], ensure_ascii=False)
    entry["token"] = (entry["usage"] or {}).get("token_count", 0)
    return {"data": [drop_none(entry)]}


def _history(call: Call, run: dict[str, Any]) -> dict[str, Any]:
    is_running = _is_running(call, run)
    return {
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


@operation("workflows.runs.run_histories.execute_nodes.retrieve")
def retrieve_node(call: Call) -> ResponseFields:
    """Return the output of a node."""
    run, key = _run(call, call.path), call.path["node_execute_uuid"]
    for node in run.get("nodes", {}).values():
        if node["node_execute_uuid"] == key:
            is_running = _is_running(call, run)
            is_gone = is_running or _age(call, run) >= _NODES_KEPT
            return {"data": {"is_finish": not is_running, "node_output": "" if is_gone else node["output"]}}
    raise missing(EXECUTION_NOT_FOUND, "node_execute_uuid", key)


def _run(call: Call, named: Mapping[str, Any]) -> dict[str, Any]:
    key = named["execute_id"]
    run = get_or_404(call.state, "run", key, name="execute_id", code=EXECUTION_NOT_FOUND)
    if run["workflow_id"] != named["workflow_id"]:
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
