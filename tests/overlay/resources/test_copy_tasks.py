"""Copies of bots, apps and workflows that are polled to their end."""

from __future__ import annotations

import pickle
from typing import Any

import httpx
import pytest

from coze_api import models
from coze_api.operations import copy_tasks as operations
from coze_sandbox import APP_ID, BOT_ID, WORKSPACE_ID
from cozekit import errors
from tests.overlay._clients import Connect

FAILED = {
    "task_status": "failed",
    "failed_reasons": [
        {"entity_id": "11", "entity_type": "plugin", "entity_name": "Weather", "failed_reason": "quota used up"},
        {"entity_id": "12", "entity_type": "spaceship"},
        {},
    ],
}


def test_copy_task_is_polled_to_its_end(coze, coze_sandbox):
    """An app is copied by a task, and the result has the id of the copy once the task has ended."""
    result = coze.copy_tasks.create_and_poll(entity_id=APP_ID, entity_type="app", poll_interval=0)
    assert result.task.task_status == models.CopyTaskStatus.SUCCESSFUL
    assert result.task.task_id == result.started.task_id
    assert result.entity_id not in {"", APP_ID}
    assert result.entity_id in {app.id for app in coze.apps.list(workspace_id=WORKSPACE_ID, publish_status="all")}


def test_immediate_copy_is_not_polled(coze, coze_sandbox):
    """A bot that stays in its workspace is copied in the first request, and nothing is polled."""
    result = coze.copy_tasks.create_and_poll(entity_id=BOT_ID, entity_type="bot", to_workspace_id=WORKSPACE_ID)
    assert result.task is None
    assert result.entity_id == result.started.copied_entity_id not in {None, BOT_ID}
    assert [request.operation for request in coze_sandbox.requests] == [operations.CREATE.id]


class Server:
    """Starts task 7 and returns the given states in order, then the last state repeatedly."""

    def __init__(self, *states: dict[str, Any]) -> None:
        self.states = list(states)
        self.requests: list[httpx.Request] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        if request.method == "POST":
            return httpx.Response(200, json={"code": 0, "data": {"task_id": "7"}})
        state = self.states.pop(0) if len(self.states) > 1 else self.states[0]
        data = {"task_id": "7", **state}
        return httpx.Response(200, json={"code": 0, "data": data, "detail": {"logid": "L7"}})


def copied(connect: Connect, server: Server, **options: Any) -> Any:
    arguments = {"entity_id": "1", "entity_type": "app", "poll_interval": 0, **options}
    return connect(handler=server).copy_tasks.create_and_poll(**arguments)


def test_task_is_polled_with_the_callers_headers(connect: Connect):
    """A task is polled until it is no longer in progress; the caller's headers are in every request."""
    server = Server({"task_status": "in_progress"}, {"task_status": "successful", "target_entity_id": "9"})
    assert copied(connect, server, extra_headers={"X-Trace": "1"}).entity_id == "9"
    assert [request.method for request in server.requests] == ["POST", "GET", "GET"]
    assert {request.headers["X-Trace"] for request in server.requests} == {"1"}


def test_unknown_state_ends_the_polling(connect: Connect):
    """A task in an unknown state is returned as the result, since polling might never end."""
    result = copied(connect, Server({"task_status": "paused"}))
    assert (result.task.task_status, result.entity_id) == ("paused", "")


def test_failed_copy_raises_reasons_and_log_id(connect: Connect):
    """A failed task raises an error with what could not be copied, why, and the log id; it can be pickled."""
    with pytest.raises(errors.CopyFailed) as caught:
        copied(connect, Server(FAILED))
    error = pickle.loads(pickle.dumps(caught.value))
    assert str(error) == str(caught.value)
    assert str(error) == (
        "the copy task 7 failed: plugin Weather: quota used up; spaceship 12: no reason given; entity ?: no reason given "
        "(logid L7)"
    )
    assert error.task.failed_reasons[0].entity_name == "Weather"


def test_failed_copy_without_a_reason(connect: Connect):
    """The error of a failed task without reasons notes that Coze gave none."""
    with pytest.raises(errors.CopyFailed, match="the copy task 7 failed: Coze returned no reason"):
        copied(connect, Server({"task_status": "failed"}))


def test_slow_copy_is_a_poll_timeout(connect: Connect):
    """A copy that is not complete in time raises PollTimeout with the last response."""
    with pytest.raises(errors.PollTimeout, match="the copy task 7 did not end within 0 s") as caught:
        copied(connect, Server({"task_status": "in_progress"}), poll_timeout=0)
    assert caught.value.last.task_id == "7"
