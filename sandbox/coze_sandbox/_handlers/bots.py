"""Bots: drafts, snapshots that are published to channels as versions, and their events for callback apps."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from .._common.errors import INVALID_PARAMETER, CallError
from .._http.context import Call, ResponseFields
from .._state.state import DomainEvent, SandboxState
from ._bot_serializers import API_CHANNEL, published, serialize_detail, serialize_summary
from ._common import check_file, check_owner, get_or_404, newest_first, numbered_page
from ._registry import operation

_EDITABLE = (
    "name",
    "description",
    "icon_file_id",
    "prompt_info",
    "onboarding_info",
    "knowledge",
    "plugin_id_list",
    "workflow_id_list",
    "model_info_config",
    "suggest_reply_info",
    "media_config",
)

_VERSIONS_PER_PAGE = 10
_OF_THE_PLATFORM = {API_CHANNEL, "999"}  # the API and the Chat SDK; all others are custom channels


@operation("bots.create")
def create(call: Call) -> ResponseFields:
    """Create a bot, not published."""
    state, space_id = call.state, call.body["space_id"]
    get_or_404(state, "workspace", space_id, name="space_id")
    now = state.clock.seconds()
    draft = {
        **_edited(call),
        "bot_id": state.new_id(),
        "create_time": now,
        "update_time": now,
        "owner_user_id": call.user_id,
    }
    bot = {"space_id": space_id, "draft": draft, "channels": {}, "collaboration_mode": "single"}
    state.store.put("bot", draft["bot_id"], bot, space_id)
    return {"data": {"bot_id": draft["bot_id"]}}


@operation("bots.update")
def update(call: Call) -> None:
    """Change the draft, not the published snapshot."""
    state = call.state
    bot = get_or_404(state, "bot", call.body["bot_id"])
    bot["draft"] = {**bot["draft"], **_edited(call), "update_time": state.clock.seconds()}
    state.store.put("bot", call.body["bot_id"], bot, bot["space_id"])


@operation("bots.retrieve")
def retrieve(call: Call) -> ResponseFields:
    """Return the snapshot that is published to the API channel, or the draft."""
    bot = get_or_404(call.state, "bot", call.path["bot_id"])
    if not call.query.get("is_published", True):
        return {"data": serialize_detail(bot["draft"], None)}
    online = published(call.state, bot, API_CHANNEL)
    return {"data": serialize_detail(online["snapshot"], online["version"])}


@operation("bots.retrieve_published")
def retrieve_published(call: Call) -> ResponseFields:
    """Return the snapshot that is published to the API channel."""
    bot = get_or_404(call.state, "bot", call.query["bot_id"])
    online = published(call.state, bot, API_CHANNEL)
    return {"data": serialize_detail(online["snapshot"], online["version"])}


@operation("bots.list")
def list_bots(call: Call) -> ResponseFields:
    """List the bots of a workspace in one state of publication, last changed first."""
    state, query = call.state, call.query
    get_or_404(state, "workspace", query["workspace_id"])
    wanted = query.get("publish_status", "published_online")
    channel = query.get("connector_id", API_CHANNEL)
    lines = []
    for bot in state.store.list("bot", query["workspace_id"]):
        is_online = channel in bot["channels"]
        if wanted == "all" or is_online == (wanted != "unpublished_draft"):
            snapshot = bot["draft"]
            if wanted == "published_online":
                snapshot = published(state, bot, channel)["snapshot"]
            lines.append(serialize_summary(bot, snapshot, channel))
    page, _ = numbered_page(call, newest_first(lines))
    return {"data": {"items": page, "total": len(lines)}}


@operation("bots.list_published")
def list_published(call: Call) -> ResponseFields:
    """List the bots of a workspace that are published to the API channel."""
    state = call.state
    get_or_404(state, "workspace", call.query["space_id"], name="space_id")
    lines = []
    for bot in state.store.list("bot", call.query["space_id"]):
        if API_CHANNEL in bot["channels"]:
            online = published(state, bot, API_CHANNEL)
            line = serialize_summary(bot, online["snapshot"], API_CHANNEL)
            lines.append(
                {
                    "bot_id": line["id"],
                    "bot_name": line["name"],
                    "description": line["description"],
                    "icon_url": line["icon_url"],
                    "publish_time": str(online["published_at"]),
                }
            )
    page, _ = numbered_page(call, lines, param="page_index")
    return {"data": {"space_bots": page, "total": len(lines)}}


def _edited(call: Call) -> dict[str, Any]:
    edited = {name: call.body[name] for name in _EDITABLE if name in call.body}
    check_file(call.state, edited.get("icon_file_id"), "icon_file_id")
    if not 0 <= edited.get("model_info_config", {}).get("top_p", 1) <= 1:
        raise CallError(INVALID_PARAMETER, "body.model_info_config.top_p: must be from 0 to 1")
    _check_prompt(edited.get("prompt_info", {}), edited.get("model_info_config", {}))
    return edited


def _check_prompt(prompt: Mapping[str, Any], model: Mapping[str, Any]) -> None:
    """Reject `prompt` with prefix caching, which needs `prefix_prompt_info`."""
    caching = model.get("parameters", {}).get("caching", {}).get("type")
    if prompt.get("prompt") and (model.get("cache_type") == "prefix" or caching == "enabled"):
        msg = "body.prompt_info.prompt: with prefix caching, prefix_prompt_info takes its place"
        raise CallError(INVALID_PARAMETER, msg)


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


def emit_published(call: Call, bot: Mapping[str, Any], channels: Iterable[str], version: str) -> None:
    """Emit the publication of a bot: once to the apps of the account for all channels of the platform, and to the
    apps of other channels for each of these.

    Args:
        call: The call that publishes.
        bot: The bot.
        channels: The channels.
        version: The version.
    """
    user = get_or_404(call.state, "user", call.user_id)
    event = {
        # Numbers despite their names, as documented.
        "user_id_str": int(call.user_id),
        "user_name": user["user_name"],
        "bot_id_str": int(bot["draft"]["bot_id"]),
        **_named(bot),
        "version": version,
    }
    own = _channels_with_apps(call.state)
    if any(channel not in own for channel in channels):
        _emit(call.state, "bot.published", bot, {**event, "space_id": bot["space_id"]}, None)
    for channel in channels:
        _emit(call.state, "bot.published", bot, event, channel)


def emit_unpublished(state: SandboxState, bot: Mapping[str, Any], channel: str) -> None:
    """Emit the removal of a bot from a channel.

    Args:
        state: The state.
        bot: The bot.
        channel: The channel.
    """
    event = {"bot_id": bot["draft"]["bot_id"], "connector_id": channel, **_named(bot)}
    _emit(state, "bot.unpublished", bot, {**event, "space_id": bot["space_id"]}, None)
    _emit(state, "bot.unpublished", bot, event, channel)


def _emit(
    state: SandboxState, kind: str, bot: Mapping[str, Any], event: Mapping[str, Any], channel: str | None
) -> None:
    space_id = bot["space_id"]
    owner = get_or_404(state, "workspace", space_id)["owner_uid"]
    state.emit(DomainEvent(kind=kind, event=event, space_id=space_id, account_id=owner, connector_id=channel))


def _named(bot: Mapping[str, Any]) -> dict[str, str]:
    return {"bot_name": bot["draft"]["name"], "description": bot["draft"].get("description", "")}


def _channels_with_apps(state: SandboxState) -> set[str]:
    """Return the channels of connector apps; all others belong to the platform."""
    return {app["connector_id"] for app in state.store.list("api_app") if app["app_type"] == "connector"}
