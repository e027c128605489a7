"""Publication of bots, and their versions."""

from __future__ import annotations

from .._common.errors import INVALID_PARAMETER, CallError
from .._http.context import Call, ResponseFields
from .._state.state import SandboxState
from ._bot_events import emit_published, emit_unpublished
from ._bot_serializers import API_CHANNEL, published
from ._common import check_owner, get_or_404, numbered_page
from ._registry import operation

_VERSIONS_PER_PAGE = 10
_OF_THE_PLATFORM = {API_CHANNEL, "999"}  # the API and the Chat SDK; all others are custom channels


@operation("bots.publish")
def publish(call: Call) -> ResponseFields:
    """Publish the draft as a new version to the given channels."""
    state, bot_id = call.state, call.body["bot_id"]
    bot = get_or_404(state, "bot", bot_id)
    channels = call.body.get("connector_ids", [API_CHANNEL])
    if not channels:
        raise CallError(INVALID_PARAMETER, "body.connector_ids: name at least one channel")
    if API_CHANNEL not in channels and not _OF_THE_PLATFORM.issuperset(channels):
        msg = f"body.connector_ids: custom channels go together with the API channel, {API_CHANNEL}"
        raise CallError(INVALID_PARAMETER, msg)
    now = state.clock.seconds()
    version = _next_version(state, bot_id)
    snapshot = {
        "version": version,
        "published_at": now,
        "connectors": channels,
        "creator": call.user_id,
        "snapshot": bot["draft"],
    }
    state.store.put("bot_version", f"{bot_id}/{version}", snapshot, bot_id)
    for channel in channels:
        bot["channels"][channel] = {"version": version, "published_at": now}
    state.store.put("bot", bot_id, bot, bot["space_id"])
    emit_published(call, bot, channels, version)
    return {"data": {"bot_id": bot_id, "version": version}}


@operation("bots.unpublish")
def unpublish(call: Call) -> None:
    """Unpublish a bot from a channel. Its versions are kept."""
    state, bot_id = call.state, call.path["bot_id"]
    bot = get_or_404(state, "bot", bot_id)
    published(state, bot, call.body["connector_id"])
    check_owner(call, bot["draft"]["owner_user_id"], "bot")
    del bot["channels"][call.body["connector_id"]]
    state.store.put("bot", bot_id, bot, bot["space_id"])
    emit_unpublished(state, bot, call.body["connector_id"])


@operation("bots.versions.list")
def list_versions(call: Call) -> ResponseFields:
    """List published versions, newest first, or the draft alone."""
    state, bot_id, query = call.state, call.path["bot_id"], call.query
    bot = get_or_404(state, "bot", bot_id)
    wanted = query.get("publish_status", "published_online")
    if wanted == "unpublished_draft":
        versions = [_draft_line(state, bot["draft"])]
    else:
        channel = query.get("connector_id")
        versions = [
            {
                "version": version["version"],
                "creator": _creator(state, version["creator"]),
                "created_at": version["published_at"],
                "changelog": "",
                "publish_status": "published_online",
            }
            for version in reversed(state.store.list("bot_version", bot_id))
            if channel is None or channel in version["connectors"]
        ]
    page, has_more = numbered_page(call, versions, size=_VERSIONS_PER_PAGE)
    return {"data": {"items": page, "has_more": has_more}}


def _draft_line(state: SandboxState, draft: dict[str, object]) -> dict[str, object]:
    return {
        "version": "",
        "creator": _creator(state, str(draft["owner_user_id"])),
        "created_at": draft["update_time"],
        "changelog": "",
        "publish_status": "unpublished_draft",
    }


def _creator(state: SandboxState, user_id: str) -> dict[str, str]:
    return {"id": user_id, "name": get_or_404(state, "user", user_id)["nick_name"]}


def _next_version(state: SandboxState, bot_id: str) -> str:
    # Coze names versions by milliseconds. Two in one millisecond must still differ and grow.
    versions = [int(entry["version"]) for entry in state.store.list("bot_version", bot_id)]
    return str(max([int(state.clock.now() * 1000), *(last + 1 for last in versions)]))
