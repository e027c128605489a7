"""Carrying out the tool calls that a chat waits for. Sync and async runs share every decision."""

from __future__ import annotations

import inspect
import logging
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from functools import partial
from typing import Any, Literal

import attrs

from coze_api.models import (
    Chat,
    ChatPendingToolCalls,
    ChatRequiredAction,
    ChatStatus,
    ToolCall,
    ToolCallFunction,
    ToolCallType,
    ToolOutput,
)

from ..errors import ActionRequired, InvalidArgumentError, ToolError, ToolFailed, ToolRoundsExceeded
from .tool import Tool, serialize_result, tools_by_name

__all__ = ["OnToolCall", "OnToolError", "OnToolRun", "ToolRunner", "ToolRun"]

OnToolCall = Callable[[ToolCall], object]
OnToolError = Literal["report", "raise"]

_log = logging.getLogger("cozekit.tools")
_MAX_WORKERS = 32  # threads for the calls of one round


@attrs.frozen
class ToolRun:
    """One call of a tool, carried out.

    Attributes:
        call: The call as the bot made it.
        name: Name of the tool.
        arguments: What its function was given; None where the bot's arguments did not fit or there is no such tool.
        output: What the bot was told.
        error: What went wrong: a `ToolError`, or whatever the function raised; None if nothing did.
        seconds: How long the function took.
    """

    call: ToolCall
    name: str
    arguments: Mapping[str, Any] | None
    output: str
    error: Exception | None
    seconds: float

    def __reduce__(self) -> tuple[Any, ...]:
        # Between processes: what a function was given, and what it raised, may not be fit for it.
        return (ToolRun, (self.call, self.name, None, self.output, None, self.seconds))


OnToolRun = Callable[[ToolRun], object]


@attrs.define
class _PendingCall:
    """A call about to be carried out, or the reason why it cannot be."""

    call: ToolCall
    name: str
    tool: Tool[..., Any] | None
    arguments: dict[str, Any] | None = None
    refusal: ToolError | None = None
    _started: float = 0.0

    def run(self) -> ToolRun:
        """Call the function."""
        self._started = time.perf_counter()
        try:
            value = self._function()()
            if inspect.iscoroutine(value):
                value.close()  # it would warn that nobody awaited it
                raise TypeError("the function returned something to be awaited; use AsyncCoze")
            return self._ended(serialize_result(value))
        except Exception as error:
            return self._failed(error)

    async def arun(self) -> ToolRun:
        """Await the function, or call it in a thread."""
        from anyio.to_thread import run_sync  # comes with httpx; serves asyncio and trio alike

        self._started = time.perf_counter()
        try:
            function = self._function()
            is_async = self.tool is not None and self.tool.is_async
            # In a tuple: trio refuses threads that return something to be awaited.
            (value,) = (function(),) if is_async else await run_sync(lambda: (function(),), abandon_on_cancel=True)
            return self._ended(serialize_result(await value if inspect.isawaitable(value) else value))
        except Exception as error:
            return self._failed(error)

    def _function(self) -> Callable[[], Any]:
        if self.refusal is not None or self.tool is None or self.arguments is None:
            raise self.refusal or ToolError(f"There is no tool called {self.name}.")
        return partial(self.tool.function, **self.arguments)

    def _ended(self, output: str, error: Exception | None = None) -> ToolRun:
        seconds = time.perf_counter() - self._started
        output = output.encode("utf-8", "replace").decode()  # half of a surrogate pair could not be sent
        return ToolRun(self.call, self.name, self.arguments, output, error, seconds)

    def _failed(self, error: Exception) -> ToolRun:
        if isinstance(error, ToolError):
            _log.warning("tool %s, call %s: %s", self.name, self.call.id, error)
            return self._ended(str(error), error)
        _log.warning("tool %s, call %s failed", self.name, self.call.id, exc_info=error)
        # The text of an exception may hold what is none of the bot's business: addresses, queries, keys.
        return self._ended(f"The tool {self.name} failed ({type(error).__name__}).", error)


@attrs.define(kw_only=True)
class ToolRunner:
    """The rounds of one chat: what the bot calls, what it is told, and when it is enough.

    Attributes:
        tools: The tools by name.
        max_rounds: How often the bot may be told results.
        on_tool_error: What becomes of an exception of a tool.
        on_tool_call: Told each call before it is carried out.
        on_tool_run: Told each call after it was carried out.
        runs: All calls so far, in order.
    """

    tools: Mapping[str, Tool[..., Any]]
    max_rounds: int = 10
    on_tool_error: OnToolError = "report"
    on_tool_call: OnToolCall | None = None
    on_tool_run: OnToolRun | None = None
    runs: list[ToolRun] = attrs.field(factory=list, init=False)
    _rounds: int = attrs.field(default=0, init=False)
    _chat: Chat | None = attrs.field(default=None, init=False)  # what the latest round began with
    _ended: dict[int, ToolRun] = attrs.field(factory=dict, init=False)  # of that round, by the number of the call
    _earlier: int = attrs.field(default=0, init=False)  # how many of `runs` are of rounds before it

    @classmethod
    def create(cls, tools: Sequence[Callable[..., Any]], *, allow_async: bool, **settings: Any) -> ToolRunner:
        """Make a loop of functions.

        Raises:
            InvalidArgumentError: One is no tool, or a setting is unusable.
        """
        runner = cls(tools=tools_by_name(tools, allow_async=allow_async), **settings)
        rounds: Any = runner.max_rounds
        if not isinstance(rounds, int) or isinstance(rounds, bool) or rounds < 0:
            raise InvalidArgumentError(f"max_rounds must be a number from 0 on, not {rounds!r:.60}")
        if runner.on_tool_error not in ("report", "raise"):
            raise InvalidArgumentError(f"on_tool_error must be 'report' or 'raise', not {runner.on_tool_error!r:.60}")
        hooks: dict[str, Any] = {"on_tool_call": runner.on_tool_call, "on_tool_run": runner.on_tool_run}
        for name, hook in hooks.items():
            if hook is not None and (not callable(hook) or inspect.iscoroutinefunction(hook)):
                raise InvalidArgumentError(f"{name} must be a plain function, not {hook!r:.60}")
        return runner

    def run_calls(self, chat: Chat | None) -> list[ToolOutput]:
        """Carry out what a chat waits for, calls of one round side by side.

        Where that was interrupted, it may be asked for again: calls that had ended are not repeated.

        Returns:
            The outputs, in the order of the calls; none where the chat waits for no tools.

        Raises:
            ActionRequired: There are no tools.
            ToolRoundsExceeded: The bot had its results often enough.
            ToolFailed: A tool raised, and such is the policy.
        """
        pending_calls = self._start_round(chat)
        if len(pending_calls) < 2:
            return self._collect_outputs(
                chat, [_execute_once(self._ended, number, pending) for number, pending in enumerate(pending_calls)]
            )
        pool = ThreadPoolExecutor(min(len(pending_calls), _MAX_WORKERS), thread_name_prefix="cozekit-tool")
        try:
            futures = [
                pool.submit(copy_context().run, _execute_once, self._ended, number, pending)
                for number, pending in enumerate(pending_calls)
            ]
            return self._collect_outputs(chat, [future.result() for future in futures])
        finally:
            pool.shutdown(wait=False, cancel_futures=True)  # an interrupted caller does not wait for its tools

    async def arun_calls(self, chat: Chat | None) -> list[ToolOutput]:
        """Carry out what a chat waits for, sync functions in threads. See `answer`."""
        from anyio import create_task_group

        pending_calls = self._start_round(chat)
        if len(pending_calls) < 2:
            return self._collect_outputs(
                chat,
                [await _aexecute_once(self._ended, number, pending) for number, pending in enumerate(pending_calls)],
            )
        async with create_task_group() as group:
            for number, pending in enumerate(pending_calls):
                group.start_soon(_aexecute_once, self._ended, number, pending)
        return self._collect_outputs(chat, [self._ended[number] for number in range(len(pending_calls))])

    def _start_round(self, chat: Chat | None) -> list[_PendingCall]:
        if chat is None or chat.status is not ChatStatus.REQUIRES_ACTION:
            return []
        calls = _calls_of(chat)
        if calls and all(isinstance(call, ToolCall) and call.type is ToolCallType.REPLY_MESSAGE for call in calls):
            return []  # a question to the user, who answers by the next message
        if not calls or not all(map(_is_callable, calls)):
            raise ActionRequired("the chat waits for something that no tool can do", chat=chat)
        names = ", ".join(dict.fromkeys(call.function.name for call in calls))
        if not self.tools:
            raise ActionRequired(f"the bot calls {names}, and there are no tools; give some by tools=[…]", chat=chat)
        if chat is not self._chat and self._rounds >= self.max_rounds:
            raise ToolRoundsExceeded(
                f"the bot calls {names} again after {self._rounds} rounds of tools; allow more by max_rounds=…",
                chat=chat,
                tool_runs=self.runs,
            )
        if chat is not self._chat:
            self._rounds += 1
            self._chat, self._ended, self._earlier = chat, {}, len(self.runs)
        for number, call in enumerate(calls):
            if self.on_tool_call is not None and number not in self._ended:
                self.on_tool_call(call)
        return [self._prepare_call(call) for call in calls]

    def _prepare_call(self, call: ToolCall) -> _PendingCall:
        assert call.function is not None
        name = call.function.name
        tool = self.tools.get(name)
        pending = _PendingCall(call, name, tool)
        if tool is None:
            pending.refusal = ToolError(f"There is no tool called {name}; there are {', '.join(self.tools)}.")
            return pending
        try:
            pending.arguments = tool.parameters.decode(call.function.arguments)
        except ToolError as error:
            pending.refusal = error
        return pending

    def _collect_outputs(self, chat: Chat | None, runs: list[ToolRun]) -> list[ToolOutput]:
        if runs:
            self.runs[self._earlier :] = runs  # in place of those from before an interruption
        for run in runs:
            if self.on_tool_run is not None:
                self.on_tool_run(run)
        if self.on_tool_error == "raise":
            for run in runs:
                if run.error is not None and not isinstance(run.error, ToolError):
                    raise ToolFailed(
                        f"the tool {run.name} failed: {type(run.error).__name__}", chat=chat, tool_run=run
                    ) from run.error
        return [ToolOutput(tool_call_id=run.call.id, output=run.output) for run in runs]


def _calls_of(chat: Chat) -> list[Any]:
    """Return what a chat lists as calls, whatever it is."""
    match chat.required_action:
        case ChatRequiredAction(submit_tool_outputs=ChatPendingToolCalls(tool_calls=list(calls))):
            return calls
    return []


def _is_callable(call: object) -> bool:
    """Return whether a call names a function and can be answered."""
    match call:
        case ToolCall(id=str(), function=ToolCallFunction(name=str())):
            return call.type is not ToolCallType.REPLY_MESSAGE
    return False


# A thread that was left behind may end while a later round runs, so each is given the results of its own round.
def _execute_once(ended: dict[int, ToolRun], number: int, pending: _PendingCall) -> ToolRun:
    if number not in ended:
        ended[number] = pending.run()
    return ended[number]


async def _aexecute_once(ended: dict[int, ToolRun], number: int, pending: _PendingCall) -> ToolRun:
    if number not in ended:
        ended[number] = await pending.arun()
    return ended[number]
