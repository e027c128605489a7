"""What a test says about calls to come, and asks about calls that were made."""

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
    """What a scenario acts on: a sandbox."""

    @property
    def description(self) -> Spec:
        """The description."""

    @property
    def clock(self) -> Clock:
        """The time."""

    @property
    def faults(self) -> Faults:
        """The waiting faults."""

    @property
    def requests(self) -> RequestLog:
        """The requests so far."""

    @property
    def _responses(self) -> ResponseBuilder: ...

    @property
    def _state(self) -> SandboxState: ...


class Scenario:
    """Tells a sandbox what to do next, and what it was asked.

        scenario = sandbox.scenario
        scenario.reply("It is sunny.")
        scenario.fail("chat.create", code=4016, times=2)
        ...
        assert scenario.last("chat.create").body["user_id"] == "user-1"

    Things that are said about the same calls wait in line: each is used for one call (`times=1`), for
    several, or for all that follow (`times=None`). Requests are held to the description as ever.

    Args:
        sandbox: The sandbox.
    """

    def __init__(self, sandbox: ScenarioTarget) -> None:
        self._sandbox = sandbox

    def answer(
        self, operation: str, answer: StubData | StubFactory, *, times: int | None = 1, check: bool = True
    ) -> None:
        """Give the next answer of an operation in place of what the sandbox would do.

        Args:
            operation: Operation id, such as `bots.retrieve`.
            answer: The members of the JSON answer, such as `{"data": {…}}`; `code`, `msg` and `detail` are
                added. Bytes for an operation that answers with a file; pairs of event name and data for one
                that streams. Or a function that makes one of these from the `RequestRecord`.
            times: For how many calls; None for all.
            check: Whether it has to be as described. An answer of a function is checked when it is made.

        Raises:
            ValueError: There is no such operation, or the answer is not as described.
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
        """Give the next reply of bots, in chats and in chatflows, with streams and without.

        Args:
            text: What they say. A list is streamed piece by piece as it stands. A function is given what the
                bot was told.
            to: Only to messages, or outputs of tools, that contain this text.
            bot_id: Only of this bot; of all by default.
            times: For how many replies; None for all.
            reasoning: What they think before.
            suggestions: Questions that they suggest.
            tool_calls: Tools whose outputs they wait for: arguments by name, or pairs of both. The next reply
                is for the outputs.
            code: Fail with this code.
            msg: Text of the failure.
            breaks_off: Break the stream off with an `error` event rather than fail the chat.
            seconds: How long they take; as set for the sandbox by default.

        Raises:
            ValueError: Nothing is said, called or failed; `times` is less than 1, or `seconds` less than 0.
        """
        STRING.check(to=to, bot_id=bot_id or "")
        if text is None and not tool_calls and not code:
            raise ValueError("a reply needs a text, tool_calls or a code")
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

        def fits(heard: BotInput) -> bool:
            return to in heard.text and bot_id in {None, heard.bot_id}

        self._add_stub("reply", to or bot_id or "any message", fits, reply, times)

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
        """Give the outcome of the next run of a workflow; when it was interrupted, of its next part.

        A workflow that does not exist is made, so that ids of real ones can be used.

        Args:
            workflow_id: The workflow.
            output: What it puts out: a text, or a value that is written as JSON.
            messages: What its output node says before, one event each where it streams.
            question: Ask this and wait for `workflows.runs.resume` instead of ending.
            code: Fail with this code.
            msg: Text of the failure.
            seconds: How long an asynchronous run takes; as set for the sandbox by default.
            times: For how many runs; None for all.

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
        """Make a published bot with an id of your choice, so that ids of real ones can be used.

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
        """Make an access token, to test with other accounts, with few permissions, or with one that expires.

        Args:
            user_id: Whose it is; `COLLEAGUE_IDS` are other accounts than that of the sandbox's own token.
            permissions: What it may be used for, such as `["Bot.create"]`; everything by default.
            seconds: For how long it is valid.

        Returns:
            The token.

        Raises:
            ValueError: There is no such account.
        """
        state = self._sandbox._state
        if state.find("user", user_id) is None:
            raise ValueError(f"there is no account {user_id}; one of {', '.join((USER_ID, *COLLEAGUE_IDS))}")
        token = new_secret(state, "pat_")
        allowed = None if permissions is None else sorted(permissions)
        kept = {"user_id": user_id, "permissions": allowed, "expires_at": state.clock.now() + seconds}
        state.store.put("token", token, kept)
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
        """Let the next calls of an operation fail. `sandbox.faults` has more kinds of faults.

        Args:
            operation: Operation id, or `*` for any.
            code: Business code; 5000 by default.
            status: HTTP status; that of the code by default, or 500.
            msg: Text of the error.
            times: For how many calls; None for all.
            after: How many calls are left alone before.
            handled: Whether the calls take effect nevertheless.

        Returns:
            The ordered fault.

        Raises:
            ValueError: There is no such operation, or no such HTTP status.
        """
        kind = "status" if code is None else "code"
        settings = {"code": code, "status": status, "msg": msg, "times": times, "after": after, "handled": handled}
        return self._sandbox.faults.add(kind, operation, **settings)

    def advance(self, seconds: float) -> float:
        """Move the time forward, in seconds, and return the new time."""
        return self._sandbox.clock.advance(seconds)

    def requests(self, operation: str | None = None) -> list[RequestRecord]:
        """Return the requests so far, all or those for one operation, oldest first.

        Raises:
            ValueError: There is no such operation.
        """
        if operation is None:
            return list(self._sandbox.requests)
        self._require_operation(operation)
        return self._sandbox.requests.of(operation)

    def last(self, operation: str) -> RequestRecord:
        """Return the last request for an operation.

        Raises:
            AssertionError: There was none.
            ValueError: There is no such operation.
        """
        found = self.requests(operation)
        if not found:
            asked = ", ".join(dict.fromkeys(str(one.operation) for one in self._sandbox.requests)) or "nothing"
            raise AssertionError(f"{operation} was not called; called was {asked}")
        return found[-1]

    @property
    def waiting(self) -> list[Stub]:
        """What was said and not used yet. Faults wait in `sandbox.faults`."""
        return self._sandbox._state.stubs.waiting()

    def clear(self) -> None:
        """Take back what was said and not used yet; `Sandbox.reset` does that too."""
        self._sandbox._state.stubs.clear()

    def _add_stub(self, kind: str, about: str, fits: Callable[[Any], bool], value: object, times: int | None) -> None:
        self._sandbox._state.stubs.add(Stub(kind=kind, label=about, matches=fits, value=value, times=times))

    def _require_operation(self, operation: str) -> None:
        operations = self._sandbox.description.operations
        if operation not in operations:
            near = ", ".join(difflib.get_close_matches(operation, operations, n=3)) or "none like it"
            raise ValueError(f"there is no operation {operation}; the description has {near}")
