# @generated from run_async.py by `python -m generator sync`; do not edit.
"""The events of a run of a workflow, over all its interrupts."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from coze_api._core._stream import Stream
from coze_api.models import WorkflowInterruptData, WorkflowStreamEvent

from .._streams.chained import ChainedStream
from ..errors import WorkflowFailed
from .run_async import _RunState, _text_of

__all__ = ["WorkflowRun", "WorkflowStream"]


class WorkflowStream(Stream[WorkflowStreamEvent]):
    """One round of a run: to its end, or until it waits for a reply."""

    _failure_type = WorkflowFailed


class WorkflowRun(_RunState[WorkflowStream], ChainedStream[WorkflowStream, WorkflowStreamEvent]):
    """The events of a run of a workflow, over all its interrupts.

    ```python
    with coze.workflows.runs.stream(workflow_id="…") as run:
        for event in run:
            if run.interrupt:
                run.resume(input(run.question))
    print(run.output_json())
    ```

    Iterating ends when the run ends, or when it waits and was not resumed. After `resume`, iterate again.
    """

    def __init__(self, first: WorkflowStream, resume: Callable[[WorkflowInterruptData, str], WorkflowStream]) -> None:
        super().__init__(first)
        self.nodes, self._open_nodes = [], {}
        self._resume = resume

    @property
    def text(self) -> Iterator[str]:
        """The output of all nodes, in pieces as they arrive. Reads the stream, as iterating over events does."""
        for event in self:
            if text := _text_of(event):
                yield text

    def __next__(self) -> WorkflowStreamEvent:
        try:
            return super().__next__()
        except WorkflowFailed as error:
            self._on_failure(error)
            raise

    def _next_stream(self) -> WorkflowStream | None:
        resume_data = self._take_resume_data()
        return None if resume_data is None else self._resume(*resume_data)
