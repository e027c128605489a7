"""Sizes of files and requests, and events for failures, are described as in the facts catalog and by their names."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from tests.contract._calls import Call, calls, document, resolve
from tests.contract._facts import records

BY_ID = {call.operation: call for call in calls()}
FAILURES = re.compile(r"(^|\.)(error|failed)$", re.IGNORECASE)
PLACES = {"x-coze-streams": ("events",), "x-coze-websockets": ("uplink", "downlink")}


def megabytes(what: str) -> dict[str, int]:
    """Return a limit of the catalog in bytes, by operation."""
    limits = ((name, limit) for name, record in records().items() for limit in record.get("limits") or ())
    limits_by_name = {name: limit for name, limit in limits if limit["what"] == what}
    assert {limit["unit"] for limit in limits_by_name.values()} == {"MB"}
    return {name: limit["value"] * 1024 * 1024 for name, limit in limits_by_name.items()}


def largest_file(call: Call) -> int | None:
    """Return the described size of the file that a call sends."""
    [limit] = [resolve(call.members[name]).get("x-coze-max-bytes") for name in call.files]
    return None if limit is None else int(limit)


def events() -> Iterator[tuple[str, dict[str, Any]]]:
    """Walk the events of all streams and the messages of all sockets."""
    for key, places in PLACES.items():
        for protocol in document()["components"][key].values():
            for place in places:
                part = protocol.get(place, {})
                yield from part.get("messages", part).items()


def test_sizes() -> None:
    """The limits for files and requests are those of the official pages."""
    files, requests = megabytes("file size"), megabytes("request size")
    assert len(files) > 5
    assert requests
    assert {name: largest_file(BY_ID[name]) for name in files} == files
    assert {name: BY_ID[name].described.get("x-coze-max-body-bytes") for name in requests} == requests


def test_failures() -> None:
    """An event is described as a failure exactly where its name is one of a failure."""
    wrong = [name for name, event in events() if bool(FAILURES.search(name)) != bool(event.get("fails"))]
    assert not wrong
    assert {name for name, event in events() if event.get("fails")} == {"Error", "conversation.chat.failed", "error"}
