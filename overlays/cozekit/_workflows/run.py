# @generated from run_async.py by `python -m generator sync`; do not edit.
"""A run of a workflow as it happens, over all its interrupts."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from coze_api._core._stream import Stream
from coze_api.models import WorkflowInterruptData, WorkflowStreamEvent

from .._streams.chained import ChainedStream
from ..errors import StreamFailed
from .run_async import _RunState, _text_of, serialize_resume_data

__all__ = ["WorkflowRun", "serialize_resume_data"]


class WorkflowRun(
    _RunState[Stream[WorkflowStreamEvent]], ChainedStream[Stream[WorkflowStreamEvent], WorkflowStreamEvent]
):
    """A run of a workflow: its events, over all its interrupts.

    ```python
    with coze.workflows.runs.stream(workflow_id="…") as run:
        for event in run:
            if run.interrupt:
                run.resume(input(run.question))
    print(run.output_json())
    ```

    Iterating ends where the run ends, and where it waits and was not resumed; after `resume` it can be iterated over
    again.
    """

    def __init__(
        self,
        first: Stream[WorkflowStreamEvent],
        resume: Callable[[WorkflowInterruptData, str], Stream[WorkflowStreamEvent]],
    ) -> None:
        super().__init__(first)
        self.nodes, self._growing = [], {}
        self._resume = resume

    @property
    def text(self) -> Iterator[str]:
        """What the nodes put out, piece by piece, as it comes. Reads the stream, as iterating over events does."""
        for event in self:
            if text := _text_of(event):
                yield text

    def __next__(self) -> WorkflowStreamEvent:
        try:
            return super().__next__()
        except StreamFailed as error:
            raise self._to_workflow_failed(error) from error

    def _next_stream(self) -> Stream[WorkflowStreamEvent] | None:
        taken = self._take_resume_data()
        return None if taken is None else self._resume(*taken)
