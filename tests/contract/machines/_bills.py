"""Tasks that write the bills of end users into files."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Any

import attrs
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, initialize, invariant, precondition, rule

from tests.contract.machines._base import MANY, SECONDS, Machine, items

__all__ = ["Bills"]

NOT_ALLOWED = 4000
BEIJING = timezone(timedelta(hours=8))
DAY = 86_400
WEEK = 7 * DAY
FIRST_DAY = int(datetime(2025, 3, 13, tzinfo=BEIJING).timestamp())
UNKNOWN = "7300000000000000999"


@attrs.frozen
class Kept:
    """A task as it should be."""

    started_at: int
    ended_at: int
    created_at: int


class Bills(Machine):
    """Any order of tasks started and looked at, as time goes by."""

    tasks = Bundle("tasks")

    def begin(self) -> None:
        """Begin without any."""
        self.kept: dict[str, Kept] = {}

    @initialize(target=tasks)
    def first(self) -> Any:
        """Start a task: much can be seen then."""
        return self.start_default()

    @precondition(lambda self: len(self.kept) < MANY)
    @rule(target=tasks)
    def start_default(self) -> Any:
        """Where no days are given, yesterday is billed."""
        return self.keep(self.coze.bill_tasks.create(), self.day(1), self.day(1))

    @precondition(lambda self: len(self.kept) < MANY)
    @rule(
        target=tasks,
        ago=st.integers(1, 90),
        days=st.integers(0, 89),
        begin=st.integers(0, DAY - 1),
        end=st.integers(0, DAY - 1),
    )
    def start(self, ago: int, days: int, begin: int, end: int) -> Any:
        """The days that are given are billed from their beginning to their end."""
        last = max(ago - days, 1)
        task = self.coze.bill_tasks.create(started_at=self.day(ago) + begin, ended_at=self.day(last) + end)
        return self.keep(task, self.day(ago), self.day(last))

    @precondition(lambda self: len(self.kept) < MANY)
    @rule(target=tasks, ago=st.integers(1, 90), is_begin=st.booleans())
    def start_half(self, ago: int, is_begin: bool) -> Any:
        """A beginning alone means until yesterday, an end alone that day."""
        if is_begin:
            return self.keep(self.coze.bill_tasks.create(started_at=self.day(ago)), self.day(ago), self.day(1))
        return self.keep(self.coze.bill_tasks.create(ended_at=self.day(ago)), self.day(ago), self.day(ago))

    @rule()
    def turned_away(self) -> None:
        """Days that are not over, were never billed, or run backwards are refused."""
        call = self.coze.bill_tasks.create
        self.refused(NOT_ALLOWED, call, started_at=self.day(1), ended_at=self.day(0))
        self.refused(NOT_ALLOWED, call, started_at=FIRST_DAY - 1)
        self.refused(NOT_ALLOWED, call, started_at=self.day(1), ended_at=self.day(2))

    @rule(seconds=st.sampled_from([1, SECONDS, DAY, WEEK]))
    def wait(self, seconds: float) -> None:
        """Time goes by: tasks end, are no longer listed, and their files expire."""
        self.later(seconds)

    @rule(some=st.lists(tasks, min_size=1, max_size=3, unique=True), size=st.integers(1, 2))
    def named(self, some: list[str], size: int) -> None:
        """Tasks that are named are listed however old they are, without those that are not known."""
        listed = items(self.coze.bill_tasks.list(task_ids=[UNKNOWN, *some], page_size=size), len(some))
        assert [task.task_id for task in listed] == [key for key in reversed(self.kept) if key in some]
        for task in listed:
            self.same(task)

    @invariant()
    def lists(self) -> None:
        """The tasks of the last seven days are listed, the newest first, with files once they are done."""
        recent = [key for key, task in self.kept.items() if task.created_at >= self.now - WEEK]
        listed = items(self.coze.bill_tasks.list(page_size=1 + len(recent) % 2), len(recent))
        assert [task.task_id for task in listed] == recent[::-1]
        for task in listed:
            self.same(task)

    def keep(self, task: Any, first: int, last: int) -> str:
        """Keep what was started."""
        assert task.task_id not in self.kept
        self.kept[task.task_id] = Kept(first, last + DAY - 1, self.now)
        self.same(task)
        return str(task.task_id)

    def same(self, shown: Any) -> None:
        """Compare a task that is shown with what it should be."""
        known = self.kept[shown.task_id]
        times = (shown.started_at, shown.ended_at, shown.created_at, shown.expires_at)
        assert times == (known.started_at, known.ended_at, known.created_at, known.created_at + WEEK)
        is_done = known.created_at + SECONDS <= self.now
        assert shown.status == ("succeed" if is_done else "running")
        months = (known.ended_at + 1 - known.started_at + 31 * DAY - 1) // (31 * DAY)
        assert len(set(shown.file_urls)) == (months if is_done and self.now < shown.expires_at else 0)
        assert all(shown.task_id in address for address in shown.file_urls)

    def day(self, ago: int) -> int:
        """Return when a day began in Beijing, so many days ago."""
        today = datetime.fromtimestamp(self.now, BEIJING).replace(hour=0, minute=0, second=0)
        return int(today.timestamp()) - ago * DAY
