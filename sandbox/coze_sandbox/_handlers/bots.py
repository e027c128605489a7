"""Bots: drafts, and snapshots that are published to channels."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .._common.errors import INVALID_PARAMETER, CallError
from .._http.context import Call, ResponseFields
from ._bot_serializers import API_CHANNEL, published, serialize_detail, serialize_summary
from ._common import check_file, get_or_404, newest_first, numbered_page
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
