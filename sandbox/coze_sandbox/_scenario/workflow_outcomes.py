"""Outcomes of workflow runs, stubbed by a scenario."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any

import attrs

from .._common.validators import INTEGER, STRING, STRINGS, not_negative
from .._http.context import StreamEvent
from .._state.state import SandboxState
from .._workflows.scripts import finish_run, interrupt_run, message

__all__ = ["Outcome", "next_outcome", "run_outcome"]


@attrs.frozen(kw_only=True)
class Outcome:
    """A stubbed outcome. The attributes are arguments of `Scenario.workflow`."""

    output: Any
    messages: Sequence[str] = attrs.field(validator=STRINGS)
    question: str = attrs.field(validator=STRING)
    code: int = attrs.field(validator=INTEGER)
    msg: str = attrs.field(validator=STRING)
    seconds: float | None = attrs.field(validator=not_negative)


def next_outcome(state: SandboxState, workflow_id: str) -> Outcome | None:
    """Return the stubbed outcome of the next run of a workflow, or None."""
    outcome: Outcome | None = state.stubs.match("workflow", workflow_id)
    return outcome


def run_outcome(state: SandboxState, run: dict[str, Any], outcome: Outcome) -> Iterator[StreamEvent]:
    """Run a workflow, or its next part, with a stubbed outcome.

    Args:
        state: The state, which has the ids.
        run: The run, which is updated.
        outcome: The outcome.
    """
    if outcome.seconds is not None:
        run["seconds"] = outcome.seconds
    if outcome.messages:
        node = {"node_id": "100005", "node_execute_uuid": state.new_id()}
        run.setdefault("nodes", {})["Message"] = {**node, "output": "".join(outcome.messages)}
        last = len(outcome.messages) - 1
        for place, text in enumerate(outcome.messages):
            yield StreamEvent("Message", {**message(text, "Message", place, is_last=place == last), **node})
    if outcome.question:
        yield from interrupt_run(state, run, outcome.question)
    elif outcome.code:
        run.update(status="Fail", error_code=outcome.code, error_message=outcome.msg)
    else:
        output = outcome.output
        text = output if isinstance(output, str) else json.dumps(output, ensure_ascii=False, separators=(",", ":"))
        yield from finish_run(state, run, text)
