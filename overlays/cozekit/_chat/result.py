"""Results of chats that are not streamed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs

from coze_api._core._decode import code_of, retryable
from coze_api._core._model import encode
from coze_api.errors import hint
from coze_api.models import Chat, ChatStatus, Message
from coze_api.operations import chat as _operations

from ..errors import ChatFailed
from .accumulator import answer_text, follow_up_questions, usage_of

if TYPE_CHECKING:
    from coze_api.models import ChatUsage
    from coze_api.params.chat import CreateParams, RetrieveParams

    from .._tool_results import ToolRun

__all__ = ["ChatResult", "ChatRun", "raise_if_failed", "retrieve_params"]


@attrs.frozen
class ChatResult:
    """A chat that has ended, or that waits for the caller.

    Attributes:
        chat: Its final state.
        messages: Its messages.
    """

    chat: Chat
    messages: list[Message]

    @property
    def status(self) -> ChatStatus:
        """How it ended; `ChatStatus.REQUIRES_ACTION` if it waits for tool outputs."""
        return self.chat.status

    @property
    def text(self) -> str:
        """The text of the answer."""
        return answer_text(self.messages)

    @property
    def follow_ups(self) -> list[str]:
        """Questions that the bot suggests."""
        return follow_up_questions(self.messages)

    @property
    def usage(self) -> ChatUsage | None:
        """Tokens used."""
        return usage_of(self.chat)

    @property
    def logid(self) -> str:
        """Log id of the request that returned the final state."""
        return self.chat.logid


@attrs.frozen
class ChatRun(ChatResult):
    """A chat that has ended, with the tool calls that it made.

    Attributes:
        chat: Its final state.
        messages: Its messages.
        tool_runs: The executed tool calls, in order.
    """

    tool_runs: list[ToolRun] = attrs.field(factory=list)


def retrieve_params(chat: Chat, arguments: CreateParams) -> RetrieveParams:
    """Return the arguments of requests about a chat that was started with *arguments*."""
    return {
        "conversation_id": chat.conversation_id,
        "chat_id": chat.id,
        "extra_headers": arguments.get("extra_headers"),
        "timeout": arguments.get("timeout"),
    }


def raise_if_failed(chat: Chat) -> Chat:
    """Return the chat.

    Raises:
        ChatFailed: It failed.
    """
    if chat.status is not ChatStatus.FAILED:
        return chat
    reason = encode(chat.last_error)
    reason = reason if isinstance(reason, dict) else {}
    code = code_of(reason)
    error = ChatFailed(
        str(reason.get("msg") or "the chat failed"),
        code=code,
        status=chat.response.status,
        logid=chat.logid,
        operation=_operations.RETRIEVE.id,
        hint=hint(code, 200, None),
        retryable=retryable(code, 200),
        response=chat.response,
    )
    error.chat = chat
    raise error
