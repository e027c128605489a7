"""The script of the bot.

It echoes messages: the reply to `Hello` is `You said: Hello`. A message that starts with a command has another
effect:

| message | effect |
|---|---|
| `/say TEXT` | replies TEXT only |
| `/long N` | replies N words (default 200) |
| `/answers N` | sends N answers (default 2) |
| `/think TEXT` | sends `reasoning_content`, then the usual reply |
| `/recall` | repeats the previous message of this context section |
| `/suggest TEXT` | suggests three questions, regardless of the bot's settings |
| `/plugin TEXT` | calls a plugin: a function_call, a tool_response, then the answer |
| `/knowledge TEXT` | recalls knowledge first: a verbose knowledge_recall message |
| `/tool NAME JSON` | requires the output of a tool of the client; one call per line |
| `/fail CODE TEXT` | fails with this code and message (default 5000) |
| `/error CODE TEXT` | ends the stream with an `error` event; without a stream it fails |
| `/slow SECONDS TEXT` | sends the usual reply after SECONDS |

The reply to a message with audio has audio, too. If the output of a tool has `/tool` lines, the bot calls those tools
next.
"""

from __future__ import annotations

import json
from typing import Any

import attrs

from .._common.errors import CallError
from .._common.json_body import parse_json
from .content import UserInput

__all__ = ["Plan", "after_tools", "plan_answer"]

_WORDS = ("sand", "box", "castle", "spade", "shore", "tide", "shell", "dune")
_SUGGESTED = ("What else can you do?", "Why is that so?", "Can you give an example?")


@attrs.frozen(kw_only=True)
class Plan:
    """The plan of a turn, in values that can be stored as JSON.

    Attributes:
        reasoning: Reasoning before the first answer.
        knowledge: Recalled knowledge, or an empty string.
        plugin: Argument of a plugin call, or an empty string.
        answers: The answers.
        deltas: The deltas of the first answer; empty for the default ones.
        suggestions: Suggested questions.
        tool_calls: Names and JSON arguments of the required tools.
        error_code: Error code; 0 for none.
        error_msg: Error message.
        breaks_off: Whether the failure is an `error` event instead of a failed chat.
        audio: Whether to add audio.
        seconds: Duration; None for the default.
    """

    reasoning: str = ""
    knowledge: str = ""
    plugin: str = ""
    answers: tuple[str, ...] = ()
    deltas: tuple[str, ...] = ()
    suggestions: tuple[str, ...] = ()
    tool_calls: tuple[tuple[str, str], ...] = ()
    error_code: int = 0
    error_msg: str = ""
    breaks_off: bool = False
    audio: bool = False
    seconds: float | None = None


def plan_answer(user_input: UserInput, *, before: str | None, suggest: bool) -> Plan:
    """Return the plan for the reply to a message.

    Args:
        user_input: The user's message.
        before: The previous message of the user in this section, or None.
        suggest: Whether the bot is configured to suggest questions.
    """
    command, _, rest = user_input.text.partition(" ")
    rest = rest.strip()
    settings: dict[str, Any] = {"audio": user_input.audio > 0, "suggestions": _SUGGESTED if suggest else ()}
    match command:
        case "/say":
            return Plan(answers=(rest,), **settings)
        case "/long":
            count = _number(rest, 200)
            text = " ".join(_WORDS[number % len(_WORDS)] for number in range(count))
            return Plan(answers=(text,), **settings)
        case "/answers":
            count = _number(rest, 2)
            answers = tuple(f"Answer {number} of {count}." for number in range(1, count + 1))
            return Plan(answers=answers, **settings)
        case "/recall":
            answer = f"Before that you said: {before}" if before else "You said nothing before."
            return Plan(answers=(answer,), **settings)
        case "/fail" | "/error":
            code, _, text = rest.partition(" ")
            return Plan(
                error_code=_number(code, 5000), error_msg=text or "event interval error", breaks_off=command == "/error"
            )
        case "/tool":
            return Plan(tool_calls=_tool_calls(user_input.text), audio=user_input.audio > 0)
        case "/slow":
            seconds, _, text = rest.partition(" ")
            slow = UserInput(text or seconds, user_input.images, user_input.files, user_input.audio)
            return Plan(answers=(_echo(slow),), seconds=_seconds(seconds), **settings)
    settings["answers"] = (_echo(user_input),)
    match command:
        case "/think":
            settings["answers"] = (_echo(UserInput(rest)),)
            return Plan(reasoning=f"The user says {rest!r}. I repeat it.", **settings)  # codespell:ignore says
        case "/suggest":
            settings.update(answers=(_echo(UserInput(rest)),), suggestions=_SUGGESTED)
        case "/plugin":
            settings["answers"] = (f"The plugin says: {rest[::-1]}",)
            return Plan(plugin=rest, **settings)
        case "/knowledge":
            settings["answers"] = (f"My knowledge has something on {rest}.",)
            return Plan(knowledge=rest, **settings)
    return Plan(**settings)


def after_tools(outputs: list[tuple[str, str]], *, audio: bool) -> Plan:
    """Return the plan for the reply to tool outputs: further tool calls, or an answer.

    Args:
        outputs: Name and output of each call, in the order of the calls.
        audio: Whether the question had audio.
    """
    next_calls = tuple(call for _, output in outputs for call in _tool_calls(output))
    if next_calls:
        return Plan(tool_calls=next_calls, audio=audio)
    text = "; ".join(f"{name} says: {output}" for name, output in outputs)
    return Plan(answers=(text,), audio=audio)


def _echo(user_input: UserInput) -> str:
    text = f"You said: {user_input.text}" if user_input.text else "You said nothing."
    attached = [
        f"{count} {name}{'' if count == 1 else 's'}"
        for count, name in ((user_input.images, "image"), (user_input.files, "file"), (user_input.audio, "sound"))
        if count
    ]
    return f"{text} I got {' and '.join(attached)}." if attached else text


def _tool_calls(text: str) -> tuple[tuple[str, str], ...]:
    calls = []
    for line in text.splitlines():
        command, _, rest = line.strip().partition(" ")
        name, _, arguments = rest.strip().partition(" ")
        if command == "/tool":
            calls.append((name or "get_weather", _json_object(arguments)))
    return tuple(calls)


def _json_object(text: str) -> str:
    try:
        value = parse_json(text, "arguments")
    except CallError:
        value = {"input": text} if text else {}
    return json.dumps(value if isinstance(value, dict) else {"input": value}, ensure_ascii=False)


def _number(text: str, default: int) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else default


def _seconds(text: str) -> float:
    try:
        return min(max(float(text), 0.0), 3600.0)
    except ValueError:
        return 1.0
