"""Groups of voiceprints, and speaker identification."""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import Any

from .._common.errors import FILE_TYPE, INVALID_PARAMETER, NOT_FOUND, CallError, missing
from .._http.context import Call, ResponseFields, Upload
from .._state.state import SandboxState
from .._state.store import public
from ._common import get_or_404, numbered_page, sent_file, serialize_user
from ._registry import operation

_MOST_IN_A_GROUP = 10
_MOST_GROUPS = 1000
_FILE_TYPES = ("", ".pcm", ".wav")  # a name may have no suffix
_PCM = {"sample_rate": 16_000, "channel": 1}
_SAME, _OTHER = 100.0, 20.0


@operation("audio.voiceprint_groups.create")
def create(call: Call) -> ResponseFields:
    """Create an empty group."""
    state, now = call.state, call.state.clock.seconds()
    if len(state.list("voiceprint_group")) >= _MOST_GROUPS:
        raise CallError(INVALID_PARAMETER, f"There are {_MOST_GROUPS} groups already.")
    key = state.new_id()
    group = {
        "id": key,
        "name": call.body["name"],
        "desc": call.body.get("desc", ""),
        "icon_url": "https://sandbox.invalid/group.png",
        "creator_id": call.user_id,
        "created_at": now,
        "updated_at": now,
    }
    state.store.put("voiceprint_group", key, group)
    return {"data": {"id": key}}


@operation("audio.voiceprint_groups.update")
def update(call: Call) -> None:
    """Change name and description."""
    group = _group(call)
    changes = {name: call.body[name] for name in ("name", "desc") if name in call.body}
    group.update(changes, updated_at=call.state.clock.seconds())
    call.state.store.put("voiceprint_group", group["id"], group)


@operation("audio.voiceprint_groups.delete")
def delete(call: Call) -> None:
    """Remove a group with its voiceprints."""
    group = _group(call)
    call.state.store.delete("voiceprint_group", group["id"])
    call.state.store.delete_children("voiceprint", group["id"])


@operation("audio.voiceprint_groups.list")
def list_groups(call: Call) -> ResponseFields:
    """List the groups, the newest first."""
    state, query = call.state, call.query
    groups = [
        group
        for group in reversed(state.list("voiceprint_group"))
        if group["name"].startswith(query.get("name", ""))
        and query.get("user_id", group["creator_id"]) == group["creator_id"]
        and query.get("group_id", group["id"]) == group["id"]
    ]
    page, _ = numbered_page(call, groups, size=10)
    shown = [
        {**_with_creator(state, group), "feature_count": len(state.store.list("voiceprint", group["id"]))}
        for group in page
    ]
    return {"data": {"items": shown, "total": len(groups)}}


@operation("audio.voiceprint_groups.features.create")
def add_feature(call: Call) -> ResponseFields:
    """Add a voiceprint."""
    state, group = call.state, _group(call)
    if len(state.store.list("voiceprint", group["id"])) >= _MOST_IN_A_GROUP:
        raise CallError(INVALID_PARAMETER, f"The group has {_MOST_IN_A_GROUP} voiceprints already.")
    key, now = state.new_id(), state.clock.seconds()
    feature = {
        "id": key,
        "group_id": group["id"],
        "name": call.body["name"],
        "desc": call.body.get("desc", ""),
        "icon_url": "https://sandbox.invalid/voiceprint.png",
        "audio_url": f"https://sandbox.invalid/voiceprint/{key}.wav",
        "creator_id": call.user_id,
        "created_at": now,
        "updated_at": now,
        "_sha256": _sound(call).sha256,
    }
    state.store.put("voiceprint", key, feature, group["id"])
    return {"data": {"id": key}}


@operation("audio.voiceprint_groups.features.update")
def update_feature(call: Call) -> None:
    """Change name, description or audio of a voiceprint."""
    feature = _feature(call)
    changes = {name: call.body[name] for name in ("name", "desc") if name in call.body}
    if "file" in call.files:
        changes["_sha256"] = _sound(call).sha256
    feature.update(changes, updated_at=call.state.clock.seconds())
    call.state.store.put("voiceprint", feature["id"], feature, feature["group_id"])


@operation("audio.voiceprint_groups.features.delete")
def delete_feature(call: Call) -> None:
    """Remove a voiceprint."""
    call.state.store.delete("voiceprint", _feature(call)["id"])


@operation("audio.voiceprint_groups.features.list")
def list_features(call: Call) -> ResponseFields:
    """List the voiceprints of a group."""
    features = call.state.store.list("voiceprint", _group(call)["id"])
    page, _ = numbered_page(call, features, size=10)
    shown = [_with_creator(call.state, feature) for feature in page]
    return {"data": {"items": shown, "total": len(features)}}


@operation("audio.voiceprint_groups.speaker_identify")
def identify(call: Call) -> ResponseFields:
    """Identify the speaker: the same file is the same voice."""
    sound = _sound(call).sha256
    matches = [
        {
            "feature_id": feature["id"],
            "feature_name": feature["name"],
            "feature_desc": feature["desc"],
            "score": _SAME if feature["_sha256"] == sound else _OTHER,
        }
        for feature in call.state.store.list("voiceprint", _group(call)["id"])
    ]
    matches.sort(key=lambda match: match["score"], reverse=True)
    count = max(call.body.get("top_k", len(matches)), 1)  # no range is documented, so every value is accepted
    return {"data": {"feature_score_list": matches[:count]}}


def _group(call: Call) -> dict[str, Any]:
    return get_or_404(call.state, "voiceprint_group", call.path["group_id"], name="group_id")


def _feature(call: Call) -> dict[str, Any]:
    group, key = _group(call), call.path["feature_id"]
    feature = get_or_404(call.state, "voiceprint", key, name="feature_id")
    if feature["group_id"] != group["id"]:
        raise missing(NOT_FOUND, "feature_id", key)
    return feature


def _sound(call: Call) -> Upload:
    file = sent_file(call)
    kind = PurePosixPath(file.name).suffix.lower()
    if kind not in _FILE_TYPES:
        raise CallError(FILE_TYPE, "body.file: must be wav or pcm")
    for name, allowed in _PCM.items():
        if kind == ".pcm" and call.body.get(name, allowed) != allowed:
            raise CallError(INVALID_PARAMETER, f"body.{name}: must be {allowed} for pcm")
    return file


def _with_creator(state: SandboxState, document: dict[str, Any]) -> dict[str, Any]:
    shown = public(document)
    return {"user_info": serialize_user(state, shown.pop("creator_id")), **shown}
