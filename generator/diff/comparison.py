"""Compares two bundled descriptions."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping
from typing import Any

from ..spec.bundler import operations_of
from . import protocols
from .changes import Change, Direction, Impact, added_or_removed, former_name, merged
from .operations import compare_operation
from .schemas import SchemaComparison, canonical, schema_names

__all__ = ["compare"]

_TEXTS_OF_DOCUMENT = ("info", "externalDocs", "tags")
# How much of two operations must be the same for one to be the other by another id and another address.
_SAME_OPERATION = 0.8

_Operations = dict[str, tuple[str, str, dict[str, Any]]]


def compare(old: dict[str, Any], new: dict[str, Any]) -> list[Change]:
    """List what changed from one bundled description to another, from the caller's side.

    Enums are open in responses and closed in requests, as in the client: a new value in a response breaks nobody.

    Args:
        old: The description that callers have, as one document without references to other files.
        new: The description that replaces it.

    Returns:
        The changes, the breaking ones first; none for equal descriptions.
    """
    return merged(_Comparison(old, new).run())


class _Comparison:
    def __init__(self, old: dict[str, Any], new: dict[str, Any]) -> None:
        self._old, self._new = old, new
        self._schemas = SchemaComparison(old, new)

    def run(self) -> Iterator[Change]:
        yield from self._document()
        old, new = _operations(self._old), _operations(self._new)
        renamed = _renamed(old, new)
        yield from self._removed_and_added(old, new, renamed)
        for before, after in {**{name: name for name in old.keys() & new.keys()}, **renamed}.items():
            yield from self._operation(before, after, old[before], new[after])
        yield from self._protocols()
        yield from protocols.compare_errors(
            _components(self._old, "x-coze-errors"), _components(self._new, "x-coze-errors")
        )
        yield from self._schemas.run(_users(self._old, old), _users(self._new, new))

    def _document(self) -> Iterator[Change]:
        for key in _TEXTS_OF_DOCUMENT:
            if self._old.get(key) != self._new.get(key):
                yield Change(Impact.DOCUMENTATION, "description", key, "changed")
        yield from protocols.compare_servers("servers", self._old.get("servers", []), self._new.get("servers", []))
        before, after = (_components(document, "securitySchemes") or {} for document in (self._old, self._new))
        for name in sorted(before.keys() | after.keys()):
            place = f"security scheme {name}"
            if name not in after or name not in before:
                yield added_or_removed("description", place, added=name in after)
            elif canonical(before[name]) != canonical(after[name]):
                yield Change(Impact.BREAKING, "description", place, "changed")

    def _removed_and_added(self, old: _Operations, new: _Operations, renamed: dict[str, str]) -> Iterator[Change]:
        for name in sorted(old.keys() - new.keys() - renamed.keys()):
            path, method, _ = old[name]
            yield Change(Impact.BREAKING, name, "", f"is gone ({method.upper()} {path})")
        for name in sorted(new.keys() - old.keys() - set(renamed.values())):
            path, method, operation = new[name]
            summary = operation.get("summary", "")
            yield Change(Impact.ADDITIVE, name, "", f"is new ({method.upper()} {path}): {summary}")

    def _operation(
        self, name: str, new_name: str, old: tuple[str, str, dict[str, Any]], new: tuple[str, str, dict[str, Any]]
    ) -> Iterator[Change]:
        if name != new_name:
            impact = Impact.ADDITIVE if new[2].get("x-coze-formerly") == name else Impact.BREAKING
            yield Change(impact, name, "", f"is called {new_name} now")
        else:
            yield from former_name(name, "", old[2], new[2])
        if old[:2] != new[:2]:
            addresses = [f"{method.upper()} {path}" for path, method, _ in (old, new)]
            yield Change(Impact.BREAKING, new_name, "", f"moved from {addresses[0]} to {addresses[1]}")
        yield from compare_operation(new_name, old[2], new[2], self._schemas)

    def _protocols(self) -> Iterator[Change]:
        kinds = {"x-coze-streams": protocols.compare_stream, "x-coze-websockets": protocols.compare_socket}
        for kind, compare_protocol in kinds.items():
            before, after = (_components(document, kind) or {} for document in (self._old, self._new))
            for name in sorted(before.keys() & after.keys()):  # others come or go with their operations
                yield from compare_protocol(name, before[name], after[name], self._schemas)


def _components(document: dict[str, Any], kind: str) -> Any:
    return document.get("components", {}).get(kind)


def _operations(document: dict[str, Any]) -> _Operations:
    return {
        operation["operationId"]: (path, method, operation)
        for part in ("paths", "webhooks")
        for path, method, operation in operations_of(document, part)
    }


def _renamed(old: _Operations, new: _Operations) -> dict[str, str]:
    """Pair operations that are gone with new ones that are the same thing by another id."""
    gone = {name: old[name] for name in sorted(old.keys() - new.keys())}
    fresh = {name: new[name] for name in sorted(new.keys() - old.keys())}
    pairs: dict[str, str] = {}
    for name, (path, method, operation) in gone.items():
        candidates = [other for other in fresh if other not in pairs.values()]
        declared = [other for other in candidates if fresh[other][2].get("x-coze-formerly") == name]
        same_address = declared or [other for other in candidates if fresh[other][:2] == (path, method)]
        if same_address:
            pairs[name] = same_address[0]
            continue
        likeness = {other: _likeness(operation, fresh[other][2]) for other in candidates}
        best = max(likeness, key=likeness.__getitem__, default="")
        if best and likeness[best] >= _SAME_OPERATION:
            pairs[name] = best
    return pairs


def _likeness(old: Mapping[str, Any], new: Mapping[str, Any]) -> float:
    """Return which part of two operations is the same, from 0 to 1; their ids aside, which also name their schemas."""
    before, after = (
        canonical({key: value for key, value in operation.items() if key not in {"operationId", "tags"}})
        for operation in (old, new)
    )
    matcher = difflib.SequenceMatcher(None, before, after, autojunk=False)
    return matcher.ratio() if matcher.quick_ratio() >= _SAME_OPERATION else 0.0


def _users(document: dict[str, Any], operations: _Operations) -> dict[tuple[str, Direction], set[str]]:
    """Map each schema, by direction, to the operations that send or receive it."""
    users: dict[tuple[str, Direction], set[str]] = {}
    for name, (path, _, operation) in operations.items():
        is_callback = path in document.get("webhooks", {})
        sent, received = _sides(document, operation)
        sides = (
            {Direction.REQUEST: received, Direction.RESPONSE: sent}
            if is_callback
            else {
                Direction.REQUEST: sent,
                Direction.RESPONSE: received,
            }
        )
        for direction, values in sides.items():
            for schema in schema_names(document, values):
                users.setdefault((schema, direction), set()).add(name)
    return users


def _sides(document: dict[str, Any], operation: dict[str, Any]) -> tuple[list[Any], list[Any]]:
    """Return what is sent and what is received by an operation."""
    sent = [operation.get("parameters"), operation.get("requestBody")]
    received = [operation.get("responses")]
    stream = operation.get("x-coze-stream", {}).get("protocol")
    received.append(stream)
    socket = operation.get("x-coze-websocket", {}).get("protocol", {}).get("$ref")
    if socket:
        protocol = document["components"]["x-coze-websockets"][socket.rpartition("/")[2]]
        sent.append(protocol.get("uplink"))
        received.append(protocol.get("downlink"))
    return sent, received
