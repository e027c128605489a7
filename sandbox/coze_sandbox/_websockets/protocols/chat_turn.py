"""One turn of a voice chat: text and audio interleaved, as recorded."""

from __future__ import annotations

import base64
from collections import deque
from collections.abc import Iterator, Mapping
from typing import Any

from ..._bots.lifecycle import detach, finish_turn, plan_of
from ..._bots.messages import answer_chunks, split_chunks
from ..._bots.script import Plan
from ..._http.context import StreamEvent
from ..._state.state import SandboxState
from ..._state.store import public
from .speech_synthesis import split_sentences, synthesize

__all__ = ["speech_events", "turn_events"]

# In the recording the text is ahead of the audio by about this much.
_TEXTS_PER_SOUND = 3
_NO_IDS = {"id": "0", "conversation_id": "0", "bot_id": "0", "chat_id": "0", "section_id": "0"}


def turn_events(
    state: SandboxState,
    chat: dict[str, Any],
    output: Mapping[str, Any],
    *,
    question: dict[str, Any] | None,
    is_resumed: bool,
) -> Iterator[StreamEvent]:
    """Yield the events of the current turn of a chat, and end the turn.

    If the client disconnects early, the chat continues and ends after the remaining time unless it is canceled.

    Args:
        state: The state.
        chat: The chat, running.
        output: The effective settings `output_audio`.
        question: A text message, which is echoed.
        is_resumed: Whether the chat continues after tool outputs.
    """
    plan, running = plan_of(chat), _shown(chat)
    remaining = _interleave(chat["_messages"], plan, output)
    try:
        if question is not None:
            yield StreamEvent("conversation.message.completed", question)
        if not is_resumed:
            yield StreamEvent("conversation.chat.created", {**running, "status": "created"})
        yield StreamEvent("conversation.chat.in_progress", running, plan.seconds or 0.0)
        for event in remaining:
            if _is_canceled(state, chat["id"]):  # by a call over HTTP
                yield StreamEvent("conversation.chat.canceled", None)
                return
            yield event
        with state.store.transaction():
            ended = _shown(finish_turn(state, chat["id"]) or chat)
        if plan.breaks_off:
            yield StreamEvent("error", {"code": plan.error_code, "msg": plan.error_msg})
        else:
            yield StreamEvent(f"conversation.chat.{ended['status']}", ended)
    finally:
        with state.store.transaction():
            detach(state, chat["id"], remaining)


def speech_events(text: str, output: Mapping[str, Any]) -> Iterator[StreamEvent]:
    """Yield the audio of a text without a chat."""
    message = {**_NO_IDS, "role": "assistant", "type": "answer"}
    yield from _audio_events(text, message, output)
    yield _audio_completed(message)


def _interleave(messages: list[dict[str, Any]], plan: Plan, output: Mapping[str, Any]) -> Iterator[StreamEvent]:
    sounds: deque[Iterator[StreamEvent]] = deque()
    spoken: dict[str, Any] | None = None
    count = 0
    for message in messages:
        if message["type"] == "answer":
            spoken = message
        for event in _text_events(message, plan, sounds, output):
            yield event
            count += 1
            if count % _TEXTS_PER_SOUND == 0:
                yield from _next_audio(sounds)
    for waiting in sounds:
        yield from waiting
    if spoken is not None:
        yield _audio_completed(_without_reasoning(spoken))


def _text_events(
    message: dict[str, Any], plan: Plan, sounds: deque[Iterator[StreamEvent]], output: Mapping[str, Any]
) -> Iterator[StreamEvent]:
    """Yield the text of a message, and queue the audio of each complete sentence."""
    if message["type"] == "answer":
        shape = {name: value for name, value in message.items() if name != "reasoning_content"}
        for delta in split_chunks(message.get("reasoning_content", "")):
            yield StreamEvent("conversation.message.delta", {**shape, "content": "", "reasoning_content": delta})
        spoken = split_sentences(message["content"])
        sent = ""
        for delta in answer_chunks(message["content"], plan):
            yield StreamEvent("conversation.message.delta", {**shape, "content": delta})
            sent += delta
            # A sentence is complete when more text follows.
            while len(spoken) > 1 and len(sent.lstrip()) > len(spoken[0]):
                sent = sent.lstrip()[len(spoken[0]) :]
                sounds.append(_audio_events(spoken.pop(0), _without_reasoning(message), output))
        sounds.extend(_audio_events(sentence, _without_reasoning(message), output) for sentence in spoken)
    yield StreamEvent("conversation.message.completed", message)


def _next_audio(sounds: deque[Iterator[StreamEvent]]) -> Iterator[StreamEvent]:
    while sounds:
        event = next(sounds[0], None)
        if event is not None:
            yield event
            return
        sounds.popleft()


def _audio_events(text: str, message: dict[str, Any], output: Mapping[str, Any]) -> Iterator[StreamEvent]:
    for sentence in split_sentences(text):
        yield StreamEvent("conversation.audio.sentence_start", {"text": sentence})
        for chunk in synthesize(sentence, output):
            content = base64.b64encode(chunk.content).decode()
            sound = {**message, "content": content, "content_type": "audio"}
            yield StreamEvent("conversation.audio.delta", sound, chunk.pause)


def _audio_completed(message: dict[str, Any]) -> StreamEvent:
    return StreamEvent("conversation.audio.completed", {**message, "content": "", "content_type": "audio"})


def _without_reasoning(message: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in message.items() if name != "reasoning_content"}


def _shown(chat: dict[str, Any]) -> dict[str, Any]:
    """Return a chat as recorded: with `last_error` only for an error."""
    shown = public(chat)
    if not shown.get("last_error", {}).get("code"):
        shown.pop("last_error", None)
    return shown


def _is_canceled(state: SandboxState, chat_id: str) -> bool:
    chat = state.find("chat", chat_id)
    return chat is None or chat["status"] == "canceled"
