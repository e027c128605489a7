"""One turn of a spoken chat as messages: text and sound mixed, as recorded."""

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

# In the recording the text runs ahead of the sound by about this much.
_TEXTS_PER_SOUND = 3
_NO_IDS = {"id": "0", "conversation_id": "0", "bot_id": "0", "chat_id": "0", "section_id": "0"}


def turn_events(
    state: SandboxState,
    chat: dict[str, Any],
    output: Mapping[str, Any],
    *,
    question: dict[str, Any] | None,
    goes_on: bool,
) -> Iterator[StreamEvent]:
    """Tell the current round of a chat, and end it.

    When the client leaves before the end, the bot still answers: the chat goes on, and ends in its time unless it is
    canceled.

    Args:
        state: The state.
        chat: The chat, running.
        output: The settings `output_audio` in use.
        question: A written question, which is repeated.
        goes_on: Whether the chat was told of before, and waited for tools since.
    """
    plan, running = plan_of(chat), _shown(chat)
    told = _interleave(chat["_messages"], plan, output)
    try:
        if question is not None:
            yield StreamEvent("conversation.message.completed", question)
        if not goes_on:
            yield StreamEvent("conversation.chat.created", {**running, "status": "created"})
        yield StreamEvent("conversation.chat.in_progress", running, plan.seconds or 0.0)
        for event in told:
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
            detach(state, chat["id"], told)


def speech_events(text: str, output: Mapping[str, Any]) -> Iterator[StreamEvent]:
    """Speak a text that no chat has made."""
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
    """Tell a message as text, and have each of its sentences spoken as soon as it is whole."""
    if message["type"] == "answer":
        shape = {name: value for name, value in message.items() if name != "reasoning_content"}
        for piece in split_chunks(message.get("reasoning_content", "")):
            yield StreamEvent("conversation.message.delta", {**shape, "content": "", "reasoning_content": piece})
        spoken = split_sentences(message["content"])
        told = ""
        for piece in answer_chunks(message["content"], plan):
            yield StreamEvent("conversation.message.delta", {**shape, "content": piece})
            told += piece
            # A sentence is known to be whole when something follows it.
            while len(spoken) > 1 and len(told.lstrip()) > len(spoken[0]):
                told = told.lstrip()[len(spoken[0]) :]
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
        for piece in synthesize(sentence, output):
            content = base64.b64encode(piece.content).decode()
            sound = {**message, "content": content, "content_type": "audio"}
            yield StreamEvent("conversation.audio.delta", sound, piece.pause)


def _audio_completed(message: dict[str, Any]) -> StreamEvent:
    return StreamEvent("conversation.audio.completed", {**message, "content": "", "content_type": "audio"})


def _without_reasoning(message: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in message.items() if name != "reasoning_content"}


def _shown(chat: dict[str, Any]) -> dict[str, Any]:
    """Return a chat as the recording has it: `last_error` only where there is an error."""
    shown = public(chat)
    if not shown.get("last_error", {}).get("code"):
        shown.pop("last_error", None)
    return shown


def _is_canceled(state: SandboxState, chat_id: str) -> bool:
    chat = state.find("chat", chat_id)
    return chat is None or chat["status"] == "canceled"
