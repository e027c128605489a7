"""Recorded WebSocket frames and published callbacks pass through the client without loss."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from coze_api import Model, Unknown
from coze_api.models import (
    Callbacks,
    ChatSocket,
    InterpretationSocket,
    RtcRoom,
    SpeechSocket,
    TranscriptionSocket,
)

FACTS = Path(__file__).resolve().parents[2].parent / "shared" / "facts"
pytestmark = pytest.mark.skipif(not FACTS.is_dir(), reason="the facts catalog does not lie beside the repository")
SOCKETS: dict[str, Any] = {
    "audio_speech": SpeechSocket,
    "audio_transcriptions": TranscriptionSocket,
    "chat": ChatSocket,
    "simult_interpretation": InterpretationSocket,
}


def read(name: str) -> Any:
    return json.loads((FACTS / name).read_text(encoding="utf-8")) if FACTS.is_dir() else {}


def kept(message: Any, frame: dict[str, Any]) -> None:
    """Check that a frame has a class and comes back as it was, with nothing known left over."""
    assert isinstance(message, Model), frame
    assert not isinstance(message, Unknown)
    assert message.to_dict() == frame
    assert not {key for key, value in message.extra_fields.items() if value is not None and key in message._known}


@pytest.mark.parametrize(
    ("recording", "socket"),
    [
        ("coze-go.websocket_chat.ndjson", ChatSocket),
        ("coze-go.websocket_chat_generate_audio.ndjson", ChatSocket),
        ("coze-go.websocket_speech.ndjson", SpeechSocket),
        ("coze-go.websocket_transcriptions.ndjson", TranscriptionSocket),
    ],
)
def test_recorded_frames_are_kept(recording: str, socket: Any) -> None:
    """Each recorded frame is a message of the described class, in the recorded order, and encodes to itself."""
    lines = (FACTS / "examples/streams" / recording).read_text(encoding="utf-8").splitlines()
    frames = [json.loads(line) for line in lines if line]
    assert frames
    for one in frames:
        side = socket.uplink if one["from"] == "client" else socket.downlink
        kept(side.decode(one["frame"]), one["frame"])


def test_every_message_of_the_catalog_has_a_class() -> None:
    """The catalog's messages are those of the protocols, in both directions."""
    for name, api in read("websocket_events.json")["apis"].items():
        for event in api["events"]:
            side = SOCKETS[name].uplink if event["direction"] == "uplink" else SOCKETS[name].downlink
            assert event["event_type"] in side.kinds, (name, event["event_type"])
    rooms = read("realtime_events.json")
    assert {event["event_type"] for event in rooms["uplink"]} <= RtcRoom.uplink.kinds.keys()
    assert {event["event_type"] for event in rooms["downlink"]} <= RtcRoom.downlink.kinds.keys()


def test_published_callbacks_are_kept() -> None:
    """Each callback of the catalog is a message of its class and encodes to itself."""
    events = read("webhooks.json")["events"]
    assert {event["event_type"] for event in events} == Callbacks.messages.kinds.keys()
    for event in events:
        kept(Callbacks.messages.decode(event["example"]), event["example"])
