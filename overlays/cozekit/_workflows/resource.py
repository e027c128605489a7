# @generated from resource_async.py by `python -m generator sync`; do not edit.
"""Workflows: runs that know what a run is, and chats with chatflows that know what a chat is."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Unpack

from coze_api.models import chat as _chat_models
from coze_api.operations import workflows as _operations
from coze_api.resources.chat import ChatAPI
from coze_api.resources.workflows import WorkflowsAPI, WorkflowsChatAPI

from .._call_options import hide_headers, split_options
from .._chat.stream import ChatStream
from .runs_resource import WorkflowRuns

if TYPE_CHECKING:
    from coze_api.params.workflows import ChatStreamParams

__all__ = ["Workflows"]


class WorkflowsChat(WorkflowsChatAPI):
    """Chat with chatflows."""

    def stream(self, **arguments: Unpack[ChatStreamParams]) -> ChatStream:
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
        own, options = split_options(WorkflowsChatAPI.stream, arguments)
        stream = self._client.stream(_operations.CHAT_STREAM, _chat_models.ChatStream, own, options, ChatStream)
        return stream._set_chat_ref(ChatAPI(self._client), options)


class Workflows(WorkflowsAPI):
    """Workflows: run them, and chat with chatflows."""

    @cached_property
    def chat(self) -> WorkflowsChat:
        """Chat with chatflows."""
        return WorkflowsChat(self._client)

    @cached_property
    def runs(self) -> WorkflowRuns:
        """Run workflows: in one piece, as a stream, in the background."""
        return WorkflowRuns(self._client)
