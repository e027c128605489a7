"""Speech from text, and text from speech."""

from __future__ import annotations

from .._common.audio import FORMATS, make_sound
from .._common.errors import INVALID_PARAMETER, SPEECH_TOO_LONG, CallError
from .._http.context import Call, FileResponse, ResponseFields
from ._common import get_or_404, sent_file
from ._registry import operation

_LONGEST = 1024
_SECONDS_PER_CHARACTER = 0.02
_SPEEDS = {"big": (0.5, 2), "small": (0.2, 3)}  # by the model of the voice


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
