"""Writes the index of all that is described."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

from ..spec.bundler import OFFICIAL, Bundle, deprecation_note, source_note
from ._markdown import NOTHING, cell, code, link, prose, table
from ._protocols import events, events_table, messages_table, rooms, users
from ._samples import anchor

__all__ = ["grades", "http_line", "operations_page", "split"]

_COLUMNS = ("Operation", "Request", "Permission", "What it does", "Official page", "Samples")


def operations_page(bundled: Bundle) -> str:
    """Write `operations.md`."""
    http, sockets = split(bundled)
    callbacks, talks, streams = bundled.callbacks(), dict(rooms(bundled)), users(bundled, "x-coze-stream")
    head = (
        "# Operations\n\n"
        f"{len(http)} HTTP operations, {len(sockets)} WebSockets, {len(callbacks)} callbacks, "
        f"{len(streams)} kinds of streams, and the messages of RTC rooms. An operation's name is its method in the "
        "client, and leads to its description. A dash stands where the official pages name no permission. "
        f"Its samples call it with curl and with Python, sync and async.\n\n{grades(bundled)}\n"
    )
    parts = [
        head,
        f"## HTTP\n\n{_resources(bundled, http)}",
        f"## WebSockets\n\n{_sockets(bundled, sockets)}",
        f"## RTC rooms\n\n{_rooms(talks)}",
        f"## Callbacks\n\n{_callbacks(callbacks)}",
        f"## Streams\n\n{_streams(bundled, streams)}",
    ]
    return "\n".join(parts)


def split(bundled: Bundle) -> tuple[dict[str, Any], dict[str, Any]]:
    """Part the operations into those of HTTP and those that open a WebSocket."""
    described = dict(sorted(bundled.operations().items()))
    sockets = {name: entry for name, entry in described.items() if "x-coze-websocket" in entry[2]}
    return {name: entry for name, entry in described.items() if name not in sockets}, sockets


def grades(bundled: Bundle) -> str:
    """Write how many operations are certain, and as of when."""
    evidence = [operation.get("x-coze-evidence", {}) for _, _, operation in bundled.operations().values()]
    counts = Counter(entry.get("grade", "certain") for entry in evidence)
    unofficial = sum(entry.get("source", OFFICIAL) != OFFICIAL for entry in evidence)
    month = bundled.document["info"].get("x-coze-as-of", "an unknown month")
    return (
        f"As of {month}: {counts['certain']} operations are certain, {counts['likely']} likely. The official "
        f"documentation lacks {unofficial} of them; their docstrings name where they were seen."
    )


def http_line(path: str, method: str, operation: Mapping[str, Any]) -> str:
    """Write method and path, and the host where it is not the API's own."""
    servers = operation.get("servers")
    return f"{method.upper()} {servers[0]['url'] if servers else ''}{path}"


def _resources(bundled: Bundle, http: Mapping[str, Any]) -> str:
    parts = []
    for tag in bundled.document.get("tags", []):
        rows = [_row(*http[name]) for name in http if tag["name"] in http[name][2]["tags"]]
        if rows:
            parts.append(f"### {prose(tag['name'])}\n\n{prose(tag['description'])}\n\n{table(_COLUMNS, rows)}")
    return "\n".join(parts)


def _row(path: str, method: str, operation: Any) -> list[str]:
    return [
        _name(operation),
        code(http_line(path, method, operation)),
        code(operation.get("x-coze-permission", "")),
        _summary(operation),
        _page(operation),
        link("samples", f"samples.md#{anchor(operation['operationId'])}"),
    ]


def _sockets(bundled: Bundle, sockets: Mapping[str, Any]) -> str:
    protocols = bundled.document["components"].get("x-coze-websockets", {})
    rows, parts = [], []
    for name, (path, method, operation) in sockets.items():
        protocol = protocols[operation["x-coze-websocket"]["protocol"]["$ref"].rpartition("/")[2]]
        rows.append([*_row(path, method, operation), *_counts(protocol)])
        parts.append(f"\n### {name}\n\n{messages_table(protocol)}")
    return table((*_COLUMNS, ">Sent", ">Received"), rows) + "".join(parts)


def _rooms(talks: Mapping[str, Any]) -> str:
    head = table(
        ("Protocol", ">Sent", ">Received"), ([code(name), *_counts(protocol)] for name, protocol in talks.items())
    )
    return head + "".join(f"\n### {name}\n\n{messages_table(protocol)}" for name, protocol in talks.items())


def _counts(protocol: Mapping[str, Any]) -> list[str]:
    return [str(len(protocol[side]["messages"])) for side in ("uplink", "downlink")]


def _callbacks(callbacks: Mapping[str, Any]) -> str:
    rows = (
        [
            _name(operation),
            code(event),
            f"{prose(str(operation['x-coze-callback']['answer_within_seconds']))} s",
            _summary(operation),
            _page(operation),
        ]
        for _, (event, _, operation) in sorted(callbacks.items())
    )
    return table(("Callback", "Event", "Respond within", "When it is sent", "Official page"), rows)


def _streams(bundled: Bundle, streams: Mapping[str, list[str]]) -> str:
    protocols = bundled.document["components"].get("x-coze-streams", {})
    rows = (
        [code(name), ", ".join(map(code, operations)), str(len(events(protocols[name])))]
        for name, operations in sorted(streams.items())
    )
    head = table(("Protocol", "Operations", ">Events"), rows)
    return head + "".join(f"\n### {name}\n\n{events_table(protocols[name])}" for name in sorted(streams))


def _name(operation: Any) -> str:
    return link(code(operation["operationId"]), f"../{operation.file}")


def _summary(operation: Mapping[str, Any]) -> str:
    note = deprecation_note(operation)
    return cell(f"{operation['summary']}. {note}" if note else operation["summary"])


def _page(operation: Mapping[str, Any]) -> str:
    url = operation.get("externalDocs", {}).get("url")
    if url:
        return link("page", url)
    note = source_note(operation.get("x-coze-evidence", {}))
    return cell(note) if note else NOTHING
