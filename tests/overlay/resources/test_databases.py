"""Rows of databases that tasks add, change, delete and read, polled to their end."""

from __future__ import annotations

import json
import pickle
from typing import Any

import httpx
import pytest

from coze_api import operations
from coze_sandbox import WORKSPACE_ID
from cozekit import errors
from tests.overlay._clients import Connect

FILTER = {"conditions": [{"left": "level", "operation": "greater_than", "right": "5"}]}
ARGUMENTS: dict[str, dict[str, Any]] = {
    "create": {"insert_rows": [{"name": "Amy"}]},
    "update": {"update_fields": [{"field_name": "level", "value": "1"}], "filter": FILTER},
    "delete": {"filter": FILTER},
    "query": {"filter": FILTER, "page_size": 5},
}


@pytest.fixture
def database_id(coze, coze_sandbox):
    """The id of a database with the columns name and level, and two rows."""
    fields = [{"name": "name", "type": "string"}, {"name": "level", "type": "integer"}]
    created = coze.databases.create(
        workspace_id=WORKSPACE_ID, table_name="people", fields=fields, rw_mode="unlimited_read_write"
    )
    rows = [{"name": "Amy", "level": "3"}, {"name": "Ben", "level": "10"}]
    coze.databases.records.create(database_id=created.database_id, insert_rows=rows)
    return created.database_id


def names(coze: Any, database_id: str) -> set[Any]:
    """Return the names in the rows of a database."""
    return {row["name"] for row in coze.databases.records.query(database_id=database_id)}


def test_rows_are_there_once_the_task_has_ended(coze, database_id):
    """`create_and_poll` returns the ended task, after which the rows can be read."""
    task = coze.databases.records.create_and_poll(
        database_id=database_id, insert_rows=[{"name": "Cleo"}], poll_interval=0
    )
    assert (task.status, task.task_type, task.affected_rows) == ("succeed", "insert", 1)
    assert names(coze, database_id) == {"Amy", "Ben", "Cleo"}


def test_rows_are_changed_and_deleted_by_tasks(coze, database_id):
    """`update_and_poll` and `delete_and_poll` return the number of rows that the filter selected."""
    records = coze.databases.records
    task = records.update_and_poll(
        database_id=database_id,
        update_fields=[{"field_name": "name", "value": "Bo"}],
        filter=FILTER,
        is_async=True,
        poll_interval=0,
    )
    assert (task.affected_rows, names(coze, database_id)) == (1, {"Amy", "Bo"})
    task = records.delete_and_poll(database_id=database_id, filter=FILTER, poll_interval=0)
    assert (task.affected_rows, names(coze, database_id)) == (1, {"Amy"})


def test_rows_are_written_to_a_file_by_a_task(coze, database_id):
    """`query_and_poll` returns the ended task with the address of the file and the number of rows."""
    task = coze.databases.records.query_and_poll(database_id=database_id, filter=FILTER, poll_interval=0)
    assert (task.task_type, task.select_total_count, task.has_more) == ("select", 1, False)
    assert task.select_items_file_url.startswith("https://")


class Server:
    """Starts task 7 and returns the given states in order, then the last state repeatedly."""

    def __init__(self, *states: dict[str, Any], started: Any = None) -> None:
        self.states = list(states)
        self.started = {"task_id": "7"} if started is None else started
        self.requests: list[httpx.Request] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        if not request.url.path.endswith("/7"):
            return httpx.Response(200, json={"code": 0, "data": self.started, "detail": {"logid": "L1"}})
        state = self.states.pop(0) if len(self.states) > 1 else self.states[0]
        return httpx.Response(200, json={"code": 0, "data": state, "detail": {"logid": "L7"}})


def polled(connect: Connect, server: Server, verb: str = "create", **options: Any) -> Any:
    """Call a method that polls."""
    method = getattr(connect(handler=server).databases.records, f"{verb}_and_poll")
    return method(database_id="1", poll_interval=0, **ARGUMENTS[verb], **options)


@pytest.mark.parametrize("verb", ARGUMENTS)
def test_task_is_requested_and_polled_with_the_callers_headers(connect: Connect, verb: str):
    """Each method sends `is_async` and its arguments, and polls with the caller's headers until the task has ended."""
    server = Server({"status": "pending"}, {"status": "running"}, {"status": "succeed"})
    assert polled(connect, server, verb, extra_headers={"X-Trace": "1"}).status == "succeed"
    started, *polls = server.requests
    assert json.loads(started.content) == {**ARGUMENTS[verb], "is_async": True}
    assert started.method == getattr(operations.databases, f"RECORDS_{verb.upper()}").method
    assert [(request.method, request.url.path) for request in polls] == [("GET", "/v1/database_tasks/7")] * 3
    assert {request.headers["X-Trace"] for request in server.requests} == {"1"}


@pytest.mark.parametrize("verb", ARGUMENTS)
def test_synchronous_change_is_refused_before_it_is_sent(connect: Connect, verb: str):
    """`is_async=False` contradicts polling: nothing is sent, and the error names the method to use."""
    server = Server()
    with pytest.raises(
        errors.InvalidArgumentError,
        match=f"^databases.records.{verb}_and_poll: is_async .* use databases.records.{verb} ",
    ):
        polled(connect, server, verb, is_async=False)
    assert server.requests == []


def test_failed_task_raises_its_reason_and_log_id(connect: Connect):
    """A failed task raises an error with the reason, the log id and the task; it can be pickled."""
    with pytest.raises(errors.DatabaseTaskFailed) as caught:
        polled(connect, Server({"status": "failed", "error_msg": "The column does not exist."}))
    error = pickle.loads(pickle.dumps(caught.value))
    assert str(error) == "the database task 7 failed: The column does not exist. (logid L7)"
    assert error.task.status == "failed"


def test_failed_task_without_a_reason(connect: Connect):
    """The error of a failed task without a reason notes that Coze gave none."""
    with pytest.raises(errors.DatabaseTaskFailed, match="the database task 7 failed: Coze returned no reason"):
        polled(connect, Server({"status": "failed"}))


def test_slow_task_is_a_poll_timeout(connect: Connect):
    """A task that does not end in time raises PollTimeout with its id in the text, and its last state."""
    with pytest.raises(errors.PollTimeout, match="the database task 7 did not end within 0 s") as caught:
        polled(connect, Server({"status": "running"}), poll_timeout=0)
    assert caught.value.last.status == "running"


@pytest.mark.parametrize("started", [{}, {"affected_rows": 1}, {"task_id": 7}])
def test_response_without_a_task_is_a_decode_error(connect: Connect, started: dict[str, Any]):
    """A response that names no task cannot be polled: DecodeError with the operation and the log id."""
    with pytest.raises(errors.DecodeError, match="no id of a task") as caught:
        polled(connect, Server(started=started))
    assert (caught.value.operation, caught.value.logid) == ("databases.records.create", "L1")
