"""Databases, their rows, and the tasks that work on rows in the background."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from .._common.errors import INVALID_PARAMETER, NOT_FOUND, CallError, missing
from .._http.context import Call, ResponseFields
from .._state.state import SandboxState
from .._state.store import public
from ._bot_serializers import API_CHANNEL
from ._common import check_file, get_or_404, numbered_page
from ._database_rows import (
    SYSTEM_COLUMNS,
    column_of,
    parse_value,
    row_filter,
    shown_value,
    sorted_rows,
)
from ._registry import operation

__all__ = ["create", "delete", "list_databases", "retrieve_task"]

_NAME = re.compile(r"[a-z][a-z0-9_]*")
_SYSTEM_NAMES = frozenset(column["name"] for column in SYSTEM_COLUMNS)
_UNINDEXED = "string"  # the guide allows indexes on columns of all other types
_COZE_CHANNELS = {"10000010", "10000122"}  # debugging page, store
_KEPT = 12 * 3600  # seconds that the result of a task can be retrieved

Database = dict[str, Any]


@operation("databases.create")
def create(call: Call) -> ResponseFields:
    """Create a database in a workspace or in one of its apps.

    Raises:
        CallError: The workspace, the app or the icon does not exist, or columns or indexes are not as they must be.
    """
    state, body = call.state, call.body
    get_or_404(state, "workspace", body["workspace_id"])
    if body.get("app_id"):
        app = get_or_404(state, "app", body["app_id"])
        if app["space_id"] != body["workspace_id"]:
            raise CallError(INVALID_PARAMETER, "body.app_id: the app lies in another workspace")
    check_file(state, body.get("icon_file_id"), "icon_file_id")
    columns = _columns(body["fields"])
    now = str(state.clock.seconds())
    database = {
        "id": state.new_id(),
        "app_id": body.get("app_id") or "0",
        "workspace_id": body["workspace_id"],
        "creator_id": call.user_id,
        "table_name": body["table_name"],
        "table_desc": body.get("table_desc", ""),
        "icon_url": "https://sandbox.invalid/database.png",
        "database_type": "coze_database",
        "rw_mode": body["rw_mode"],
        "fields": columns,
        "indexs": _indexes(body.get("indexs", []), columns),
        "create_time": now,
        "update_time": now,
        "_read_mode": body.get("connector_read_mode", "independent_connector"),
    }
    state.store.put("database", database["id"], database, body["workspace_id"])
    return {"data": {"database_id": database["id"]}}


@operation("databases.list")
def list_databases(call: Call) -> ResponseFields:
    """List the databases of a workspace, the oldest first.

    Raises:
        CallError: The workspace does not exist.
    """
    state, workspace_id = call.state, call.query["workspace_id"]
    get_or_404(state, "workspace", workspace_id)
    databases = state.store.list("database", workspace_id)
    page, has_more = numbered_page(call, databases)
    return {
        "data": {"items": [public(database) for database in page], "has_more": has_more, "total_count": len(databases)}
    }


@operation("databases.delete")
def delete(call: Call) -> None:
    """Delete a database with all of its rows.

    Raises:
        CallError: The database does not exist.
    """
    database = _database(call)
    call.state.store.delete("database", database["id"])
    call.state.store.delete_children("database_row", database["id"])


@operation("databases.records.create")
def create_records(call: Call) -> ResponseFields:
    """Add rows, at once or by a task.

    Raises:
        CallError: The database does not exist, there are no rows, or a row lacks a value or has one that does not fit
            its column.
    """
    database, sent = _database(call), call.body["insert_rows"]
    if not sent:
        raise CallError(INVALID_PARAMETER, "body.insert_rows: at least one row is needed")
    rows = [_new_row(database, row, f"body.insert_rows[{number}]") for number, row in enumerate(sent)]
    return _run(call, database, {"task_type": "insert", "_rows": rows, "_uid": call.body.get("connector_uid", "")})


@operation("databases.records.update")
def update_records(call: Call) -> ResponseFields:
    """Set columns of the rows that a filter selects, at once or by a task.

    Raises:
        CallError: The database does not exist, there is nothing to set or no condition, or a value does not fit its
            column.
    """
    database, sent = _database(call), call.body["update_fields"]
    if not sent:
        raise CallError(INVALID_PARAMETER, "body.update_fields: at least one column is needed")
    values = {}
    for number, field in enumerate(sent):
        where = f"body.update_fields[{number}]"
        if "field_name" not in field:
            raise CallError(INVALID_PARAMETER, f"{where}.field_name: it is required")
        column = _writable(database, field["field_name"], f"{where}.field_name")
        if "value" not in field and column.get("is_required"):
            raise CallError(INVALID_PARAMETER, f"{where}.value: the column {column['name']} needs a value")
        values[column["name"]] = parse_value(column, field["value"], f"{where}.value") if "value" in field else None
    row_filter(database["fields"], call.body["filter"], required=True)
    return _run(call, database, {"task_type": "update", "_values": values, "_filter": call.body["filter"]})


@operation("databases.records.delete")
def delete_records(call: Call) -> ResponseFields:
    """Delete the rows that a filter selects, at once or by a task.

    Raises:
        CallError: The database does not exist, or the filter has no condition or one that does not fit the columns.
    """
    database = _database(call)
    row_filter(database["fields"], call.body["filter"], required=True)
    return _run(call, database, {"task_type": "delete", "_filter": call.body["filter"]})


@operation("databases.records.query")
def query_records(call: Call) -> ResponseFields:
    """Return the rows that a filter selects, at once or by a task.

    Raises:
        CallError: The database does not exist, or filter, columns or order do not fit it.
    """
    database, body = _database(call), call.body
    conditions = body.get("filter", {})
    row_filter(database["fields"], conditions)
    names = body.get("select_fields", {}).get("field_names", [])
    for number, name in enumerate(names):
        column_of(database["fields"], name, f"body.select_fields.field_names[{number}]")
    for number, order in enumerate(body.get("order_by", [])):
        if "field_name" not in order:
            raise CallError(INVALID_PARAMETER, f"body.order_by[{number}].field_name: it is required")
        column_of(database["fields"], order["field_name"], f"body.order_by[{number}].field_name")
    if body.get("is_async"):
        return _run(call, database, {"task_type": "select", "_filter": conditions})
    _run_due_tasks(call.state, database["id"])
    channel = body.get("connector_id", API_CHANNEL)
    rows = sorted_rows(_selected(call.state, database, channel, call.user_id, conditions), body.get("order_by", []))
    shown = [{name: shown_value(row.get(name)) for name in names or _names(database)} for row in rows]
    if body.get("select_fields", {}).get("is_distinct"):
        shown = list({json.dumps(row): row for row in shown}.values())
    page, has_more = numbered_page(call, shown)
    return {"data": {"items": page, "has_more": has_more, "total_count": len(shown)}}


@operation("database_tasks.retrieve")
def retrieve_task(call: Call) -> ResponseFields:
    """Return the state of a task of the account, until 12 hours after its end.

    Raises:
        CallError: The task does not exist, belongs to another account, or its result was dropped.
    """
    state, key = call.state, call.path["task_id"]
    task = get_or_404(state, "database_task", key, name="task_id")
    _run_due_tasks(state, task["_database_id"])
    task = get_or_404(state, "database_task", key, name="task_id")
    now = state.clock.now()
    if now >= task["_ends_at"] + _KEPT:
        raise missing(NOT_FOUND, "task_id", key)
    is_waiting = now < (task["_created_at"] + task["_ends_at"]) / 2
    return {"data": {"status": "pending" if is_waiting else "running", **public(task)}}


def _database(call: Call) -> Database:
    return get_or_404(call.state, "database", call.path["database_id"])


def _names(database: Database) -> list[str]:
    return [column["name"] for column in database["fields"]]


def _columns(sent: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    if not sent:
        raise CallError(INVALID_PARAMETER, "body.fields: at least one column is needed")
    columns: dict[str, dict[str, Any]] = {}
    for number, column in enumerate(sent):
        name, where = column["name"], f"body.fields[{number}].name"
        if not _NAME.fullmatch(name):
            message = f"{where}: lower-case letters, digits and underscores are allowed, a letter first"
            raise CallError(INVALID_PARAMETER, message)
        if name in _SYSTEM_NAMES or name in columns:
            raise CallError(INVALID_PARAMETER, f"{where}: the name {name} is taken")
        columns[name] = {
            "name": name,
            "desc": column.get("desc", ""),
            "type": column["type"],
            "is_required": column.get("is_required", False),
            "is_system_field": False,
            "is_primary_key": False,
        }
    system = [
        {"is_required": False, "is_system_field": True, "is_primary_key": False, **column} for column in SYSTEM_COLUMNS
    ]
    return [*system, *columns.values()]


def _indexes(sent: Sequence[Mapping[str, Any]], columns: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    indexes: dict[str, dict[str, Any]] = {}
    for number, index in enumerate(sent):
        where = f"body.indexs[{number}]"
        names = index.get("field_names", [])
        if len(names) != 1:
            raise CallError(INVALID_PARAMETER, f"{where}.field_names: an index has exactly one column")
        if column_of(columns, names[0], f"{where}.field_names[0]")["type"] == _UNINDEXED:
            raise CallError(INVALID_PARAMETER, f"{where}.field_names[0]: a column of texts can have no index")
        name = index.get("index_name") or f"idx_{names[0]}_{number}"
        if name in indexes:
            raise CallError(INVALID_PARAMETER, f"{where}.index_name: the name {name} is taken")
        indexes[name] = {**index, "index_name": name}
    return list(indexes.values())


def _writable(database: Database, name: str, where: str) -> Mapping[str, Any]:
    column = column_of(database["fields"], name, where)
    if column["is_system_field"]:
        raise CallError(INVALID_PARAMETER, f"{where}: Coze fills the column {name} by itself")
    return column


def _new_row(database: Database, sent: Mapping[str, str], where: str) -> dict[str, Any]:
    row = {
        name: parse_value(_writable(database, name, f"{where}.{name}"), text, f"{where}.{name}")
        for name, text in sent.items()
    }
    for column in database["fields"]:
        if column["is_required"] and column["name"] not in row:
            raise CallError(INVALID_PARAMETER, f"{where}.{column['name']}: the column needs a value")
    return row


def _run(call: Call, database: Database, work: dict[str, Any]) -> ResponseFields:
    """Carry out a change at once, or start the task that does it."""
    state, now = call.state, call.state.clock.now()
    task = {
        **work,
        "_database_id": database["id"],
        "_creator_id": call.user_id,
        "_channel": call.body.get("connector_id", API_CHANNEL),
        "_created_at": now,
        "_ends_at": now + state.options.answer_seconds,
    }
    _run_due_tasks(state, database["id"])
    if not call.body.get("is_async"):
        return {"data": {"affected_rows": _change(state, database, task)}}
    key = state.new_id()
    state.store.put("database_task", key, {**task, "_id": key}, database["id"])
    return {"data": {"task_id": key}}


def _run_due_tasks(state: SandboxState, database_id: str) -> None:
    """Carry out the tasks whose time has come, in the order of their start: later calls see what they did."""
    for task in state.store.list("database_task", database_id):
        if "status" in task or task["_ends_at"] > state.clock.now():
            continue
        database = state.store.get("database", database_id)
        if database is None:
            task.update(status="failed", error_msg="The database was deleted.")
        elif task["task_type"] == "select":
            rows = _selected(state, database, task["_channel"], task["_creator_id"], task["_filter"])
            task.update(status="succeed", has_more=False, select_total_count=len(rows))
            task["select_items_file_url"] = f"https://sandbox.invalid/database/{task['_id']}.json"
        else:
            task.update(status="succeed", affected_rows=_change(state, database, task))
        state.store.put("database_task", task["_id"], task, database_id)


def _change(state: SandboxState, database: Database, task: Mapping[str, Any]) -> int:
    """Add, change or delete rows, and return how many."""
    store, parent = state.store, database["id"]
    if task["task_type"] == "insert":
        for values in task["_rows"]:
            key = state.new_id()
            row = {
                **values,
                "id": int(key),
                "sys_platform": task["_channel"],
                "uuid": task["_uid"] or task["_creator_id"],
                "bstudio_create_time": _time(state),
                "_creator_id": task["_creator_id"],
            }
            store.put("database_row", key, row, parent)
        return len(task["_rows"])
    rows = _selected(state, database, task["_channel"], task["_creator_id"], task["_filter"])
    for selected in rows:
        if task["task_type"] == "delete":
            store.delete("database_row", str(selected["id"]))
        else:
            store.put("database_row", str(selected["id"]), {**selected, **task["_values"]}, parent)
    return len(rows)


def _selected(
    state: SandboxState, database: Database, channel: str, user_id: str, conditions: Mapping[str, Any]
) -> list[Mapping[str, Any]]:
    """Return the rows of a channel that an account can read and a filter selects, in the order of their creation."""
    is_limited = database["rw_mode"] == "limited_read_write"
    is_selected = row_filter(database["fields"], conditions)
    return [
        row
        for row in state.store.list("database_row", database["id"])
        if _shares(database["_read_mode"], channel, row["sys_platform"])
        and (not is_limited or row["_creator_id"] == user_id)
        and is_selected(row)
    ]


def _shares(mode: str, channel: str, other: str) -> bool:
    if channel == other or mode == "shared_all_connectors":
        return True
    return mode == "shared_coze_connectors" and {channel, other} <= _COZE_CHANNELS


def _time(state: SandboxState) -> str:
    return datetime.fromtimestamp(state.clock.seconds(), UTC).strftime("%Y-%m-%d %H:%M:%S")
