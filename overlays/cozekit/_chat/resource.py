# @generated from resource_async.py by `python -m generator sync`; do not edit.
"""Chatting with bots: by stream, by polling, and with tools."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Unpack

from coze_api.models import Chat
from coze_api.models import chat as _models
from coze_api.operations import chat as _operations
from coze_api.resources.chat import ChatAPI

from .._call_options import hide_headers, split_options
from .._polling import poll_until_done
from ..errors import InvalidArgumentError
from .cancel_on_exit import cancel_chat
from .result import ChatResult, ChatRun, raise_if_failed, retrieve_params
from .stream import ChatStream

if TYPE_CHECKING:
    from coze_api.models import ToolOutput
    from coze_api.params.chat import CreateParams, RetrieveParams, StreamParams, SubmitToolOutputsStreamParams

    from .._tool_results import OnToolCall, OnToolError, OnToolRun
    from .._tools.runner import ToolRunner
    from .run_stream import ChatRunStream

__all__ = ["ChatResource"]


class ChatResource(ChatAPI):
    """Chat with a bot: by stream, by starting a chat and polling it, or with tools."""

    def stream(self, *, cancel_on_exit: bool = False, **arguments: Unpack[StreamParams]) -> ChatStream:
        """Start a chat and stream its events. Takes the arguments of `create`.

        Args:
            cancel_on_exit: Whether closing the stream before its end cancels the chat, so that it does not continue
                unseen and another chat can be started in its conversation. Needs the permission of `chat.cancel`. After
                `StreamInterrupted` the chat is not canceled, since it can be recovered.
            **arguments: Those of `create`.

        Returns:
            The stream. The request is sent when it is entered by `with` or first iterated over.

        Raises:
            InvalidArgumentError: An argument is invalid; nothing was sent.
            APIError: On opening: Coze returned an error.
            ChatFailed: While reading: the chat failed.
            StreamInterrupted: While reading: the stream was interrupted.
        """
        hide_headers(arguments)
        params, options = split_options(ChatAPI.stream, arguments)
        stream = self._client.stream(_operations.STREAM, _models.ChatStream, params, options, ChatStream)
        return stream._set_chat_ref(self, options, cancel_on_exit=cancel_on_exit)

    def submit_tool_outputs_stream(
        self, *, cancel_on_exit: bool = False, **arguments: Unpack[SubmitToolOutputsStreamParams]
    ) -> ChatStream:
        """Send the outputs of tool calls and stream the events that follow.

        Args:
            cancel_on_exit: Whether closing the stream before its end cancels the chat, as in `stream`.
            **arguments: Those of `submit_tool_outputs`.

        Returns:
            The stream. The request is sent when it is entered by `with` or first iterated over.

        Raises:
            InvalidArgumentError: An argument is invalid; nothing was sent.
            APIError: On opening: Coze returned an error.
            ChatFailed: While reading: the chat failed.
            StreamInterrupted: While reading: the stream was interrupted.
        """
        hide_headers(arguments)
        params, options = split_options(ChatAPI.submit_tool_outputs_stream, arguments)
        operation = _operations.SUBMIT_TOOL_OUTPUTS_STREAM
        stream = self._client.stream(operation, _models.ChatStream, params, options, ChatStream)
        ids = arguments["conversation_id"], arguments["chat_id"]
        return stream._set_chat_ref(self, options, *ids, cancel_on_exit=cancel_on_exit)

    def create_and_poll(
        self,
        *,
        cancel_on_exit: bool = False,
        poll_interval: float = 1.0,
        poll_timeout: float = 600.0,
        **arguments: Unpack[CreateParams],
    ) -> ChatResult:
        """Start a chat without streaming and wait until it ends.

        Args:
            cancel_on_exit: Whether to cancel the chat if waiting stops before it ends: by the timeout, an exception or
                Ctrl-C. Needs the permission of `chat.cancel`.
            poll_interval: Seconds between two polls; Coze wants at least one. Grows up to 5 seconds.
            poll_timeout: Seconds to wait at most.
            **arguments: Those of `create`. `extra_headers` and `timeout` are used for every request.

        Returns:
            The chat with its messages, when it is completed or canceled, or waits for tool outputs; `run` sends those.

        Raises:
            ChatFailed: The chat failed.
            PollTimeout: It did not end in time.
            APIError: Coze returned an error.
        """
        hide_headers(arguments)
        chat: Chat = self.create(**arguments)
        params = retrieve_params(chat, arguments)
        chat = self._wait(chat, params, poll_interval, poll_timeout, cancel_on_exit)
        return ChatResult(raise_if_failed(chat), self.messages.list(**params))

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
        """Start a chat without streaming, execute the tools that it calls, and wait until it ends.

        The tools are those of the bot's plugins that run on the client side. Calls of one round are executed
        concurrently, sync functions in threads, and their outputs are sent together. If arguments do not match a
        function, or a tool does not exist, the bot gets an error message and can try again.

        Args:
            tools: Functions, called with the bot's arguments by name, and results of `cozekit.tool`. Text that a
                function returns is sent as it is, anything else as JSON. Async functions need the async client.
            max_rounds: How many times tool outputs may be sent to the bot.
            on_tool_error: "report" sends an error message to the bot if a tool raises, and continues; "raise" ends the
                run by `ToolFailed`. The message contains the class of the exception, and its text only if it is a
                `ToolError`. The logger `cozekit.tools` logs the exception.
            on_tool_call: Called with each `ToolCall` before it is executed.
            on_tool_run: Called with each `ToolRun` after it was executed.
            cancel_on_exit: Whether to cancel the chat if waiting stops before it ends, as in `create_and_poll`.
            poll_interval: Seconds between two polls; Coze wants at least one. Grows up to 5 seconds.
            poll_timeout: Seconds to wait at most in each round.
            **arguments: Those of `create`. `extra_headers` and `timeout` are used for every request.

        Returns:
            The chat with its messages and the executed tool calls. If a workflow has a question to the user, its status
            is that of a waiting chat: the question is the answer so far, and the reply is a new message.

        Raises:
            InvalidArgumentError: A function is not a tool, or an argument is invalid; nothing was sent.
            ActionRequired: The bot calls tools and *tools* is empty.
            ToolRoundsExceeded: The bot calls tools again after *max_rounds* rounds.
            ToolFailed: A tool raised, and *on_tool_error* is "raise".
            ChatFailed: The chat failed.
            PollTimeout: It did not end in time.
            APIError: Coze returned an error.
        """
        hide_headers(arguments)
        settings = {"on_tool_error": on_tool_error, "on_tool_call": on_tool_call, "on_tool_run": on_tool_run}
        runner = _tool_runner(tools, arguments, max_rounds=max_rounds, **settings)
        chat: Chat = self.create(**arguments)
        params = retrieve_params(chat, arguments)
        while True:
            chat = self._wait(chat, params, poll_interval, poll_timeout, cancel_on_exit)
            outputs = runner.run_calls(raise_if_failed(chat))
            if not outputs:
                return ChatRun(chat, self.messages.list(**params), runner.runs)
            chat = self.submit_tool_outputs(tool_outputs=outputs, **params)

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
        """Start a chat, execute the tools that it calls, and stream the events of all rounds as one stream.

        Args:
            tools: Functions that the bot may call, as in `run`.
            max_rounds: How many times tool outputs may be sent to the bot.
            on_tool_error: Whether an exception of a tool is reported to the bot or raised, as in `run`.
            on_tool_call: Called with each `ToolCall` before it is executed.
            on_tool_run: Called with each `ToolRun` after it was executed.
            cancel_on_exit: Whether closing the stream before its end cancels the chat, as in `stream`.
            **arguments: Those of `create`. `extra_headers` and `timeout` are used for every request.

        Returns:
            The stream. The request is sent when it is entered by `with` or first iterated over.

        Raises:
            InvalidArgumentError: A function is not a tool, or an argument is invalid; nothing was sent.
            APIError: On opening: Coze returned an error.
            ActionRequired: While reading: the bot calls tools and *tools* is empty.
            ToolRoundsExceeded: While reading: the bot calls tools again after *max_rounds* rounds.
            ToolFailed: While reading: a tool raised, and *on_tool_error* is "raise".
            ChatFailed: While reading: the chat failed.
            StreamInterrupted: While reading: the stream was interrupted.
        """
        hide_headers(arguments)
        settings = {"on_tool_error": on_tool_error, "on_tool_call": on_tool_call, "on_tool_run": on_tool_run}
        runner = _tool_runner(tools, arguments, max_rounds=max_rounds, **settings)

        def submit(chat: Chat, outputs: list[ToolOutput]) -> ChatStream:
            params = retrieve_params(chat, arguments)
            return self.submit_tool_outputs_stream(tool_outputs=outputs, cancel_on_exit=cancel_on_exit, **params)

        from .run_stream import ChatRunStream  # only needed for chats with tools

        return ChatRunStream(self.stream(cancel_on_exit=cancel_on_exit, **arguments), runner, submit)

    def _wait(self, chat: Chat, params: RetrieveParams, interval: float, limit: float, cancel_on_exit: bool) -> Chat:
        unfinished = f"the chat {chat.id} did not end"
        try:
            return poll_until_done(
                _operations.CREATE,
                lambda: self.retrieve(**params),
                unfinished,
                interval=interval,
                limit=limit,
                response=chat,
            )
        except BaseException:
            if cancel_on_exit:
                cancel_chat(self, chat)
            raise


def _tool_runner(tools: Sequence[Callable[..., Any]], arguments: Mapping[str, Any], **settings: Any) -> ToolRunner:
    from .._tools.runner import ToolRunner  # only needed for chats with tools

    runner = ToolRunner.create(tools, **settings)
    if arguments.get("auto_save_history") is False:
        raise InvalidArgumentError("chats that call tools need auto_save_history; omit it or set it to True")
    return runner
