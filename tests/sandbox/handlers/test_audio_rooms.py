"""Rooms for calls, and live sessions."""

from __future__ import annotations

import httpx
import pytest

from coze_sandbox import BOT_ID, LIVE_ID, RTC_APP_ID, VOICE_ID, WORKFLOW_ECHO, WORKSPACE_ID, Sandbox

ROOMS = "/v1/audio/rooms"


def test_room(api):
    """Creating a room returns a token for the user, and creates a conversation where none is named."""
    conversation = api.ok("POST", "/v1/conversation/create", json={})["id"]
    named = {"voice_id": VOICE_ID, "workflow_id": WORKFLOW_ECHO, "conversation_id": conversation, "uid": "user-1"}
    room = api.ok("POST", ROOMS, json={"bot_id": BOT_ID, **named})
    assert room["uid"] == "user-1"
    assert room["app_id"] in room["token"]
    other = api.ok("POST", ROOMS, json={"bot_id": BOT_ID})
    assert {other[name] == room[name] for name in ("room_id", "token", "uid")} == {False}
    conversations = api.ok("GET", "/v1/conversations", params={"bot_id": BOT_ID})["conversations"]
    assert len(conversations) == 1


def test_rooms_are_the_same_in_every_run():
    """The same calls give the same rooms."""
    rooms = []
    for _ in range(2):
        with Sandbox(seed=3) as sandbox:
            headers = {"Authorization": f"Bearer {sandbox.token}"}
            answer = httpx.post(sandbox.base_url + ROOMS, headers=headers, json={"bot_id": BOT_ID})
            rooms.append(answer.json()["data"])
    assert rooms[0] == rooms[1]


@pytest.mark.parametrize(
    "config",
    [
        {"room_mode": "s2s"},
        {"room_mode": "translate", "translate_config": {"from": "zh", "to": "en"}},
        {"turn_detection": {"type": "client_vad"}},
    ],
    ids=["s2s", "translate", "client_vad"],
)
def test_room_takes_the_settings_of_the_official_clients(api, config):
    """A room takes the modes for speech to speech and for interpretation, and turn detection by the client."""
    assert api.ok("POST", ROOMS, json={"bot_id": BOT_ID, "config": config})["room_id"]


@pytest.mark.parametrize(
    ("named", "expected"),
    [
        ({"bot_id": "9"}, (404, 4200)),
        ({"voice_id": "9"}, (404, 4200)),
        ({"workflow_id": "9"}, (404, 4200)),
        ({"conversation_id": "9"}, (404, 4002)),
    ],
    ids=["bot", "voice", "workflow", "conversation"],
)
def test_room_with_what_does_not_exist(api, named, expected):
    """Creating a room with a bot, voice, workflow or conversation that does not exist is refused."""
    assert api.refused("POST", ROOMS, json={"bot_id": BOT_ID, **named}) == expected


def test_room_with_a_bot_that_is_not_published(api):
    """A bot enters a room only when it is published."""
    bot_id = api.ok("POST", "/v1/bot/create", json={"space_id": WORKSPACE_ID, "name": "b"})["bot_id"]
    assert api.refused("POST", ROOMS, json={"bot_id": bot_id}) == (400, 4015)


def test_live_session(api):
    """A live session has the spoken text and its translation."""
    live = api.ok("GET", f"/v1/audio/live/{LIVE_ID}")
    assert live["app_id"] == RTC_APP_ID
    assert [stream["live_type"] for stream in live["stream_infos"]] == ["origin", "translation"]
    assert api.refused("GET", "/v1/audio/live/9") == (404, 4200)
