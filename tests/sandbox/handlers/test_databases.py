"""Databases, their rows, and tasks that work on rows."""

from __future__ import annotations

import pytest

from coze_sandbox import APP_ID, COLLEAGUE_IDS, WORKSPACE_ID

COLUMNS = [
    {"name": "name", "type": "string", "is_required": True},
    {"name": "level", "type": "integer"},
    {"name": "score", "type": "number"},
    {"name": "active", "type": "boolean"},
    {"name": "seen", "type": "time"},
]
AMY = {"name": "amy", "level": "3", "score": "1.5", "active": "true", "seen": "2026-03-01 10:00:00"}
BEN = {"name": "ben", "level": "10", "score": "-2", "active": "false", "seen": "2026-03-02T09:00:00"}
CLEO = {"name": "cleo_%"}
DEBUGGING, STORE, API, OTHER = "10000010", "10000122", "1024", "999"
KEPT = 12 * 3600


@pytest.fixture
def new(api):
    """Create databases with a column of each type."""

    def create(**members):
        body = {"workspace_id": WORKSPACE_ID, "table_name": "people", "rw_mode": "unlimited_read_write"}
        return api.ok("POST", "/v1/databases", json={**body, "fields": COLUMNS, **members})["database_id"]

    return create


@pytest.fixture
def people(api, new):
    """Create a database with three rows, and return the path of its rows."""
    path = f"/v1/databases/{new()}/records"
    api.ok("POST", path, json={"insert_rows": [AMY, BEN, CLEO]})
    return path


def condition(left, operation, right=None):
    """Return a filter with one condition."""
    value = {} if right is None else {"right": right}
    return {"conditions": [{"left": left, "operation": operation, **value}]}


def names(api, path, **members):
    """Return the names in the rows that a query selects."""
    return [row["name"] for row in api.ok("POST", f"{path}/query", json=members)["items"]]


def test_create_then_list_then_delete(api, new):
    """A database is listed with the columns of Coze before its own, and is gone after its deletion."""
    key = new(table_desc="All people.", indexs=[{"field_names": ["level"]}])
    (database,) = api.ok("GET", "/v1/databases", params={"workspace_id": WORKSPACE_ID})["items"]
    assert (database["id"], database["table_name"], database["app_id"]) == (key, "people", "0")
    assert [field["name"] for field in database["fields"]] == [
        "id", "sys_platform", "uuid", "bstudio_create_time", "name", "level", "score", "active", "seen",
    ]  # fmt: skip
    assert [field["is_system_field"] for field in database["fields"]] == [True] * 4 + [False] * 5
    api.ok("DELETE", f"/v1/databases/{key}")
    data = api.ok("GET", "/v1/databases", params={"workspace_id": WORKSPACE_ID})
    assert data == {"items": [], "has_more": False, "total_count": 0}
    assert api.refused("DELETE", f"/v1/databases/{key}") == (404, 4200)
    assert api.refused("POST", f"/v1/databases/{key}/records/query", json={}) == (404, 4200)


def test_database_of_an_app(api, new):
    """A database can belong to an app of its workspace."""
    new(app_id=APP_ID)
    assert api.ok("GET", "/v1/databases", params={"workspace_id": WORKSPACE_ID})["items"][0]["app_id"] == APP_ID


@pytest.mark.parametrize(
    "members",
    [
        {"fields": []},
        {"fields": [{"name": "Name", "type": "string"}]},
        {"fields": [{"name": "id", "type": "integer"}]},
        {"fields": [{"name": "a", "type": "string"}, {"name": "a", "type": "integer"}]},
        {"indexs": [{"field_names": ["name"]}]},
        {"indexs": [{"field_names": ["level", "score"]}]},
        {"indexs": [{"field_names": ["none"]}]},
        {"rw_mode": "read_only"},
    ],
    ids=str,
)
def test_refused_databases(api, members):
    """Columns need names in lower case that are free, indexes one column that is not text."""
    body = {"workspace_id": WORKSPACE_ID, "table_name": "t", "rw_mode": "unlimited_read_write", "fields": COLUMNS}
    assert api.refused("POST", "/v1/databases", json={**body, **members}) == (400, 4000)


def test_values_are_texts(api, people):
    """Queries return all values as texts, times with a space, and null for values that are missing."""
    chosen = {"field_names": ["name", "level", "score", "active", "seen"]}
    rows = api.ok("POST", f"{people}/query", json={"select_fields": chosen})["items"]
    assert rows == [
        AMY,
        {**BEN, "score": "-2.0", "seen": "2026-03-02 09:00:00"},
        {"name": "cleo_%", "level": None, "score": None, "active": None, "seen": None},
    ]


@pytest.mark.parametrize(
    "row",
    [
        {},
        {"level": "1"},
        {"name": "x", "level": "1.5"},
        {"name": "x", "score": "one"},
        {"name": "x", "active": "yes"},
        {"name": "x", "seen": "yesterday"},
        {"name": "x", "none": "1"},
        {"name": "x", "id": "1"},
    ],
    ids=str,
)
def test_refused_rows(api, people, row):
    """A row needs the required columns and values of their types; if one row is wrong, none is added."""
    assert api.refused("POST", people, json={"insert_rows": [AMY, row]}) == (400, 4000)
    assert len(names(api, people)) == 3


@pytest.mark.parametrize(
    ("left", "operation", "right", "expected"),
    [
        ("name", "equal", "amy", ["amy"]),
        ("level", "equal", "3", ["amy"]),
        ("active", "equal", "TRUE", ["amy"]),
        ("name", "not_equal", "amy", ["ben", "cleo_%"]),
        ("level", "not_equal", "3", ["ben"]),
        ("level", "greater_than", "3", ["ben"]),
        ("level", "greater_equal", "3", ["amy", "ben"]),
        ("score", "less_than", "1.5", ["ben"]),
        ("score", "less_equal", "1.5", ["amy", "ben"]),
        ("seen", "less_than", "2026-03-02", ["amy"]),
        ("level", "in", "[3, 4]", ["amy"]),
        ("name", "in", "amy, ben", ["amy", "ben"]),
        ("level", "not_in", "3,4", ["ben"]),
        ("name", "like", "%e%", ["ben", "cleo_%"]),
        ("name", "like", "_en", ["ben"]),
        ("name", "like", "e", []),
        ("name", "not_like", "a%", ["ben", "cleo_%"]),
        ("level", "is_null", None, ["cleo_%"]),
        ("level", "is_not_null", None, ["amy", "ben"]),
    ],
)
def test_every_operation_of_filters(api, people, left, operation, right, expected):
    """Conditions compare by the type of the column; a missing value meets none but `is_null`."""
    assert names(api, people, filter=condition(left, operation, right)) == expected


@pytest.mark.parametrize(("logic", "expected"), [("and", []), ("or", ["amy", "ben"]), (None, [])])
def test_joined_conditions(api, people, logic, expected):
    """A row meets all conditions, with `or` one of them."""
    conditions = [condition("name", "equal", person)["conditions"][0] for person in ("amy", "ben")]
    members = {} if logic is None else {"logic": logic}
    assert names(api, people, filter={"conditions": conditions, **members}) == expected


@pytest.mark.parametrize(
    "wrong",
    [
        condition("none", "equal", "1"),
        condition("level", "equal", "one"),
        condition("level", "in", "1,one"),
        condition("level", "equal"),
        {"conditions": [{"operation": "equal", "right": "1"}]},
        {"conditions": [{"left": "level", "right": "1"}]},
    ],
    ids=str,
)
def test_refused_filters(api, people, wrong):
    """A condition needs an existing column, an operation, and a value of the column's type."""
    assert api.refused("POST", f"{people}/query", json={"filter": wrong}) == (400, 4000)


def test_order_and_pages(api, people):
    """Rows are sorted by several columns, missing values first, and paged by number."""
    api.ok("POST", people, json={"insert_rows": [{"name": "dan", "level": "3"}]})
    order = [{"field_name": "level", "direction": "desc"}, {"field_name": "name", "direction": "asc"}]
    assert names(api, people, order_by=order) == ["ben", "amy", "dan", "cleo_%"]
    data = api.ok("POST", f"{people}/query", json={"order_by": order, "page_num": 2, "page_size": 3})
    assert ([row["name"] for row in data["items"]], data["has_more"], data["total_count"]) == (["cleo_%"], False, 4)
    assert api.refused("POST", f"{people}/query", json={"order_by": [{"field_name": "none"}]}) == (400, 4000)


def test_distinct_rows(api, people):
    """With `is_distinct` equal rows of the selected columns are returned once."""
    api.ok("POST", people, json={"insert_rows": [AMY]})
    chosen = {"field_names": ["name"], "is_distinct": True}
    data = api.ok("POST", f"{people}/query", json={"select_fields": chosen})
    assert data["items"] == [{"name": "amy"}, {"name": "ben"}, {"name": "cleo_%"}]


def test_update_and_delete(api, people):
    """Rows that a filter selects are changed or deleted, and counted; without a condition the call is refused."""
    changes = [{"field_name": "level", "value": "7"}, {"field_name": "score"}]
    body = {"update_fields": changes, "filter": condition("level", "is_not_null")}
    assert api.ok("PUT", people, json=body)["affected_rows"] == 2
    assert names(api, people, filter=condition("level", "equal", "7")) == ["amy", "ben"]
    assert names(api, people, filter=condition("score", "is_null")) == ["amy", "ben", "cleo_%"]
    assert api.ok("DELETE", people, json={"filter": condition("name", "equal", "amy")})["affected_rows"] == 1
    assert names(api, people) == ["ben", "cleo_%"]
    for method, members in (("PUT", {"update_fields": changes}), ("DELETE", {})):
        assert api.refused(method, people, json={**members, "filter": {"conditions": []}}) == (400, 4000)


@pytest.mark.parametrize(
    "change",
    [{"field_name": "id", "value": "1"}, {"field_name": "none"}, {"field_name": "name"}, {"value": "1"},
     {"field_name": "level", "value": "x"}],
    ids=str,
)  # fmt: skip
def test_refused_changes(api, people, change):
    """Columns of Coze cannot be set, required ones not be emptied."""
    body = {"update_fields": [change], "filter": condition("name", "equal", "amy")}
    assert api.refused("PUT", people, json=body) == (400, 4000)


@pytest.mark.parametrize(
    ("mode", "seen"),
    [
        ("independent_connector", {API: [API], DEBUGGING: [DEBUGGING], STORE: [STORE], OTHER: [OTHER]}),
        (
            "shared_coze_connectors",
            {API: [API], DEBUGGING: [DEBUGGING, STORE], STORE: [DEBUGGING, STORE], OTHER: [OTHER]},
        ),
        ("shared_all_connectors", {key: [API, DEBUGGING, STORE, OTHER] for key in (API, DEBUGGING, STORE, OTHER)}),
    ],
)
def test_rows_by_channel(api, new, mode, seen):
    """Channels see their own rows, those inside Coze or all share them, by the mode of the database."""
    path = f"/v1/databases/{new(connector_read_mode=mode)}/records"
    for channel in (API, DEBUGGING, STORE, OTHER):
        api.ok("POST", path, json={"insert_rows": [{"name": channel}], "connector_id": channel})
    assert {channel: names(api, path, connector_id=channel) for channel in seen} == seen
    assert names(api, path) == seen[API]


@pytest.mark.parametrize(
    ("mode", "expected"), [("limited_read_write", ["theirs"]), ("unlimited_read_write", ["mine", "theirs"])]
)
def test_rows_by_account(api, coze_sandbox, new, mode, expected):
    """With limited access accounts read and change their own rows only."""
    api.join(COLLEAGUE_IDS[0])
    path = f"/v1/databases/{new(rw_mode=mode)}/records"
    api.ok("POST", path, json={"insert_rows": [{"name": "mine"}]})
    theirs = {"Authorization": f"Bearer {coze_sandbox.scenario.token(user_id=COLLEAGUE_IDS[0])}"}
    api.ok("POST", path, json={"insert_rows": [{"name": "theirs"}]}, headers=theirs)
    rows = api.ok("POST", f"{path}/query", json={}, headers=theirs)["items"]
    assert [row["name"] for row in rows] == expected
    everything = {"filter": condition("name", "is_not_null")}
    assert api.ok("DELETE", path, json=everything, headers=theirs)["affected_rows"] == len(expected)


def test_columns_of_coze(api, people, coze_sandbox):
    """Rows carry an id of their own, the channel, the user that was named, and the time."""
    api.ok("POST", people, json={"insert_rows": [{"name": "dan"}], "connector_uid": "user-1"})
    rows = api.ok("POST", f"{people}/query", json={})["items"]
    assert len({row["id"] for row in rows}) == 4
    assert (rows[-1]["sys_platform"], rows[-1]["uuid"]) == (API, "user-1")
    assert rows[-1]["bstudio_create_time"]


def test_tasks_end_later(api, coze_sandbox, people):
    """A task waits, works, and has its effect at its end."""
    key = api.ok("POST", people, json={"insert_rows": [{"name": "dan"}], "is_async": True})["task_id"]
    path, seconds = f"/v1/database_tasks/{key}", coze_sandbox.options.answer_seconds
    assert api.ok("GET", path) == {"status": "pending", "task_type": "insert"}
    coze_sandbox.clock.advance(seconds * 0.75)
    assert api.ok("GET", path)["status"] == "running"
    assert len(names(api, people)) == 3
    coze_sandbox.clock.advance(seconds)
    assert len(names(api, people)) == 4
    assert api.ok("GET", path) == {"status": "succeed", "task_type": "insert", "affected_rows": 1}


def test_tasks_of_each_kind(api, coze_sandbox, people):
    """Tasks run in the order in which they were started; a query has the address of its rows."""
    some = {"filter": condition("level", "is_not_null"), "is_async": True}
    started = [
        api.ok("PUT", people, json={"update_fields": [{"field_name": "level", "value": "1"}], **some}),
        api.ok("POST", f"{people}/query", json=some),
        api.ok("DELETE", people, json=some),
    ]
    coze_sandbox.clock.advance(3600)
    ended = [api.ok("GET", f"/v1/database_tasks/{task['task_id']}") for task in started]
    assert [task["task_type"] for task in ended] == ["update", "select", "delete"]
    assert [task["status"] for task in ended] == ["succeed"] * 3
    assert (ended[0]["affected_rows"], ended[1]["select_total_count"], ended[2]["affected_rows"]) == (2, 2, 2)
    assert ended[1]["select_items_file_url"]


def test_task_of_a_deleted_database(api, coze_sandbox, people):
    """A task fails if its database is deleted before its end."""
    key = api.ok("POST", people, json={"insert_rows": [AMY], "is_async": True})["task_id"]
    api.ok("DELETE", people.removesuffix("/records"))
    coze_sandbox.clock.advance(3600)
    task = api.ok("GET", f"/v1/database_tasks/{key}")
    assert (task["status"], task["error_msg"]) == ("failed", "The database was deleted.")


def test_results_of_tasks_are_dropped(api, coze_sandbox, people):
    """The result of a task can be retrieved for 12 hours after its end."""
    key = api.ok("POST", people, json={"insert_rows": [AMY], "is_async": True})["task_id"]
    coze_sandbox.clock.advance(KEPT - 1)
    assert api.ok("GET", f"/v1/database_tasks/{key}")["status"] == "succeed"
    coze_sandbox.clock.advance(coze_sandbox.options.answer_seconds + 2)
    assert api.refused("GET", f"/v1/database_tasks/{key}") == (404, 4200)


def test_tasks_of_others(api, coze_sandbox, people):
    """Nobody retrieves the task of another account."""
    key = api.ok("POST", people, json={"insert_rows": [AMY], "is_async": True})["task_id"]
    theirs = {"Authorization": f"Bearer {coze_sandbox.scenario.token(user_id=COLLEAGUE_IDS[0])}"}
    assert api.refused("GET", f"/v1/database_tasks/{key}", headers=theirs) == (404, 4200)
