# @generated from runner_async.py by `python -m generator sync`; do not edit.
"""Executes the tool calls of a chat."""

from __future__ import annotations

from functools import partial

from coze_api.models import Chat, ToolOutput

from .._tool_results import ToolRun
from .concurrency import call_tool, run_all
from .runner_base import PendingCall, ToolRunnerBase
from .tool import serialize_result

__all__ = ["ToolRunner"]


class ToolRunner(ToolRunnerBase):
    """Executes the tool calls of one chat: those of one round concurrently, in threads or as tasks."""

    def run_calls(self, chat: Chat | None) -> list[ToolOutput]:
        calls = [
            partial(_execute_once, self._results, number, call) for number, call in enumerate(self._start_round(chat))
        ]
        if len(calls) == 1:
            calls[0]()
        elif calls:
            run_all(calls)
        return self._collect_outputs(chat, [self._results[number] for number in range(len(calls))])


# A thread that an interruption left behind may end in a later round, so it gets the results of its own round.
def _execute_once(results: dict[int, ToolRun], number: int, call: PendingCall) -> None:
    if number in results:
        return
    try:
        results[number] = call.succeeded(serialize_result(call_tool(call)))
    except Exception as error:
        results[number] = call.failed(error)
