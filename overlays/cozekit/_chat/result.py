"""What becomes of a chat that is not streamed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs

from coze_api._core._model import encode
from coze_api._core._response import code_of, retryable
from coze_api.errors import hint
from coze_api.models import Chat, ChatStatus, Message
from coze_api.operations import chat as _operations

from .._polling import goes_on
from ..errors import ChatFailed
from .accumulator import answer_text, follow_up_questions, usage_of

if TYPE_CHECKING:
    from coze_api.models import ChatUsage
    from coze_api.params.chat import CreateParams, RetrieveParams

    from .._polling import Waiting

__all__ = ["ChatResult", "retrieve_params", "is_chat_pending", "raise_if_failed"]


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
        """How it ended; `ChatStatus.REQUIRES_ACTION` where it waits for tool outputs."""
        return self.chat.status

    @property
    def text(self) -> str:
        """The answer."""
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
        """Log id of the call that told the end."""
        return self.chat.logid


def retrieve_params(chat: Chat, arguments: CreateParams) -> RetrieveParams:
    """Return the arguments for asking about a chat that was started with *arguments*."""
    return {
        "conversation_id": chat.conversation_id,
        "chat_id": chat.id,
        "extra_headers": arguments.get("extra_headers"),
        "timeout": arguments.get("timeout"),
    }


def is_chat_pending(chat: Chat, waiting: Waiting) -> bool:
    """Tell whether the chat still runs.

    Raises:
        PollTimeout: It runs for too long.
    """
    return goes_on(_operations.CREATE, chat, waiting, f"the chat {chat.id} did not end", chat=chat, last=chat)


def raise_if_failed(chat: Chat) -> Chat:
    """Raise what a failed chat tells."""
    if chat.status is not ChatStatus.FAILED:
        return chat
    told = encode(chat.last_error)
    told = told if isinstance(told, dict) else {}
    code = code_of(told)
    error = ChatFailed(
        str(told.get("msg") or "the chat failed"),
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
