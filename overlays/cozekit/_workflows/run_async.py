"""A run of a workflow as it happens, over all its interrupts."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from typing import Any, Generic
from urllib.parse import parse_qs, urlsplit

from coze_api._core._stream import AsyncStream
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
from ..errors import CozeError, InvalidArgumentError, StreamFailed, WorkflowFailed
from .output import NodeOutput, interrupt_question, parse_output, to_json

__all__ = ["AsyncWorkflowRun", "serialize_resume_data"]

_EXECUTE_ID = _operations.RUNS_RUN_HISTORIES_RETRIEVE.arguments["execute_id"].wire


def serialize_resume_data(data: str | Mapping[str, Any]) -> str:
    """Write a reply: a text as it is, the parameters of an input node as JSON.

    Raises:
        InvalidArgumentError: It is neither.
    """
    if isinstance(data, str):
        return data
    if not isinstance(data, Mapping):
        raise InvalidArgumentError(f"a workflow is resumed with a text or a mapping, not {type(data).__name__}")
    return to_json(dict(data))


def _text_of(event: WorkflowStreamEvent) -> str:
    """Return what an event adds to the text."""
    data = event.data
    if not isinstance(event, WorkflowMessageEvent) or not isinstance(data, WorkflowMessage):
        return ""
    return text_of(data.content)


class _RunState(ChainedStreamBase[StreamT], Generic[StreamT]):
    """What a run told so far.

    Attributes:
        nodes: What the nodes put out, in the order in which they began.
        interrupt: What the run waits for: `event_id`, `type`, `data`, and for input nodes `required_parameters`. None
            while it does not wait.
        usage: Tokens used, as the run told last; None before that.
        debug_url: Page that shows the run node by node; "" until the run told it.
    """

    nodes: list[NodeOutput]
    interrupt: WorkflowInterruptData | None = None
    usage: ChatUsage | None = None
    debug_url: str = ""
    _growing: dict[tuple[Any, ...], NodeOutput]
    _latest: NodeOutput | None = None  # the node that spoke last since the run was started or resumed
    _execution: tuple[object, ...] | None = None  # the ids by which it goes on
    _reply: str | None = None
    _done = False
    _failed = False

    @property
    def ended(self) -> bool:
        """Whether the run told its end, good or bad. A run that waits, or broke off, has not."""
        return self._done or self._failed

    @property
    def question(self) -> str:
        """What the run asks while it waits: what the interrupt says, else what the node that spoke last did."""
        if self.interrupt is None:
            return ""
        return interrupt_question(self.interrupt) or ("" if self._latest is None else self._latest.content)

    @property
    def output(self) -> str:
        """What the end node put out, as text, normally JSON; "" until the run has ended."""
        return self._latest.content if self._done and self._latest is not None else ""

    def output_json(self) -> Any:
        """Parse the output.

        Raises:
            ValueError: It is not JSON, or the run has not ended.
        """
        return parse_output(self.output)

    @property
    def execute_id(self) -> str:
        """Id of the execution, as `debug_url` tells it; "" until then."""
        try:
            query = urlsplit(self.debug_url).query
        except ValueError:  # it is no URL
            return ""
        return parse_qs(query).get(_EXECUTE_ID, [""])[0]

    def resume(self, data: str | Mapping[str, Any]) -> None:
        """Answer what the run waits for. Iterating goes on with what follows; the answer is sent then.

        Args:
            data: The reply; for an input node its parameters by name, or their JSON text.

        Raises:
            InvalidArgumentError: The run waits for nothing, or *data* is neither text nor mapping.
        """
        if self.interrupt is None:
            raise InvalidArgumentError("the run waits for nothing; look at run.interrupt before run.resume(…)")
        self._reply = serialize_resume_data(data)

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
            message.node_execute_uuid, message.node_id, message.node_title, message.loop_index, message.batch_index,
            message.sub_execute_id,
        )  # fmt: skip
        node = self._latest
        if node is None or execution != self._execution:
            node = self._latest = self._node(execution, message)
            self._execution = execution
        if isinstance(message.content, str):
            node.pieces.append(message.content)
        if message.node_is_finish is True:
            node.finish()
            del self._growing[tuple(map(key_of, execution))]  # the node may be executed again
            self._execution = None
        if isinstance(message.usage, ChatUsage):
            self.usage = message.usage

    def _node(self, execution: tuple[object, ...], message: WorkflowMessage) -> NodeOutput:
        """Find the output that a message of another node than the one before belongs to, or begin it."""
        key = tuple(map(key_of, execution))
        node = self._growing.get(key)
        if node is None:
            node = self._growing[key] = NodeOutput(text_of(message.node_title), message)
            self.nodes.append(node)
        return node

    def _take_resume_data(self) -> tuple[WorkflowInterruptData, str] | None:
        """Take what a pending reply answers, and the reply."""
        if self.interrupt is None or self._reply is None:
            return None
        taken = self.interrupt, self._reply
        self.interrupt = self._reply = self._latest = self._execution = None
        self._growing.clear()
        return taken

    def _to_workflow_failed(self, error: StreamFailed) -> CozeError:
        """Turn the failure of a stream into that of its run."""
        self._failed = True
        self.debug_url = error.debug_url or self.debug_url
        failed = WorkflowFailed.__new__(WorkflowFailed, *error.args)
        failed.__dict__.update(error.__dict__, debug_url=self.debug_url, run=self)
        return failed


class AsyncWorkflowRun(
    _RunState[AsyncStream[WorkflowStreamEvent]],
    AsyncChainedStream[AsyncStream[WorkflowStreamEvent], WorkflowStreamEvent],
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
        first: AsyncStream[WorkflowStreamEvent],
        resume: Callable[[WorkflowInterruptData, str], AsyncStream[WorkflowStreamEvent]],
    ) -> None:
        super().__init__(first)
        self.nodes, self._growing = [], {}
        self._resume = resume

    @property
    async def text(self) -> AsyncIterator[str]:
        """What the nodes put out, piece by piece, as it comes. Reads the stream, as iterating over events does."""
        async for event in self:
            if text := _text_of(event):
                yield text

    async def __anext__(self) -> WorkflowStreamEvent:
        try:
            return await super().__anext__()
        except StreamFailed as error:
            raise self._to_workflow_failed(error) from error

    async def _next_stream(self) -> AsyncStream[WorkflowStreamEvent] | None:
        taken = self._take_resume_data()
        return None if taken is None else self._resume(*taken)
