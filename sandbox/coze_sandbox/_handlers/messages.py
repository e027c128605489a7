"""Messages of conversations, and feedback on them."""

from __future__ import annotations

from typing import Any

from .._bots.content import parse_content
from .._bots.lifecycle import advance_last_chat, save_message
from .._common.errors import CONVERSATION_NOT_FOUND, INVALID_PARAMETER, MESSAGE_NOT_FOUND, NOT_FOUND, CallError, missing
from .._http.context import Call, ResponseFields
from .._state.store import public
from ._chats import enter_message
from ._common import get_or_404
from ._registry import operation

_LIMIT = 50
_SHOWN = ("question", "answer")
_FROM_THE_START = ("", "0")


@operation("conversations.messages.create")
def create(call: Call) -> ResponseFields:
    """Add a message."""
    conversation = get_or_404(call.state, "conversation", call.query["conversation_id"], code=CONVERSATION_NOT_FOUND)
    parse_content(call.state, call.body["content"], call.body["content_type"], "body.content")
    return {"data": public(enter_message(call, conversation, call.body))}


@operation("conversations.messages.retrieve")
def retrieve(call: Call) -> ResponseFields:
    """Return a message."""
    return {"data": public(_find(call, call.query))}


@operation("conversations.messages.update")
def update(call: Call) -> ResponseFields:
    """Change content or meta data of a message. The response has the message in `message`."""
    message, body = _find(call, call.query), call.body
    if not body.get("content") and not body.get("meta_data"):
        raise CallError(INVALID_PARAMETER, "body: content and meta_data must not both be empty")
    if body.get("content"):
        if "content_type" not in body:
            raise CallError(INVALID_PARAMETER, "body.content_type: is required with content")
        parse_content(call.state, body["content"], body["content_type"], "body.content")
        message.update(content=body["content"], content_type=body["content_type"])
    if body.get("meta_data"):
        message["meta_data"] = body["meta_data"]
    message["updated_at"] = call.state.clock.seconds()
    return {"message": public(save_message(call.state, message))}


@operation("conversations.messages.delete")
def delete(call: Call) -> ResponseFields:
    """Delete a message and show it for the last time."""
    message = _find(call, call.query)
    call.state.store.delete("message", message["id"])
    return {"data": public(message)}


@operation("conversations.messages.list")
def list_messages(call: Call) -> ResponseFields:
    """List messages in the requested order, one page after or before a message."""
    state, body = call.state, call.body
    key = call.query["conversation_id"]
    advance_last_chat(state, get_or_404(state, "conversation", key, code=CONVERSATION_NOT_FOUND))
    messages = [
        message
        for message in state.store.list("message", key)
        if (body.get("include_middle_message") or message["type"] in _SHOWN)
        and (not body.get("chat_id") or message["chat_id"] == body["chat_id"])
    ]
    if body.get("order", "desc") == "desc":
        messages.reverse()
    limit = max(body.get("limit", _LIMIT), 1)
    before, after = body.get("before_id", "0"), body.get("after_id", "0")
    start, end = 0, len(messages)
    if after not in _FROM_THE_START:
        start = _place(messages, after, "after_id") + 1
    if before not in _FROM_THE_START:
        end = _place(messages, before, "before_id")
    if before not in _FROM_THE_START and after in _FROM_THE_START:
        page = messages[max(end - limit, start) : end]
        has_more = end - limit > start
    else:
        page = messages[start : min(start + limit, end)]
        has_more = start + limit < end
    return {
        "data": [public(message) for message in page],
        "has_more": has_more,
        "first_id": page[0]["id"] if page else "",
        "last_id": page[-1]["id"] if page else "",
    }


@operation("conversations.messages.feedback.create")
def create_feedback(call: Call) -> None:
    """Rate a message; a second rating replaces the first."""
    message = _find(call, call.path)
    save_message(call.state, {**message, "_feedback": dict(call.body)})


@operation("conversations.messages.feedback.delete")
def delete_feedback(call: Call) -> None:
    """Remove a rating."""
    message = _find(call, call.path)
    if message.pop("_feedback", None) is None:
        raise missing(NOT_FOUND, "feedback of message_id", message["id"])
    save_message(call.state, message)


def _find(call: Call, keys: Any) -> dict[str, Any]:
    conversation_id = keys["conversation_id"]
    advance_last_chat(call.state, get_or_404(call.state, "conversation", conversation_id, code=CONVERSATION_NOT_FOUND))
    message = get_or_404(call.state, "message", keys["message_id"], code=MESSAGE_NOT_FOUND)
    if message["conversation_id"] != conversation_id:
        raise missing(MESSAGE_NOT_FOUND, "message_id", keys["message_id"])
    return message


def _place(messages: list[dict[str, Any]], key: str, name: str) -> int:
    for place, message in enumerate(messages):
        if message["id"] == key:
            return place
    raise missing(MESSAGE_NOT_FOUND, name, key)
