"""Executes tool calls as tasks of an event loop; sync functions run in threads."""

# Not derived: a task group cancels its tasks and waits for them, while threads cannot be canceled and are left behind.

from __future__ import annotations

import inspect

from anyio import create_task_group  # comes with httpx
from anyio.to_thread import run_sync

from coze_api.models import Chat, ToolOutput

from .._tool_results import ToolRun
from .runner_base import PendingCall, ToolRunnerBase
from .tool import serialize_result

__all__ = ["AsyncToolRunner"]


class AsyncToolRunner(ToolRunnerBase):
    """Executes the tool calls of one chat, those of one round as concurrent tasks."""

    allow_async = True

    async def run_calls(self, chat: Chat | None) -> list[ToolOutput]:
        calls = self._start_round(chat)
        if len(calls) < 2:
            return self._collect_outputs(
                chat, [await _execute_once(self._results, number, call) for number, call in enumerate(calls)]
            )
        async with create_task_group() as group:
            for number, call in enumerate(calls):
                group.start_soon(_execute_once, self._results, number, call)
        return self._collect_outputs(chat, [self._results[number] for number in range(len(calls))])


async def _execute_once(results: dict[int, ToolRun], number: int, call: PendingCall) -> ToolRun:
    if number not in results:
        results[number] = await _execute(call)
    return results[number]


async def _execute(call: PendingCall) -> ToolRun:
    try:
        function = call.start()
        is_async = call.tool is not None and call.tool.is_async
        # In a tuple, since trio rejects threads that return an awaitable.
        (value,) = (function(),) if is_async else await run_sync(lambda: (function(),), abandon_on_cancel=True)
        return call.succeeded(serialize_result(await value if inspect.isawaitable(value) else value))
    except Exception as error:
        return call.failed(error)
