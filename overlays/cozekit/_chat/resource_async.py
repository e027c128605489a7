"""Chatting: streams that know what a chat is, and waiting for a chat that is not streamed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Unpack

from coze_api.models import Chat as ChatState
from coze_api.models import chat as _models
from coze_api.operations import chat as _operations
from coze_api.resources.chat import AsyncChatAPI

from .._call_options import hide_headers, split_options
from .._polling import Waiting
from .cancel_on_exit import AsyncLeavableStream, acancel_chat
from .result import ChatResult, is_chat_pending, raise_if_failed, retrieve_params
from .stream_async import AsyncChatStream

if TYPE_CHECKING:
    from coze_api.params.chat import CreateParams, RetrieveParams, StreamParams, SubmitToolOutputsStreamParams

__all__ = ["AsyncChat"]


class AsyncChat(AsyncChatAPI):
    """Chat with a bot: by stream, or by starting a chat and asking for its result."""

    def stream(self, *, cancel_on_exit: bool = False, **arguments: Unpack[StreamParams]) -> AsyncChatStream:
        """Start a chat and follow it. Takes the arguments of `create`.

        Args:
            cancel_on_exit: Whether closing the stream before its end cancels the chat, so that it does not go on unseen
                and another can be started in its conversation. Needs the permission of `chat.cancel`. A stream that
                broke off (`StreamInterrupted`) cancels nothing: its chat can still be asked for.
            **arguments: Those of `create`.

        Returns:
            The stream. The request is sent when it is entered by `with` or first iterated over.

        Raises:
            InvalidArgumentError: An argument does not fit; nothing was sent.
            APIError: On opening: Coze refused the call.
            ChatFailed: While reading: the chat failed.
            StreamInterrupted: While reading: the stream broke off.
        """
        hide_headers(arguments)
        own, options = split_options(AsyncChatAPI.stream, arguments)
        kind = AsyncLeavableStream if cancel_on_exit else AsyncChatStream
        stream = self._client.stream(_operations.STREAM, _models.ChatStream, own, options, kind)._set_chat_ref(
            self, options
        )
        return stream.canceling_by(self.cancel) if isinstance(stream, AsyncLeavableStream) else stream

    def submit_tool_outputs_stream(
        self, *, cancel_on_exit: bool = False, **arguments: Unpack[SubmitToolOutputsStreamParams]
    ) -> AsyncChatStream:
        """Hand over results of tool calls and follow the chat as it goes on. See `stream`."""
        hide_headers(arguments)
        own, options = split_options(AsyncChatAPI.submit_tool_outputs_stream, arguments)
        operation = _operations.SUBMIT_TOOL_OUTPUTS_STREAM
        kind = AsyncLeavableStream if cancel_on_exit else AsyncChatStream
        stream = self._client.stream(operation, _models.ChatStream, own, options, kind)
        stream._set_chat_ref(self, options, arguments["conversation_id"], arguments["chat_id"])
        return stream.canceling_by(self.cancel) if isinstance(stream, AsyncLeavableStream) else stream

    async def create_and_poll(
        self,
        *,
        cancel_on_exit: bool = False,
        poll_interval: float = 1.0,
        poll_timeout: float = 600.0,
        **arguments: Unpack[CreateParams],
    ) -> ChatResult:
        """Start a chat without streaming and wait until it ends.

        Args:
            cancel_on_exit: Whether to cancel the chat where the waiting ends before it does: by time, by an exception,
                by Ctrl-C. Needs the permission of `chat.cancel`.
            poll_interval: Seconds before asking again; Coze wants at least one. Grows up to 5 seconds.
            poll_timeout: Seconds to wait at most.
            **arguments: Those of `create`. `extra_headers` and `timeout` go with every request.

        Returns:
            The chat with its messages, when it was completed or canceled, or waits for tool outputs; `run` provides
            them.

        Raises:
            ChatFailed: The chat failed.
            PollTimeout: It did not end in time.
            APIError: Coze refused a call.
        """
        hide_headers(arguments)
        chat: ChatState = await self.create(**arguments)
        chat_arguments = retrieve_params(chat, arguments)
        chat = await self._wait(
            chat, chat_arguments, Waiting(poll_interval, poll_timeout), cancel_on_exit=cancel_on_exit
        )
        return ChatResult(raise_if_failed(chat), await self.messages.list(**chat_arguments))

    async def _wait(
        self, chat: ChatState, chat_arguments: RetrieveParams, waiting: Waiting, *, cancel_on_exit: bool
    ) -> ChatState:
        try:
            while is_chat_pending(chat, waiting):
                await waiting.asleep()
                chat = await self.retrieve(**chat_arguments)
        except BaseException:
            if cancel_on_exit:
                await acancel_chat(self.cancel, chat)
            raise
        return chat
