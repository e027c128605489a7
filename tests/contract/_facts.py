"""The facts catalog, the exceptions to it, and what a difference between it and the description is."""

from __future__ import annotations

import json
import re
from functools import cache
from pathlib import Path
from typing import Any

import attrs

from generator.drift.comparison import covers
from generator.spec.bundler import Bundle, bundle
from generator.spec.yaml_loader import load

__all__ = [
    "EVIDENCE",
    "FACTS",
    "ROOT",
    "Difference",
    "Listed",
    "description",
    "exceptions",
    "excuses",
    "is_mentioned",
    "records",
]

ROOT = Path(__file__).resolve().parents[2]
EVIDENCE = ROOT / "openapi" / "evidence"
"""What is known of the API, with its sources. The description rests on it."""
FACTS = ROOT.parent / "shared" / "facts"
"""Published samples and recordings, which are not ours to publish: they may lie beside the repository."""
_KEYS = ("pointer", "difference", "reason", "evidence")
_POINTER = re.compile(
    r"[a-z0-9_.*]+ (?:(?:operation|request|response|stream|uplink|downlink)(?:[.\[].*)?|sample \S+)\Z"
)


@attrs.frozen(order=True)
class Difference:
    """Something that the description and its sources do not agree on.

    Attributes:
        pointer: Where, as in `openapi/exceptions.yaml`.
        message: What is different.
        parent: The object whose members differ, where a member is missing on either side.
        sample: The sample's name, as in `openapi/exceptions.yaml`, where it is a sample that differs.
        tolerated: It need not be listed. Still it is a reason for listing it.
    """

    pointer: str
    message: str
    parent: str = ""
    sample: str = ""
    tolerated: bool = False


@attrs.frozen
class Listed:
    """An entry of `openapi/exceptions.yaml`."""

    pointer: str
    line: int

    @property
    def is_about_messages(self) -> bool:
        """Whether the entry is about messages of a WebSocket or room, or about a callback."""
        name, _, place = self.pointer.partition(" ")
        return name.startswith("webhooks.") or place.partition(".")[0] in {"uplink", "downlink"}

    def is_about(self, operation: str) -> bool:
        """Return whether the entry is about an operation."""
        return covers(self.pointer.partition(" ")[0], operation)


@cache
def description() -> Bundle:
    """Return the description of this repository."""
    return bundle(ROOT / "openapi" / "coze.yaml")


@cache
def records() -> dict[str, dict[str, Any]]:
    """Return the facts of every operation by operation id."""
    files = sorted(EVIDENCE.glob("operations/*.json"))
    facts = [fact for file in files for fact in json.loads(file.read_text(encoding="utf-8"))]
    return {fact["operation"]: fact for fact in facts}


@cache
def exceptions() -> tuple[Listed, ...]:
    """Return all exceptions.

    Raises:
        ValueError: An entry lacks a key, has another one, or has a pointer of unknown form.
    """
    found = []
    for entry in load(ROOT / "openapi" / "exceptions.yaml", ROOT):
        if tuple(entry) == (*_KEYS, "source"):
            continue  # about a source that `python -m generator drift` reads
        if tuple(entry) != _KEYS or not all(isinstance(value, str) and value for value in entry.values()):
            raise ValueError(f"{entry.file}:{entry.line}: an entry has the keys {', '.join(_KEYS)}")
        if not _POINTER.match(entry["pointer"]):
            raise ValueError(f"{entry.file}:{entry.line}: {entry['pointer']} is no pointer")
        found.append(Listed(entry["pointer"], entry.line))
    return tuple(found)


def excuses(listed: Listed, difference: Difference) -> bool:
    """Return whether an exception covers a difference, by its place, its parent, its sample, or by `*`."""
    if "*" in listed.pointer:
        return covers(listed.pointer, difference.pointer)
    return listed.pointer in {difference.pointer, difference.parent, difference.sample}


def is_mentioned(listed: Listed, record: dict[str, Any]) -> bool:
    """Return whether the catalog itself notes a conflict about the member: then it may have settled it already."""
    name = re.sub(r"\[\]|\{\}", "", listed.pointer).rpartition(".")[2]
    return any(name in re.findall(r"\w+", line) for line in record["conflicts"])
