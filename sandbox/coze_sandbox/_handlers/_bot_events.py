"""Events of bots, for callback apps."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from .._http.context import Call
from .._state.events import DomainEvent
from .._state.state import SandboxState
from ._common import get_or_404

__all__ = ["emit_published", "emit_unpublished"]


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
