"""Quotas of end users."""

from __future__ import annotations

from itertools import product
from typing import Any

import attrs
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, initialize, invariant, multiple, precondition, rule

from tests.contract.machines._base import MANY, SIZES, Machine, items

__all__ = ["Quotas"]

NOT_FOUND, NOT_ALLOWED = 4200, 4000
SINCE, UNTIL = 1_743_004_800, 253_402_300_799
SCOPES: tuple[tuple[str, str | None], ...] = (
    ("enterprise_all_devices", None),
    ("enterprise_all_custom_consumers", None),
    ("single_device", "SN1"),
    ("single_device", "SN2"),
)
ENTITY_TYPES = tuple(dict.fromkeys(scope[0] for scope in SCOPES))
BENEFITS = ("resource_point", "voice_unified_duration_system")
STATES = ("valid", "frozen")
NEVER = "never"
LIMITS, UNITS, TIMES = st.integers(0, 1000), st.sampled_from([NEVER, "minute", "day"]), st.integers(1, 3)
CHANGES = st.fixed_dictionaries(
    {},
    optional={"limit": LIMITS, "status": st.sampled_from(STATES), "trigger_unit": UNITS, "trigger_time": TIMES},
)


@attrs.frozen
class Kept:
    """A quota as it should be."""

    scope: tuple[str, str | None]
    benefit_type: str
    limit: int
    status: str = "valid"
    trigger_unit: str = NEVER
    trigger_time: int = 1

    @property
    def is_shared(self) -> bool:
        """Whether it is for all at once."""
        return self.scope[1] is None

    def rivals(self, other: Kept) -> bool:
        """Return whether there can be only one of the two."""
        mine = (self.scope, self.benefit_type, self.trigger_unit == NEVER)
        return self.is_shared and mine == (other.scope, other.benefit_type, other.trigger_unit == NEVER)


class Quotas(Machine):
    """Any order of quotas set and changed."""

    quotas = Bundle("quotas")

    def begin(self) -> None:
        """Begin without any."""
        self.kept: dict[str, Kept] = {}

    @initialize(target=quotas)
    def first(self) -> Any:
        """Set some quotas of one device: they are listed in pages."""
        return multiple(*(self.create(SCOPES[2], BENEFITS[0], limit, "day", 2) for limit in (1, 2, 3)))

    @initialize(target=quotas)
    def second(self) -> Any:
        """Set two for all devices, of which one could be changed into the other."""
        return multiple(*(self.create(SCOPES[0], BENEFITS[0], 5, unit, None) for unit in (NEVER, "day")))

    @precondition(lambda self: len(self.kept) < 2 * MANY)
    @rule(
        target=quotas,
        scope=st.sampled_from(SCOPES),
        benefit=st.sampled_from(BENEFITS),
        limit=LIMITS,
        unit=st.none() | UNITS,
        time=st.none() | TIMES,
    )
    def create(
        self, scope: tuple[str, str | None], benefit: str, limit: int, unit: str | None, time: int | None
    ) -> Any:
        """A quota is what it was made of, unless all devices or consumers have such a one already."""
        quota = settled(Kept(scope, benefit, limit, trigger_unit=unit or NEVER, trigger_time=time or 1))
        settings = {"benefit_type": benefit, "active_mode": "absolute_time", "limit": limit}
        settings |= {"started_at": SINCE, "ended_at": UNTIL}
        settings |= {name: value for name, value in (("trigger_unit", unit), ("trigger_time", time)) if value}
        arguments = {"entity_type": scope[0], "entity_id": scope[1], "benefit_info": settings}
        if any(quota.rivals(other) for other in self.kept.values()):
            self.refused(NOT_ALLOWED, self.coze.benefit_limitations.create, **arguments)
            return multiple()
        created = self.coze.benefit_limitations.create(**arguments).benefit_info
        assert created.benefit_id not in self.kept
        assert seen(created) == quota
        self.kept[created.benefit_id] = quota
        return created.benefit_id

    @rule(key=quotas, changes=CHANGES)
    def update(self, key: str, changes: dict[str, Any]) -> None:
        """What is given is changed, and nothing else, unless there would be two of a kind."""
        quota = settled(attrs.evolve(self.kept[key], **changes))
        if any(quota.rivals(other) for name, other in self.kept.items() if name != key):
            self.refused(NOT_ALLOWED, self.coze.benefit_limitations.update, benefit_id=key, **changes)
            return
        shown = self.coze.benefit_limitations.update(benefit_id=key, **changes)
        self.kept[key] = quota
        assert (shown.benefit_id, seen(shown)) == (key, quota)

    @rule(key=quotas)
    def turned_away(self, key: str) -> None:
        """What is not known is not changed, and no quota ends before it begins or is of nobody."""
        call = self.coze.benefit_limitations.update
        self.refused(NOT_FOUND, call, benefit_id="1", limit=1)
        self.refused(NOT_ALLOWED, call, benefit_id=key, ended_at=SINCE)
        self.refused(NOT_ALLOWED, call, benefit_id=key, trigger_unit="day", trigger_time=0)
        lists = self.coze.benefit_limitations.list
        self.refused(NOT_ALLOWED, lists, entity_type=SCOPES[0][0], entity_id="SN1", benefit_type=BENEFITS[0])

    @rule(scope=st.sampled_from(SCOPES), benefit=st.sampled_from(BENEFITS), size=SIZES)
    def of_one(self, scope: tuple[str, str | None], benefit: str, size: int) -> None:
        """Quotas can be listed by the device that they are for."""
        call = self.coze.benefit_limitations.list
        listed = items(call(entity_type=scope[0], entity_id=scope[1], benefit_type=benefit, page_size=size))
        fit = [
            quota
            for quota in self.kept.values()
            if (quota.scope, quota.benefit_type, quota.status) == (scope, benefit, STATES[0])
        ]
        assert [seen(quota) for quota in listed] == fit

    @invariant()
    def lists(self) -> None:
        """Quotas are listed by scope, kind and state, the first that was set first."""
        call, size = self.coze.benefit_limitations.list, 2 + len(self.kept) % 2
        for entity_type, benefit, state in product(ENTITY_TYPES, BENEFITS, STATES):
            listed = items(call(entity_type=entity_type, benefit_type=benefit, status=state, page_size=size))
            fit = [
                quota
                for quota in self.kept.values()
                if (quota.scope[0], quota.benefit_type, quota.status) == (entity_type, benefit, state)
            ]
            assert [seen(quota) for quota in listed] == fit


def settled(quota: Kept) -> Kept:
    """A quota that is never reset has no time until then."""
    return attrs.evolve(quota, trigger_time=1) if quota.trigger_unit == NEVER else quota


def seen(shown: Any) -> Kept:
    """Read a quota that is shown."""
    assert (shown.active_mode, shown.started_at, shown.ended_at) == ("absolute_time", SINCE, UNTIL)
    scope = (str(shown.entity_type), shown.entity_id or None)
    reset = (shown.trigger_unit, shown.trigger_time)
    return Kept(scope, shown.benefit_type, shown.limit, shown.status, *reset)
