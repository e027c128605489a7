"""Writes drift for people, for pages and for programs."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from itertools import groupby

import attrs

from .comparison import Drift

__all__ = ["REPORTS"]


def _text(drifts: Sequence[Drift]) -> str:
    lines = [_count(drifts)]
    for operation, members in groupby(drifts, key=_operation):
        lines += ["", operation, *(f"  {_member(drift)} {drift.text} [{drift.place}]" for drift in members)]
    return "\n".join(lines) + "\n"


def _markdown(drifts: Sequence[Drift]) -> str:
    lines = [f"{_count(drifts)}."]
    for operation, members in groupby(drifts, key=_operation):
        items = (f"- `{_member(drift)}` {drift.text} ({drift.place})" for drift in members)
        lines += ["", f"**{operation}**", "", *items]
    return "\n".join(lines) + "\n"


def _json(drifts: Sequence[Drift]) -> str:
    return json.dumps([attrs.asdict(drift) for drift in drifts], ensure_ascii=False, indent=1) + "\n"


REPORTS: dict[str, Callable[[Sequence[Drift]], str]] = {"text": _text, "markdown": _markdown, "json": _json}
"""How drift can be written."""


def _count(drifts: Sequence[Drift]) -> str:
    return f"{len(drifts)} difference{'s' * (len(drifts) != 1)}" if drifts else "no drift"


def _operation(drift: Drift) -> str:
    return drift.pointer.rpartition(" ")[0]


def _member(drift: Drift) -> str:
    return drift.pointer.rpartition(" ")[2]
