"""What the next calls get in place of the usual, in the order in which it was said."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import attrs

__all__ = ["Stub", "StubRegistry"]


@attrs.define(kw_only=True)
class Stub:
    """One thing that was said about calls to come.

    Attributes:
        kind: `answer`, `reply` or `workflow`.
        about: What it is about, in words: an operation, a workflow, a text.
        fits: Tells from what is known of a call whether it is for this one.
        value: What the call gets.
        times: How many calls it is for; None for all.
    """

    kind: str
    label: str
    matches: Callable[[Any], bool] = attrs.field(repr=False)
    value: Any = attrs.field(repr=False)
    times: int | None = 1


class StubRegistry:
    """The rules that wait for calls. The first that fits a call is taken; the others stay."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiting: list[Stub] = []

    def add(self, rule: Stub) -> None:
        """Add a rule behind those that wait.

        Raises:
            ValueError: It is for less than one call.
        """
        if rule.times is not None and rule.times < 1:
            raise ValueError("times must be at least 1, or None for always")
        with self._lock:
            self._waiting.append(rule)

    def match(self, kind: str, call: Any) -> Any:
        """Return the value of the first rule for a call, counting the call; None where there is none.

        Args:
            kind: Kind of the rule.
            call: What `fits` of the rules is asked with.
        """
        with self._lock:
            for rule in self._waiting:
                if rule.kind == kind and rule.matches(call):
                    if rule.times is not None:
                        rule.times -= 1
                        if not rule.times:
                            self._waiting.remove(rule)
                    return rule.value
        return None

    def waiting(self) -> list[Stub]:
        """Return copies of the rules that wait."""
        with self._lock:
            return [attrs.evolve(rule) for rule in self._waiting]

    def clear(self) -> None:
        """Forget all rules."""
        with self._lock:
            self._waiting.clear()
