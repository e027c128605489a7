"""Who may edit bots, apps and workflows, and who sees them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import initialize, invariant, rule

from coze_sandbox import APP_ID, BOT_ID, COLLEAGUE_IDS, WORKFLOW_ECHO, WORKSPACE_ID
from tests.contract.machines._base import Machine
from tests.contract.machines._tokens import bearer

__all__ = ["Editors"]

NOT_FOUND, NOT_ALLOWED = 4200, 4000
NOBODY = "7399999999999999999"
TOGETHER, ALONE = "collaboration", "single"
PEOPLE = COLLEAGUE_IDS[:2]
THINGS = st.sampled_from(["bot", "app", "workflow"])


class Editors(Machine):
    """Any order of people who join and leave, of modes changed, and of editors added and removed."""

    def begin(self) -> None:
        """Begin with an owner who is alone, and with tokens of those who could be editors."""
        self.editors: dict[str, set[str]] = {"bot": set(), "app": set(), "workflow": set()}
        self.modes = {"bot": ALONE, "workflow": ALONE}
        self.members: set[str] = set()
        self.tokens = {person: self.sandbox.scenario.token(person) for person in PEOPLE}

    @initialize()
    def first(self) -> None:
        """Let somebody join, and edit everything for a moment: much can be done then."""
        self.join(PEOPLE[0])
        self.change_bot(TOGETHER)
        self.change_workflow(TOGETHER)
        for kind in self.editors:
            self.add(kind, PEOPLE[0])
            self.remove(kind, PEOPLE[0])

    @rule(person=st.sampled_from(PEOPLE))
    def join(self, person: str) -> None:
        """Somebody becomes a member of the workspace."""
        users = [{"user_id": person, "role_type": "member"}]
        self.coze.workspaces.members.create(workspace_id=WORKSPACE_ID, users=users)
        self.members.add(person)

    @rule(person=st.sampled_from(PEOPLE))
    def leave(self, person: str) -> None:
        """Somebody is not a member of the workspace any more."""
        self.coze.workspaces.members.delete(workspace_id=WORKSPACE_ID, user_ids=[person])
        self.members.discard(person)

    @rule(mode=st.sampled_from([TOGETHER, ALONE]))
    def change_bot(self, mode: str) -> None:
        """A bot that has one editor again drops the others."""
        self.coze.bots.collaboration_modes.update(bot_id=BOT_ID, collaboration_mode=mode)
        self.modes["bot"] = mode
        if mode == ALONE:
            self.editors["bot"].clear()

    @rule(mode=st.sampled_from([TOGETHER, ALONE]))
    def change_workflow(self, mode: str) -> None:
        """A workflow can have one editor again once the others are gone."""
        call, arguments = self.coze.workflows.collaboration_modes.update, {"collaboration_mode": mode}
        if mode == ALONE and self.editors["workflow"]:
            self.refused(NOT_ALLOWED, call, workflow_id=WORKFLOW_ECHO, **arguments)
        else:
            call(workflow_id=WORKFLOW_ECHO, **arguments)
            self.modes["workflow"] = mode

    @rule(kind=THINGS, person=st.sampled_from(PEOPLE))
    def add(self, kind: str, person: str) -> None:
        """Members become editors of what can have some; who is one stays one."""
        api, place = self.api(kind)
        collaborators = [{"user_id": person}]
        if self.modes.get(kind) == ALONE or person not in self.members:
            self.refused(NOT_ALLOWED, api.create, **place, collaborators=collaborators)
            return
        api.create(**place, collaborators=collaborators)
        self.editors[kind].add(person)

    @rule(kind=THINGS)
    def add_nobody(self, kind: str) -> None:
        """An account that does not exist becomes no editor."""
        api, place = self.api(kind)
        collaborators = [{"user_id": NOBODY}]
        code = NOT_ALLOWED if self.modes.get(kind) == ALONE else NOT_FOUND
        self.refused(code, api.create, **place, collaborators=collaborators)

    @rule(kind=THINGS, person=st.sampled_from(PEOPLE))
    def remove(self, kind: str, person: str) -> None:
        """An editor is removed once."""
        api, place = self.api(kind)
        if person in self.editors[kind]:
            api.delete(**place, user_id=person)
            self.editors[kind].discard(person)
        self.refused(NOT_FOUND, api.delete, **place, user_id=person)

    @invariant()
    def sight(self) -> None:
        """Members of the workspace see what lies in it, and nobody else does."""
        looks: list[tuple[Callable[..., Any], dict[str, Any]]] = [
            (self.coze.bots.retrieve, {"bot_id": BOT_ID, "is_published": False}),
            (self.coze.variables.retrieve, {"app_id": APP_ID, "connector_uid": "u"}),
            (self.coze.workflows.retrieve, {"workflow_id": WORKFLOW_ECHO}),
        ]
        for call, arguments in looks:
            for person, token in self.tokens.items():
                if person in self.members:
                    call(**arguments, extra_headers=bearer(token))
                else:
                    self.refused(NOT_FOUND, call, **arguments, extra_headers=bearer(token))

    def api(self, kind: str) -> tuple[Any, dict[str, str]]:
        """Return what adds and removes editors, and what names the thing."""
        if kind == "bot":
            return self.coze.bots.collaborators, {"bot_id": BOT_ID}
        if kind == "app":
            return self.coze.apps.collaborators, {"app_id": APP_ID}
        return self.coze.workflows.collaborators, {"workflow_id": WORKFLOW_ECHO}
