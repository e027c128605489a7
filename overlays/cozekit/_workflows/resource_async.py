"""Workflows: runs that know what a run is, and chats with chatflows that know what a chat is."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Unpack

from coze_api.models import chat as _chat_models
from coze_api.operations import workflows as _operations
from coze_api.resources.chat import AsyncChatAPI
from coze_api.resources.workflows import AsyncWorkflowsAPI, AsyncWorkflowsChatAPI

from .._call_options import hide_headers, split_options
from .._chat.stream_async import AsyncChatStream
from .runs_resource_async import AsyncWorkflowRuns

if TYPE_CHECKING:
    from coze_api.params.workflows import ChatStreamParams

__all__ = ["AsyncWorkflows"]


class AsyncWorkflowsChat(AsyncWorkflowsChatAPI):
    """Chat with chatflows."""

    def stream(self, **arguments: Unpack[ChatStreamParams]) -> AsyncChatStream:
        """Chat with a chatflow and follow it, as `chat.stream` does with a bot.

        Where a node asks the user, the stream ends early: the question is the answer so far. Call this again with the
        reply as the last message and with the same conversation.

        Args:
            **arguments: Those of the operation `workflows.chat.stream`.

        Returns:
            The stream. The request is sent when it is entered by `with` or first iterated over.

        Raises:
            InvalidArgumentError: An argument does not fit; nothing was sent.
            APIError: On opening: Coze refused the call.
            ChatFailed: While reading: the chat failed.
            StreamInterrupted: While reading: the stream broke off.
        """
        hide_headers(arguments)
        own, options = split_options(AsyncWorkflowsChatAPI.stream, arguments)
        stream = self._client.stream(_operations.CHAT_STREAM, _chat_models.ChatStream, own, options, AsyncChatStream)
        return stream._set_chat_ref(AsyncChatAPI(self._client), options)


class AsyncWorkflows(AsyncWorkflowsAPI):
    """Workflows: run them, and chat with chatflows."""

    @cached_property
    def chat(self) -> AsyncWorkflowsChat:
        """Chat with chatflows."""
        return AsyncWorkflowsChat(self._client)

    @cached_property
    def runs(self) -> AsyncWorkflowRuns:
        """Run workflows: in one piece, as a stream, in the background."""
        return AsyncWorkflowRuns(self._client)
