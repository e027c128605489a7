"""The facts catalog, the exceptions to it, and what a difference between it and the description is."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Any

import attrs
import pytest

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
    "needs_samples",
    "records",
    "skip_without_samples",
    "unlisted",
    "with_samples",
]

ROOT = Path(__file__).resolve().parents[2]
EVIDENCE = ROOT / "openapi" / "evidence"
"""What is known of the API, with its sources. The description rests on it."""
FACTS = ROOT.parent / "shared" / "facts"
"""Published samples and recordings, which are not ours to publish: they may lie beside the repository."""
_NO_SAMPLES = "no published samples and recordings in ../shared/facts"
needs_samples = pytest.mark.skipif(not FACTS.is_dir(), reason=_NO_SAMPLES)
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
    def is_about_samples(self) -> bool:
        """Whether the entry is about published samples, which the evidence does not contain."""
        return self.pointer.partition(" ")[2].startswith("sample ")

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
    entries = []
    for entry in load(ROOT / "openapi" / "exceptions.yaml", ROOT):
        if tuple(entry) == (*_KEYS, "source"):
            continue  # about a source that `python -m generator drift` reads
        if tuple(entry) != _KEYS or not all(isinstance(value, str) and value for value in entry.values()):
            raise ValueError(f"{entry.file}:{entry.line}: an entry has the keys {', '.join(_KEYS)}")
        if not _POINTER.match(entry["pointer"]):
            raise ValueError(f"{entry.file}:{entry.line}: {entry['pointer']} is not a pointer")
        entries.append(Listed(entry["pointer"], entry.line))
    return tuple(entries)


def excuses(listed: Listed, difference: Difference) -> bool:
    """Return whether an exception covers a difference, by its place, its parent, its sample, or by `*`."""
    if "*" in listed.pointer:
        return any(covers(listed.pointer, place) for place in (difference.pointer, difference.sample))
    return listed.pointer in {difference.pointer, difference.parent, difference.sample}


def is_mentioned(listed: Listed, record: dict[str, Any]) -> bool:
    """Return whether the catalog itself notes a conflict about the member: then it may have settled it already."""
    name = re.sub(r"\[\]|\{\}", "", listed.pointer).rpartition(".")[2]
    return any(name in re.findall(r"\w+", line) for line in record["conflicts"])


def unlisted(all_differences: Iterable[Difference]) -> str:
    """Write down the differences that have to be listed and are not."""
    wrong = {
        difference
        for difference in all_differences
        if not difference.tolerated and not any(excuses(entry, difference) for entry in exceptions())
    }
    return "\n".join(f"{difference.pointer}: {difference.message}" for difference in sorted(wrong))


def skip_without_samples() -> None:
    """Skip the whole module that calls this, as one, where the samples and recordings are missing."""
    __tracebackhide__ = True  # pytest reports the module's line
    if not FACTS.is_dir():
        pytest.skip(_NO_SAMPLES, allow_module_level=True)


def with_samples(parameters: Iterable[Any]) -> list[Any]:
    """Return the parameters of a test marked `needs_samples`: none where samples are missing, so that it skips once."""
    return list(parameters) if FACTS.is_dir() else []
