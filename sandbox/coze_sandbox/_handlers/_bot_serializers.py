"""Serializers of bots."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .._common.errors import BOT_NOT_PUBLISHED, NOT_FOUND, CallError, missing
from .._state.state import SandboxState
from ._common import get_or_404

__all__ = ["API_CHANNEL", "serialize_detail", "find_version", "published", "serialize_summary"]

API_CHANNEL = "1024"

_ICON = "https://sandbox.invalid/bot.png"
# No operation sets an image, so all its members are empty.
_NO_IMAGE = {"image_url": "", "origin_image_url": "", "theme_color": "", "canvas_position": {}, "gradient_position": {}}
_SAME = ("prompt_info", "onboarding_info", "suggest_reply_info", "media_config")
_MODEL_MEMBERS = (
    "model_id",
    "temperature",
    "top_k",
    "top_p",
    "frequency_penalty",
    "presence_penalty",
    "context_round",
    "max_tokens",
    "response_format",
    "api_mode",
    "parameters",
)


def serialize_detail(state: Mapping[str, Any], version: str | None) -> dict[str, Any]:
    """Serialize a snapshot of a bot in full.

    Args:
        state: The draft or a published snapshot.
        version: Its version; None for a draft.
    """
    shown: dict[str, Any] = {
        "bot_id": state["bot_id"],
        "name": state["name"],
        "description": state.get("description", ""),
        "icon_url": icon_url(state),
        "create_time": state["create_time"],
        "update_time": state["update_time"],
        "version": version or "",
        "bot_mode": 0,
        "owner_user_id": state["owner_user_id"],
        "default_user_input_type": "text",
        "plugin_info_list": _plugins(state),
        "workflow_info_list": _workflows(state),
        "shortcut_commands": [],
        "variables": [],
        "voice_info_list": [],
        "background_image_info": {"web_background_image": dict(_NO_IMAGE), "mobile_background_image": dict(_NO_IMAGE)},
    }
    shown.update({name: state[name] for name in _SAME if name in state})
    shown.setdefault("prompt_info", {"prompt": ""})
    shown.setdefault("onboarding_info", {"prologue": "", "suggested_questions": []})
    model = state.get("model_info_config", {"model_id": "7300000000000000900"})
    shown["model_info"] = {name: model[name] for name in _MODEL_MEMBERS if name in model}
    shown["model_info"]["model_name"] = "Sandbox model"
    datasets = state.get("knowledge", {}).get("dataset_ids", [])
    shown["knowledge"] = {"knowledge_infos": [{"id": key, "name": f"Knowledge {key}"} for key in datasets]}
    return shown


def icon_url(state: Mapping[str, Any]) -> str:
    """Return the URL of a bot's icon."""
    file_id = state.get("icon_file_id")
    return f"https://sandbox.invalid/icon/{file_id}.png" if file_id else _ICON


def published(state: SandboxState, bot: Mapping[str, Any], channel: str) -> dict[str, Any]:
    """Return the version of a bot that is online in a channel.

    Raises:
        CallError: It is not published there.
    """
    online = bot["channels"].get(channel)
    if online is None:
        raise CallError(
            BOT_NOT_PUBLISHED, f"The bot_id {bot['draft']['bot_id']} has not been published to the channel {channel}."
        )
    return get_or_404(state, "bot_version", f"{bot['draft']['bot_id']}/{online['version']}")


def find_version(state: SandboxState, bot_id: str, version: str) -> dict[str, Any]:
    """Return one published version of a bot.

    Raises:
        CallError: The version does not exist.
    """
    document = state.find("bot_version", f"{bot_id}/{version}")
    if document is None:
        raise missing(NOT_FOUND, "bot_version", version)
    return document


def serialize_summary(bot: Mapping[str, Any], state: Mapping[str, Any], channel: str) -> dict[str, Any]:
    """Serialize a snapshot of a bot as an item of a list."""
    online = bot["channels"].get(channel)
    shown = {
        "id": state["bot_id"],
        "name": state["name"],
        "description": state.get("description", ""),
        "icon_url": icon_url(state),
        "is_published": online is not None,
        "updated_at": state["update_time"],
        "owner_user_id": state["owner_user_id"],
    }
    if online is not None:
        shown["published_at"] = online["published_at"]
    return shown


def _plugins(state: Mapping[str, Any]) -> list[dict[str, Any]]:
    tools: dict[str, list[str]] = {}
    for entry in state.get("plugin_id_list", {}).get("id_list", ()):
        tools.setdefault(entry["plugin_id"], []).append(entry["api_id"])
    return [
        {
            "plugin_id": plugin_id,
            "name": f"Plugin {plugin_id}",
            "description": "",
            "icon_url": "https://sandbox.invalid/plugin.png",
            "api_info_list": [{"api_id": api_id, "name": f"Tool {api_id}", "description": ""} for api_id in api_ids],
        }
        for plugin_id, api_ids in tools.items()
    ]


def _workflows(state: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [
        {
            "id": entry["id"],
            "name": f"Workflow {entry['id']}",
            "description": "",
            "icon_url": "https://sandbox.invalid/workflow.png",
        }
        for entry in state.get("workflow_id_list", {}).get("ids", ())
    ]
