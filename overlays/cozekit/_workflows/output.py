"""What a workflow puts out: texts that often hold JSON, parsed when asked."""

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
    """Parse the output of a workflow. One that came as a value in place of its text is returned as it is.

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
    """Parse a JSON object; None if it is none. See `parse_output`."""
    try:
        value = parse_output(text)
    except ValueError:
        return None
    return value if isinstance(value, dict) else None


def to_json(value: Any) -> str:
    """Write JSON text."""
    return _json.dumps(value).decode()


def to_text(value: Any) -> str:
    """Return a text as it is, nothing as "", and JSON text of another value, be it one that JSON has no word for."""
    return (
        value
        if isinstance(value, str)
        else ""
        if value is None
        else json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    )


def interrupt_question(interrupt: WorkflowInterruptData | None) -> str:
    """Return what an interrupt asks; "" where it does not say."""
    interrupt = instance_of(interrupt, WorkflowInterruptData)
    if interrupt is None:
        return ""
    told = parse_object(interrupt.data)
    return text_of(interrupt.data if told is None else WorkflowQuestion.from_dict(told).content)


@attrs.define(repr=False)
class NodeOutput:
    """What one execution of a node put out, so far.

    Attributes:
        title: Title of the node. May be empty for the end node.
        first: The first of its messages; it tells ids, and which turn of a loop or batch it was.
        is_finished: Whether the node is done.
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
        """Note that the node is done."""
        self.is_finished = True
        self.pieces = TextBuffer(self.pieces.text)  # a long output is not to be held twice

    def __repr__(self) -> str:
        return f"NodeOutput(title={self.title!r}, content={self.content!r}, is_finished={self.is_finished})"

    def json(self) -> Any:
        """Parse the content.

        Raises:
            ValueError: It is not JSON.
        """
        return parse_output(self.content)


class _Answer:
    """What the answers that start and resume a run have in common."""

    __slots__ = ()
    data: str | None
    interrupt_data: WorkflowInterruptData | None

    @property
    def question(self) -> str:
        """What the workflow asks, where it stopped to ask (`interrupt_data`); else ""."""
        return interrupt_question(self.interrupt_data)

    def output_json(self) -> Any:
        """Parse the result, which is normally JSON.

        Raises:
            ValueError: It is not.
        """
        return parse_output(self.data)


class RunResponse(_Answer, WorkflowsRunsCreateResponse):
    """The result of a run, the question that it stopped at, or the id of an asynchronous run."""

    __slots__ = ()


class ResumeResponse(_Answer, WorkflowsRunsResumeResponse):
    """The result of a run that was resumed, the question that it stopped at, or the id of an asynchronous run."""

    __slots__ = ()
