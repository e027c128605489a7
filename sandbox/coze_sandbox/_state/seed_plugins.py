"""Seed data: plugins, the plugin store, and the tools."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from .store import Store

__all__ = ["LIBRARY_PLUGIN_ID", "LOCKED_PLUGIN_ID", "PLUGIN_ID", "WEATHER_PLUGIN_ID", "run_tool", "seed_plugins"]

PLUGIN_ID = "7300000000000000801"
WEATHER_PLUGIN_ID = "7300000000000000811"
LOCKED_PLUGIN_ID = "7300000000000000821"
LIBRARY_PLUGIN_ID = "7300000000000000831"

_CATEGORIES = {"7300000000000000851": "Tools", "7300000000000000852": "Weather", "7300000000000000853": "News"}
_TOOLS, _WEATHER, _NEWS = _CATEGORIES

_COZE = {"user_id": 7300000000000000, "user_name": "coze", "nick_name": "Coze", "avatar_url": ""}
_MAKER = {"user_id": 7300000000000001, "user_name": "maker", "nick_name": "Maker", "avatar_url": ""}

_TEXT = {"type": "object", "required": ["text"], "properties": {"text": {"type": "string"}}}
_CITY = {"type": "object", "required": ["city"], "properties": {"city": {"type": "string", "description": "Where."}}}
_FORECAST = {
    "type": "object",
    "required": ["city", "weather", "degrees"],
    "properties": {"city": {"type": "string"}, "weather": {"type": "string"}, "degrees": {"type": "integer"}},
}
_SKIES = ("sunny", "cloudy", "rainy")


def run_tool(name: str, arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Run a tool.

    Args:
        name: Name of the tool.
        arguments: Arguments that match its input schema.
    """
    return _DOES[name](arguments)


def seed_plugins(store: Store, now: int) -> None:
    """Insert plugins and the plugin store into an empty store.

    Args:
        store: The store.
        now: Creation time.
    """
    for key, name in _CATEGORIES.items():
        store.put("category", key, {"id": key, "name": name})
    mirror = ("7300000000000000802", "mirror", "Writes a text backwards.", _TEXT, _TEXT)
    forecast = ("7300000000000000812", "get_weather", "Returns the weather of a city.", _CITY, _FORECAST)
    headlines = (
        "7300000000000000822",
        "get_headlines",
        "Returns the headlines.",
        {"type": "object"},
        {"type": "object"},
    )
    note = ("7300000000000000832", "note", "Returns a text as it is.", _TEXT, _TEXT)
    _put(store, now, PLUGIN_ID, "Sandbox mirror", "sandbox", mirror)
    _put(store, now, WEATHER_PLUGIN_ID, "Sandbox weather", "sandbox_weather", forecast)
    _put(store, now, LOCKED_PLUGIN_ID, "Sandbox news", "sandbox_news", headlines, available=False)
    _put(store, now, LIBRARY_PLUGIN_ID, "Sandbox notes", "sandbox_notes", note, paid=False)
    for key, category, maker, heat in (
        (PLUGIN_ID, _TOOLS, _COZE, 300),
        (WEATHER_PLUGIN_ID, _WEATHER, _MAKER, 900),
        (LOCKED_PLUGIN_ID, _NEWS, _MAKER, 30),
    ):
        product = {"category_id": category, "user_info": maker, "is_official": maker is _COZE, "heat": heat}
        number = int(key[-3:])
        store.put("product", key, {**product, "product_id": f"{key[:-3]}{number + 60}", "listed_at": now + number})


def _put(
    store: Store,
    now: int,
    key: str,
    name: str,
    name_for_model: str,
    tool: tuple[str, str, str, dict[str, Any], dict[str, Any]],
    *,
    paid: bool = True,
    available: bool = True,
) -> None:
    tool_id, tool_name, description, takes, gives = tool
    plugin: dict[str, Any] = {
        "plugin_id": key,
        "name": name,
        "name_for_model": name_for_model,
        "description": description,
        "icon_url": "https://sandbox.invalid/plugin.png",
        "is_call_available": available,
        "created_at": now,
        "updated_at": now,
        "tools": [
            {
                "tool_id": tool_id,
                "name": tool_name,
                "description": description,
                "inputSchema": takes,
                "outputSchema": gives,
            }
        ],
    }
    if paid:
        server = {
            "url": f"https://mcp.coze.cn/v1/plugins/{key}",
            "headers": {"Authorization": "Bearer ${COZE_API_TOKEN}"},
        }
        plugin["mcp_json"] = json.dumps({"mcpServers": {f"coze_plugin_{name_for_model}": server}})
    store.put("plugin", key, {**plugin, "_paid": paid, "_needs_user": not paid, "_calls": 0})


def _mirror(arguments: Mapping[str, Any]) -> dict[str, Any]:
    return {"text": arguments["text"][::-1]}


def _weather(arguments: Mapping[str, Any]) -> dict[str, Any]:
    city = arguments["city"]
    luck = sum(city.encode())
    return {"city": city, "weather": _SKIES[luck % len(_SKIES)], "degrees": luck % 40 - 5}


_DOES: dict[str, Callable[[Mapping[str, Any]], dict[str, Any]]] = {"mirror": _mirror, "get_weather": _weather}
