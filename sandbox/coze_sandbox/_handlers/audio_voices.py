"""System voices and cloned voices."""

from __future__ import annotations

from .._common.errors import INVALID_PARAMETER, CallError
from .._http.context import Call, ResponseFields
from .._state.store import public
from ._common import get_or_404, numbered_page, sent_file
from ._registry import operation

_TIMES = 10
_BYTES = {"voice_name": 128, "text": 1024}
_GREETING = "你好。"
_LANGUAGES = {"zh": "中文", "en": "英语", "ja": "日语", "es": "西班牙语", "id": "印尼语", "pt": "葡萄牙语"}


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
