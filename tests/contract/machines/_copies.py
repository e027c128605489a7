"""Copies of bots, apps, workflows and templates, most of which take time."""

from __future__ import annotations

from typing import Any

import attrs
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, initialize, invariant, multiple, precondition, rule

from coze_sandbox import APP_ID, BOT_ID, WORKFLOW_ECHO, WORKSPACE_ID
from tests.contract.machines._base import SECONDS, TEXTS, Machine, items

__all__ = ["Copies"]

NOT_FOUND, NOT_ALLOWED = 4200, 4000
MOST = 6
KINDS = ("bot", "app", "workflow")


@attrs.frozen
class Thing:
    """A bot, an app or a workflow as it should be."""

    kind: str
    key: str
    home: str
    name: str
    changed: int


@attrs.define
class Task:
    """A copy that is made."""

    source: Thing
    target: str
    ends_at: int
    copied_id: str | None = None


class Copies(Machine):
    """Any order of copies begun and looked at, as time goes by."""

    things = Bundle("things")
    tasks = Bundle("tasks")

    def begin(self) -> None:
        """Take over what is there from the start, and make two teams."""
        call = self.coze.workspaces.create
        teams = [call(name=name, description="").id for name in ("one", "two")]
        self.places = (WORKSPACE_ID, *teams)
        self.kept = [thing for kind in KINDS for thing in self.listed(kind, WORKSPACE_ID, size=20)]
        drafts = [thing for kind in KINDS for thing in self.listed(kind, WORKSPACE_ID, "unpublished_draft")]
        self.published = {thing.key for thing in self.kept if thing not in drafts}
        self.own = {thing.kind: thing for thing in self.kept if thing.key in {BOT_ID, APP_ID, WORKFLOW_ECHO}}
        self.most = len(self.kept) + MOST
        self.pending: dict[str, Task] = {}

    @initialize(target=things)
    def first(self) -> Any:
        """Pick what can be copied within the personal workspace, and make a bot in a team: it can go anywhere."""
        return multiple(*self.own.values(), self.template(1, "Iris"))

    @initialize(target=tasks)
    def second(self) -> Any:
        """Begin copies of an app and a workflow, and wait: they are there to be looked at."""
        tasks = [self.start(self.own[kind], 0) for kind in ("app", "workflow")]
        self.wait(SECONDS)
        return multiple(*tasks)

    @precondition(lambda self: len(self.kept) < self.most)
    @rule(target=things, place=st.integers(0, 2), name=st.none() | TEXTS)
    def template(self, place: int, name: str | None) -> Any:
        """A template becomes a bot at once."""
        now = self.later()
        duplicate = self.coze.templates.duplicate(template_id="7", workspace_id=self.places[place], name=name)
        assert duplicate.entity_type == "agent"
        return self.keep(Thing("bot", duplicate.entity_id, self.places[place], name or "Template 7", now))

    @precondition(lambda self: len(self.kept) < self.most)
    @rule(target=tasks, thing=things, place=st.integers(0, 2))
    def start(self, thing: Thing, place: int) -> Any:
        """A bot that stays is copied at once; all else takes time; nothing leaves the personal workspace."""
        now, target = self.later(), self.places[place]
        arguments = {"entity_id": thing.key, "entity_type": thing.kind, "to_workspace_id": target}
        if thing.home == WORKSPACE_ID != target:
            self.refused(NOT_ALLOWED, self.coze.copy_tasks.create, **arguments)
            return multiple()
        response = self.coze.copy_tasks.create(**arguments)
        if thing.kind == "bot" and target == thing.home:
            assert response.task_id is None
            self.keep(attrs.evolve(thing, key=response.copied_entity_id, changed=now))
            return multiple()
        assert response.copied_entity_id is None
        assert response.task_id not in self.pending
        self.pending[response.task_id] = Task(thing, target, now + int(SECONDS))
        return response.task_id

    @rule(target=things, key=tasks)
    def look(self, key: str) -> Any:
        """The copy exists when its time has come, once, and the task has its id."""
        now, task = self.later(), self.pending[key]
        response = self.coze.copy_tasks.retrieve(task_id=key)
        shown = (response.task_id, response.entity_type, response.source_entity_id, response.target_workspace_id)
        assert shown == (key, task.source.kind, task.source.key, task.target)
        if now < task.ends_at:
            assert (response.task_status, response.target_entity_id) == ("in_progress", None)
            return multiple()
        assert response.task_status == "successful"
        if task.copied_id is not None:
            assert response.target_entity_id == task.copied_id
            return multiple()
        task.copied_id = str(response.target_entity_id)
        return self.keep(attrs.evolve(task.source, key=task.copied_id, home=task.target, changed=now))

    @rule(seconds=st.sampled_from([1, SECONDS]))
    def wait(self, seconds: float) -> None:
        """Time goes by."""
        self.later(seconds)

    @rule(thing=things)
    def turned_away(self, thing: Thing) -> None:
        """What does not exist is not copied, and nothing is copied to nowhere."""
        call = self.coze.copy_tasks.create
        other = "app" if thing.kind == "bot" else "bot"
        self.refused(NOT_FOUND, call, entity_id=thing.key, entity_type=other)
        self.refused(NOT_FOUND, call, entity_id=thing.key, entity_type=thing.kind, to_workspace_id="1")
        self.refused(NOT_FOUND, self.coze.copy_tasks.retrieve, task_id="1")
        self.refused(NOT_FOUND, self.coze.templates.duplicate, template_id="7", workspace_id="1")

    @rule(kind=st.sampled_from(KINDS), place=st.integers(0, 2))
    def drafts(self, kind: str, place: int) -> None:
        """All copies are drafts."""
        home = self.places[place]
        drafts = [thing for thing in self.there(kind, home) if thing.key not in self.published]
        assert self.listed(kind, home, "unpublished_draft") == drafts

    @invariant()
    def lists(self) -> None:
        """Every workspace lists what was copied to it, bots and apps that were changed last first."""
        for place in self.places:
            for kind in KINDS:
                assert self.listed(kind, place) == self.there(kind, place)

    def there(self, kind: str, place: str) -> list[Thing]:
        """Return what there should be of a kind in a workspace."""
        things = [thing for thing in self.kept if (thing.kind, thing.home) == (kind, place)]
        return things if kind == "workflow" else sorted(things, key=lambda thing: (-thing.changed, thing.key))

    def listed(self, kind: str, place: str, state: str = "all", size: int = 2) -> list[Thing]:
        """List what exists of a kind in a workspace."""
        where = {"workspace_id": place, "publish_status": state, "page_size": size}
        if kind == "workflow":
            page = self.coze.workflows.list(page_num=1, **where)
            return [
                Thing(kind, item.workflow_id, place, item.workflow_name, int(item.updated_at)) for item in items(page)
            ]
        page = (self.coze.bots if kind == "bot" else self.coze.apps).list(**where)
        return [Thing(kind, item.id, place, item.name, int(item.updated_at)) for item in items(page)]

    def keep(self, thing: Thing) -> Thing:
        """Keep what was made."""
        assert thing.key not in {other.key for other in self.kept}
        self.kept.append(thing)
        return thing
