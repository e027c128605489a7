"""Stubs: responses for upcoming calls, in the order in which they were added."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import attrs

__all__ = ["Stub", "StubRegistry"]


@attrs.define(kw_only=True)
class Stub:
    """A stub for upcoming calls.

    Attributes:
        kind: `answer`, `reply` or `workflow`.
        label: What it is for: an operation, a workflow or a text.
        matches: Returns whether it applies to a call.
        value: The stubbed value.
        times: Remaining number of calls; None for no limit.
    """

    kind: str
    label: str
    matches: Callable[[Any], bool] = attrs.field(repr=False)
    value: Any = attrs.field(repr=False)
    times: int | None = 1


class StubRegistry:
    """Stubs by order of registration. The first that matches a call is used."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiting: list[Stub] = []

    def add(self, stub: Stub) -> None:
        """Add a stub after the existing ones.

        Raises:
            ValueError: `times` is less than 1.
        """
        if stub.times is not None and stub.times < 1:
            raise ValueError("times must be at least 1, or None for no limit")
        with self._lock:
            self._waiting.append(stub)

    def match(self, kind: str, call: Any) -> Any:
        """Return the value of the first stub that matches a call, and count the call; None if no stub matches.

        Args:
            kind: Kind of the stub.
            call: The argument of `Stub.matches`.
        """
        with self._lock:
            for stub in self._waiting:
                if stub.kind == kind and stub.matches(call):
                    if stub.times is not None:
                        stub.times -= 1
                        if not stub.times:
                            self._waiting.remove(stub)
                    return stub.value
        return None

    def waiting(self) -> list[Stub]:
        """Return copies of the remaining stubs."""
        with self._lock:
            return [attrs.evolve(stub) for stub in self._waiting]

    def clear(self) -> None:
        """Remove all stubs."""
        with self._lock:
            self._waiting.clear()
