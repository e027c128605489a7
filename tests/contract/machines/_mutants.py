"""Sandbox handlers with a seeded fault, which a machine must find."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from unittest.mock import patch

import attrs
import pytest

from coze_sandbox._handlers import HANDLERS
from coze_sandbox._http.context import Call

__all__ = ["Mutant", "reversed_", "short", "skipping", "unsaved"]

Handler = Callable[[Call], Any]


@attrs.frozen
class Mutant:
    """An operation whose handler is not right.

    Attributes:
        operation: Its id.
        fault: Makes the wrong handler of the right one.
    """

    operation: str
    fault: Callable[[Handler], Handler]

    def __str__(self) -> str:
        return f"{self.operation}-{self.fault.__name__.strip('_')}"

    def seed(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Put the wrong handler in place."""
        monkeypatch.setitem(HANDLERS, self.operation, self.fault(HANDLERS[self.operation]))


def unsaved(handler: Handler) -> Handler:
    """Lose what the handler makes, changes or deletes: its response is right, its effect is none."""

    def handle(call: Call) -> Any:
        store = call.state.store
        with (
            patch.object(store, "put", lambda kind, key, document, parent="": document),
            patch.object(store, "delete", lambda kind, key: store.get(kind, key) is not None),
            patch.object(store, "delete_children", lambda kind, parent: None),
        ):
            return handler(call)

    return handle


def short(handler: Handler) -> Handler:
    """Drop the last item of a list that has several."""
    return _altered(handler, lambda call, entries: entries.pop() if len(entries) > 1 else None)


def reversed_(handler: Handler) -> Handler:
    """List in the wrong order."""
    return _altered(handler, lambda call, entries: entries.reverse())


def skipping(handler: Handler) -> Handler:
    """Begin each page but the first one item late."""

    def skip(call: Call, entries: list[Any]) -> None:
        arguments = {**call.body, **call.query}
        if entries and any(arguments.get(name, first) not in {first, "0"} for name, first in _FIRST.items()):
            del entries[0]

    return _altered(handler, skip)


_FIRST = {"page_num": 1, "page": 1, "page_index": 1, "page_token": "0", "after_id": "0"}


def _altered(handler: Handler, alter: Callable[[Call, list[Any]], object]) -> Handler:
    def handle(call: Call) -> Any:
        result = handler(call)
        entries = _list_of(result)
        assert entries is not None, f"{call.operation.id} answers with no list"
        alter(call, entries)
        return result

    return handle


def _list_of(value: Any) -> list[Any] | None:
    """Find the first list in a response."""
    if isinstance(value, list):
        return value
    if isinstance(value, dict):
        return next((entries for member in value.values() if (entries := _list_of(member)) is not None), None)
    return None
