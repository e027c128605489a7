"""What became of a run of a workflow in the background."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, Generic, TypeVar

import attrs

from coze_api._core._response import code_of, retryable
from coze_api.errors import hint
from coze_api.models import (
    ChatUsage,
    WorkflowInterruptData,
    WorkflowNodeRun,
    WorkflowNodeStatus,
    WorkflowRunHistory,
    WorkflowRunOutput,
)
from coze_api.operations import workflows as _operations

from .._polling import goes_on, has_failed
from .._type_guards import instance_of, text_of
from ..errors import InvalidArgumentError, WorkflowFailed
from .output import interrupt_question, parse_object, parse_output, to_text

if TYPE_CHECKING:
    from coze_api.models import WorkflowExecuteStatus

    from .._polling import Waiting

__all__ = ["AsyncWorkflowResult", "checked", "run_goes_on"]


F = TypeVar("F", bound=Callable[[str], Any])


@attrs.frozen
class _Result(Generic[F]):
    """What both clients tell alike.

    Attributes:
        history: The run as Coze describes it.
    """

    history: WorkflowRunHistory
    _fetch: F = attrs.field(repr=False, eq=False)

    @property
    def execute_id(self) -> str:
        """Id of the execution."""
        return self.history.execute_id

    @property
    def status(self) -> WorkflowExecuteStatus:
        """State of the run."""
        return self.history.execute_status

    @property
    def interrupt(self) -> WorkflowInterruptData | None:
        """What the run waits for; None if it has ended. `workflows.runs.resume` answers it."""
        return instance_of(self.history.interrupt_data, WorkflowInterruptData)

    @property
    def question(self) -> str:
        """What the run asks, if it waits; else ""."""
        return interrupt_question(self.interrupt)

    @property
    def output(self) -> str:
        """What the end node put out, as text, normally JSON."""
        told = self._told()
        return to_text(self.history.output if told is None else told.output)

    def output_json(self) -> Any:
        """Parse the output.

        Raises:
            ValueError: It is not JSON.
        """
        return parse_output(self.output)

    @property
    def outputs(self) -> dict[str, Any]:
        """What the output nodes put out, by the title of the node. Above 1 MB it may be cut; see `node_output`."""
        told = self._told()
        return {} if told is None else told.extra_fields

    @property
    def nodes(self) -> dict[str, WorkflowNodeStatus]:
        """The executions of output nodes, by the title of the node."""
        told: Any = self.history.node_execute_status
        if isinstance(told, str):  # which is how Coze was seen to send it, too
            found = parse_object(told) or {}
            told = {title: WorkflowNodeStatus.from_dict(one) for title, one in found.items() if isinstance(one, dict)}
        if not isinstance(told, dict):
            return {}
        return {title: status for title, status in told.items() if isinstance(status, WorkflowNodeStatus)}

    @property
    def usage(self) -> ChatUsage | None:
        """Tokens used."""
        return instance_of(self.history.usage, ChatUsage)

    @property
    def debug_url(self) -> str:
        """Page that shows the run node by node."""
        return text_of(self.history.debug_url)

    @property
    def logid(self) -> str:
        """Log id of the call that started the run."""
        return text_of(self.history.logid_)

    def _told(self) -> WorkflowRunOutput | None:
        told = parse_object(self.history.output)
        return None if told is None else WorkflowRunOutput.from_dict(told)

    def _execution(self, node: str) -> str:
        for title, status in self.nodes.items():
            if node in (title, status.node_id, status.node_execute_uuid):
                return status.node_execute_uuid
        known = ", ".join(self.nodes) or "none"
        raise InvalidArgumentError(f"the run {self.execute_id} has no output node {node!r:.60}; it has {known}")


class AsyncWorkflowResult(_Result[Callable[[str], Awaitable[WorkflowNodeRun]]]):
    """What became of a run in the background: it has ended well, or waits for an answer.

    Attributes:
        history: The run as Coze describes it.
    """

    __slots__ = ()

    async def node_output(self, node: str) -> str:
        """Ask for the whole output of an output node.

        Args:
            node: Title or id of the node, or id of its execution.

        Raises:
            InvalidArgumentError: The run has no such node.
            APIError: Coze refused the call.
        """
        return to_text((await self._fetch(self._execution(node))).node_output)


def run_goes_on(told: list[WorkflowRunHistory], execute_id: str, waiting: Waiting) -> bool:
    """Tell whether a run still runs by itself.

    Raises:
        PollTimeout: It runs for too long.
    """
    last = told[0] if told else None
    return goes_on(_operations.RUNS_CREATE, told, waiting, f"the run {execute_id} did not end", last=last)


def checked(history: WorkflowRunHistory, result: Any) -> None:
    """Raise what a failed run tells.

    Raises:
        WorkflowFailed: It failed.
    """
    if not has_failed(_operations.RUNS_CREATE, history):
        return
    code = code_of({"code": history.error_code})
    error = WorkflowFailed(
        to_text(history.error_message) or "the run failed",
        code=code,
        logid=text_of(history.logid_),
        operation=_operations.RUNS_CREATE.id,
        hint=hint(code, 200, _operations.RUNS_CREATE.permission),
        debug_url=text_of(history.debug_url),
        retryable=retryable(code, 200),
    )
    error.run = result
    raise error
