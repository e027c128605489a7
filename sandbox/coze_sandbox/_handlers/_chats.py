"""Creation and storage of conversations, chats and their messages."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from .._bots.lifecycle import plan_of, save_message, start_turn
from .._bots.messages import count_tokens
from .._common.errors import INVALID_PARAMETER, CallError
from .._http.context import Call
from .._scenario.bot_replies import plan_reply_after_tools
from .._state.state import SandboxState
from ._bot_serializers import API_CHANNEL

__all__ = [
    "enter_message",
    "new_chat",
    "new_conversation",
    "new_message",
    "questions",
    "resume_chat",
    "save_messages",
    "store_conversation",
]


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
        "connector_id": API_CHANNEL,
        **members,
        "_bot_id": bot_id,
    }
    return store_conversation(call, conversation)


def store_conversation(call: Call, conversation: dict[str, Any]) -> dict[str, Any]:
    """Save a conversation, and return it."""
    key, bot_id = conversation["id"], conversation["_bot_id"]
    return call.state.store.put("conversation", key, conversation, bot_id)


def enter_message(call: Call, conversation: Mapping[str, Any], message: Mapping[str, Any]) -> dict[str, Any]:
    """Add a message at the end of a conversation.

    Args:
        call: The call.
        conversation: The conversation.
        message: The message as sent.

    Returns:
        The saved message.
    """
    chat = {
        "id": "",
        "conversation_id": conversation["id"],
        "bot_id": conversation["_bot_id"],
        "section_id": conversation["last_section_id"],
    }
    return _save_sent(call.state, chat, message)


def new_chat(
    call: Call, conversation: Mapping[str, Any], *, bot_id: str, saved: bool, meta_data: Mapping[str, str] | None = None
) -> dict[str, Any]:
    """Return a new chat, before its first turn.

    Args:
        call: The call that starts it.
        conversation: Its conversation.
        bot_id: The bot; empty for a chatflow of an app.
        saved: Whether its messages are saved.
        meta_data: Metadata of the client.
    """
    chat = {
        "id": call.state.new_id(),
        "conversation_id": conversation["id"],
        "bot_id": bot_id,
        "created_at": call.state.clock.seconds(),
        "last_error": {"code": 0, "msg": ""},
        "status": "in_progress",
        "usage": {"token_count": 0, "output_count": 0, "input_count": 0},
        "section_id": conversation["last_section_id"],
        "_saved": saved,
    }
    if meta_data is not None:
        chat["meta_data"] = dict(meta_data)
    return chat


def new_message(
    state: SandboxState, chat: Mapping[str, Any], role: str, kind: str, content: str, content_type: str
) -> dict[str, Any]:
    """Return a new message of a chat, without saving it."""
    return {
        "id": state.new_id(),
        "conversation_id": chat["conversation_id"],
        "bot_id": chat["bot_id"],
        "chat_id": chat["id"],
        "section_id": chat["section_id"],
        "role": role,
        "type": kind,
        "content": content,
        "content_type": content_type,
    }


def resume_chat(
    state: SandboxState, chat: dict[str, Any], tool_outputs: Sequence[Mapping[str, Any]], *, streaming: bool, where: str
) -> dict[str, Any]:
    """Resume a chat that requires tool outputs.

    Args:
        state: The state.
        chat: The chat.
        tool_outputs: The outputs.
        streaming: Whether the turn is streamed.
        where: Name of the container of `tool_outputs` in errors: `body` or `data`.

    Raises:
        CallError: The chat requires no outputs, an output is missing, or one is for an unknown call.
    """
    if chat["status"] != "requires_action":
        raise CallError(INVALID_PARAMETER, f"The chat is {chat['status']}; it requires no tool outputs.")
    calls = chat["required_action"]["submit_tool_outputs"]["tool_calls"]
    outputs = {output["tool_call_id"]: output["output"] for output in tool_outputs}
    for number, tool_output in enumerate(tool_outputs):
        if tool_output["tool_call_id"] not in {tool_call["id"] for tool_call in calls}:
            place = f"{where}.tool_outputs.{number}.tool_call_id"
            raise CallError(INVALID_PARAMETER, f"{place}: {tool_output['tool_call_id']!r} is not a pending tool call")
    for tool_call in calls:
        if tool_call["id"] not in outputs:
            msg = f"{where}.tool_outputs: the output of call {tool_call['id']} is missing"
            raise CallError(INVALID_PARAMETER, msg)
    results = [(tool_call["function"]["name"], outputs[tool_call["id"]]) for tool_call in calls]
    now = state.clock.seconds()
    for _, output in results:
        response = new_message(state, chat, "assistant", "tool_response", output, "text")
        save_message(state, {**response, "created_at": now, "updated_at": now})
    plan = plan_reply_after_tools(state, results, bot_id=chat["bot_id"], audio=plan_of(chat).audio)
    tokens = sum(count_tokens(output) for _, output in results)
    return start_turn(state, chat, plan, streaming=streaming, input_tokens=tokens)


def save_messages(state: SandboxState, chat: Mapping[str, Any], entered: Sequence[Mapping[str, Any]]) -> None:
    """Save the messages that were sent with a chat."""
    for message in entered:
        _save_sent(state, chat, message, _entered=True)


def _save_sent(state: SandboxState, chat: Mapping[str, Any], sent: Mapping[str, Any], **members: Any) -> dict[str, Any]:
    kind = sent.get("type", "question" if sent["role"] == "user" else "answer")
    message = new_message(state, chat, sent["role"], kind, sent.get("content", ""), sent.get("content_type", "text"))
    now = state.clock.seconds()
    members.update(meta_data=sent.get("meta_data", {}), created_at=now, updated_at=now)
    return save_message(state, {**message, **members})


def questions(state: SandboxState, conversation: Mapping[str, Any]) -> list[str]:
    """Return the user's messages in the current section of a conversation."""
    return [
        message["content"]
        for message in state.store.list("message", conversation["id"])
        if message["role"] == "user" and message["section_id"] == conversation["last_section_id"]
    ]
