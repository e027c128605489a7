"""Voices, speech and rooms."""

from __future__ import annotations

import base64
import hashlib

from .._common.audio import FORMATS, make_sound
from .._common.errors import CONVERSATION_NOT_FOUND, INVALID_PARAMETER, SPEECH_TOO_LONG, CallError
from .._http.context import Call, FileResponse, ResponseFields
from .._state.seed import RTC_APP_ID
from .._state.store import public
from ._bot_serializers import API_CHANNEL, published
from ._chats import new_conversation
from ._common import get_or_404, numbered_page, sent_file
from ._registry import operation

_TIMES = 10
_BYTES = {"voice_name": 128, "text": 1024}
_GREETING = "你好。"
_LANGUAGES = {"zh": "中文", "en": "英语", "ja": "日语", "es": "西班牙语", "id": "印尼语", "pt": "葡萄牙语"}
_LONGEST = 1024
_SECONDS_PER_CHARACTER = 0.02
_SPEEDS = {"big": (0.5, 2), "small": (0.2, 3)}  # by the model of the voice


@operation("audio.voices.list")
def list_voices(call: Call) -> ResponseFields:
    """List the voices: cloned ones first, the newest at the top."""
    query = call.query
    voices = [
        voice
        for voice in reversed(call.state.list("voice"))
        if not (query.get("filter_system_voice") and voice["is_system_voice"])
        and query.get("model_type", voice["model_type"]) == voice["model_type"]
        and query.get("voice_state", "cloned") in {voice["state"], "all"}
    ]
    page, has_more = numbered_page(call, voices, size=100)
    shown = [public(voice) for voice in page]
    return {"data": {"voice_list": shown, "has_more": has_more}}


@operation("audio.voices.clone")
def clone(call: Call) -> ResponseFields:
    """Clone a voice, or clone it again."""
    state, body = call.state, call.body
    for name, most in _BYTES.items():
        if len(body.get(name, "").encode()) > most:
            raise CallError(INVALID_PARAMETER, f"body.{name}: more than {most} bytes")
    sent_file(call)
    if "space_id" in body:
        get_or_404(state, "workspace", body["space_id"], name="space_id")
    now = state.clock.seconds()
    if "voice_id" in body:
        voice = get_or_404(state, "voice", body["voice_id"])
        if voice["is_system_voice"] or not voice["available_training_times"]:
            raise CallError(INVALID_PARAMETER, "body.voice_id: cannot be cloned again")
    else:
        key = state.new_id()
        voice = {
            "voice_id": key,
            "is_system_voice": False,
            "state": "cloned",
            "model_type": "big",
            "model_name": "",
            "preview_audio": f"https://sandbox.invalid/voice/{key}.mp3",
            "available_training_times": _TIMES,
            "create_time": now,
            "_creator_id": call.user_id,
        }
    language = body.get("language", "zh")
    voice.update(
        name=body["voice_name"],
        language_code=language,
        language_name=_LANGUAGES[language],
        preview_text=body.get("preview_text", _GREETING),
        available_training_times=voice["available_training_times"] - 1,
        update_time=now,
    )
    state.store.put("voice", voice["voice_id"], voice)
    return {"data": {"voice_id": voice["voice_id"]}}


@operation("audio.speech.create")
def speak(call: Call) -> FileResponse:
    """Return audio whose length depends on the text."""
    body, text = call.body, call.body["input"]
    if len(text.encode()) > _LONGEST:
        raise CallError(SPEECH_TOO_LONG, f"body.input: more than {_LONGEST} bytes")
    if not call.state.options.examples:
        voice = get_or_404(call.state, "voice", body["voice_id"])
        slowest, fastest = _SPEEDS[voice["model_type"]]
        if not slowest <= body.get("speed", 1) <= fastest:
            raise CallError(INVALID_PARAMETER, f"body.speed: must be from {slowest} to {fastest} with this voice")
    format = body.get("response_format", "mp3")
    seconds = max(len(text), 1) * _SECONDS_PER_CHARACTER / body.get("speed", 1)
    return FileResponse(make_sound(format, seconds, body.get("sample_rate", 24_000)), FORMATS[format])


@operation("audio.transcriptions.create")
def transcribe(call: Call) -> ResponseFields:
    """Return size and name of the file: there is no speech recognition."""
    file = sent_file(call)
    return {"data": {"text": f"Sound of {file.size} bytes from {file.name}."}}


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
    state.store.put("room", room["room_id"], {**room, "conversation_id": conversation["id"], "request": dict(body)})
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
