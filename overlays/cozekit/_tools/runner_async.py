"""Executes the tool calls of a chat."""

from __future__ import annotations

from functools import partial

from coze_api.models import Chat, ToolOutput

from .._tool_results import ToolRun
from .concurrency import call_tool_async, run_all_async
from .runner_base import PendingCall, ToolRunnerBase
from .tool import serialize_result

__all__ = ["AsyncToolRunner"]


class AsyncToolRunner(ToolRunnerBase):
    """Executes the tool calls of one chat: those of one round concurrently, in threads or as tasks."""

    async def run_calls(self, chat: Chat | None) -> list[ToolOutput]:
        calls = [
            partial(_execute_once, self._results, number, call) for number, call in enumerate(self._start_round(chat))
        ]
        if len(calls) == 1:
            await calls[0]()
        elif calls:
            await run_all_async(calls)
        return self._collect_outputs(chat, [self._results[number] for number in range(len(calls))])


# A thread that an interruption left behind may end in a later round, so it gets the results of its own round.
async def _execute_once(results: dict[int, ToolRun], number: int, call: PendingCall) -> None:
    if number in results:
        return
    try:
        results[number] = call.succeeded(serialize_result(await call_tool_async(call)))
    except Exception as error:
        results[number] = call.failed(error)
