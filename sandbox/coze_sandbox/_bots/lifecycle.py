"""Lifecycle of chats: start, turns, end.

A running chat ends when it is accessed after its end time, or when its stream was sent completely. If the client
disconnects, the chat continues for as long as the rest of its stream would have taken. So no background task is
needed, and a test that advances the clock sees the end at once.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import attrs

from .._common.errors import (
    CHAT_IS_RUNNING,
    CHAT_NOT_CANCELABLE,
    CHAT_NOT_FOUND,
    CONVERSATION_NOT_FOUND,
    CallError,
    missing,
)
from .._http.context import StreamEvent
from .._state.state import SandboxState
from .._state.usage import emit_usage
from .messages import build_messages, count_tokens, required_action
from .script import Plan

__all__ = [
    "start_turn",
    "cancel",
    "require_no_running_chat",
    "detach",
    "finish_turn",
    "load_chat",
    "plan_of",
    "save_message",
    "advance_last_chat",
]

_RUNNING = ("created", "in_progress")
_WRITTEN_BY_MODEL = ("answer", "follow_up", "function_call")


def plan_of(chat: dict[str, Any]) -> Plan:
    """Return the plan of the current turn of a chat."""
    members = dict(chat["_plan"])
    members["tool_calls"] = tuple((name, arguments) for name, arguments in members["tool_calls"])
    return Plan(**{name: _tuple(value) for name, value in members.items()})


def start_turn(
    state: SandboxState, chat: dict[str, Any], plan: Plan, *, streaming: bool, input_tokens: int
) -> dict[str, Any]:
    """Start a turn of a chat: its messages and its end time are determined now.

    Args:
        state: The state.
        chat: The chat.
        plan: The plan of the bot.
        streaming: Whether it is streamed; the turn then ends with the stream.
        input_tokens: Number of input tokens.

    Returns:
        The chat, running.
    """
    now = state.clock.now()
    seconds = state.options.answer_seconds if plan.seconds is None else plan.seconds
    chat.pop("required_action", None)
    chat.update(
        status="in_progress",
        _plan=attrs.asdict(plan),
        _messages=build_messages(state, chat, plan),
        _input_tokens=input_tokens,
        _ends_at=None if streaming else now + seconds,
        _thinks_until=now + (plan.seconds or 0.0),
        _session=state.epoch,
    )
    _store(state, chat)
    conversation = state.find("conversation", chat["conversation_id"])
    if conversation is not None:
        conversation["_running"] = chat["id"]
        conversation["updated_at"] = state.clock.seconds()
        state.store.put("conversation", conversation["id"], conversation, conversation["_bot_id"])
    return chat


def load_chat(state: SandboxState, conversation_id: str, chat_id: str, *, unsaved: bool = False) -> dict[str, Any]:
    """Return the current state of a chat.

    Args:
        state: The state.
        conversation_id: Id of its conversation.
        chat_id: Its id.
        unsaved: Whether to include chats without `auto_save_history`. They can be canceled, but not retrieved.

    Raises:
        CallError: The conversation or the chat does not exist, or the chat was not saved.
    """
    if state.find("conversation", conversation_id) is None:
        raise missing(CONVERSATION_NOT_FOUND, "conversation_id", conversation_id)
    chat = state.find("chat", chat_id)
    if chat is None or chat["conversation_id"] != conversation_id or not (chat["_saved"] or unsaved):
        raise missing(CHAT_NOT_FOUND, "chat_id", chat_id)
    return _advance(state, chat)


def require_no_running_chat(state: SandboxState, conversation: dict[str, Any]) -> None:
    """Raise an error if a chat is running in the conversation.

    Raises:
        CallError: A chat is running in the conversation.
    """
    running = advance_last_chat(state, conversation)
    if running is not None and running["status"] in _RUNNING:
        raise CallError(CHAT_IS_RUNNING, f"Another chat, {running['id']}, is running in this conversation.")


def advance_last_chat(state: SandboxState, conversation: dict[str, Any]) -> dict[str, Any] | None:
    """End the last chat of a conversation if its end time has passed, so that its messages are saved.

    Returns:
        The chat, or None.
    """
    running = state.find("chat", conversation.get("_running", ""))
    return None if running is None else _advance(state, running)


def detach(state: SandboxState, chat_id: str, rest: Iterable[StreamEvent]) -> None:
    """Schedule the end of a running chat after its client has disconnected; does nothing if it has ended.

    Args:
        state: The state.
        chat_id: The chat.
        rest: The events that were not sent. The chat takes their time, and at least the usual time, so that it can
            still be canceled.
    """
    chat = state.find("chat", chat_id)
    if chat is None or chat["status"] not in _RUNNING:
        return
    options, now = state.options, state.clock.now()
    seconds = sum(options.event_seconds + event.pause for event in rest)
    if plan_of(chat).seconds is None:
        seconds = max(seconds, options.answer_seconds)
    chat["_ends_at"] = max(now, chat["_thinks_until"]) + seconds
    _store(state, chat)


def cancel(state: SandboxState, chat: dict[str, Any]) -> dict[str, Any]:
    """Cancel a running chat.

    Raises:
        CallError: The chat has ended, or requires tool outputs.
    """
    if chat["status"] not in _RUNNING:
        raise CallError(CHAT_NOT_CANCELABLE, f"The chat is {chat['status']}.")
    chat.update(status="canceled", completed_at=state.clock.seconds(), _messages=[])
    return _store(state, chat)


def finish_turn(state: SandboxState, chat_id: str) -> dict[str, Any] | None:
    """End the current turn of a chat and save its messages; does nothing if it has ended.

    Returns:
        The chat, or None if it was deleted.
    """
    chat = state.find("chat", chat_id)
    if chat is None or chat["status"] not in _RUNNING:
        return chat
    plan, now = plan_of(chat), state.clock.seconds()
    written = sum(
        count_tokens(message["content"]) for message in chat["_messages"] if message["type"] in _WRITTEN_BY_MODEL
    )
    usage = chat["usage"]
    usage["input_count"] += chat["_input_tokens"]
    usage["output_count"] += written
    usage["token_count"] = usage["input_count"] + usage["output_count"]
    emit_usage(state, chat, input_tokens=chat["_input_tokens"], output_tokens=written)
    if plan.error_code:
        chat["status"] = "failed"
        chat["failed_at"] = now
        chat["last_error"] = {"code": plan.error_code, "msg": plan.error_msg}
    elif plan.tool_calls:
        chat["status"] = "requires_action"
        chat["required_action"] = required_action(state, plan)
    else:
        chat["status"] = "completed"
        chat["completed_at"] = now
    if chat["_saved"]:
        for message in chat["_messages"]:
            save_message(state, {**message, "created_at": now, "updated_at": now})
    return _store(state, chat)


def save_message(state: SandboxState, message: dict[str, Any]) -> dict[str, Any]:
    """Save a message in its conversation, and return it."""
    state.store.put("message", message["id"], message, message["conversation_id"])
    return message


def _advance(state: SandboxState, chat: dict[str, Any]) -> dict[str, Any]:
    if chat["status"] not in _RUNNING:
        return chat
    # Without an end time it ends with its stream, which ended with the process that sent it.
    ends_at = chat["_ends_at"]
    is_over = chat["_session"] != state.epoch if ends_at is None else ends_at <= state.clock.now()
    return (finish_turn(state, chat["id"]) or chat) if is_over else chat


def _store(state: SandboxState, chat: dict[str, Any]) -> dict[str, Any]:
    return state.store.put("chat", chat["id"], chat, chat["conversation_id"])


def _tuple(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value
