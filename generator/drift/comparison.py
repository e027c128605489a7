"""Compares what a source states with the description, without what `exceptions.yaml` settles."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import attrs

from ..spec.yaml_loader import LocatedMapping, load
from .facts import Address, Operation

__all__ = ["Drift", "compare_source", "covers"]


@attrs.frozen
class Drift:
    """One thing that a source and the description do not agree on.

    Attributes:
        pointer: Where, as in `exceptions.yaml`: operation id and member, or method, path and `operation`.
        text: What differs.
        place: Where in the source it stands.
    """

    pointer: str
    text: str
    place: str


@attrs.define
class _Exceptions:
    """The entries of `exceptions.yaml` that are about a source, and which of them were used."""

    entries: Sequence[LocatedMapping]
    kind: str
    used: set[int] = attrs.field(factory=set)

    def cover(self, pointer: str) -> bool:
        """Return whether an entry is about *pointer*."""
        numbers = [number for number, entry in enumerate(self.entries) if covers(entry["pointer"], pointer)]
        self.used.update(numbers)
        return bool(numbers)

    def unused(self) -> Iterator[Drift]:
        """Yield the entries for this kind of source that nothing needs any more."""
        for number, entry in enumerate(self.entries):
            if entry.get("source") == self.kind and number not in self.used:
                text = "is excepted, but nothing differs there any more; remove the entry"
                yield Drift(entry["pointer"], text, f"exceptions.yaml:{entry.line}")


def compare_source(
    description: Mapping[str, Operation], kind: str, operations: Sequence[Operation], index: Path
) -> list[Drift]:
    """List what the operations of a source have that the description lacks, and the reverse.

    Args:
        description: What the description states, by operation id.
        kind: The kind of the source, as `exceptions.yaml` calls it.
        operations: What the source states; an operation may come several times.
        index: The description's index, beside which `exceptions.yaml` lies.

    Returns:
        The differences, each once, sorted by pointer; entries of `exceptions.yaml` that nothing needs are among them.
    """
    described = {operation.address: operation for operation in description.values()}
    exceptions = _Exceptions(_entries(index, kind), kind)
    by_text: dict[tuple[str, str], Drift] = {}
    for address, stated in _by_address(operations).items():
        for drift in _differences(address, stated, described):
            if not exceptions.cover(drift.pointer):
                by_text.setdefault((drift.pointer, drift.text), drift)
    return sorted([*by_text.values(), *exceptions.unused()], key=lambda operation: (operation.pointer, operation.text))


def _by_address(operations: Sequence[Operation]) -> dict[Address, list[Operation]]:
    grouped: dict[Address, list[Operation]] = {}
    for operation in operations:
        grouped.setdefault(operation.address, []).append(operation)
    return grouped


def _differences(address: Address, stated: Sequence[Operation], described: dict[Address, Operation]) -> Iterator[Drift]:
    operation = described.get(address)
    if operation is None:
        pointer = f"{' '.join(address)} operation"
        yield Drift(pointer, "is not described", stated[0].place)
        return
    for source in stated:
        unknown = {name for name in source.members if name not in operation.members and not operation.is_open(name)}
        for member in _outermost(unknown):
            yield Drift(f"{operation.name} {member}", "is not described", source.place)
        for member, values in source.members.items():
            listed = operation.members.get(member)
            if values and listed and (others := values - listed):
                text = f"has values that are not described: {', '.join(sorted(others))}"
                yield Drift(f"{operation.name} {member}", text, source.place)
        yield from _misfits(operation, source)
    complete = frozenset[str]().union(*(statement.complete for statement in stated))
    lacking = {member for member in operation.members if not any(_has(statement, member) for statement in stated)}
    # `x-coze-evidence` names the other source of a member, so that it is no news that this one lacks it.
    lacking -= {member for member in lacking if not operation.elsewhere.isdisjoint((member, *_parents(member)))}
    for member in _outermost({member for member in lacking if _side(member) in complete}):
        yield Drift(f"{operation.name} {member}", "is described, but the source lacks it", stated[0].place)


def _misfits(operation: Operation, source: Operation) -> Iterator[Drift]:
    """Yield members of responses that have another type than described, and required ones that are not there."""
    for member, kinds in source.types.items():
        described = operation.types.get(member, frozenset({"any"}))
        allowed = described | ({"integer"} if "number" in described else set())
        if "any" not in described and (others := kinds - allowed):
            text = f"has the type {', '.join(sorted(others))}; described is {', '.join(sorted(described))}"
            yield Drift(f"{operation.name} {member}", text, source.place)
    for member in sorted(operation.required):
        parent, _, name = member.rpartition(".")
        if parent in source.objects and name not in source.objects[parent]:
            yield Drift(f"{operation.name} {member}", "is required, but the source lacks it", source.place)


def _outermost(members: set[str]) -> list[str]:
    """Return the members that lie in none of the others."""
    return [member for member in sorted(members) if not any(parent in members for parent in _parents(member))]


def _parents(member: str) -> Iterator[str]:
    while member:
        member = member.removesuffix("[]") if member.endswith("[]") else member.rpartition(".")[0]
        yield member


def _side(member: str) -> str:
    return re.split(r"[.\[]", member)[0]


def _has(source: Operation, member: str) -> bool:
    return member in source.members or source.is_open(member)


def _entries(index: Path, kind: str) -> list[LocatedMapping]:
    path = index.with_name("exceptions.yaml")
    entries = load(path, index.parent.parent) if path.exists() else []
    return [entry for entry in entries if entry.get("source", kind) == kind]


def covers(pattern: str, pointer: str) -> bool:
    """Return whether a pattern, in which `*` stands for anything but a space, is a pointer."""
    return re.fullmatch(r"[^ ]*".join(map(re.escape, pattern.split("*"))), pointer) is not None
