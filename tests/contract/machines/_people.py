"""Workspaces and organizations, and who is in them."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import Bundle, consumes, initialize, invariant, multiple, precondition, rule

from coze_sandbox import COLLEAGUE_IDS, USER_ID, WORKSPACE_ID
from tests.contract.machines._base import MANY, TEXTS, Machine, items

__all__ = ["Members"]

INVALID, NOT_FOUND = 4000, 4200
NOBODY = "7399999999999999999"
PEOPLE = st.lists(st.sampled_from([USER_ID, NOBODY, *COLLEAGUE_IDS]), min_size=1, max_size=3, unique=True)
ROLES = st.sampled_from(["admin", "member"])


class Members(Machine):
    """Any order of workspaces created, renamed and deleted, and of people who join, change roles and leave."""

    workspaces = Bundle("workspaces")

    def begin(self) -> None:
        """Begin with the personal workspace."""
        (first,) = items(self.coze.workspaces.list())
        self.names = {WORKSPACE_ID: (first.name, first.description)}
        self.roles: dict[str, dict[str, str]] = {WORKSPACE_ID: {USER_ID: "owner"}}

    @initialize(target=workspaces)
    def first(self) -> Any:
        """Let people join, one of whom leaves: much can be done then."""
        self.join(WORKSPACE_ID, [*COLLEAGUE_IDS], "member")
        self.leave(WORKSPACE_ID, [COLLEAGUE_IDS[0]])
        return WORKSPACE_ID

    @precondition(lambda self: len(self.names) < MANY)
    @rule(target=workspaces, name=TEXTS, description=TEXTS)
    def create(self, name: str, description: str) -> Any:
        """A new workspace has its maker as owner, and nobody else."""
        workspace_id = self.coze.workspaces.create(name=name, description=description).id
        assert workspace_id not in self.names
        self.names[workspace_id] = (name, description)
        self.roles[workspace_id] = {USER_ID: "owner"}
        return workspace_id

    @rule(key=workspaces, name=st.none() | TEXTS, description=st.none() | TEXTS)
    def update(self, key: str, name: str | None, description: str | None) -> None:
        """What is given is changed, and nothing else."""
        changes = {"name": name, "description": description}
        self.coze.workspaces.update(
            workspace_id=key, **{part: value for part, value in changes.items() if value is not None}
        )
        self.names[key] = (name or self.names[key][0], description or self.names[key][1])

    @rule(key=workspaces, people=PEOPLE, role=ROLES)
    def join(self, key: str, people: list[str], role: str) -> None:
        """Who exists and is not a member becomes one; the response has the outcome for everybody."""
        roles = self.roles[key]
        response = self.coze.workspaces.members.create(
            workspace_id=key, users=[{"user_id": person, "role_type": role} for person in people]
        )
        assert response.not_exist_user_ids == [person for person in people if person == NOBODY]
        assert response.already_joined_user_ids == [person for person in people if person in roles]
        new = [person for person in people if person != NOBODY and person not in roles]
        assert response.added_success_user_ids == new
        roles.update(dict.fromkeys(new, role))

    @rule(key=workspaces, people=PEOPLE)
    def leave(self, key: str, people: list[str]) -> None:
        """Members are removed, except for the owner."""
        roles = self.roles[key]
        response = self.coze.workspaces.members.delete(workspace_id=key, user_ids=people)
        assert response.owner_not_support_remove_user_ids == [
            person for person in people if roles.get(person) == "owner"
        ]
        assert response.not_in_workspace_user_ids == [person for person in people if person not in roles]
        left = [person for person in people if roles.get(person, "owner") != "owner"]
        assert response.removed_success_user_ids == left
        for person in left:
            del roles[person]

    @rule(key=workspaces, person=st.sampled_from([USER_ID, *COLLEAGUE_IDS]), role=ROLES)
    def change_role(self, key: str, person: str, role: str) -> None:
        """The role of a member changes, that of the owner does not."""
        roles, arguments = self.roles[key], {"workspace_id": key, "user_id": person, "role_type": role}
        if roles.get(person, "owner") != "owner":
            self.coze.workspaces.members.update(**arguments)
            roles[person] = role
            return
        self.refused(INVALID if person in roles else NOT_FOUND, self.coze.workspaces.members.update, **arguments)

    @rule(target=workspaces, key=consumes(workspaces))
    def delete(self, key: str) -> Any:
        """A workspace is gone with its members. The personal one stays, so that one is left."""
        if key == WORKSPACE_ID:
            return key
        self.coze.workspaces.delete(workspace_id=key)
        del self.names[key], self.roles[key]
        self.refused(NOT_FOUND, self.coze.workspaces.delete, workspace_id=key)
        self.refused(NOT_FOUND, self.coze.workspaces.members.list, workspace_id=key)
        return multiple()

    @rule()
    def unknown(self) -> None:
        """A workspace that was never made is not found."""
        self.refused(NOT_FOUND, self.coze.workspaces.update, workspace_id="1", name="x")
        self.refused(NOT_FOUND, self.coze.workspaces.members.list, workspace_id="1")

    @invariant()
    def lists(self) -> None:
        """Every workspace is listed with its members, the first to join first."""
        size = 1 + len(self.names) % 2
        listed = items(self.coze.workspaces.list(page_size=size), len(self.names))
        assert [(workspace.id, (workspace.name, workspace.description)) for workspace in listed] == list(
            self.names.items()
        )
        for workspace in listed:
            roles = self.roles[workspace.id]
            assert (workspace.owner_uid, workspace.role_type) == (USER_ID, "owner")
            assert set(workspace.admin_uids) == {key for key, role in roles.items() if role == "admin"}
            members = items(self.coze.workspaces.members.list(workspace_id=workspace.id, page_size=size), len(roles))
            assert [(member.user_id, member.role_type) for member in members] == list(roles.items())
