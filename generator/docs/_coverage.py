"""Compares how much of the platform is described here with what its other clients cover."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from ..spec.bundler import Bundle
from ..spec.diagnostics import DescriptionError, Diagnostic
from ._markdown import NOTHING, table
from ._operations import grades, split

__all__ = ["coverage", "described"]

_PEERS = {
    "openapi_yaml": "vendor's OpenAPI file",
    "cozepy": "cozepy",
    "coze_go": "coze-go",
    "coze_js": "coze-js",
    "coze_java": "coze-java",
}
_KINDS = {"http": "HTTP operations", "websocket": "WebSockets", "callback": "callbacks"}
_PLACE = re.compile(r"(?<=<!-- coverage -->\n).*?(?=<!-- /coverage -->)", re.DOTALL)


def coverage(bundled: Bundle, facts: Path, readme: Path | None = None) -> str:
    """Write the table that compares, and put it into a file between the marks `<!-- coverage -->`.

    Args:
        bundled: The description, whose operations are counted.
        facts: Folder of JSON files with a record of each operation of the platform; it names the clients that have it.
        readme: The file to write to.

    Returns:
        The table.

    Raises:
        DescriptionError: The records cannot be read, or the file has no marks. Nothing was written.
    """
    text = f"{_table(bundled, _records(facts))}\n{grades(bundled)}\n"
    if readme is not None:
        before = readme.read_text(encoding="utf-8") if readme.is_file() else ""
        if not _PLACE.search(before):
            message = "has no lines <!-- coverage --> and <!-- /coverage --> to put the table between"
            raise DescriptionError([Diagnostic(str(readme), 1, "coverage", message)])
        after = _PLACE.sub(lambda _: text, before)
        readme.write_text(after, encoding="utf-8", newline="\n")
    return text


def described(bundled: Bundle) -> dict[str, int]:
    """Count what is described, by kind: `http`, `websocket` and `callback`."""
    http, sockets = split(bundled)
    return {"http": len(http), "websocket": len(sockets), "callback": len(bundled.callbacks())}


def _records(facts: Path) -> list[dict[str, Any]]:
    records: list[dict[str, Any]] = []
    for path in sorted(facts.glob("*.json")):
        try:
            entries = json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise DescriptionError([Diagnostic(str(path), 1, "coverage", f"cannot be read: {error}")]) from None
        for number, entry in enumerate(entries, start=1):
            if not isinstance(entry, dict) or not isinstance(entry.get("sources"), dict) or "transport" not in entry:
                message = f"record {number} lacks `transport` or `sources`"
                raise DescriptionError([Diagnostic(str(path), 1, "coverage", message)])
        records += entries
    if not records:
        raise DescriptionError([Diagnostic(str(facts), 1, "coverage", "has no records; --facts names their folder")])
    return records


def _table(bundled: Bundle, records: list[dict[str, Any]]) -> str:
    ours = described(bundled)
    lines = []
    for kind, name in _KINDS.items():
        known = [record["sources"] for record in records if record["transport"] == kind]
        # The records are of operations, which does not mean that the other clients have no callbacks.
        peers = [str(sum(sources.get(peer) is True for sources in known)) if known else NOTHING for peer in _PEERS]
        lines.append([f"{name}, of {len(known) or ours[kind]}", *peers, f"**{ours[kind]}**"])
    return table(["", *(f">{name}" for name in _PEERS.values()), ">cozekit"], lines)
