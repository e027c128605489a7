"""Results of workflow runs in the background."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, Generic, TypeVar

import attrs

from coze_api._core._decode import code_of, retryable
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

from .._polling_async import has_failed
from .._type_guards import instance_of, text_of
from ..errors import InvalidArgumentError, WorkflowFailed
from .output import interrupt_question, parse_object, parse_output, to_text

if TYPE_CHECKING:
    from coze_api.models import WorkflowExecuteStatus


__all__ = ["AsyncWorkflowResult", "raise_if_failed"]

F = TypeVar("F", bound=Callable[[str], Any])


@attrs.frozen
class _Result(Generic[F]):
    """The result without requests.

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
        """What the run waits for; None if it has ended. `workflows.runs.resume` replies to it."""
        return instance_of(self.history.interrupt_data, WorkflowInterruptData)

    @property
    def question(self) -> str:
        """The question of the run if it waits; else ""."""
        return interrupt_question(self.interrupt)

    @property
    def output(self) -> str:
        """Output of the end node as text, normally JSON."""
        output = self._run_output()
        return to_text(self.history.output if output is None else output.output)

    def output_json(self) -> Any:
        """Parse the output.

        Raises:
            ValueError: It is not JSON.
        """
        return parse_output(self.output)

    @property
    def outputs(self) -> dict[str, Any]:
        """Outputs of the output nodes by title. Above 1 MB they may be truncated; `node_output` fetches the whole."""
        output = self._run_output()
        return {} if output is None else output.extra_fields

    @property
    def nodes(self) -> dict[str, WorkflowNodeStatus]:
        """The executions of output nodes, by the title of the node."""
        nodes: Any = self.history.node_execute_status
        if isinstance(nodes, str):  # Coze sends JSON text, too
            data = parse_object(nodes) or {}
            nodes = {key: WorkflowNodeStatus.from_dict(value) for key, value in data.items() if isinstance(value, dict)}
        if not isinstance(nodes, dict):
            return {}
        return {title: status for title, status in nodes.items() if isinstance(status, WorkflowNodeStatus)}

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

    def _run_output(self) -> WorkflowRunOutput | None:
        data = parse_object(self.history.output)
        return None if data is None else WorkflowRunOutput.from_dict(data)

    def _execution(self, node: str) -> str:
        for title, status in self.nodes.items():
            if node in (title, status.node_id, status.node_execute_uuid):
                return status.node_execute_uuid
        titles = ", ".join(self.nodes) or "none"
        raise InvalidArgumentError(f"the run {self.execute_id} has no output node {node!r:.60}; it has {titles}")


class AsyncWorkflowResult(_Result[Callable[[str], Awaitable[WorkflowNodeRun]]]):
    """The result of a run in the background that has ended, or waits for a reply.

    Attributes:
        history: The run as Coze describes it.
    """

    __slots__ = ()

    async def node_output(self, node: str) -> str:
        """Fetch the whole output of an output node.

        Args:
            node: Title or id of the node, or id of its execution.

        Raises:
            InvalidArgumentError: The run has no such node.
            APIError: Coze returned an error.
        """
        return to_text((await self._fetch(self._execution(node))).node_output)


def raise_if_failed(result: _Result[Any]) -> None:
    """Check the result of a run.

    Raises:
        WorkflowFailed: The run failed.
    """
    history = result.history
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
