"""Variables of bots and apps."""

from __future__ import annotations

from hypothesis import strategies as st
from hypothesis.stateful import invariant, rule

from coze_sandbox import APP_ID, BOT_ID
from tests.contract.machines._base import TEXTS, Machine

__all__ = ["Variables"]

NAMES = ("city", "diet", "mood")
OWNERS = ({"bot_id": BOT_ID}, {"app_id": APP_ID})
USERS = ("user-1", "user-2")
OWNER, USER = st.sampled_from(range(len(OWNERS))), st.sampled_from(USERS)


class Variables(Machine):
    """Any order of values set for several users of a bot and an app."""

    def begin(self) -> None:
        """Begin without values."""
        self.kept: dict[tuple[int, str], dict[str, str]] = {
            (owner, user): {} for owner in range(len(OWNERS)) for user in USERS
        }

    @rule(owner=OWNER, user=USER, values=st.dictionaries(st.sampled_from(NAMES), TEXTS, min_size=1))
    def update(self, owner: int, user: str, values: dict[str, str]) -> None:
        """The values that are given are set, and no others."""
        data = [{"keyword": name, "value": value} for name, value in values.items()]
        self.coze.variables.update(**OWNERS[owner], connector_uid=user, data=data)
        self.kept[owner, user] |= values

    @rule(owner=OWNER, user=USER, names=st.lists(st.sampled_from(NAMES), min_size=1, unique=True))
    def named(self, owner: int, user: str, names: list[str]) -> None:
        """Only the requested values are returned."""
        response = self.coze.variables.retrieve(**OWNERS[owner], connector_uid=user, keywords=names).items
        values = self.kept[owner, user]
        assert {variable.keyword: variable.value for variable in response} == {
            name: values[name] for name in names if name in values
        }

    @invariant()
    def all(self) -> None:
        """Everybody has their own values."""
        for (owner, user), values in self.kept.items():
            response = self.coze.variables.retrieve(**OWNERS[owner], connector_uid=user).items
            assert [(variable.keyword, variable.value) for variable in response] == list(values.items())
