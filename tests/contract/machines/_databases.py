"""Databases and their rows, changed at once or by tasks."""

from __future__ import annotations

from typing import Any

import attrs
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, consumes, initialize, invariant, precondition, rule

from coze_sandbox import WORKSPACE_ID
from tests.contract.machines._base import MANY, SECONDS, SIZES, TEXTS, Machine, items

__all__ = ["Databases"]

NOT_FOUND = 4200
COLUMNS = (
    {"name": "name", "type": "string", "is_required": True},
    {"name": "level", "type": "integer", "is_required": False},
)
LEVELS = st.integers(0, 3)
ROWS = st.lists(st.tuples(TEXTS, LEVELS), min_size=1, max_size=3)
MOST_ROWS = 12

Row = tuple[str, int]


@attrs.define
class Task:
    """A task as it should be."""

    key: str
    kind: str
    ends_at: int
    change: Any
    affected: int | None = None
    failed: bool = False


@attrs.define
class Expected:
    """A database as it should be: its rows in the order in which they came, and its tasks."""

    name: str
    rows: list[Row] = attrs.field(factory=list)
    tasks: list[Task] = attrs.field(factory=list)


def is_level(level: int) -> dict[str, Any]:
    """Return the filter for rows with a level."""
    return {"conditions": [{"left": "level", "operation": "equal", "right": str(level)}]}


class Databases(Machine):
    """Any order of databases created and deleted, of rows changed, and of tasks that end."""

    databases = Bundle("databases")

    def begin(self) -> None:
        """Begin without any."""
        self.api = self.coze.databases
        self.expected: dict[str, Expected] = {}
        self.orphans: list[Task] = []

    @initialize(target=databases)
    def first(self) -> Any:
        """Create a database with rows: much can be done with it."""
        key = self.create("first")
        self.insert(key, [("one", 1), ("two", 2), ("three", 1)], is_async=False)
        return key

    @precondition(lambda self: len(self.expected) < MANY)
    @rule(target=databases, name=TEXTS)
    def create(self, name: str) -> Any:
        """A new database has an id of its own."""
        key = self.api.create(
            workspace_id=WORKSPACE_ID, table_name=name, fields=COLUMNS, rw_mode="unlimited_read_write"
        ).database_id
        assert key not in self.expected
        self.expected[key] = Expected(name)
        return key

    @rule(key=consumes(databases))
    def delete(self, key: str) -> None:
        """The database is gone with its rows; tasks that have not ended fail at their end."""
        self.api.delete(database_id=key)
        self.orphans += self.expected.pop(key).tasks
        self.refused(NOT_FOUND, self.api.delete, database_id=key)
        self.refused(NOT_FOUND, self.api.records.delete, database_id=key, filter=is_level(0))

    @rule(key=databases, rows=ROWS, is_async=st.booleans())
    def insert(self, key: str, rows: list[Row], *, is_async: bool) -> None:
        """Rows are added at the end, unless the database has many."""
        if len(self.expected[key].rows) >= MOST_ROWS:
            return
        sent = [{"name": name, "level": str(level)} for name, level in rows]
        answer = self.api.records.create(database_id=key, insert_rows=sent, is_async=is_async)
        self.changed(key, "insert", answer, lambda stored: [*stored, *rows], is_async=is_async)

    @rule(key=databases, level=LEVELS, name=TEXTS, is_async=st.booleans())
    def update(self, key: str, level: int, name: str, *, is_async: bool) -> None:
        """Rows with a level get a name."""
        values = [{"field_name": "name", "value": name}]
        answer = self.api.records.update(
            database_id=key, update_fields=values, filter=is_level(level), is_async=is_async
        )

        def change(stored: list[Row]) -> list[Row]:
            return [(name, level) if row[1] == level else row for row in stored]

        self.changed(key, "update", answer, change, is_async=is_async, level=level)

    @rule(key=databases, level=LEVELS, is_async=st.booleans())
    def remove(self, key: str, level: int, *, is_async: bool) -> None:
        """Rows with a level are deleted."""
        answer = self.api.records.delete(database_id=key, filter=is_level(level), is_async=is_async)
        self.changed(
            key,
            "delete",
            answer,
            lambda stored: [row for row in stored if row[1] != level],
            is_async=is_async,
            level=level,
        )

    @rule(seconds=st.sampled_from([1, SECONDS / 2, SECONDS]))
    def wait(self, seconds: float) -> None:
        """Tasks whose time has come have their effect, in the order of their start."""
        now = self.later(seconds)
        for expected in self.expected.values():
            for task in expected.tasks:
                if task.affected is None and task.ends_at <= now:
                    self.carry_out(expected, task)
        for task in self.orphans:
            task.failed = task.failed or (task.affected is None and task.ends_at <= now)

    @rule(key=databases, size=SIZES, descending=st.booleans())
    def sort(self, key: str, size: int, *, descending: bool) -> None:
        """Rows are sorted by level, and keep their order within one."""
        direction = "desc" if descending else "asc"
        order = [{"field_name": "level", "direction": direction}]
        rows = items(self.api.records.query(database_id=key, order_by=order, page_size=size))
        assert self.shown(rows) == sorted(self.expected[key].rows, key=lambda row: row[1], reverse=descending)

    @rule(key=databases, level=LEVELS)
    def select(self, key: str, level: int) -> None:
        """A filter selects the rows with a level."""
        rows = items(self.api.records.query(database_id=key, filter=is_level(level)))
        assert self.shown(rows) == [row for row in self.expected[key].rows if row[1] == level]

    @invariant()
    def listed(self) -> None:
        """Databases are listed in the order in which they came, each has its rows, and tasks their states."""
        listed = items(self.api.list(workspace_id=WORKSPACE_ID, page_size=2), len(self.expected))
        assert [(database.id, database.table_name) for database in listed] == [
            (key, expected.name) for key, expected in self.expected.items()
        ]
        for key, expected in self.expected.items():
            rows = items(self.api.records.query(database_id=key, page_size=3), len(expected.rows))
            assert self.shown(rows) == expected.rows
            for task in expected.tasks:
                self.check(task)
        for task in self.orphans:
            self.check(task)

    def changed(
        self, key: str, kind: str, answer: Any, change: Any, *, is_async: bool, level: int | None = None
    ) -> None:
        """Apply a change to the model, now or at the end of its task."""
        expected = self.expected[key]
        task = Task(answer.task_id or "", kind, self.now + int(SECONDS), (change, level))
        if is_async:
            expected.tasks.append(task)
            return
        self.carry_out(expected, task)
        assert answer.affected_rows == task.affected

    def carry_out(self, expected: Expected, task: Task) -> None:
        """Change the rows of the model, and count those that were."""
        (change, level), before = task.change, expected.rows
        expected.rows = change(before)
        affected = len(expected.rows) - len(before)
        task.affected = affected if level is None else sum(row[1] == level for row in before)

    def check(self, task: Task) -> None:
        """Compare a task with its model."""
        response = self.coze.database_tasks.retrieve(task_id=task.key)
        assert response.task_type == task.kind
        if task.failed:
            assert response.status == "failed"
        elif task.affected is None:
            assert response.status in {"pending", "running"}
        else:
            assert (response.status, response.affected_rows) == ("succeed", task.affected)

    @staticmethod
    def shown(rows: list[dict[str, Any]]) -> list[Row]:
        """Return rows as the model has them."""
        return [(row["name"], int(row["level"])) for row in rows]
