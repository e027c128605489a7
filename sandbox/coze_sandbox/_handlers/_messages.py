"""Messages that are added to a conversation without a chat."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .._bots.lifecycle import save_message
from .._http.context import Call

__all__ = ["enter_message"]


def enter_message(call: Call, conversation: Mapping[str, Any], message: Mapping[str, Any]) -> dict[str, Any]:
    """Add a message at the end of a conversation.

    Args:
        call: The call.
        conversation: The conversation.
        message: The message as sent.

    Returns:
        The saved message.
    """
    state, now = call.state, call.state.clock.seconds()
    kind = "question" if message["role"] == "user" else "answer"
    return save_message(
        state,
        {
            "id": state.new_id(),
            "conversation_id": conversation["id"],
            "bot_id": conversation["_bot_id"],
            "chat_id": "",
            "section_id": conversation["last_section_id"],
            "meta_data": message.get("meta_data", {}),
            "role": message["role"],
            "type": message.get("type", kind),
            "content": message.get("content", ""),
            "content_type": message.get("content_type", "text"),
            "created_at": now,
            "updated_at": now,
        },
    )
