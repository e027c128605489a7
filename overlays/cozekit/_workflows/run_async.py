"""The events of a run of a workflow, over all its interrupts."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from typing import Any, Generic
from urllib.parse import parse_qs, urlsplit

from coze_api._core._stream_async import AsyncStream
from coze_api.models import (
    ChatUsage,
    WorkflowDone,
    WorkflowDoneEvent,
    WorkflowInterruptData,
    WorkflowInterruptEvent,
    WorkflowMessage,
    WorkflowMessageEvent,
    WorkflowStreamEvent,
)
from coze_api.operations import workflows as _operations

from .._streams.chained_async import AsyncChainedStream
from .._streams.chained_base import ChainedStreamBase, StreamT
from .._type_guards import instance_of, key_of, text_of
from ..errors import InvalidArgumentError, WorkflowFailed
from .output import NodeOutput, interrupt_question, parse_output, to_json

__all__ = ["AsyncWorkflowRun", "AsyncWorkflowStream"]

_EXECUTE_ID = _operations.RUNS_RUN_HISTORIES_RETRIEVE.arguments["execute_id"].wire


def _serialize_resume_data(data: str | Mapping[str, Any]) -> str:
    """Return text as it is, and the parameters of an input node as JSON.

    Raises:
        InvalidArgumentError: It is neither text nor a mapping.
    """
    if isinstance(data, str):
        return data
    if not isinstance(data, Mapping):
        raise InvalidArgumentError(f"resume data must be a str or a mapping, not {type(data).__name__}")
    return to_json(dict(data))


def _text_of(event: WorkflowStreamEvent) -> str:
    """Return the text that an event adds to the output."""
    data = event.data
    if not isinstance(event, WorkflowMessageEvent) or not isinstance(data, WorkflowMessage):
        return ""
    return text_of(data.content)


class _RunState(ChainedStreamBase[StreamT], Generic[StreamT]):
    """State accumulated over all rounds of a run.

    Attributes:
        nodes: Outputs of the nodes, in the order in which they began.
        interrupt: What the run waits for: `event_id`, `type`, `data`, and for input nodes `required_parameters`. None
            while it does not wait.
        usage: Tokens used, as last received; None before that.
        debug_url: Page that shows the run node by node; "" until it was received.
    """

    nodes: list[NodeOutput]
    interrupt: WorkflowInterruptData | None = None
    usage: ChatUsage | None = None
    debug_url: str = ""
    _open_nodes: dict[tuple[Any, ...], NodeOutput]
    _latest: NodeOutput | None = None  # the node with the latest message since the run was started or resumed
    _execution: tuple[object, ...] | None = None  # the ids of its messages
    _reply: str | None = None
    _done = False
    _failed = False

    @property
    def ended(self) -> bool:
        """Whether the run ended or failed. A run that waits, or whose stream was interrupted, has not ended."""
        return self._done or self._failed

    @property
    def question(self) -> str:
        """The question of the interrupt, else the latest output; "" if the run does not wait."""
        if self.interrupt is None:
            return ""
        return interrupt_question(self.interrupt) or ("" if self._latest is None else self._latest.content)

    @property
    def output(self) -> str:
        """Output of the end node as text, normally JSON; "" until the run has ended."""
        return self._latest.content if self._done and self._latest is not None else ""

    def output_json(self) -> Any:
        """Parse the output.

        Raises:
            ValueError: It is not JSON, or the run has not ended.
        """
        return parse_output(self.output)

    @property
    def execute_id(self) -> str:
        """Id of the execution, from `debug_url`; "" until that was received."""
        try:
            query = urlsplit(self.debug_url).query
        except ValueError:  # it is not a URL
            return ""
        return parse_qs(query).get(_EXECUTE_ID, [""])[0]

    def resume(self, data: str | Mapping[str, Any]) -> None:
        """Reply to what the run waits for. The reply is sent when iterating continues.

        Args:
            data: The reply; for an input node its parameters by name, or their JSON text.

        Raises:
            InvalidArgumentError: The run does not wait, or *data* is neither text nor a mapping.
        """
        if self.interrupt is None:
            raise InvalidArgumentError("the run does not wait for a reply; check run.interrupt before run.resume(…)")
        self._reply = _serialize_resume_data(data)

    def _on_event(self, event: WorkflowStreamEvent) -> None:
        data = event.data
        if isinstance(event, WorkflowMessageEvent) and isinstance(data, WorkflowMessage):
            self._on_message(data)
        elif isinstance(event, WorkflowInterruptEvent):
            self.interrupt = instance_of(getattr(data, "interrupt_data", None), WorkflowInterruptData)
        elif isinstance(event, WorkflowDoneEvent):
            self._done = True
            if isinstance(data, WorkflowDone):
                self.debug_url = text_of(data.debug_url) or self.debug_url

    def _on_message(self, message: WorkflowMessage) -> None:
        execution = (
            message.node_execute_uuid,
            message.node_id,
            message.node_title,
            message.loop_index,
            message.batch_index,
            message.sub_execute_id,
        )
        node = self._latest
        if node is None or execution != self._execution:
            node = self._latest = self._node(execution, message)
            self._execution = execution
        if isinstance(message.content, str):
            node.pieces.append(message.content)
        if message.node_is_finish is True:
            node.finish()
            del self._open_nodes[tuple(map(key_of, execution))]  # the node may be executed again
            self._execution = None
        if isinstance(message.usage, ChatUsage):
            self.usage = message.usage

    def _node(self, execution: tuple[object, ...], message: WorkflowMessage) -> NodeOutput:
        """Return the output that a message belongs to; create it for the first message of an execution."""
        key = tuple(map(key_of, execution))
        node = self._open_nodes.get(key)
        if node is None:
            node = self._open_nodes[key] = NodeOutput(text_of(message.node_title), message)
            self.nodes.append(node)
        return node

    def _take_resume_data(self) -> tuple[WorkflowInterruptData, str] | None:
        """Pop the pending interrupt and its reply."""
        if self.interrupt is None or self._reply is None:
            return None
        interrupt_and_reply = self.interrupt, self._reply
        self.interrupt = self._reply = self._latest = self._execution = None
        self._open_nodes.clear()
        return interrupt_and_reply

    def _on_failure(self, error: WorkflowFailed) -> None:
        self._failed = True
        self.debug_url = error.debug_url = error.debug_url or self.debug_url
        error.run = self


class AsyncWorkflowStream(AsyncStream[WorkflowStreamEvent]):
    """One round of a run: to its end, or until it waits for a reply."""

    _failure_type = WorkflowFailed


class AsyncWorkflowRun(_RunState[AsyncWorkflowStream], AsyncChainedStream[AsyncWorkflowStream, WorkflowStreamEvent]):
    """The events of a run of a workflow, over all its interrupts.

    ```python
    async with coze.workflows.runs.stream(workflow_id="…") as run:
        async for event in run:
            if run.interrupt:
                run.resume(input(run.question))
    print(run.output_json())
    ```

    Iterating ends when the run ends, or when it waits and was not resumed. After `resume`, iterate again.
    """

    def __init__(
        self,
        first: AsyncWorkflowStream,
        resume: Callable[[WorkflowInterruptData, str], AsyncWorkflowStream],
    ) -> None:
        super().__init__(first)
        self.nodes, self._open_nodes = [], {}
        self._resume = resume

    @property
    async def text(self) -> AsyncIterator[str]:
        """The output of all nodes, in pieces as they arrive. Reads the stream, as iterating over events does."""
        async for event in self:
            if text := _text_of(event):
                yield text

    async def __anext__(self) -> WorkflowStreamEvent:
        try:
            return await super().__anext__()
        except WorkflowFailed as error:
            self._on_failure(error)
            raise

    async def _next_stream(self) -> AsyncWorkflowStream | None:
        resume_data = self._take_resume_data()
        return None if resume_data is None else self._resume(*resume_data)
