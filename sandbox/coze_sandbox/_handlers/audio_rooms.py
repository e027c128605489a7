"""Rooms for calls, and live sessions with interpretation. The sandbox transmits no audio of either."""

from __future__ import annotations

import base64
import hashlib

from .._common.errors import CONVERSATION_NOT_FOUND
from .._http.context import Call, ResponseFields
from .._state.seed import RTC_APP_ID
from ._bot_serializers import API_CHANNEL, published
from ._common import get_or_404
from ._conversations import new_conversation
from ._registry import operation


@operation("audio.rooms.create")
def create(call: Call) -> ResponseFields:
    """Create a room with a published bot in it. The same calls give the same ids and tokens."""
    state, body = call.state, call.body
    published(state, get_or_404(state, "bot", body["bot_id"]), API_CHANNEL)
    if "voice_id" in body:
        get_or_404(state, "voice", body["voice_id"])
    if "workflow_id" in body:
        get_or_404(state, "workflow", body["workflow_id"])
    if "conversation_id" in body:
        conversation = get_or_404(state, "conversation", body["conversation_id"], code=CONVERSATION_NOT_FOUND)
    else:
        conversation = new_conversation(call, bot_id=body["bot_id"])
    key = state.new_id()
    room = {
        "room_id": f"room_id_{key}",
        "app_id": RTC_APP_ID,
        "token": _token(f"{state.options.seed} {key}"),
        "uid": body.get("uid") or state.new_id(),
    }
    state.store.put("room", room["room_id"], {**room, "conversation_id": conversation["id"], "asked": dict(body)})
    return {"data": room}


@operation("audio.live.retrieve")
def retrieve_live(call: Call) -> ResponseFields:
    """Return the streams of a live session. No operation creates one; the seed data has one."""
    live = get_or_404(call.state, "live", call.path["live_id"])
    return {"data": {"app_id": RTC_APP_ID, "stream_infos": live["stream_infos"]}}


def _token(seed: str) -> str:
    # As the passes of the real-time network look: version, application, and a signed part.
    signed = base64.b64encode(hashlib.sha384(seed.encode()).digest()).decode()
    return f"001{RTC_APP_ID}{signed}"
