"""Voices and voiceprints."""

from __future__ import annotations

import pytest

from coze_sandbox import USER_ID, VOICE_ID

VOICES = "/v1/audio/voices"
CLONE = "/v1/audio/voices/clone"
GROUPS = "/v1/audio/voiceprint_groups"


def sound(content=b"sound"):
    return {"file": ("a.wav", content, "audio/wav")}


def voice(**members):
    return {"voice_name": "Narrator", "audio_format": "wav", **members}


def listed(api, **query):
    return [voice["voice_id"] for voice in api.ok("GET", VOICES, params=query)["voice_list"]]


def test_clone_then_list(api):
    """A cloned voice is listed before those that come with Coze, and speaks."""
    key = api.ok("POST", CLONE, data=voice(language="en"), files=sound())["voice_id"]
    assert listed(api)[0] == key
    assert listed(api, filter_system_voice="true") == [key]
    assert len(listed(api, voice_state="init")) == 0
    assert VOICE_ID in listed(api, model_type="big")
    assert VOICE_ID not in listed(api, model_type="small")
    page = api.ok("GET", VOICES, params={"page_size": 1})
    assert (len(page["voice_list"]), page["has_more"]) == (1, True)
    body = {"input": "Hi", "voice_id": key}
    assert api.http.post("/v1/audio/speech", json=body).status_code == 200


def test_clone_anew(api):
    """A voice keeps its id when it is cloned anew, which is possible nine times."""
    key = api.ok("POST", CLONE, data=voice(), files=sound())["voice_id"]
    for _ in range(9):
        again = api.ok("POST", CLONE, data=voice(voice_id=key, voice_name="Ann"), files=sound())
        assert again["voice_id"] == key
    assert api.ok("GET", VOICES)["voice_list"][0]["name"] == "Ann"
    assert api.refused("POST", CLONE, data=voice(voice_id=key), files=sound()) == (400, 4000)


@pytest.mark.parametrize(
    ("members", "content", "failure"),
    [
        ({}, b"", (400, 4300)),
        ({"space_id": "1"}, b"x", (404, 4200)),
        ({"voice_id": "1"}, b"x", (404, 4200)),
        ({"voice_id": VOICE_ID}, b"x", (400, 4000)),
        ({"audio_format": "flac"}, b"x", (400, 4000)),
    ],
)
def test_refused_clones(api, members, content, failure):
    """A voice needs a sound, a known format and workspace, and cannot replace one of Coze."""
    assert api.refused("POST", CLONE, data=voice(**members), files=sound(content)) == failure


@pytest.fixture
def group(api) -> str:
    """Give a group of voiceprints."""
    return api.ok("POST", GROUPS, json={"name": "Living room"})["id"]


def add(api, group, content, name="Mother"):
    path = f"{GROUPS}/{group}/features"
    return api.ok("POST", path, data={"name": name, "sample_rate": "16000"}, files=sound(content))["id"]


def test_groups(api, group):
    """Groups are listed by the beginning of their names, changed, and deleted."""
    other = api.ok("POST", GROUPS, json={"name": "Kitchen", "desc": "Here we cook."})["id"]
    every = api.ok("GET", GROUPS)
    assert ([voiceprint_group["id"] for voiceprint_group in every["items"]], every["total"]) == ([other, group], 2)
    assert every["items"][0]["user_info"]["id"] == USER_ID
    assert [voiceprint_group["id"] for voiceprint_group in api.ok("GET", GROUPS, params={"name": "Liv"})["items"]] == [
        group
    ]
    assert [
        voiceprint_group["id"] for voiceprint_group in api.ok("GET", GROUPS, params={"group_id": other})["items"]
    ] == [other]
    assert api.ok("GET", GROUPS, params={"user_id": "1"})["total"] == 0
    api.ok("PUT", f"{GROUPS}/{group}", json={"desc": "new"})
    assert api.ok("GET", GROUPS, params={"group_id": group})["items"][0]["desc"] == "new"
    api.ok("DELETE", f"{GROUPS}/{group}")
    assert api.refused("DELETE", f"{GROUPS}/{group}") == (404, 4200)
    assert api.refused("PUT", f"{GROUPS}/{group}", json={"name": "x"}) == (404, 4200)


def test_voiceprints(api, group):
    """Voiceprints are added with a sound, changed with or without one, and deleted."""
    key = add(api, group, b"mother")
    path = f"{GROUPS}/{group}/features"
    shown = api.ok("GET", path)
    assert (shown["total"], shown["items"][0]["name"], shown["items"][0]["group_id"]) == (1, "Mother", group)
    assert api.ok("GET", GROUPS)["items"][0]["feature_count"] == 1
    api.ok("PUT", f"{path}/{key}", data={"name": "Mum"}, files={"none": ("", b"")})
    api.ok("PUT", f"{path}/{key}", files=sound(b"other"))
    assert api.ok("GET", path)["items"][0]["name"] == "Mum"
    foreign = api.ok("POST", GROUPS, json={"name": "Kitchen"})["id"]
    assert api.refused("DELETE", f"{GROUPS}/{foreign}/features/{key}") == (404, 4200)
    api.ok("DELETE", f"{path}/{key}")
    assert api.ok("GET", path)["total"] == 0
    assert api.refused("DELETE", f"{path}/{key}") == (404, 4200)


def test_full_group(api, group):
    """A group holds ten voiceprints."""
    for number in range(10):
        add(api, group, bytes([number + 1]))
    path = f"{GROUPS}/{group}/features"
    assert api.refused("POST", path, data={"name": "n"}, files=sound()) == (400, 4000)


def test_who_speaks(api, group):
    """Identifying a speaker returns the voiceprints sorted by score; a recording of a member has the highest one."""
    add(api, group, b"father", "Father")
    mother = add(api, group, b"mother")
    path = f"{GROUPS}/{group}/speaker_identify"
    matches = api.ok("POST", path, files=sound(b"mother"))["feature_score_list"]
    assert [feature["feature_name"] for feature in matches] == ["Mother", "Father"]
    assert matches[0]["score"] > 50 > matches[1]["score"]
    best = api.ok("POST", path, data={"top_k": "1"}, files=sound(b"mother"))["feature_score_list"]
    assert [feature["feature_id"] for feature in best] == [mother]
    for few in ("0", "-1"):
        assert api.ok("POST", path, data={"top_k": few}, files=sound(b"mother"))["feature_score_list"] == best
    assert api.refused("POST", path, files=sound(b"")) == (400, 4300)
