"""Replies of bots: stubbed by a scenario, else scripted."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import attrs

from .._bots.content import UserInput
from .._bots.script import Plan, after_tools, plan_answer
from .._common.validators import INTEGER, STRING, STRINGS, TypeValidator, is_string, is_strings, not_negative
from .._state.state import SandboxState

__all__ = ["BotInput", "Reply", "ToolCalls", "plan_reply", "plan_reply_after_tools"]

ToolCalls = Mapping[str, Any] | Sequence[tuple[str, Any]]
"""Names and arguments of tools."""


def _are_calls(value: Any) -> bool:
    if isinstance(value, Mapping):
        return is_strings([*value])
    return not isinstance(value, str) and all(
        isinstance(pair, Sequence) and len(pair) == 2 and is_string(pair[0]) for pair in value
    )


_REPLY = TypeValidator(
    "a string, a list of strings or a function",
    lambda value: value is None or callable(value) or is_string(value) or is_strings(value),
)
_CALLS = TypeValidator("arguments by name, or pairs of both", _are_calls)


@attrs.frozen
class BotInput:
    """The input of a bot, which stubs match.

    Attributes:
        bot_id: The bot; empty for a chatflow of an app.
        text: The user's message, or the outputs of tools, one per line.
    """

    bot_id: str
    text: str


@attrs.frozen(kw_only=True)
class Reply:
    """A stubbed reply. The attributes are arguments of `Scenario.reply`."""

    text: str | Sequence[str] | Callable[[str], str | Sequence[str]] | None = attrs.field(validator=_REPLY)
    reasoning: str = attrs.field(validator=STRING)
    suggestions: Sequence[str] = attrs.field(validator=STRINGS)
    tool_calls: ToolCalls = attrs.field(validator=_CALLS)
    code: int = attrs.field(validator=INTEGER)
    msg: str = attrs.field(validator=STRING)
    breaks_off: bool
    seconds: float | None = attrs.field(validator=not_negative)

    def plan(self, text: str, *, audio: bool) -> Plan:
        """Return the plan of this reply.

        Args:
            text: The input that it replies to.
            audio: Whether to add audio.
        """
        reply = self.text(text) if callable(self.text) else self.text
        deltas = () if reply is None or isinstance(reply, str) else tuple(reply)
        answer = "".join(deltas) if deltas else reply
        calls = self.tool_calls.items() if isinstance(self.tool_calls, Mapping) else self.tool_calls
        return Plan(
            reasoning=self.reasoning,
            answers=() if answer is None else (str(answer),),
            deltas=deltas,
            suggestions=tuple(self.suggestions),
            tool_calls=tuple((name, json.dumps(arguments, ensure_ascii=False)) for name, arguments in calls),
            error_code=self.code,
            error_msg=self.msg,
            breaks_off=self.breaks_off,
            seconds=self.seconds,
            audio=audio,
        )


def plan_reply(state: SandboxState, user_input: UserInput, *, bot_id: str, before: str | None, suggest: bool) -> Plan:
    """Return the plan for the reply to a user's message.

    Args:
        state: The state, which has the stubs.
        user_input: The user's message.
        bot_id: The bot; empty for a chatflow of an app.
        before: The previous message of the user in this section, or None.
        suggest: Whether the bot is configured to suggest questions.
    """
    reply: Reply | None = state.stubs.match("reply", BotInput(bot_id, user_input.text))
    if reply is None:
        return plan_answer(user_input, before=before, suggest=suggest)
    return reply.plan(user_input.text, audio=user_input.audio > 0)


def plan_reply_after_tools(state: SandboxState, outputs: list[tuple[str, str]], *, bot_id: str, audio: bool) -> Plan:
    """Return the plan for the reply to the outputs of tools.

    Args:
        state: The state, which has the stubs.
        outputs: Name and output of each call, in the order of the calls.
        bot_id: The bot; empty for a chatflow of an app.
        audio: Whether the question had audio.
    """
    text = "\n".join(output for _, output in outputs)
    reply: Reply | None = state.stubs.match("reply", BotInput(bot_id, text))
    return after_tools(outputs, audio=audio) if reply is None else reply.plan(text, audio=audio)
