"""Usage of tokens by chats. A thousand tokens cost one point."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .state import DomainEvent, SandboxState

__all__ = ["emit_usage"]

_MODEL_ID = "7300000000000000950"
_BOT, _RESOURCE_POINTS, _MODEL = 1, 2, 1
_POINTS_PER_TOKEN = 0.001
_NOTHING = ("asr_audio_length", "rtc_begin_time", "rtc_duration", "rtc_end_time", "tts_char_num", "tts_count")


def emit_usage(state: SandboxState, chat: Mapping[str, Any], *, input_tokens: int, output_tokens: int) -> None:
    """Emit the token usage of one turn of a chat.

    Args:
        state: The state.
        chat: The chat.
        input_tokens: Tokens of the prompt.
        output_tokens: Tokens of the reply.
    """
    bot = state.store.get("bot", chat["bot_id"])
    if bot is None or not input_tokens + output_tokens:
        return
    event = {
        "id": state.new_id(),
        "consume_time": state.clock.seconds(),
        "record_root_id": chat["id"],
        "connector_id": "1024",
        "connector_uid": "",
        "device_id": "",
        "custom_consumer": "",
        "space_id": bot["space_id"],
        "root_entity_type": _BOT,
        "root_entity_id": chat["bot_id"],
        "change_balance": f"{(input_tokens + output_tokens) * _POINTS_PER_TOKEN:.3f}",
        "balance_type": _RESOURCE_POINTS,
        "resource_type": _MODEL,
        "resource_id": _MODEL_ID,
        "model_id": _MODEL_ID,
        "model_input_token": input_tokens,
        "model_output_token": output_tokens,
        **dict.fromkeys(_NOTHING, 0),
    }
    state.emit(DomainEvent(kind="benefit.usage", event=event, space_id=bot["space_id"]))
