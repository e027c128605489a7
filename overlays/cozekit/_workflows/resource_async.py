"""The resource of workflows: runs with results, streams and interrupts, and chats with chatflows."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any, Unpack, cast

import attrs

from coze_api._core._operation import Operation, Options
from coze_api.models import WorkflowInterruptData
from coze_api.models import chat as _chat_models
from coze_api.models import workflows as _models
from coze_api.operations import workflows as _operations
from coze_api.resources.chat import AsyncChatAPI
from coze_api.resources.workflows import AsyncWorkflowsAPI, AsyncWorkflowsChatAPI, AsyncWorkflowsRunsAPI

from .._call_options import followup_options, hide_headers, split_options
from .._chat.stream_async import AsyncChatStream
from .._polling_async import poll_until_done
from ..errors import InvalidArgumentError
from .output import ResumeResponse, RunResponse
from .result_async import AsyncWorkflowResult, raise_if_failed
from .run_async import AsyncWorkflowRun, AsyncWorkflowStream

if TYPE_CHECKING:
    from collections.abc import Mapping

    from coze_api._core._operation import RequestOptions
    from coze_api.params.workflows import (
        ChatStreamParams,
        RunsCreateParams,
        RunsResumeParams,
        RunsStreamParams,
        RunsStreamResumeParams,
    )

__all__ = ["AsyncWorkflows"]

_CREATE = cast("Operation[RunResponse]", attrs.evolve(_operations.RUNS_CREATE, decode=RunResponse.from_dict))
_RESUME = cast("Operation[ResumeResponse]", attrs.evolve(_operations.RUNS_RESUME, decode=ResumeResponse.from_dict))


class AsyncWorkflowsChat(AsyncWorkflowsChatAPI):
    """Chat with chatflows."""

    def stream(self, **arguments: Unpack[ChatStreamParams]) -> AsyncChatStream:
        """Chat with a chatflow and stream its events, as `chat.stream` does with a bot.

        If a node has a question for the user, the stream ends early: the question is the answer so far. Call this again
        with the reply as the last message and with the same conversation.

        Args:
            **arguments: Those of the operation `workflows.chat.stream`.

        Returns:
            The stream. The request is sent when it is entered by `async with` or first iterated over.

        Raises:
            InvalidArgumentError: An argument is invalid; nothing was sent.
            APIError: On opening: Coze returned an error.
            ChatFailed: While reading: the chat failed.
            StreamInterrupted: While reading: the stream was interrupted.
        """
        hide_headers(arguments)
        params, options = split_options(AsyncWorkflowsChatAPI.stream, arguments)
        stream = self._client.stream(_operations.CHAT_STREAM, _chat_models.ChatStream, params, options, AsyncChatStream)
        return stream._set_chat_ref(AsyncChatAPI(self._client), options)


class AsyncWorkflowRuns(AsyncWorkflowsRunsAPI):
    """Run workflows: with one response, as a stream, or in the background."""

    async def create(self, **arguments: Unpack[RunsCreateParams]) -> RunResponse:
        """Run a workflow and return its result in one response.

        Args:
            **arguments: Those of the operation `workflows.runs.create`.

        Returns:
            The result: `data` is its text, `output_json()` parses it. If the run was interrupted, `interrupt_data` is
            set and `question` has its question; `resume` replies to it. With `is_async` only `execute_id` is set;
            `poll` waits for that run.

        Raises:
            InvalidArgumentError: An argument is invalid; nothing was sent.
            APIError: Coze returned an error, or the run failed; `debug_url` then shows it node by node.
        """
        hide_headers(arguments)
        params, options = split_options(AsyncWorkflowsRunsAPI.create, arguments)
        return await self._client.request(_CREATE, params, options)

    async def resume(self, **arguments: Unpack[RunsResumeParams]) -> ResumeResponse:
        """Reply to the interrupt of a run that was started with `create` or `create_and_poll`.

        Args:
            **arguments: Those of the operation `workflows.runs.resume`.

        Returns:
            The result, as of `create`. For a run in the background only `execute_id` is set; `poll` waits for it.

        Raises:
            InvalidArgumentError: An argument is invalid; nothing was sent.
            APIError: Coze returned an error, or the run failed.
        """
        hide_headers(arguments)
        params, options = split_options(AsyncWorkflowsRunsAPI.resume, arguments)
        return await self._client.request(_RESUME, params, options)

    def stream(self, **arguments: Unpack[RunsStreamParams]) -> AsyncWorkflowRun:  # type: ignore[override]  # a run is more than one stream: it continues when it is resumed
        """Run a workflow and stream its events, over all its interrupts.

        Args:
            **arguments: Those of the operation `workflows.runs.stream`. `extra_headers` and `timeout` are used for
                every request.

        Returns:
            The run. The request is sent when it is entered by `async with` or first iterated over.

        Raises:
            InvalidArgumentError: An argument is invalid; nothing was sent.
            APIError: On opening or resuming: Coze returned an error.
            WorkflowFailed: While reading: the run failed.
            StreamInterrupted: While reading: the stream was interrupted.
        """
        hide_headers(arguments)
        params, options = split_options(AsyncWorkflowsRunsAPI.stream, arguments)
        return self._make_run(_operations.RUNS_STREAM, params, options, arguments)

    def stream_resume(self, **arguments: Unpack[RunsStreamResumeParams]) -> AsyncWorkflowRun:  # type: ignore[override]  # as above
        """Reply to the interrupt of a run that was started with `stream`, also by another process, and stream the rest.

        Args:
            **arguments: Those of the operation `workflows.runs.stream_resume`.

        Returns:
            The run, as of `stream`.

        Raises:
            InvalidArgumentError: An argument is invalid; nothing was sent.
            APIError: On opening or resuming: Coze returned an error.
            WorkflowFailed: While reading: the run failed.
            StreamInterrupted: While reading: the stream was interrupted.
        """
        hide_headers(arguments)
        params, options = split_options(AsyncWorkflowsRunsAPI.stream_resume, arguments)
        return self._make_run(_operations.RUNS_STREAM_RESUME, params, options, arguments)

    async def create_and_poll(
        self, *, poll_interval: float = 1.0, poll_timeout: float = 600.0, **arguments: Unpack[RunsCreateParams]
    ) -> AsyncWorkflowResult:
        """Run a workflow in the background and wait until it ends. For runs that take longer than a request may.

        Args:
            poll_interval: Seconds between two polls. Grows up to 5 seconds.
            poll_timeout: Seconds to wait at most. A run may take 24 hours.
            **arguments: Those of `create`. `extra_headers` and `timeout` are used for every request.

        Returns:
            The result; its `interrupt` is set if the run waits for a reply.

        Raises:
            WorkflowFailed: The run failed.
            PollTimeout: It did not end in time.
            APIError: Coze returned an error.
        """
        hide_headers(arguments)
        response = await self.create(**_force_async(arguments))
        return await self.poll(
            workflow_id=arguments["workflow_id"],
            execute_id=response.execute_id or "",
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
            poll_interval: Seconds between two polls. Grows up to 5 seconds.
            poll_timeout: Seconds to wait at most.
            **options: `extra_headers`, `extra_query`, `extra_body`, `timeout`.

        Returns:
            The result, as of `create_and_poll`.

        Raises:
            WorkflowFailed: The run failed.
            PollTimeout: It did not end in time.
            APIError: Coze returned an error.
        """
        hide_headers(options)
        histories = self.run_histories
        history, *_ = await poll_until_done(
            _operations.RUNS_CREATE,
            lambda: histories.retrieve(workflow_id=workflow_id, execute_id=execute_id, **options),
            f"the run {execute_id} did not end",
            interval=poll_interval,
            limit=poll_timeout,
        )
        result = AsyncWorkflowResult(
            history,
            lambda key: histories.execute_nodes.retrieve(
                workflow_id=workflow_id, execute_id=execute_id, node_execute_uuid=key, **options
            ),
        )
        raise_if_failed(result)
        return result

    def _make_run(
        self, operation: Operation[Any], params: dict[str, Any], options: Options, arguments: Mapping[str, Any]
    ) -> AsyncWorkflowRun:
        followup = Options(headers=options.headers, timeout=options.timeout)

        def open_stream(operation: Operation[Any], params: dict[str, Any], options: Options) -> AsyncWorkflowStream:
            return self._client.stream(operation, _models.WorkflowStream, params, options, AsyncWorkflowStream)

        def resume(interrupt: WorkflowInterruptData, data: str) -> AsyncWorkflowStream:
            params = _resume_params(arguments["workflow_id"], interrupt, data)
            return open_stream(_operations.RUNS_STREAM_RESUME, params, followup)

        return AsyncWorkflowRun(open_stream(operation, params, options), resume)


class AsyncWorkflows(AsyncWorkflowsAPI):
    """Workflows: run them, and chat with chatflows."""

    @cached_property
    def chat(self) -> AsyncWorkflowsChat:
        """Chat with chatflows."""
        return AsyncWorkflowsChat(self._client)

    @cached_property
    def runs(self) -> AsyncWorkflowRuns:
        """Run workflows: with one response, as a stream, or in the background."""
        return AsyncWorkflowRuns(self._client)


def _force_async(arguments: RunsCreateParams) -> RunsCreateParams:
    if arguments.get("is_async") is False:
        raise InvalidArgumentError(
            "workflows.runs.create_and_poll: is_async must be omitted or True; use create for is_async=False"
        )
    return {**arguments, "is_async": True}


def _resume_params(workflow_id: str, interrupt: WorkflowInterruptData, data: str) -> dict[str, Any]:
    return {
        "workflow_id": workflow_id,
        "event_id": interrupt.event_id,
        "interrupt_type": interrupt.type,
        "resume_data": data,
    }
