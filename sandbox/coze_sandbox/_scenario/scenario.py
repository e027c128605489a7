"""Stub upcoming calls and inspect past ones."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Collection, Sequence
from typing import Any, Protocol

from .._common.clock import Clock
from .._common.validators import STRING
from .._faults.faults import Fault, Faults
from .._http.request_log import RequestLog, RequestRecord
from .._http.responses import ResponseBuilder
from .._oauth.consent import new_secret
from .._spec.spec import Spec
from .._state.seed import COLLEAGUE_IDS, USER_ID, seed_bot, seed_workflow
from .._state.state import SandboxState
from .._state.stubs import Stub
from .bot_replies import BotInput, Reply, ToolCalls
from .stub_responses import StubData, StubFactory, StubResponse
from .workflow_outcomes import Outcome

__all__ = ["Scenario", "ScenarioTarget"]


class ScenarioTarget(Protocol):
    """The sandbox that a scenario controls."""

    @property
    def description(self) -> Spec:
        """The spec."""

    @property
    def clock(self) -> Clock:
        """The clock."""

    @property
    def faults(self) -> Faults:
        """The pending faults."""

    @property
    def requests(self) -> RequestLog:
        """The requests so far."""

    @property
    def _responses(self) -> ResponseBuilder: ...

    @property
    def _state(self) -> SandboxState: ...


class Scenario:
    """Stubs for upcoming calls, and access to past requests.

        scenario = sandbox.scenario
        scenario.reply("It is sunny.")
        scenario.fail("chat.create", code=4016, times=2)
        ...
        assert scenario.last("chat.create").body["user_id"] == "user-1"

    Stubs for the same calls are used in order: each for one call (`times=1`), for several, or for all that
    follow (`times=None`). Requests are still checked against the description.

    Args:
        sandbox: The sandbox.
    """

    def __init__(self, sandbox: ScenarioTarget) -> None:
        self._sandbox = sandbox

    def answer(
        self, operation: str, answer: StubData | StubFactory, *, times: int | None = 1, check: bool = True
    ) -> None:
        """Stub the next response of an operation.

        Args:
            operation: Operation id, such as `bots.retrieve`.
            answer: The members of the JSON response, such as `{"data": {…}}`; `code`, `msg` and `detail` are
                added. Bytes for an operation that returns a file; pairs of event name and data for a stream.
                Or a function that returns one of these for a `RequestRecord`.
            times: Number of calls; None for all.
            check: Whether to check it against the description; the result of a function is checked when it is called.

        Raises:
            ValueError: The operation is unknown, or the response violates the description.
        """
        self._require_operation(operation)
        scripted = StubResponse(self._sandbox.description.operations[operation], answer, check)
        scripted.check(self._sandbox._responses)
        self._add_stub("answer", operation, lambda called: called == operation, scripted, times)

    def reply(
        self,
        text: str | Sequence[str] | Callable[[str], str | Sequence[str]] | None = None,
        *,
        to: str = "",
        bot_id: str | None = None,
        times: int | None = 1,
        reasoning: str = "",
        suggestions: Sequence[str] = (),
        tool_calls: ToolCalls = (),
        code: int = 0,
        msg: str = "",
        breaks_off: bool = False,
        seconds: float | None = None,
    ) -> None:
        """Stub the next reply of bots, in chats and chatflows, streamed or not.

        Args:
            text: The answer. The items of a list are the deltas of the stream. A function receives the message.
            to: Only for messages, or outputs of tools, that contain this text.
            bot_id: Only for this bot; for all by default.
            times: Number of replies; None for all.
            reasoning: Reasoning before the answer.
            suggestions: Suggested questions.
            tool_calls: Tools whose outputs the chat requires: arguments by name, or pairs of both. The next reply
                is for the outputs.
            code: Error code with which the chat fails.
            msg: The error message.
            breaks_off: End the stream with an `error` event instead of a failed chat.
            seconds: Duration of the reply; by default the one of the options.

        Raises:
            ValueError: `text`, `tool_calls` and `code` are missing; `times` is less than 1, or `seconds` less than 0.
        """
        STRING.check(to=to, bot_id=bot_id or "")
        if text is None and not tool_calls and not code:
            raise ValueError("a reply needs text, tool_calls or code")
        reply = Reply(
            text=text,
            reasoning=reasoning,
            suggestions=suggestions,
            tool_calls=tool_calls,
            code=code,
            msg=msg,
            breaks_off=breaks_off,
            seconds=seconds,
        )

        def matches(bot_input: BotInput) -> bool:
            return to in bot_input.text and bot_id in {None, bot_input.bot_id}

        self._add_stub("reply", to or bot_id or "any message", matches, reply, times)

    def workflow(
        self,
        workflow_id: str,
        output: Any = None,
        *,
        messages: Sequence[str] = (),
        question: str = "",
        code: int = 0,
        msg: str = "",
        seconds: float | None = None,
        times: int | None = 1,
    ) -> None:
        """Stub the outcome of the next run of a workflow or, after an interrupt, of its next part.

        A workflow that does not exist is created, so that ids of real ones can be used.

        Args:
            workflow_id: The workflow.
            output: The output: a string, or a value that is serialized as JSON.
            messages: Messages of its output node, one event each in a stream.
            question: Question with which the run is interrupted until `workflows.runs.resume`.
            code: Error code with which the run fails.
            msg: The error message.
            seconds: Duration of an asynchronous run; by default the one of the options.
            times: Number of runs; None for all.

        Raises:
            ValueError: `times` is less than 1, or `seconds` less than 0.
        """
        STRING.check(workflow_id=workflow_id)
        outcome = Outcome(output=output, messages=messages, question=question, code=code, msg=msg, seconds=seconds)
        state = self._sandbox._state
        if state.find("workflow", workflow_id) is None:
            seed_workflow(state.store, workflow_id, state.clock.seconds())
        self._add_stub("workflow", workflow_id, lambda run: run == workflow_id, outcome, times)

    def bot(self, bot_id: str, *, name: str = "Sandbox bot") -> None:
        """Create a published bot with a given id, so that ids of real ones can be used.

        Args:
            bot_id: The id.
            name: The name.
        """
        STRING.check(bot_id=bot_id, name=name)
        state = self._sandbox._state
        seed_bot(state.store, bot_id, name, state.clock.seconds())

    def token(
        self, user_id: str = USER_ID, *, permissions: Collection[str] | None = None, seconds: float = 86_400
    ) -> str:
        """Create an access token of another account, with few permissions, or with a short lifetime.

        Args:
            user_id: Its account; `COLLEAGUE_IDS` are other accounts than that of `Sandbox.token`.
            permissions: Its permissions, such as `["Bot.create"]`; all by default.
            seconds: Lifetime in seconds.

        Returns:
            The token.

        Raises:
            ValueError: The account does not exist.
        """
        state = self._sandbox._state
        if state.find("user", user_id) is None:
            raise ValueError(f"unknown account {user_id}: use one of {', '.join((USER_ID, *COLLEAGUE_IDS))}")
        token = new_secret(state, "pat_")
        allowed = None if permissions is None else sorted(permissions)
        document = {"user_id": user_id, "permissions": allowed, "expires_at": state.clock.now() + seconds}
        state.store.put("token", token, document)
        return token

    def fail(
        self,
        operation: str = "*",
        *,
        code: int | None = None,
        status: int | None = None,
        msg: str = "ordered fault",
        times: int | None = 1,
        after: int = 0,
        handled: bool = False,
    ) -> Fault:
        """Make the next calls of an operation fail. `sandbox.faults` has more kinds of faults.

        Args:
            operation: Operation id, or `*` for any.
            code: Business code; 5000 by default.
            status: HTTP status; that of the code by default, or 500.
            msg: The error message.
            times: Number of calls; None for all.
            after: Number of calls to skip before.
            handled: Whether the calls take effect before they fail.

        Returns:
            The fault.

        Raises:
            ValueError: The operation or the HTTP status does not exist.
        """
        kind = "status" if code is None else "code"
        settings = {"code": code, "status": status, "msg": msg, "times": times, "after": after, "handled": handled}
        return self._sandbox.faults.add(kind, operation, **settings)

    def advance(self, seconds: float) -> float:
        """Advance the clock by *seconds* and return the new time."""
        return self._sandbox.clock.advance(seconds)

    def requests(self, operation: str | None = None) -> list[RequestRecord]:
        """Return the requests so far, all or those of one operation, oldest first.

        Raises:
            ValueError: The operation is unknown.
        """
        if operation is None:
            return list(self._sandbox.requests)
        self._require_operation(operation)
        return self._sandbox.requests.of(operation)

    def last(self, operation: str) -> RequestRecord:
        """Return the last request of an operation.

        Raises:
            AssertionError: The operation was not called.
            ValueError: The operation is unknown.
        """
        requests = self.requests(operation)
        if not requests:
            called = ", ".join(dict.fromkeys(str(record.operation) for record in self._sandbox.requests)) or "none"
            raise AssertionError(f"{operation} was not called; called operations: {called}")
        return requests[-1]

    @property
    def waiting(self) -> list[Stub]:
        """The stubs that are not used up yet. Faults are in `sandbox.faults`."""
        return self._sandbox._state.stubs.waiting()

    def clear(self) -> None:
        """Remove all stubs; `Sandbox.reset` does that too."""
        self._sandbox._state.stubs.clear()

    def _add_stub(self, kind: str, about: str, fits: Callable[[Any], bool], value: object, times: int | None) -> None:
        self._sandbox._state.stubs.add(Stub(kind=kind, label=about, matches=fits, value=value, times=times))

    def _require_operation(self, operation: str) -> None:
        operations = self._sandbox.description.operations
        if operation not in operations:
            near = ", ".join(difflib.get_close_matches(operation, operations, n=3))
            raise ValueError(
                f"unknown operation {operation}: did you mean {near}?" if near else f"unknown operation {operation}"
            )
