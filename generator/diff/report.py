"""Writes changes for people, for pages and for programs."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from itertools import groupby

import attrs

from .changes import Change, Impact

__all__ = ["REPORTS"]

_TITLES = {
    Impact.BREAKING: "Breaking",
    Impact.ADDITIVE: "New",
    Impact.DOCUMENTATION: "Texts",
}
# So many operations are named before the rest of them is counted.
_NAMED = 3


def _text(changes: Sequence[Change]) -> str:
    lines = [_counts(changes)]
    for title, subjects in _grouped(changes):
        lines += ["", title]
        for subject, sentences in subjects:
            lines += [f"  {subject}", *(f"    {sentence}" for sentence in sentences)]
    return "\n".join(lines) + "\n"


def _markdown(changes: Sequence[Change]) -> str:
    lines = [f"{_counts(changes)}."]
    for title, subjects in _grouped(changes):
        lines += ["", f"**{title}**", ""]
        for subject, sentences in subjects:
            if len(sentences) == 1:
                lines.append(f"- {_code(subject)}: {sentences[0]}")
            else:
                lines += [f"- {_code(subject)}", *(f"  - {sentence}" for sentence in sentences)]
    return "\n".join(lines) + "\n"


def _json(changes: Sequence[Change]) -> str:
    rows = [{**attrs.asdict(change), "impact": change.impact.value} for change in changes]
    return json.dumps(rows, ensure_ascii=False, indent=1) + "\n"


REPORTS: dict[str, Callable[[Sequence[Change]], str]] = {"text": _text, "markdown": _markdown, "json": _json}
"""How changes can be written."""


def _counts(changes: Iterable[Change]) -> str:
    changes = list(changes)
    if not changes:
        return "no change"
    counts = ((impact, sum(change.impact is impact for change in changes)) for impact in Impact)
    return ", ".join(f"{count} {impact.value}" for impact, count in counts)


def _grouped(changes: Sequence[Change]) -> Iterable[tuple[str, list[tuple[str, list[str]]]]]:
    for impact, of_impact in groupby(changes, key=lambda change: change.impact):
        subjects = []
        for subject, of_subject in groupby(of_impact, key=lambda change: change.subject):
            several = list(of_subject)
            subjects.append((f"{subject}{_reach(several)}", _sentences(impact, several)))
        yield _TITLES[impact], subjects


def _sentences(impact: Impact, changes: Sequence[Change]) -> list[str]:
    texts = [change for change in changes if change.text == "has other texts"]
    if impact is Impact.DOCUMENTATION and len(texts) > 1:  # a list of places suffices
        rest = [change for change in changes if change.text != "has other texts"]
        places = ", ".join(change.place or "the whole" for change in texts)
        return [*(_sentence(change) for change in rest), f"{len(texts)} texts: {places}"]
    return [_sentence(change) for change in changes]


def _sentence(change: Change) -> str:
    return f"{change.place} {change.text}".lstrip()


def _reach(changes: Sequence[Change]) -> str:
    operations = sorted({name for change in changes for name in change.operations})
    if not operations:
        return ""
    rest = f" and {len(operations) - _NAMED} more" if len(operations) > _NAMED else ""
    return f" ({', '.join(operations[:_NAMED])}{rest})"


def _code(subject: str) -> str:
    name, _, reach = subject.partition(" (")
    return f"`{name}`" + (f" ({reach}" if reach else "")
