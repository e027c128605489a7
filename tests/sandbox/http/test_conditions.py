"""Documented conditions that JSON Schema cannot express: between members, by kind of file or voice, and in bytes."""

from __future__ import annotations

import base64

import pytest

from coze_sandbox import BOT_ID, COLLEAGUE_IDS, VOICE_ID, WORKSPACE_ID

DOCUMENTS = "/open_api/knowledge/document/create"
GROUPS = "/v1/audio/voiceprint_groups"
LIVELY_VOICE = "7300000000000000401"  # of a small model
PREFIX = {"model_id": "1", "cache_type": "prefix"}
CACHING = {"model_id": "1", "parameters": {"caching": {"type": "enabled"}}}


def dataset(api, format_type):
    body = {"name": "Manuals", "space_id": WORKSPACE_ID, "format_type": format_type}
    return api.ok("POST", "/v1/datasets", json=body)["dataset_id"]


def add(api, key, source, chunks, format_type):
    """Add a document, and return HTTP status and code."""
    entries = [{"name": "one", "source_info": source}]
    body = {"dataset_id": key, "document_bases": entries, "chunk_strategy": chunks, "format_type": format_type}
    answer = api.send("POST", DOCUMENTS, json=body, headers={"Agw-Js-Conv": "str"})
    return answer.status_code, answer.json()["code"]


@pytest.mark.parametrize("missing", ["separator", "max_tokens"])
def test_custom_chunks(api, missing):
    """Chunking by rules of one's own needs a separator and a size."""
    key, source = dataset(api, 0), {"file_base64": base64.b64encode(b"Hello").decode(), "file_type": "txt"}
    chunks = {"chunk_type": 1, "separator": "\n", "max_tokens": 100}
    assert add(api, key, source, chunks, 0) == (200, 0)
    del chunks[missing]
    assert add(api, key, source, chunks, 0) == (400, 4000)


def test_first_picture(api):
    """The first picture of a knowledge base comes with who writes captions; the next ones need not."""
    key = dataset(api, 2)
    upload = api.ok("POST", "/v1/files/upload", files={"file": ("cat.png", b"png")})
    source = {"document_source": 5, "source_file_id": upload["id"]}
    assert add(api, key, source, {"chunk_type": 0}, 2) == (400, 4000)
    assert add(api, key, source, {"chunk_type": 0, "caption_type": 1}, 2) == (200, 0)
    assert add(api, key, source, {"chunk_type": 0}, 2) == (200, 0)


def test_pictures_of_a_text(api):
    """A knowledge base of texts has no pictures to list or describe."""
    path = f"/v1/datasets/{dataset(api, 0)}/images"
    assert api.refused("GET", path) == (400, 4000)
    assert api.refused("PUT", f"{path}/1", json={"caption": "A cat"}) == (400, 4000)


@pytest.mark.parametrize("model", [PREFIX, CACHING])
def test_prompt_with_prefix_caching(api, model):
    """With prefix caching the prompt is in two parts."""
    body = {"space_id": WORKSPACE_ID, "name": "Cook", "model_info_config": model}
    whole = {**body, "prompt_info": {"prompt": "You are a chef."}}
    assert api.refused("POST", "/v1/bot/create", json=whole) == (400, 4000)
    parts = {"prompt_mode": "prefix", "prefix_prompt_info": {"prefix_prompt": "You are a chef."}}
    api.ok("POST", "/v1/bot/create", json={**body, "prompt_info": parts})


@pytest.mark.parametrize(("channels", "fits"), [(["7001"], False), (["7001", "1024"], True), (["999"], True)])
def test_custom_channels(api, channels, fits):
    """Custom channels go together with that of the API; the one of the Chat SDK stands alone."""
    answer = api.send("POST", "/v1/bot/publish", json={"bot_id": BOT_ID, "connector_ids": channels})
    assert answer.json()["code"] == (0 if fits else 4000)


def test_extra_params(api):
    """Chats know two facts of their callers, latitude and longitude."""
    api.ok("POST", "/v3/chat", json=api.chat("Hi", extra_params={"latitude": "39.9", "longitude": "116.3"}))
    assert api.refused("POST", "/v3/chat", json=api.chat("Hi", extra_params={"city": "Ulm"})) == (400, 4000)


@pytest.mark.parametrize(
    ("voice", "speed", "status"),
    [
        (VOICE_ID, 0.5, 200),
        (VOICE_ID, 0.4, 400),
        (VOICE_ID, 2.1, 400),
        (LIVELY_VOICE, 0.2, 200),
        (LIVELY_VOICE, 3, 200),
    ],
)
def test_speed_of_speech(api, voice, speed, status):
    """How fast a voice speaks depends on its model."""
    body = {"input": "Hi", "voice_id": voice, "speed": speed}
    assert api.http.post("/v1/audio/speech", json=body).status_code == status


@pytest.mark.parametrize(("name", "most"), [("voice_name", 128), ("text", 1024)])
def test_texts_of_cloned_voices(api, name, most):
    """Texts of a cloned voice are measured in bytes."""
    form = {"voice_name": "Ann", "audio_format": "wav"}

    def clone(text):
        files = {"file": ("a.wav", b"sound")}
        return api.send("POST", "/v1/audio/voices/clone", data={**form, name: text}, files=files).json()["code"]

    assert clone("é" * (most // 2)) == 0
    assert clone("é" * (most // 2) + "x") == 4000


@pytest.mark.parametrize(
    ("file", "form", "code"),
    [
        ("a.wav", {"sample_rate": "8000", "channel": "2"}, 0),
        ("a.PCM", {"sample_rate": "16000", "channel": "1"}, 0),
        ("a.pcm", {"sample_rate": "8000"}, 4000),
        ("a.pcm", {"channel": "2"}, 4000),
        ("a.mp3", {}, 4303),
    ],
)
def test_files_of_voiceprints(api, file, form, code):
    """Voiceprints are made of wav, or of pcm with 16 kHz and one channel; so are the sounds that are compared."""
    group = api.ok("POST", GROUPS, json={"name": "Home"})["id"]
    files = {"file": (file, b"sound")}
    created = api.send("POST", f"{GROUPS}/{group}/features", data={"name": "Ann", **form}, files=files)
    compared = api.send("POST", f"{GROUPS}/{group}/speaker_identify", data=form, files=files)
    assert (created.json()["code"], compared.json()["code"]) == (code, code)


def test_groups_of_others(api):
    """The number of groups is limited for each account."""
    state = api.sandbox._state
    for number in range(1000):
        group = {"id": f"1{number:05}", "creator_id": COLLEAGUE_IDS[0], "name": "theirs", "created_at": 0}
        state.store.put("voiceprint_group", group["id"], group)
    own = api.ok("POST", GROUPS, json={"name": "ours"})["id"]
    assert [voiceprint_group["id"] for voiceprint_group in api.ok("GET", GROUPS)["items"]] == [own]
