"""Creation and storage of conversations."""

from __future__ import annotations

from typing import Any

from .._http.context import Call

__all__ = ["new_conversation", "store_conversation"]


def new_conversation(call: Call, *, bot_id: str, **members: Any) -> dict[str, Any]:
    """Create a conversation.

    Args:
        call: The call.
        bot_id: Its bot; empty for none.
        **members: Further members, such as `name`.
    """
    state, now = call.state, call.state.clock.seconds()
    key = state.new_id()
    conversation = {
        "id": key,
        "name": "",
        "meta_data": {},
        "creator_id": call.user_id,
        "created_at": now,
        "updated_at": now,
        "last_section_id": key,
        "connector_id": "1024",
        **members,
        "_bot_id": bot_id,
    }
    return store_conversation(call, conversation)


def store_conversation(call: Call, conversation: dict[str, Any]) -> dict[str, Any]:
    """Save a conversation, and return it."""
    key, bot_id = conversation["id"], conversation["_bot_id"]
    return call.state.store.put("conversation", key, conversation, bot_id)
