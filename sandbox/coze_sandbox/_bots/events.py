"""The events of a chat."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from .._http.context import StreamEvent
from .._state.state import SandboxState
from .._state.store import public
from .lifecycle import detach, finish_turn, plan_of
from .messages import answer_chunks, audio_chunks, split_chunks
from .script import Plan

__all__ = ["chat_events"]


def chat_events(state: SandboxState, chat: dict[str, Any], done: Any = "[DONE]") -> Iterator[StreamEvent]:
    """Yield the events of the current turn of a chat, and end the turn.

    If the client disconnects early, the chat continues and ends after the remaining time unless it is canceled.

    Args:
        state: The state.
        chat: The chat, running.
        done: Data of the final event.
    """
    plan = plan_of(chat)
    running = public(chat)
    remaining = (event for message in chat["_messages"] for event in _message_events(message, plan))
    try:
        yield StreamEvent("conversation.chat.created", {**running, "status": "created"})
        yield StreamEvent("conversation.chat.in_progress", running, plan.seconds or 0.0)
        seen = -1
        for event in remaining:
            # Loading the chat for every event would dominate the cost.
            if seen != state.store.changes:
                seen = state.store.changes
                if _is_canceled(state, chat["id"]):
                    yield StreamEvent("done", done)
                    return
            yield event
        yield from _ending(state, chat, plan, done)
    finally:
        with state.store.transaction():
            detach(state, chat["id"], remaining)


def _ending(state: SandboxState, chat: dict[str, Any], plan: Plan, done: Any) -> Iterator[StreamEvent]:
    with state.store.transaction():
        ended = public(finish_turn(state, chat["id"]) or chat)
    if plan.breaks_off:
        yield StreamEvent("error", {"code": plan.error_code, "msg": plan.error_msg})
        return
    yield StreamEvent(f"conversation.chat.{ended['status']}", ended)
    if ended["status"] == "failed":
        return  # recordings of failed chats have no `done`
    if plan.audio and ended["status"] == "completed":
        # As recorded: audio follows the end of the chat.
        answer = next(message for message in chat["_messages"] if message["type"] == "answer")
        for chunk in audio_chunks():
            yield StreamEvent("conversation.audio.delta", {**answer, "content": chunk, "content_type": "audio"})
    yield StreamEvent("done", done)


def _message_events(message: dict[str, Any], plan: Plan) -> Iterator[StreamEvent]:
    if message["type"] == "answer":
        shape = {name: value for name, value in message.items() if name != "reasoning_content"}
        for chunk in split_chunks(message.get("reasoning_content", "")):
            delta = {**shape, "content": "", "reasoning_content": chunk}
            yield StreamEvent("conversation.message.delta", delta)
        for chunk in answer_chunks(message["content"], plan):
            yield StreamEvent("conversation.message.delta", {**shape, "content": chunk})
        message = {**message, "time_cost": {"total_duration_ms": int((plan.seconds or 0) * 1000)}}
    yield StreamEvent("conversation.message.completed", message)


def _is_canceled(state: SandboxState, chat_id: str) -> bool:
    chat = state.find("chat", chat_id)
    return chat is None or chat["status"] == "canceled"
