"""Runs of workflows."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from .._call import Beat, Call, Members, Stream
from .._errors import (
    EXECUTION_ENDED,
    EXECUTION_NOT_FOUND,
    INVALID_PARAMETER,
    NOT_FOUND,
    CallError,
    missing,
)
from .._workflow_scripts import QUESTION, play, play_answer
from .._world import World
from ._bot_views import API_CHANNEL, published
from ._common import check_file, need, without_none
from ._registry import operation

__all__ = ["create", "resume", "retrieve_history", "stream", "stream_resume"]

_VERSIONS = ("v0.0.1",)
_RUN_MODES = {"sync": 0, "stream": 1, "async": 2}


@operation("workflows.runs.create")
def create(call: Call) -> Members | CallError:
    """Run a workflow to its end or to its first question; at the caller's wish in the background.

    Raises:
        CallError: The workflow does not exist or is not published.

    Returns:
        The result, or the failure of the run.
    """
    world = call.world
    mode = "async" if call.body.get("is_async") else "sync"
    run, script = _new_run(call, mode)
    for _ in play(world, run, script):
        pass
    if mode == "async":
        run["ends_at"] = world.clock.now() + world.options.answer_seconds
        _store(world, run)
        return {"execute_id": run["execute_id"], "debug_url": run["debug_url"]}
    return _result(world, run)


@operation("workflows.runs.resume")
def resume(call: Call) -> Members | CallError:
    """Answer the question of a run, and run on.

    Raises:
        CallError: The run does not exist or has ended.

    Returns:
        The result, or the failure of the run.
    """
    run = _interrupted(call)
    for _ in play_answer(call.world, run, call.body["resume_data"]):
        pass
    return _result(call.world, run)


@operation("workflows.runs.stream")
def stream(call: Call) -> Stream:
    """Run a workflow and tell what its nodes put out.

    Raises:
        CallError: The workflow does not exist or is not published.
    """
    run, script = _new_run(call, "stream")
    return Stream(_told(call.world, run, play(call.world, run, script)), "workflow")


@operation("workflows.runs.stream_resume")
def stream_resume(call: Call) -> Stream:
    """Answer the question of a run, and tell how it goes on.

    Raises:
        CallError: The run does not exist or has ended.
    """
    run = _interrupted(call)
    beats = play_answer(call.world, run, call.body["resume_data"])
    return Stream(_told(call.world, run, beats), "workflow")


@operation("workflows.runs.run_histories.retrieve")
def retrieve_history(call: Call) -> Members:
    """Show what became of a run.

    Raises:
        CallError: There is no such run of that workflow.
    """
    world, key = call.world, call.path["execute_id"]
    run = need(world, "run", key, name="execute_id", code=EXECUTION_NOT_FOUND)
    if run["workflow_id"] != call.path["workflow_id"]:
        raise missing(EXECUTION_NOT_FOUND, "execute_id", key)
    is_running = run["status"] == "Interrupted" or run.get("ends_at", 0) > world.clock.now()
    entry = {
        "execute_id": key,
        "execute_status": "Running" if is_running else run["status"],
        "bot_id": run.get("bot_id", "0"),
        "connector_id": run["connector_id"],
        "run_mode": _RUN_MODES[run["mode"]],
        "output": "" if is_running else run.get("output", ""),
        "create_time": run["create_time"],
        "update_time": run["update_time"],
        "error_code": str(run.get("error_code", "")),
        "error_message": run.get("error_message"),
        "debug_url": run["debug_url"],
        "usage": run.get("usage"),
        "is_output_trimmed": False,
        "interrupt_data": run.get("interrupt"),
    }
    return {"data": [without_none(entry)]}


def _new_run(call: Call, mode: str) -> tuple[dict[str, Any], str]:
    world, body = call.world, call.body
    workflow = need(world, "workflow", body["workflow_id"])
    if not workflow["published"]:
        raise missing(NOT_FOUND, "workflow_id", body["workflow_id"])
    if "bot_id" in body and "app_id" in body:
        raise CallError(INVALID_PARAMETER, "body.app_id: must not be given with bot_id")
    if body.get("bot_id"):
        published(world, need(world, "bot", body["bot_id"]), API_CHANNEL)
    if body.get("app_id"):
        need(world, "app", body["app_id"])
    if body.get("workflow_version", _VERSIONS[0]) not in _VERSIONS:
        raise missing(NOT_FOUND, "workflow_version", body["workflow_version"])
    parameters = body.get("parameters", {})
    for value in parameters.values():
        _check_files(world, value)
    key, now = world.new_id(), world.clock.seconds()
    run = {
        "execute_id": key,
        "workflow_id": body["workflow_id"],
        "connector_id": body.get("connector_id", API_CHANNEL),
        "parameters": parameters,
        "mode": mode,
        "resumes": 0,
        "status": "Running",
        "create_time": now,
        "update_time": now,
        "debug_url": (
            f"https://www.coze.cn/work_flow?execute_id={key}"
            f"&space_id={workflow['space_id']}&workflow_id={body['workflow_id']}"
        ),
    }
    if body.get("bot_id"):
        run["bot_id"] = body["bot_id"]
    return _store(world, run), workflow["script"]


def _interrupted(call: Call) -> dict[str, Any]:
    world, body = call.world, call.body
    execute_id = body["event_id"].partition("/")[0]
    run = need(world, "run", execute_id, name="event_id", code=EXECUTION_NOT_FOUND)
    if run["workflow_id"] != body["workflow_id"]:
        raise missing(EXECUTION_NOT_FOUND, "event_id", body["event_id"])
    interrupt = run.get("interrupt")
    if run["status"] != "Interrupted" or interrupt is None:
        raise CallError(EXECUTION_ENDED, "The execution has ended and cannot be resumed.")
    if (body["event_id"], body["interrupt_type"]) != (interrupt["event_id"], interrupt["type"]):
        raise CallError(INVALID_PARAMETER, "body.event_id: not the event that the run waits for")
    run.pop("interrupt")
    return run


def _told(world: World, run: dict[str, Any], beats: Iterator[Beat]) -> Iterator[Beat]:
    """Put the ending event behind the messages, and keep the run."""
    try:
        yield from beats
        run["update_time"] = world.clock.seconds()
        match run["status"]:
            case "Interrupted":
                yield Beat("Interrupt", {"interrupt_data": run["interrupt"], "node_title": "Question"})
            case "Fail":
                error = {"error_code": run["error_code"], "error_message": run["error_message"]}
                yield Beat("Error", error)
            case _:
                yield Beat("Done", {"debug_url": run["debug_url"]})
    finally:
        _store(world, run)


def _result(world: World, run: dict[str, Any]) -> Members | CallError:
    run["update_time"] = world.clock.seconds()
    _store(world, run)
    if run["status"] == "Fail":
        members = {"debug_url": run["debug_url"]}
        return CallError(run["error_code"], run["error_message"], members=members)
    interrupt = run.get("interrupt")
    if interrupt is not None:
        # A stream has told the question as a message; here it goes with the interrupt.
        question = json.dumps({"content_type": "text", "content": QUESTION})
        interrupt = {**interrupt, "data": question}
    result = {
        "data": run.get("output", ""),
        "execute_id": run["execute_id"],
        "debug_url": run["debug_url"],
        "usage": run.get("usage", {"input_count": 0, "output_count": 0, "token_count": 0}),
        "interrupt_data": interrupt,
    }
    return without_none(result)


def _check_files(world: World, value: Any) -> None:
    for one in value if isinstance(value, list) else [value]:
        if isinstance(one, str) and one.lstrip().startswith("{"):
            try:
                parsed = json.loads(one)
            except (ValueError, RecursionError):
                continue
            if isinstance(parsed, dict) and isinstance(parsed.get("file_id"), str):
                check_file(world, parsed["file_id"])


def _store(world: World, run: dict[str, Any]) -> dict[str, Any]:
    return world.store.put("run", run["execute_id"], run, run["workflow_id"])
