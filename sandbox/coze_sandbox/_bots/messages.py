"""Messages of the bot, built from its plan."""

from __future__ import annotations

import base64
import json
import math
import struct
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from .._state.state import SandboxState
from .script import Plan

__all__ = ["answer_chunks", "audio_chunks", "build_messages", "count_tokens", "split_chunks", "required_action"]

# Lengths of the deltas of an answer: uneven, so that clients do not depend on word boundaries.
_CHUNK_LENGTHS = (3, 2, 4, 1, 5)
_SAMPLE_RATE = 24_000
_SAMPLES_PER_CHUNK = 480
_AUDIO_CHUNKS = 3


def build_messages(state: SandboxState, chat: Mapping[str, Any], plan: Plan) -> list[dict[str, Any]]:
    """Return the messages of one turn of a chat in the order of sending.

    Args:
        state: The state, which has the ids.
        chat: The chat.
        plan: The plan of the bot.
    """

    def message(kind: str, content: str) -> dict[str, Any]:
        return {
            "id": state.new_id(),
            "conversation_id": chat["conversation_id"],
            "bot_id": chat["bot_id"],
            "role": "assistant",
            "type": kind,
            "content": content,
            "content_type": "text",
            "chat_id": chat["id"],
            "section_id": chat["section_id"],
        }

    messages = []
    if plan.knowledge:
        recalled = _json({"chunks": [{"slice": f"A note on {plan.knowledge}.", "score": 0.9}]})
        messages.append(message("verbose", _json({"msg_type": "knowledge_recall", "data": recalled})))
    if plan.plugin:
        call = {
            "name": "sandbox-mirror",
            "arguments": {"text": plan.plugin},
            "plugin_id": 7300000000000000801,
            "plugin_name": "sandbox",
            "api_id": 7300000000000000802,
            "api_name": "mirror",
            "plugin_type": 1,
        }
        messages.append(message("function_call", _json(call)))
        messages.append(message("tool_response", _json({"text": plan.plugin[::-1]})))
    for name, arguments in plan.tool_calls:
        call = {"name": name, "arguments": json.loads(arguments)}
        messages.append(message("function_call", _json(call)))
    for number, text in enumerate(plan.answers):
        answer = message("answer", text)
        if number == 0 and plan.reasoning:
            answer["reasoning_content"] = plan.reasoning
        messages.append(answer)
    if plan.answers:
        finish = {
            "msg_type": "generate_answer_finish",
            "data": _json({"finish_reason": 0, "FinData": ""}),
            "from_module": None,
            "from_unit": None,
        }
        messages.append(message("verbose", _json(finish)))
    messages.extend(message("follow_up", text) for text in plan.suggestions)
    return messages


def required_action(state: SandboxState, plan: Plan) -> dict[str, Any]:
    """Return the `required_action` of a chat."""
    calls = [
        {
            "id": base64.b64encode(state.new_id().encode()).decode(),
            "type": "function",
            "function": {"name": name, "arguments": arguments},
        }
        for name, arguments in plan.tool_calls
    ]
    return {"type": "submit_tool_outputs", "submit_tool_outputs": {"tool_calls": calls}}


def answer_chunks(content: str, plan: Plan) -> Iterable[str]:
    """Split an answer into the deltas of its stream: those of the plan, if any."""
    return plan.deltas if content == "".join(plan.deltas) else split_chunks(content)


def split_chunks(text: str) -> Iterator[str]:
    """Split a text into the deltas of a stream."""
    start = number = 0
    while start < len(text):
        end = start + _CHUNK_LENGTHS[number % len(_CHUNK_LENGTHS)]
        yield text[start:end]
        start, number = end, number + 1


def audio_chunks() -> Iterator[str]:
    """Yield a short tone: raw PCM with 24 kHz, 16 bit, one channel, in Base64 chunks of 20 ms.

    Coze replies to Ogg Opus with Ogg Opus; the sandbox has no encoder and always sends PCM.
    """
    for number in range(_AUDIO_CHUNKS):
        first = number * _SAMPLES_PER_CHUNK
        samples = [
            int(8000 * math.sin(2 * math.pi * 440 * sample / _SAMPLE_RATE))
            for sample in range(first, first + _SAMPLES_PER_CHUNK)
        ]
        yield base64.b64encode(struct.pack(f"<{len(samples)}h", *samples)).decode()


def count_tokens(text: str) -> int:
    """Estimate the tokens of a text: one per four characters, rounded up."""
    return -(-len(text) // 4)


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
