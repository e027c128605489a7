"""Runs of workflows: in one piece, as a stream, in the background."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Unpack, cast

import attrs

from coze_api._core._operation import Operation, Options
from coze_api.models import WorkflowInterruptData, WorkflowStreamEvent
from coze_api.models import workflows as _models
from coze_api.operations import workflows as _operations
from coze_api.resources.workflows import AsyncWorkflowsRunsAPI

from .._call_options import followup_options, hide_headers, split_options
from .._polling import Waiting
from ..errors import InvalidArgumentError
from .output import ResumeResponse, RunResponse
from .result import checked, run_goes_on
from .result_async import AsyncWorkflowResult
from .run_async import AsyncWorkflowRun

if TYPE_CHECKING:
    from collections.abc import Mapping

    from coze_api._core._operation import RequestOptions
    from coze_api._core._stream import AsyncStream
    from coze_api.params.workflows import (
        RunsCreateParams,
        RunsResumeParams,
        RunsStreamParams,
        RunsStreamResumeParams,
    )

__all__ = ["AsyncWorkflowRuns"]

_CREATE = cast("Operation[RunResponse]", attrs.evolve(_operations.RUNS_CREATE, decode=RunResponse.from_dict))
_RESUME = cast("Operation[ResumeResponse]", attrs.evolve(_operations.RUNS_RESUME, decode=ResumeResponse.from_dict))


def _force_async(arguments: RunsCreateParams) -> RunsCreateParams:
    if arguments.get("is_async") is False:
        raise InvalidArgumentError("workflows.runs.create_and_poll: is_async must be true; create takes False as well")
    return {**arguments, "is_async": True}


def _reply(workflow_id: str, interrupt: WorkflowInterruptData, data: str) -> dict[str, Any]:
    return {
        "workflow_id": workflow_id,
        "event_id": interrupt.event_id,
        "interrupt_type": interrupt.type,
        "resume_data": data,
    }


class AsyncWorkflowRuns(AsyncWorkflowsRunsAPI):
    """Run workflows: in one piece, as a stream, in the background."""

    async def create(self, **arguments: Unpack[RunsCreateParams]) -> RunResponse:
        """Run a workflow and return its result in one piece.

        Args:
            **arguments: Those of the operation `workflows.runs.create`.

        Returns:
            The result: `data` as text, `output_json()` parsed. Where the run stopped to ask, `interrupt_data` is set
            and `question` tells what; `resume` answers it. With `is_async` the `execute_id` alone is there, and `poll`
            waits for it.

        Raises:
            InvalidArgumentError: An argument does not fit; nothing was sent.
            APIError: Coze refused the call, or the run failed; `debug_url` then shows it node by node.
        """
        hide_headers(arguments)
        own, options = split_options(AsyncWorkflowsRunsAPI.create, arguments)
        return await self._client.request(_CREATE, own, options)

    async def resume(self, **arguments: Unpack[RunsResumeParams]) -> ResumeResponse:
        """Answer what a run started with `create` or `create_and_poll` stopped for.

        Args:
            **arguments: Those of the operation `workflows.runs.resume`.

        Returns:
            What `create` returns. Of a run in the background the `execute_id` alone; `poll` waits for it.

        Raises:
            InvalidArgumentError: An argument does not fit; nothing was sent.
            APIError: Coze refused the call, or the run failed.
        """
        hide_headers(arguments)
        own, options = split_options(AsyncWorkflowsRunsAPI.resume, arguments)
        return await self._client.request(_RESUME, own, options)

    def stream(self, **arguments: Unpack[RunsStreamParams]) -> AsyncWorkflowRun:  # type: ignore[override]  # a run is more than one stream: it continues when it is resumed
        """Run a workflow and follow it over all its interrupts.

        Args:
            **arguments: Those of the operation `workflows.runs.stream`. `extra_headers` and `timeout` go with every
                request.

        Returns:
            The run. The request is sent when it is entered by `with` or first iterated over.

        Raises:
            InvalidArgumentError: An argument does not fit; nothing was sent.
            APIError: On opening or resuming: Coze refused the call.
            WorkflowFailed: While reading: the run failed.
            StreamInterrupted: While reading: the stream broke off.
        """
        hide_headers(arguments)
        own, options = split_options(AsyncWorkflowsRunsAPI.stream, arguments)
        first = self._client.stream(_operations.RUNS_STREAM, _models.WorkflowStream, own, options)
        return self._make_run(first, arguments)

    def stream_resume(self, **arguments: Unpack[RunsStreamResumeParams]) -> AsyncWorkflowRun:  # type: ignore[override]  # as above
        """Answer what a run started with `stream` stopped for, in another process perhaps, and follow it from there.

        Args:
            **arguments: Those of the operation `workflows.runs.stream_resume`.

        Returns:
            The run, as `stream` returns it.

        Raises:
            InvalidArgumentError: An argument does not fit; nothing was sent.
            APIError: On opening or resuming: Coze refused the call.
            WorkflowFailed: While reading: the run failed.
            StreamInterrupted: While reading: the stream broke off.
        """
        hide_headers(arguments)
        own, options = split_options(AsyncWorkflowsRunsAPI.stream_resume, arguments)
        first = self._client.stream(_operations.RUNS_STREAM_RESUME, _models.WorkflowStream, own, options)
        return self._make_run(first, arguments)

    async def create_and_poll(
        self, *, poll_interval: float = 1.0, poll_timeout: float = 600.0, **arguments: Unpack[RunsCreateParams]
    ) -> AsyncWorkflowResult:
        """Run a workflow in the background and wait until it ends. For runs that take longer than a request may.

        Args:
            poll_interval: Seconds before asking again. Grows up to 5 seconds.
            poll_timeout: Seconds to wait at most. A run may take 24 hours.
            **arguments: Those of `create`. `extra_headers` and `timeout` go with every request.

        Returns:
            The result; its `interrupt` is set if the run waits for an answer.

        Raises:
            WorkflowFailed: The run failed.
            PollTimeout: It did not end in time.
            APIError: Coze refused a call.
        """
        hide_headers(arguments)
        answer = await self.create(**_force_async(arguments))
        return await self.poll(
            workflow_id=arguments["workflow_id"],
            execute_id=answer.execute_id or "",
            poll_interval=poll_interval,
            poll_timeout=poll_timeout,
            **followup_options(arguments),
        )

    async def poll(
        self,
        *,
        workflow_id: str,
        execute_id: str,
        poll_interval: float = 1.0,
        poll_timeout: float = 600.0,
        **options: Unpack[RequestOptions],
    ) -> AsyncWorkflowResult:
        """Wait until a run in the background ends.

        Args:
            workflow_id: Id of the workflow.
            execute_id: Id of the execution, as `create` and `resume` return it.
            poll_interval: Seconds before asking again. Grows up to 5 seconds.
            poll_timeout: Seconds to wait at most.
            **options: `extra_headers`, `extra_query`, `extra_body`, `timeout`.

        Returns:
            The result, as of `create_and_poll`.

        Raises:
            WorkflowFailed: The run failed.
            PollTimeout: It did not end in time.
            APIError: Coze refused a call.
        """
        hide_headers(options)
        waiting = Waiting(poll_interval, poll_timeout)
        histories = self.run_histories
        while True:
            told = await histories.retrieve(workflow_id=workflow_id, execute_id=execute_id, **options)
            if not run_goes_on(told, execute_id, waiting):
                break
            await waiting.asleep()
        result = AsyncWorkflowResult(
            told[0],
            lambda key: histories.execute_nodes.retrieve(
                workflow_id=workflow_id, execute_id=execute_id, node_execute_uuid=key, **options
            ),
        )
        checked(told[0], result)
        return result

    def _make_run(self, first: AsyncStream[WorkflowStreamEvent], arguments: Mapping[str, Any]) -> AsyncWorkflowRun:
        workflow_id, same = arguments["workflow_id"], followup_options(arguments)

        def resume(interrupt: WorkflowInterruptData, data: str) -> AsyncStream[WorkflowStreamEvent]:
            return self._client.stream(
                _operations.RUNS_STREAM_RESUME,
                _models.WorkflowStream,
                _reply(workflow_id, interrupt, data),
                Options(headers=same.get("extra_headers"), timeout=same.get("timeout")),
            )

        return AsyncWorkflowRun(first, resume)
