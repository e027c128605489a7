"""Authorizations that users gave to plugins."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .._http.context import Call, ResponseFields
from ._bot_serializers import API_CHANNEL
from ._common import get_or_404
from ._registry import operation

_KINDS = {"0": "bot", "1": "app", "2": "workflow"}
_AUTHORIZED, _UNAUTHORIZED = 1, 2


@operation("authorized_plugins.list")
def list_plugins(call: Call) -> ResponseFields:
    """List the plugins of a bot that need an authorization, which users gave until they revoke it."""
    shown = []
    for plugin in _plugins(call, call.query):
        is_revoked = call.state.find("plugin_revocation", _key(call, call.query, plugin["plugin_id"])) is not None
        shown.append(
            {
                "plugin_id": plugin["plugin_id"],
                "plugin_name": plugin["name"],
                "plugin_icon": plugin["icon_url"],
                "status": _UNAUTHORIZED if is_revoked else _AUTHORIZED,
            }
        )
    return {"data": {"items": shown}}


@operation("authorized_plugins.revoke")
def revoke(call: Call) -> None:
    """Revoke the authorization of one plugin, or of all plugins of a bot."""
    wanted = call.body.get("plugin_id")
    if wanted:
        get_or_404(call.state, "plugin", wanted)
    for plugin in _plugins(call, call.body):
        if wanted in (None, "", plugin["plugin_id"]):
            call.state.store.put("plugin_revocation", _key(call, call.body, plugin["plugin_id"]), {})


def _plugins(call: Call, sent: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the plugins of a bot that need an authorization. Apps and workflows of the sandbox have no plugins."""
    kind = _KINDS.get(sent.get("entity_type", "0"))
    if kind is None or not sent.get("entity_id"):
        return []
    entity = get_or_404(call.state, kind, sent["entity_id"], name="entity_id")
    entries = entity.get("draft", {}).get("plugin_id_list", {}).get("id_list", ())
    plugins = [call.state.find("plugin", key) for key in dict.fromkeys(entry["plugin_id"] for entry in entries)]
    return [plugin for plugin in plugins if plugin is not None and plugin["_needs_user"]]


def _key(call: Call, sent: Mapping[str, Any], plugin_id: str) -> str:
    channel, user = sent.get("connector_id") or API_CHANNEL, sent.get("user_id") or call.user_id
    return f"{plugin_id}/{sent['entity_id']}/{channel}/{user}"
