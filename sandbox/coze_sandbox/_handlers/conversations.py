"""Conversations."""

from __future__ import annotations

from typing import Any

from .._bots.content import parse_content
from .._common.errors import CONVERSATION_NOT_FOUND
from .._http.context import Call, ResponseFields
from .._state.store import public
from ._chats import enter_message, new_conversation, store_conversation
from ._common import get_or_404, numbered_page
from ._registry import operation

_PER_PAGE = 50


@operation("conversations.create")
def create(call: Call) -> ResponseFields:
    """Create a conversation, optionally with messages."""
    body, state = call.body, call.state
    bot_id = body.get("bot_id", "")
    if bot_id:
        get_or_404(state, "bot", bot_id)
    members = {name: body[name] for name in ("name", "meta_data", "connector_id") if name in body}
    conversation = new_conversation(call, bot_id=bot_id, **members)
    for number, message in enumerate(body.get("messages", ())):
        kind = message.get("content_type", "text")
        parse_content(state, message.get("content", ""), kind, f"body.messages.{number}.content")
        enter_message(call, conversation, message)
    return {"data": public(conversation)}


@operation("conversations.retrieve")
def retrieve(call: Call) -> ResponseFields:
    """Return a conversation."""
    return {"data": public(_find(call, call.query["conversation_id"]))}


@operation("conversations.list")
def list_conversations(call: Call) -> ResponseFields:
    """List the conversations with a bot in one channel, newest first by default."""
    query = call.query
    get_or_404(call.state, "bot", query["bot_id"])
    channel = query.get("connector_id", "1024")
    conversations = [
        public(conversation)
        for conversation in call.state.list("conversation", query["bot_id"])
        if conversation["connector_id"] == channel
    ]
    if query.get("sort_order", "DESC") == "DESC":
        conversations.reverse()
    page, has_more = numbered_page(call, conversations, size=_PER_PAGE)
    return {"data": {"conversations": page, "has_more": has_more}}


@operation("conversations.update")
def update(call: Call) -> ResponseFields:
    """Rename a conversation."""
    conversation = _find(call, call.path["conversation_id"])
    if "name" in call.body:
        conversation["name"] = call.body["name"]
    conversation["updated_at"] = call.state.clock.seconds()
    return {"data": public(store_conversation(call, conversation))}


@operation("conversations.delete")
def delete(call: Call) -> None:
    """Delete a conversation with its messages and chats."""
    store, key = call.state.store, _find(call, call.path["conversation_id"])["id"]
    store.delete_children("message", key)
    store.delete_children("chat", key)
    store.delete("conversation", key)


@operation("conversations.clear")
def clear(call: Call) -> ResponseFields:
    """Start a new context section. The messages are kept, but are no longer context."""
    conversation = _find(call, call.path["conversation_id"])
    conversation["last_section_id"] = call.state.new_id()
    store_conversation(call, conversation)
    section = {"id": conversation["last_section_id"], "conversation_id": conversation["id"]}
    return {"data": section}


def _find(call: Call, key: str) -> dict[str, Any]:
    return get_or_404(call.state, "conversation", key, code=CONVERSATION_NOT_FOUND)
