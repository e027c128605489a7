"""Which chat a stream belongs to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import attrs

if TYPE_CHECKING:
    from coze_api._core._operation import Options
    from coze_api.params.chat import RetrieveParams

__all__ = ["ChatRef"]


@attrs.frozen
class ChatRef:
    """The chat of a stream, and the resource that fetches it.

    Attributes:
        chats: The resource: `ChatAPI` or `AsyncChatAPI`.
        options: The options of the request that opened the stream.
        conversation_id: Conversation of the chat; "" while it is unknown.
        chat_id: Id of the chat; "" while it is unknown.
    """

    chats: Any
    options: Options
    conversation_id: str = ""
    chat_id: str = ""

    @property
    def params(self) -> RetrieveParams:
        """The arguments of every request about the chat."""
        return {
            "conversation_id": self.conversation_id,
            "chat_id": self.chat_id,
            "extra_headers": self.options.headers,
            "timeout": self.options.timeout,
        }
