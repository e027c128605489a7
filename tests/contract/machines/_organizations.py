"""Organizations of an enterprise, and who is in them."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import Bundle, initialize, invariant, precondition, rule

from coze_sandbox import COLLEAGUE_IDS, ENTERPRISE_ID, ORGANIZATION_ID, USER_ID
from tests.contract.machines._base import MANY, TEXTS, Machine, items

__all__ = ["Organizations"]

NOT_FOUND, ALREADY_MEMBER, NOT_ALLOWED, LAST_SUPER_ADMIN = 4200, 4201, 4000, 777074044
SUPER_ADMIN, ADMIN, MEMBER = "organization_super_admin", "organization_admin", "organization_member"
PEOPLE = st.sampled_from([USER_ID, *COLLEAGUE_IDS])
ROLES = st.sampled_from([SUPER_ADMIN, SUPER_ADMIN, ADMIN, MEMBER])


class Organizations(Machine):
    """Any order of organizations made and renamed, and of people who join, rise and leave."""

    organizations = Bundle("organizations")

    def begin(self) -> None:
        """Begin with the default organization and one employee."""
        (first,) = items(self.coze.enterprises.organizations.list(enterprise_id=ENTERPRISE_ID))
        assert first.organization_id == ORGANIZATION_ID
        self.names = {ORGANIZATION_ID: first.organization_name}
        self.roles: dict[str, dict[str, str]] = {ORGANIZATION_ID: {USER_ID: SUPER_ADMIN}}
        self.employees = {USER_ID: "enterprise_admin"}

    @initialize(target=organizations)
    def first(self) -> Any:
        """Hire somebody, who loses a role and gets it back: much can be done then."""
        self.hire(COLLEAGUE_IDS[0], "enterprise_admin")
        self.hire(COLLEAGUE_IDS[1], "enterprise_member")
        self.promote(COLLEAGUE_IDS[0], "enterprise_member")
        self.promote(COLLEAGUE_IDS[0], "enterprise_admin")
        return ORGANIZATION_ID

    @precondition(lambda self: len(self.names) < MANY)
    @rule(target=organizations, name=TEXTS, admin=PEOPLE)
    def create(self, name: str, admin: str) -> Any:
        """A new organization has its super administrator, and nobody else."""
        arguments = {"enterprise_id": ENTERPRISE_ID, "name": name, "super_admin_user_id": admin}
        if admin not in self.employees:
            self.refused(NOT_FOUND, self.coze.enterprises.organizations.create, **arguments)
            return ORGANIZATION_ID
        organization_id = self.coze.enterprises.organizations.create(**arguments).organization_id
        assert organization_id not in self.names
        self.names[organization_id], self.roles[organization_id] = name, {admin: SUPER_ADMIN}
        return organization_id

    @rule(key=organizations, name=TEXTS)
    def rename(self, key: str, name: str) -> None:
        """The organization has the new name."""
        self.coze.organizations.update(organization_id=key, name=name)
        self.names[key] = name

    @rule(person=PEOPLE, role=st.sampled_from(["enterprise_admin", "enterprise_member"]))
    def hire(self, person: str, role: str) -> None:
        """Who is not an employee becomes one, and a member of the default organization."""
        arguments = {"enterprise_id": ENTERPRISE_ID, "users": [{"user_id": person, "role": role}]}
        if person in self.employees:
            self.refused(ALREADY_MEMBER, self.coze.enterprises.members.create, **arguments)
            return
        self.coze.enterprises.members.create(**arguments)
        self.employees[person] = role
        self.roles[ORGANIZATION_ID].setdefault(person, MEMBER)

    @rule(person=PEOPLE, role=st.sampled_from(["enterprise_admin", "enterprise_member"]))
    def promote(self, person: str, role: str) -> None:
        """An employee has the new role, which shows in who may inherit."""
        arguments = {"enterprise_id": ENTERPRISE_ID, "user_id": person, "role": role}
        if person in self.employees:
            self.coze.enterprises.members.update(**arguments)
            self.employees[person] = role
            for other in self.employees.keys() - {person}:
                if role != "enterprise_admin":
                    left = {"enterprise_id": ENTERPRISE_ID, "user_id": other, "receiver_user_id": person}
                    self.refused(NOT_ALLOWED, self.coze.enterprises.members.delete, **left)
        else:
            self.refused(NOT_FOUND, self.coze.enterprises.members.update, **arguments)

    @rule(person=PEOPLE, heir=PEOPLE)
    def dismiss(self, person: str, heir: str) -> None:
        """An employee who is in the default organization alone can go, if an administrator inherits."""
        call = self.coze.enterprises.members.delete
        arguments = {"enterprise_id": ENTERPRISE_ID, "user_id": person, "receiver_user_id": heir}
        elsewhere = any(person in roles for key, roles in self.roles.items() if key != ORGANIZATION_ID)
        if person not in self.employees or heir not in self.employees:
            self.refused(NOT_FOUND, call, **arguments)
        elif heir == person or self.employees[heir] != "enterprise_admin" or elsewhere:
            self.refused(NOT_ALLOWED, call, **arguments)
        elif not self.is_last(ORGANIZATION_ID, person):
            call(**arguments)
            del self.employees[person]
            self.roles[ORGANIZATION_ID].pop(person, None)

    @rule(key=organizations, person=PEOPLE, role=ROLES)
    def join(self, key: str, person: str, role: str) -> None:
        """An employee becomes a member, once."""
        call, people = self.coze.organizations.members.create, [{"user_id": person, "organization_role_type": role}]
        if person not in self.employees:
            self.refused(NOT_FOUND, call, organization_id=key, organization_people=people)
        elif person in self.roles[key]:
            self.refused(ALREADY_MEMBER, call, organization_id=key, organization_people=people)
        else:
            call(organization_id=key, organization_people=people)
            self.roles[key][person] = role

    @rule(key=organizations, person=PEOPLE, role=ROLES)
    def change(self, key: str, person: str, role: str) -> None:
        """A member has the new role, except that one super administrator must stay."""
        call = self.coze.organizations.members.update
        arguments = {"organization_id": key, "user_id": person, "organization_role_type": role}
        if person not in self.roles[key]:
            self.refused(NOT_FOUND, call, **arguments)
        elif role != SUPER_ADMIN and self.is_last(key, person):
            self.refused(LAST_SUPER_ADMIN, call, **arguments)
        else:
            call(**arguments)
            self.roles[key][person] = role

    @rule(key=organizations, person=PEOPLE, heir=PEOPLE)
    def leave(self, key: str, person: str, heir: str) -> None:
        """A member leaves, if another super administrator inherits."""
        call, roles = self.coze.organizations.members.delete, self.roles[key]
        arguments = {"organization_id": key, "user_id": person, "receiver_user_id": heir}
        if person not in roles:
            self.refused(NOT_FOUND, call, **arguments)
        elif self.is_last(key, person):
            self.refused(LAST_SUPER_ADMIN, call, **arguments)
        elif heir not in roles:
            self.refused(NOT_FOUND, call, **arguments)
        elif roles[heir] != SUPER_ADMIN or heir == person:
            self.refused(NOT_ALLOWED, call, **arguments)
        else:
            call(**arguments)
            del roles[person]

    @invariant()
    def lists(self) -> None:
        """Every organization is listed with its members, the first to join first."""
        size = 1 + len(self.names) % 2
        call = self.coze.enterprises.organizations.list
        listed = items(call(enterprise_id=ENTERPRISE_ID, page_size=size), len(self.names))
        assert [(organization.organization_id, organization.organization_name) for organization in listed] == list(
            self.names.items()
        )
        for key, roles in self.roles.items():
            members = items(self.coze.organizations.members.list(organization_id=key, page_size=size), len(roles))
            assert [(member.user_id, member.organization_role_type) for member in members] == list(roles.items())

    def is_last(self, key: str, person: str) -> bool:
        """Return whether somebody is the only super administrator."""
        return [member for member, role in self.roles[key].items() if role == SUPER_ADMIN] == [person]
