"""Results of tool calls, and the types of the hooks that receive them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Literal

import attrs

from coze_api.models import ToolCall

__all__ = ["OnToolCall", "OnToolError", "OnToolRun", "ToolRun"]

OnToolCall = Callable[[ToolCall], object]
OnToolError = Literal["report", "raise"]


@attrs.frozen
class ToolRun:
    """A tool call that was executed.

    Attributes:
        call: The call as the bot sent it.
        name: Name of the tool.
        arguments: The arguments of its function; None if those of the bot were invalid or the tool does not exist.
        output: The text that was sent to the bot.
        error: A `ToolError`, or the exception that the function raised; None on success.
        seconds: How long the function ran.
    """

    call: ToolCall
    name: str
    arguments: Mapping[str, Any] | None
    output: str
    error: Exception | None
    seconds: float

    def __reduce__(self) -> tuple[Any, ...]:
        # Arguments and exceptions of a tool may be impossible to pickle.
        return (ToolRun, (self.call, self.name, None, self.output, None, self.seconds))


OnToolRun = Callable[[ToolRun], object]
