"""Outputs of workflows: texts, often JSON, which are parsed on demand."""

from __future__ import annotations

import json
from typing import Any

import attrs

from coze_api._core import _json
from coze_api.models import (
    WorkflowInterruptData,
    WorkflowMessage,
    WorkflowQuestion,
    WorkflowsRunsCreateResponse,
    WorkflowsRunsResumeResponse,
)

from .._type_guards import TextBuffer, instance_of, text_of

__all__ = [
    "NodeOutput",
    "ResumeResponse",
    "RunResponse",
    "parse_output",
    "parse_object",
    "interrupt_question",
    "to_json",
    "to_text",
]


def parse_output(text: object) -> Any:
    """Parse the output of a workflow. A value that Coze sent instead of JSON text is returned as it is.

    Raises:
        ValueError: It is not JSON.
    """
    if text is not None and not isinstance(text, str):
        return text
    try:
        return _json.loads_exactly(text or "")
    except ValueError as error:
        raise ValueError(f"the output is not JSON ({error}); read it as text: {text or ''!r:.60}") from None


def parse_object(text: object) -> dict[str, Any] | None:
    """Parse a JSON object; return None for anything else."""
    try:
        value = parse_output(text)
    except ValueError:
        return None
    return value if isinstance(value, dict) else None


def to_json(value: Any) -> str:
    """Return JSON text."""
    return _json.dumps(value).decode()


def to_text(value: Any) -> str:
    """Return text as it is, "" for None, and JSON text for other values, also for those that are not valid JSON."""
    return (
        value
        if isinstance(value, str)
        else ""
        if value is None
        else json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    )


def interrupt_question(interrupt: WorkflowInterruptData | None) -> str:
    """Return the question of an interrupt; "" if it has none."""
    interrupt = instance_of(interrupt, WorkflowInterruptData)
    if interrupt is None:
        return ""
    data = parse_object(interrupt.data)
    return text_of(interrupt.data if data is None else WorkflowQuestion.from_dict(data).content)


@attrs.define(repr=False)
class NodeOutput:
    """The output of one execution of a node, so far.

    Attributes:
        title: Title of the node. May be empty for the end node.
        first: The first of its messages; it has the ids, and the index within a loop or batch.
        is_finished: Whether the node has finished.
        pieces: The contents of its messages.
    """

    title: str
    first: WorkflowMessage
    is_finished: bool = False
    pieces: TextBuffer = attrs.field(factory=TextBuffer, init=False, eq=lambda pieces: pieces.text)

    @property
    def content(self) -> str:
        """The contents of its messages, joined."""
        return self.pieces.text

    def finish(self) -> None:
        """Mark the node as finished."""
        self.is_finished = True
        self.pieces = TextBuffer(self.pieces.text)  # frees the separate pieces of a long output

    def __repr__(self) -> str:
        return f"NodeOutput(title={self.title!r}, content={self.content!r}, is_finished={self.is_finished})"

    def json(self) -> Any:
        """Parse the content.

        Raises:
            ValueError: It is not JSON.
        """
        return parse_output(self.content)


class _Response:
    """Properties of the responses that start and resume a run."""

    __slots__ = ()
    data: str | None
    interrupt_data: WorkflowInterruptData | None

    @property
    def question(self) -> str:
        """The question of the workflow if it was interrupted (`interrupt_data`); else ""."""
        return interrupt_question(self.interrupt_data)

    def output_json(self) -> Any:
        """Parse the result, which is normally JSON.

        Raises:
            ValueError: It is not JSON.
        """
        return parse_output(self.data)


class RunResponse(_Response, WorkflowsRunsCreateResponse):
    """The result of a run, the interrupt that it waits at, or the id of a run in the background."""

    __slots__ = ()


class ResumeResponse(_Response, WorkflowsRunsResumeResponse):
    """The result of a resumed run, the interrupt that it waits at, or the id of a run in the background."""

    __slots__ = ()
