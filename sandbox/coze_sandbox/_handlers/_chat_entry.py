"""How a chat begins: the chat itself, and what was said to it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from .._call import Call
from .._chat_state import save_message
from .._world import World

__all__ = ["new_chat", "new_message", "questions", "save_entered"]


def new_chat(call: Call, conversation: Mapping[str, Any], *, bot_id: str, saved: bool) -> dict[str, Any]:
    """Make a chat, not yet at work.

    Args:
        call: The call that starts it.
        conversation: Where it takes place.
        bot_id: Who answers; empty for a chatflow of an app.
        saved: Whether it is to be kept.
    """
    chat = {
        "id": call.world.new_id(),
        "conversation_id": conversation["id"],
        "bot_id": bot_id,
        "created_at": call.world.clock.seconds(),
        "last_error": {"code": 0, "msg": ""},
        "status": "in_progress",
        "usage": {"token_count": 0, "output_count": 0, "input_count": 0},
        "section_id": conversation["last_section_id"],
        "_saved": saved,
    }
    if "meta_data" in call.body:
        chat["meta_data"] = call.body["meta_data"]
    return chat


def new_message(
    world: World, chat: Mapping[str, Any], role: str, kind: str, content: str, content_type: str
) -> dict[str, Any]:
    """Make a message of a chat, not yet kept."""
    return {
        "id": world.new_id(),
        "conversation_id": chat["conversation_id"],
        "bot_id": chat["bot_id"],
        "chat_id": chat["id"],
        "section_id": chat["section_id"],
        "role": role,
        "type": kind,
        "content": content,
        "content_type": content_type,
    }


def save_entered(world: World, chat: Mapping[str, Any], entered: Sequence[Mapping[str, Any]]) -> None:
    """Keep the messages that came with a chat."""
    now = world.clock.seconds()
    for one in entered:
        kind = one.get("type", "question" if one["role"] == "user" else "answer")
        message = new_message(world, chat, one["role"], kind, one.get("content", ""), one.get("content_type", "text"))
        message["meta_data"] = one.get("meta_data", {})
        save_message(world, {**message, "created_at": now, "updated_at": now, "_entered": True})


def questions(world: World, conversation: Mapping[str, Any]) -> list[str]:
    """Return what the user has said in the current section of a conversation."""
    return [
        message["content"]
        for message in world.store.list("message", conversation["id"])
        if message["role"] == "user" and message["section_id"] == conversation["last_section_id"]
    ]
