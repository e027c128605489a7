"""What tool runners need of threads or of an event loop: calling one function, and many at once."""

# Not derived: a task group cancels its tasks and waits for them, while threads cannot be canceled and are left behind.

from __future__ import annotations

import inspect
from collections.abc import Callable, Coroutine, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from typing import Any

from anyio import create_task_group  # comes with httpx
from anyio.to_thread import run_sync

from .runner_base import PendingCall

__all__ = ["call_tool", "call_tool_async", "run_all", "run_all_async"]

_MAX_WORKERS = 32  # threads for the calls of one round


def run_all(functions: Sequence[Callable[[], object]]) -> None:
    """Run functions at once, each in a thread and in the caller's context variables."""
    pool = ThreadPoolExecutor(min(len(functions), _MAX_WORKERS), thread_name_prefix="cozekit-tool")
    try:
        for future in [pool.submit(copy_context().run, function) for function in functions]:
            future.result()
    finally:
        pool.shutdown(wait=False, cancel_futures=True)  # an interrupted caller does not wait for its tools


async def run_all_async(functions: Sequence[Callable[[], Coroutine[Any, Any, object]]]) -> None:
    """Run functions at once, each in a task."""
    async with create_task_group() as group:
        for function in functions:
            group.start_soon(function)


def call_tool(call: PendingCall) -> Any:
    """Call the function of a tool."""
    value = call.start()()
    if inspect.iscoroutine(value):
        value.close()  # else Python warns that it was never awaited
        raise TypeError("the function returned an awaitable; use AsyncCoze")
    return value


async def call_tool_async(call: PendingCall) -> Any:
    """Call the function of a tool, a sync one in a thread."""
    function = call.start()
    is_async = call.tool is not None and call.tool.is_async
    # In a tuple, since trio rejects threads that return an awaitable.
    (value,) = (function(),) if is_async else await run_sync(lambda: (function(),), abandon_on_cancel=True)
    return await value if inspect.isawaitable(value) else value
