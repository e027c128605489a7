"""One change of the API, and how it is rated."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from enum import Enum
from typing import Any, TypeVar

import attrs

__all__ = [
    "Change", "Direction", "Impact", "added_or_removed", "former_name", "is_raised", "merged", "renamed", "requirement",
]  # fmt: skip

K = TypeVar("K", bound="str | tuple[str, ...]")


class Impact(Enum):
    """What a change means to callers, the worst first."""

    BREAKING = "breaking"
    """A call that worked, or code that reads its response, may fail."""
    ADDITIVE = "additive"
    """Something new can be sent or arrives; nothing that worked fails."""
    DOCUMENTATION = "documentation"
    """Only texts and examples differ."""


class Direction(Enum):
    """Who sends a value: this decides whether a change breaks callers."""

    REQUEST = "requests"
    RESPONSE = "responses"


@attrs.frozen
class Change:
    """One difference between two descriptions.

    Attributes:
        impact: What the change means to callers.
        subject: What changed: an operation id, or a kind and a name such as `schema Message` and `stream ChatStream`.
        place: Where in the subject: `request name`, `parameter page_size`, `event done`; empty for the whole.
        text: What is different, as the end of a sentence that begins with the place.
        operations: Ids of the operations that it reaches, where the subject is shared.
    """

    impact: Impact
    subject: str
    place: str
    text: str
    operations: tuple[str, ...] = ()


def added_or_removed(
    subject: str, place: str, *, added: bool, texts: tuple[str, str] = ("is new", "is gone")
) -> Change:
    """Return the change of a thing that only one description has.

    Args:
        subject: What changed.
        place: Where in the subject.
        added: Whether the new description has it, so that nobody is broken.
        texts: What is different if it was added, and if it was removed.
    """
    return Change(Impact.ADDITIVE if added else Impact.BREAKING, subject, place, texts[0 if added else 1])


def requirement(subject: str, place: str, *, required: bool) -> Change:
    """Return the change of an argument or body that must be sent now, or need not be sent any more."""
    impact = Impact.BREAKING if required else Impact.ADDITIVE
    return Change(impact, subject, place, "is required now" if required else "is optional now")


def former_name(subject: str, place: str, old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[Change]:
    """List the change of an old name by which a thing may be called or given too."""
    before, after = old.get("x-coze-formerly"), new.get("x-coze-formerly")
    if before != after:
        text = f"can still be called {after}" if after else f"cannot be called {before} any more"
        yield Change(Impact.BREAKING if before else Impact.ADDITIVE, subject, place, text)


def is_raised(before: Any, after: Any) -> bool:
    """Return whether an upper limit allows more than before; None is no limit."""
    return after is None or (before is not None and after > before)


def renamed(old: AbstractSet[K], new: AbstractSet[K], is_same: Callable[[K, K], bool]) -> dict[K, K]:
    """Pair names that are gone with new ones of the same thing.

    Args:
        old: All names before.
        new: All names after.
        is_same: Whether a name that is gone and a new one stand for the same thing.
    """
    pairs: dict[K, K] = {}
    fresh = sorted(new - old)
    for name in sorted(old - new):
        other = next((candidate for candidate in fresh if is_same(name, candidate)), None)
        if other is not None:
            fresh.remove(other)
            pairs[name] = other
    return pairs


def merged(changes: Iterable[Change]) -> list[Change]:
    """Return each change once, sorted by impact, subject and place.

    A schema that is both sent and received is compared twice; where both sides report the same, the worse rating holds.
    """
    ranks = {impact: rank for rank, impact in enumerate(Impact)}
    by_place: dict[tuple[str, str, str], Change] = {}
    for change in changes:
        key = (change.subject, change.place, change.text)
        other = by_place.get(key, change)
        worse = min(change.impact, other.impact, key=ranks.__getitem__)
        operations = tuple(sorted({*change.operations, *other.operations}))
        by_place[key] = attrs.evolve(change, impact=worse, operations=operations)
    return sorted(by_place.values(), key=lambda entry: (ranks[entry.impact], entry.subject, entry.place, entry.text))
