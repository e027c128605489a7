"""Chats that call tools."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Unpack

from coze_api.models import Chat as ChatState

from .._call_options import hide_headers
from .._polling import Waiting
from ..errors import InvalidArgumentError
from .resource import Chat
from .resource_async import AsyncChat
from .result import raise_if_failed, retrieve_params
from .stream import ChatStream
from .stream_async import AsyncChatStream

if TYPE_CHECKING:
    from coze_api.models import ToolOutput
    from coze_api.params.chat import CreateParams, StreamParams

    from .._tools.runner import OnToolCall, OnToolError, OnToolRun, ToolRunner
    from .run_stream import AsyncChatRunStream, ChatRun, ChatRunStream

__all__ = ["AsyncChatResource", "ChatResource"]


def _require_saved_history(arguments: Mapping[str, Any]) -> None:
    if arguments.get("auto_save_history") is False:
        raise InvalidArgumentError("chats that call tools need auto_save_history; leave it out or set it to True")


def _tool_runner(tools: Sequence[Callable[..., Any]], **settings: Any) -> ToolRunner:
    from .._tools.runner import ToolRunner  # loaded by those who have tools

    return ToolRunner.create(tools, **settings)


class ChatResource(Chat):
    """Chat with a bot: by stream, by starting a chat and asking for its result, or with tools."""

    def run(
        self,
        *,
        tools: Sequence[Callable[..., Any]],
        max_rounds: int = 10,
        on_tool_error: OnToolError = "report",
        on_tool_call: OnToolCall | None = None,
        on_tool_run: OnToolRun | None = None,
        cancel_on_exit: bool = False,
        poll_interval: float = 1.0,
        poll_timeout: float = 600.0,
        **arguments: Unpack[CreateParams],
    ) -> ChatRun:
        """Start a chat without streaming, carry out the tools that it calls, and wait until it ends.

        The tools are those of the bot's plugins that run at your side. Several calls at once are carried out side by
        side, in threads, and answered together. Arguments that do not fit a function and calls of tools that are not
        there are told to the bot, which can try again.

        Args:
            tools: Functions, called with what the bot gives by name, and what `cozekit.tool` returns. A text that one
                returns is told as it is, anything else as JSON.
            max_rounds: How often the bot may be told results.
            on_tool_error: "report" tells the bot that a tool failed, and goes on; "raise" ends by `ToolFailed`. The bot
                gets to know the class of the exception, and its text only if it is a `ToolError`. The exception is
                logged by the logger `cozekit.tools`.
            on_tool_call: Called with each `ToolCall` before it is carried out.
            on_tool_run: Called with each `ToolRun` after it was carried out.
            cancel_on_exit: As in `create_and_poll`.
            poll_interval: As in `create_and_poll`.
            poll_timeout: Seconds to wait at most in each round.
            **arguments: Those of `create`. `extra_headers` and `timeout` go with every request.

        Returns:
            The chat with its messages and the tools that it called. Its status is that of a waiting chat where a
            workflow asks the user: the question is the answer so far, and the reply is a new message.

        Raises:
            InvalidArgumentError: A function is no tool, or an argument does not fit; nothing was sent.
            ActionRequired: The bot calls tools and *tools* is empty.
            ToolRoundsExceeded: The bot called tools after *max_rounds* rounds.
            ToolFailed: A tool raised, and *on_tool_error* is "raise".
            ChatFailed: The chat failed.
            PollTimeout: It did not end in time.
            APIError: Coze refused a call.
        """
        hide_headers(arguments)
        runner = _tool_runner(
            tools, allow_async=False, max_rounds=max_rounds, on_tool_error=on_tool_error, on_tool_call=on_tool_call,
            on_tool_run=on_tool_run,
        )  # fmt: skip
        _require_saved_history(arguments)
        chat: ChatState = self.create(**arguments)
        chat_arguments = retrieve_params(chat, arguments)
        while True:
            chat = self._wait(chat, chat_arguments, Waiting(poll_interval, poll_timeout), cancel_on_exit=cancel_on_exit)
            outputs = runner.run_calls(raise_if_failed(chat))
            if not outputs:
                from .run_stream import ChatRun

                return ChatRun(chat, self.messages.list(**chat_arguments), runner.runs)
            chat = self.submit_tool_outputs(tool_outputs=outputs, **chat_arguments)

    def run_stream(
        self,
        *,
        tools: Sequence[Callable[..., Any]],
        max_rounds: int = 10,
        on_tool_error: OnToolError = "report",
        on_tool_call: OnToolCall | None = None,
        on_tool_run: OnToolRun | None = None,
        cancel_on_exit: bool = False,
        **arguments: Unpack[StreamParams],
    ) -> ChatRunStream:
        """Start a chat, carry out the tools that it calls, and follow it through all rounds as one stream.

        Args:
            tools: As in `run`, like all others.
            max_rounds: How often the bot may be told results.
            on_tool_error: What becomes of an exception of a tool.
            on_tool_call: Called with each `ToolCall` before it is carried out.
            on_tool_run: Called with each `ToolRun` after it was carried out.
            cancel_on_exit: As in `stream`.
            **arguments: Those of `create`. `extra_headers` and `timeout` go with every request.

        Returns:
            The stream. The request is sent when it is entered by `with` or first iterated over.

        Raises:
            InvalidArgumentError: A function is no tool, or an argument does not fit; nothing was sent.
            APIError: On opening: Coze refused the call.
            ActionRequired: While reading, as for `run`; so are `ToolRoundsExceeded` and `ToolFailed`.
            ChatFailed: While reading: the chat failed.
            StreamInterrupted: While reading: the stream broke off.
        """
        hide_headers(arguments)
        runner = _tool_runner(
            tools, allow_async=False, max_rounds=max_rounds, on_tool_error=on_tool_error, on_tool_call=on_tool_call,
            on_tool_run=on_tool_run,
        )  # fmt: skip
        _require_saved_history(arguments)

        def submit(chat: ChatState, outputs: list[ToolOutput]) -> ChatStream:
            return self.submit_tool_outputs_stream(
                tool_outputs=outputs, cancel_on_exit=cancel_on_exit, **retrieve_params(chat, arguments)
            )

        from .run_stream import ChatRunStream

        return ChatRunStream(self.stream(cancel_on_exit=cancel_on_exit, **arguments), runner, submit)


class AsyncChatResource(AsyncChat):
    """Chat with a bot: by stream, by starting a chat and asking for its result, or with tools."""

    async def run(
        self,
        *,
        tools: Sequence[Callable[..., Any]],
        max_rounds: int = 10,
        on_tool_error: OnToolError = "report",
        on_tool_call: OnToolCall | None = None,
        on_tool_run: OnToolRun | None = None,
        cancel_on_exit: bool = False,
        poll_interval: float = 1.0,
        poll_timeout: float = 600.0,
        **arguments: Unpack[CreateParams],
    ) -> ChatRun:
        """Start a chat without streaming, carry out the tools that it calls, and wait until it ends.

        See the sync client. Tools may be async; sync ones are called in threads.
        """
        hide_headers(arguments)
        runner = _tool_runner(
            tools, allow_async=True, max_rounds=max_rounds, on_tool_error=on_tool_error, on_tool_call=on_tool_call,
            on_tool_run=on_tool_run,
        )  # fmt: skip
        _require_saved_history(arguments)
        chat: ChatState = await self.create(**arguments)
        chat_arguments = retrieve_params(chat, arguments)
        while True:
            chat = await self._wait(
                chat, chat_arguments, Waiting(poll_interval, poll_timeout), cancel_on_exit=cancel_on_exit
            )
            outputs = await runner.arun_calls(raise_if_failed(chat))
            if not outputs:
                from .run_stream import ChatRun

                return ChatRun(chat, await self.messages.list(**chat_arguments), runner.runs)
            chat = await self.submit_tool_outputs(tool_outputs=outputs, **chat_arguments)

    def run_stream(
        self,
        *,
        tools: Sequence[Callable[..., Any]],
        max_rounds: int = 10,
        on_tool_error: OnToolError = "report",
        on_tool_call: OnToolCall | None = None,
        on_tool_run: OnToolRun | None = None,
        cancel_on_exit: bool = False,
        **arguments: Unpack[StreamParams],
    ) -> AsyncChatRunStream:
        """Start a chat, carry out the tools that it calls, and follow it through all rounds as one stream.

        See the sync client. Tools may be async; sync ones are called in threads.
        """
        hide_headers(arguments)
        runner = _tool_runner(
            tools, allow_async=True, max_rounds=max_rounds, on_tool_error=on_tool_error, on_tool_call=on_tool_call,
            on_tool_run=on_tool_run,
        )  # fmt: skip
        _require_saved_history(arguments)

        def submit(chat: ChatState, outputs: list[ToolOutput]) -> AsyncChatStream:
            return self.submit_tool_outputs_stream(
                tool_outputs=outputs, cancel_on_exit=cancel_on_exit, **retrieve_params(chat, arguments)
            )

        from .run_stream import AsyncChatRunStream

        return AsyncChatRunStream(self.stream(cancel_on_exit=cancel_on_exit, **arguments), runner, submit)
