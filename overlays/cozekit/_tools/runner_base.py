"""Rounds of tool calls: the decisions of the sync and the async runner."""

from __future__ import annotations

import inspect
import logging
import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, Self

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

from .._tool_results import OnToolCall, OnToolError, OnToolRun, ToolRun
from ..errors import ActionRequired, InvalidArgumentError, ToolError, ToolFailed, ToolRoundsExceeded
from .tool import Tool, tools_by_name

__all__ = ["PendingCall", "ToolRunnerBase"]

_log = logging.getLogger("cozekit.tools")


@attrs.define
class PendingCall:
    """A call to execute, or the reason why it is rejected."""

    call: ToolCall
    name: str
    tool: Tool[..., Any] | None
    arguments: dict[str, Any] | None = None
    rejection: ToolError | None = None
    _started: float = 0.0

    def start(self) -> Callable[[], Any]:
        """Start the clock, and return the function with its arguments.

        Raises:
            ToolError: The call is rejected.
        """
        self._started = time.perf_counter()
        if self.rejection is not None or self.tool is None or self.arguments is None:
            raise self.rejection or ToolError(f"There is no tool called {self.name}.")
        return partial(self.tool.function, **self.arguments)

    def succeeded(self, output: str, error: Exception | None = None) -> ToolRun:
        """Return the result of a call with this output."""
        seconds = time.perf_counter() - self._started
        output = output.encode("utf-8", "replace").decode()  # half of a surrogate pair cannot be sent
        return ToolRun(self.call, self.name, self.arguments, output, error, seconds)

    def failed(self, error: Exception) -> ToolRun:
        """Return the result of a call that raised."""
        if isinstance(error, ToolError):
            _log.warning("tool %s, call %s: %s", self.name, self.call.id, error)
            return self.succeeded(str(error), error)
        _log.warning("tool %s, call %s failed", self.name, self.call.id, exc_info=error)
        # The text of an exception may contain addresses, queries or keys, which the bot must not see.
        return self.succeeded(f"The tool {self.name} failed ({type(error).__name__}).", error)


@attrs.define(kw_only=True)
class ToolRunnerBase:
    """Executes the tool calls of one chat, round by round.

    Attributes:
        tools: The tools by name.
        max_rounds: How many times tool outputs may be sent to the bot.
        on_tool_error: Whether an exception of a tool is reported to the bot or raised.
        on_tool_call: Called with each call before it is executed.
        on_tool_run: Called with each result.
        runs: The results of all rounds, in order.
    """

    tools: Mapping[str, Tool[..., Any]]
    max_rounds: int = 10
    on_tool_error: OnToolError = "report"
    on_tool_call: OnToolCall | None = None
    on_tool_run: OnToolRun | None = None
    runs: list[ToolRun] = attrs.field(factory=list, init=False)
    _rounds: int = attrs.field(default=0, init=False)
    _chat: Chat | None = attrs.field(default=None, init=False)  # the chat that started the current round
    _results: dict[int, ToolRun] = attrs.field(factory=dict, init=False)  # of this round, by the number of the call
    _previous: int = attrs.field(default=0, init=False)  # how many of `runs` belong to previous rounds

    @classmethod
    def create(cls, tools: Sequence[Callable[..., Any]], **settings: Any) -> Self:
        """Return a runner for *tools*.

        Raises:
            InvalidArgumentError: A tool or a setting is invalid.
        """
        allow_async = inspect.iscoroutinefunction(cls.run_calls)
        runner = cls(tools=tools_by_name(tools, allow_async=allow_async), **settings)
        rounds: Any = runner.max_rounds
        if not isinstance(rounds, int) or isinstance(rounds, bool) or rounds < 0:
            raise InvalidArgumentError(f"max_rounds must be an integer of at least 0, not {rounds!r:.60}")
        if runner.on_tool_error not in ("report", "raise"):
            raise InvalidArgumentError(f"on_tool_error must be 'report' or 'raise', not {runner.on_tool_error!r:.60}")
        hooks: dict[str, Any] = {"on_tool_call": runner.on_tool_call, "on_tool_run": runner.on_tool_run}
        for name, hook in hooks.items():
            if hook is not None and (not callable(hook) or inspect.iscoroutinefunction(hook)):
                raise InvalidArgumentError(f"{name} must be a sync function, not {hook!r:.60}")
        return runner

    def run_calls(self, chat: Chat | None) -> Any:
        """Execute the tool calls that *chat* waits for, those of one round concurrently.

        After an interruption it may be called again: calls that have finished are not repeated.

        Returns:
            The outputs in the order of the calls; empty if the chat waits for no tools. Awaitable in the async runner.

        Raises:
            ActionRequired: There are no tools.
            ToolRoundsExceeded: The bot calls tools again after the last round that is allowed.
            ToolFailed: A tool raised, and `on_tool_error` is "raise".
        """
        raise NotImplementedError  # ToolRunner and AsyncToolRunner implement it

    def _start_round(self, chat: Chat | None) -> list[PendingCall]:
        if chat is None or chat.status is not ChatStatus.REQUIRES_ACTION:
            return []
        calls = _calls_of(chat)
        if calls and all(isinstance(call, ToolCall) and call.type is ToolCallType.REPLY_MESSAGE for call in calls):
            return []  # a question to the user, who replies by the next message
        if not calls or not all(map(_is_callable, calls)):
            raise ActionRequired("the chat waits for something that is not a tool call", chat=chat)
        names = ", ".join(dict.fromkeys(call.function.name for call in calls))
        if not self.tools:
            raise ActionRequired(f"the bot calls {names}, but there are no tools; pass them by tools=[…]", chat=chat)
        if chat is not self._chat:
            if self._rounds >= self.max_rounds:
                raise ToolRoundsExceeded(
                    f"the bot calls {names} again after {self._rounds} rounds of tools; allow more by max_rounds=…",
                    chat=chat,
                    tool_runs=self.runs,
                )
            self._rounds += 1
            self._chat, self._results, self._previous = chat, {}, len(self.runs)
        for number, call in enumerate(calls):
            if self.on_tool_call is not None and number not in self._results:
                self.on_tool_call(call)
        return [self._prepare_call(call) for call in calls]

    def _prepare_call(self, call: ToolCall) -> PendingCall:
        assert call.function is not None
        name = call.function.name
        tool = self.tools.get(name)
        pending = PendingCall(call, name, tool)
        if tool is None:
            pending.rejection = ToolError(f"There is no tool called {name}; available tools: {', '.join(self.tools)}.")
            return pending
        try:
            pending.arguments = tool.parameters.decode(call.function.arguments)
        except ToolError as error:
            pending.rejection = error
        return pending

    def _collect_outputs(self, chat: Chat | None, runs: list[ToolRun]) -> list[ToolOutput]:
        if runs:
            self.runs[self._previous :] = runs  # replaces results from before an interruption
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
    """Return the list of calls in a chat, of whatever type its items are."""
    match chat.required_action:
        case ChatRequiredAction(submit_tool_outputs=ChatPendingToolCalls(tool_calls=list(calls))):
            return calls
    return []


def _is_callable(call: object) -> bool:
    """Return whether a call has an id and the name of a function."""
    match call:
        case ToolCall(id=str(), function=ToolCallFunction(name=str())):
            return call.type is not ToolCallType.REPLY_MESSAGE
    return False
