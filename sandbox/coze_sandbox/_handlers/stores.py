"""The store of the paid plugins."""

from __future__ import annotations

from typing import Any

from .._common.errors import INVALID_PARAMETER, CallError
from .._http.context import Call, ResponseFields
from .._state.state import SandboxState
from ._common import get_or_404, numbered_page
from ._registry import operation


@operation("stores.categories.list")
def list_categories(call: Call) -> ResponseFields:
    """List the categories of plugins."""
    page, has_more = numbered_page(call, call.state.store.list("category"))
    return {"data": {"items": page, "has_more": has_more}}


@operation("stores.plugins.list")
def list_plugins(call: Call) -> ResponseFields:
    """List the plugins of the store: the most popular first, or the latest, or those that fit best."""
    query = call.query
    keyword, order = query.get("keyword", "").casefold(), query.get("sort_type", "heat")
    if order == "relative" and not keyword:
        raise CallError(INVALID_PARAMETER, "query.sort_type: relative needs a keyword")
    shown = [_shown(call.state, plugin) for plugin in call.state.store.list("plugin") if plugin["_paid"]]
    products = [
        product
        for product in shown
        if keyword in _words(product)
        and query.get("is_official", product["metainfo"]["is_official"]) == product["metainfo"]["is_official"]
        and product["metainfo"]["category"]["id"] in query.get("category_ids", [product["metainfo"]["category"]["id"]])
    ]
    if order == "newest":
        products.sort(key=lambda product: -int(product["metainfo"]["listed_at"]))
    else:
        fits = order == "relative"
        products.sort(
            key=lambda product: (fits and keyword not in product["metainfo"]["name"].casefold(), -_heat(product))
        )
    page, has_more = numbered_page(call, products)
    return {"data": {"items": page, "has_more": has_more}}


def _shown(state: SandboxState, plugin: dict[str, Any]) -> dict[str, Any]:
    key, product = plugin["plugin_id"], get_or_404(state, "product", plugin["plugin_id"])
    uses = sum(key in _plugins_of(bot) for bot in state.store.list("bot"))
    metainfo = {
        "product_id": product["product_id"],
        "entity_id": key,
        "entity_type": "plugin",
        "entity_version": "0",
        "name": plugin["name"],
        "description": plugin["description"],
        "icon_url": plugin["icon_url"],
        "category": get_or_404(state, "category", product["category_id"]),
        "user_info": product["user_info"],
        "is_official": product["is_official"],
        "paid_type": "paid",
        "listed_at": product["listed_at"],
    }
    info = {
        "description": plugin["description"],
        "heat": product["heat"],
        "call_count": plugin["_calls"],
        "success_rate": 1,
        "bots_use_count": uses,
        "favorite_count": 0,
        "total_tools_count": len(plugin["tools"]),
        "is_call_available": plugin["is_call_available"],
        "avg_exec_duration_ms": 1,
        "associated_bots_use_count": 0,
    }
    return {"metainfo": metainfo, "plugin_info": info}


def _plugins_of(bot: dict[str, Any]) -> set[str]:
    return {entry["plugin_id"] for entry in bot["draft"].get("plugin_id_list", {}).get("id_list", ())}


def _words(product: dict[str, Any]) -> str:
    return f"{product['metainfo']['name']}\n{product['metainfo']['description']}".casefold()


def _heat(product: dict[str, Any]) -> int:
    return int(product["plugin_info"]["heat"])
