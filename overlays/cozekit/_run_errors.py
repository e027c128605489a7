"""What can become of chats, runs, copies and tools. `cozekit.errors` shows these beside all others."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from coze_api._core._errors import restore, show_in
from coze_api.errors import CozeError, StreamFailed

if TYPE_CHECKING:
    from coze_api.models import Chat, CopyTask

    from ._tools.runner import ToolRun

__all__ = [
    "ActionRequired",
    "ChatFailed",
    "CopyFailed",
    "PollTimeout",
    "ToolError",
    "ToolFailed",
    "ToolRoundsExceeded",
    "WorkflowFailed",
]


class PollTimeout(CozeError, TimeoutError):
    """Something did not end in the time given. It goes on; ask for it again later, or cancel it.

    Attributes:
        chat: The chat as it was last seen; None if it is no chat.
        last: What was waited for, as it was last seen: a chat, a run of a workflow, documents, a copy
            task; None if never.
    """

    def __init__(self, message: str, *, chat: Chat | None = None, last: Any = None) -> None:
        super().__init__(message)
        self.chat = chat
        self.last = last

    def __reduce__(self) -> tuple[Any, ...]:
        state = {**self.__dict__, "chat": _detached(self.chat), "last": _detached(self.last)}
        return (restore, (type(self), str(self), state))


class ChatFailed(StreamFailed):
    """A chat ended in failure. `code` and `msg` tell why.

    Attributes:
        chat: The chat, as far as it is known.
        stream: The stream that told it, with what arrived; None where the chat was asked for.
    """

    chat: Chat | None = None
    stream: Any = None

    def __reduce__(self) -> tuple[Any, ...]:
        # The stream holds a connection, which stays in the process that made it.
        state = {**self.__dict__, "response": None, "stream": None, "chat": _detached(self.chat)}
        return (restore, (type(self), self.msg, state))


class WorkflowFailed(StreamFailed):
    """A run of a workflow failed. `code`, `msg` and `debug_url` tell why and where.

    Attributes:
        run: The run with all that it told: a `WorkflowRun`, or a `WorkflowResult` of a run in the background.
    """

    run: Any = None

    def __reduce__(self) -> tuple[Any, ...]:
        # The run holds a connection, which stays in the process that made it.
        return (restore, (type(self), self.msg, {**self.__dict__, "response": None, "run": None}))


class CopyFailed(CozeError):
    """A bot, an app or a workflow could not be copied, or something that it needs. The text tells what and why.

    Attributes:
        task: The task that failed; its `failed_reasons` list what could not be copied.
    """

    def __init__(self, message: str, *, task: CopyTask) -> None:
        super().__init__(message)
        self.task = task

    def __reduce__(self) -> tuple[Any, ...]:
        return (restore, (type(self), str(self), {**self.__dict__, "task": _detached(self.task)}))


class ToolError(CozeError):
    """Raise it in a tool to tell the bot what went wrong: its text is what the bot reads.

    Of any other exception of a tool the bot gets to know the class alone.
    """


class ActionRequired(CozeError):
    """A chat waits for something that the call did not provide for, such as tools where none were given.

    It waits until it expires, and cannot be canceled meanwhile.

    Attributes:
        chat: The chat. What it waits for is in its `required_action`; `chat.submit_tool_outputs` goes on with it.
    """

    def __init__(self, message: str, *, chat: Chat | None) -> None:
        super().__init__(message)
        self.chat = chat

    def __reduce__(self) -> tuple[Any, ...]:
        return (restore, (type(self), str(self), {**self.__dict__, "chat": _detached(self.chat)}))


class ToolRoundsExceeded(ActionRequired):
    """A bot called tools more often than it was allowed to.

    Attributes:
        tool_runs: The calls that were carried out.
    """

    def __init__(self, message: str, *, chat: Chat | None, tool_runs: list[ToolRun]) -> None:
        super().__init__(message, chat=chat)
        self.tool_runs = tool_runs


class ToolFailed(ActionRequired):
    """A tool raised an exception, which is the cause of this one.

    Attributes:
        tool_run: The call.
    """

    def __init__(self, message: str, *, chat: Chat | None, tool_run: ToolRun) -> None:
        super().__init__(message, chat=chat)
        self.tool_run = tool_run


def _detached(thing: Any) -> Any:
    """Copy a model without the HTTP answer that it came in, which holds a connection and the token."""
    return None if thing is None else type(thing).from_dict(thing.to_dict())


show_in(f"{__package__}.errors", globals(), __all__)
