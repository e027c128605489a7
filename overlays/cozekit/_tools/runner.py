"""Executes tool calls in threads."""

from __future__ import annotations

import inspect
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context

from coze_api.models import Chat, ToolOutput

from .._tool_results import ToolRun
from .runner_base import PendingCall, ToolRunnerBase
from .tool import serialize_result

__all__ = ["ToolRunner"]

_MAX_WORKERS = 32  # threads for the calls of one round


class ToolRunner(ToolRunnerBase):
    """Executes the tool calls of one chat, those of one round in threads."""

    allow_async = False

    def run_calls(self, chat: Chat | None) -> list[ToolOutput]:
        calls = self._start_round(chat)
        if len(calls) < 2:
            return self._collect_outputs(
                chat, [_execute_once(self._results, number, call) for number, call in enumerate(calls)]
            )
        pool = ThreadPoolExecutor(min(len(calls), _MAX_WORKERS), thread_name_prefix="cozekit-tool")
        try:
            futures = [
                pool.submit(copy_context().run, _execute_once, self._results, number, call)
                for number, call in enumerate(calls)
            ]
            return self._collect_outputs(chat, [future.result() for future in futures])
        finally:
            pool.shutdown(wait=False, cancel_futures=True)  # an interrupted caller does not wait for its tools


# A thread that an interruption left behind may end in a later round, so it gets the results of its own round.
def _execute_once(results: dict[int, ToolRun], number: int, call: PendingCall) -> ToolRun:
    if number not in results:
        results[number] = _execute(call)
    return results[number]


def _execute(call: PendingCall) -> ToolRun:
    try:
        value = call.start()()
        if inspect.iscoroutine(value):
            value.close()  # else Python warns that it was never awaited
            raise TypeError("the function returned an awaitable; use AsyncCoze")
        return call.succeeded(serialize_result(value))
    except Exception as error:
        return call.failed(error)
