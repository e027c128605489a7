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


def chat_events(world: SandboxState, chat: dict[str, Any], done: Any = "[DONE]") -> Iterator[StreamEvent]:
    """Tell the current round of a chat as events, and end the round.

    When the client leaves before the end, the bot still answers: the chat goes on, and ends in its time unless it is
    canceled.

    Args:
        world: The state.
        chat: The chat, running.
        done: Data of the last event.
    """
    plan = plan_of(chat)
    running = public(chat)
    told = (beat for message in chat["_messages"] for beat in _message_events(message, plan))
    try:
        yield StreamEvent("conversation.chat.created", {**running, "status": "created"})
        yield StreamEvent("conversation.chat.in_progress", running, plan.seconds or 0.0)
        seen = -1
        for beat in told:
            # Reading the chat for every event would cost more than all the rest.
            if seen != world.store.changes:
                seen = world.store.changes
                if _is_canceled(world, chat["id"]):
                    yield StreamEvent("done", done)
                    return
            yield beat
        yield from _ending(world, chat, plan, done)
    finally:
        with world.store.transaction():
            detach(world, chat["id"], told)


def _ending(world: SandboxState, chat: dict[str, Any], plan: Plan, done: Any) -> Iterator[StreamEvent]:
    with world.store.transaction():
        ended = public(finish_turn(world, chat["id"]) or chat)
    if plan.breaks_off:
        yield StreamEvent("error", {"code": plan.error_code, "msg": plan.error_msg})
        return
    yield StreamEvent(f"conversation.chat.{ended['status']}", ended)
    if ended["status"] == "failed":
        return  # recordings of failed chats have no done
    if plan.audio and ended["status"] == "completed":
        # The recording has sound after the end of the chat, so clients must not stop there.
        answer = next(one for one in chat["_messages"] if one["type"] == "answer")
        for sound in audio_chunks():
            yield StreamEvent("conversation.audio.delta", {**answer, "content": sound, "content_type": "audio"})
    yield StreamEvent("done", done)


def _message_events(message: dict[str, Any], plan: Plan) -> Iterator[StreamEvent]:
    if message["type"] == "answer":
        shape = {name: value for name, value in message.items() if name != "reasoning_content"}
        for piece in split_chunks(message.get("reasoning_content", "")):
            thought = {**shape, "content": "", "reasoning_content": piece}
            yield StreamEvent("conversation.message.delta", thought)
        for piece in answer_chunks(message["content"], plan):
            yield StreamEvent("conversation.message.delta", {**shape, "content": piece})
    yield StreamEvent("conversation.message.completed", message)


def _is_canceled(world: SandboxState, chat_id: str) -> bool:
    chat = world.find("chat", chat_id)
    return chat is None or chat["status"] == "canceled"
