"""Plugins, their tools, and the store."""

from __future__ import annotations

import json

import pytest

from coze_sandbox import LIBRARY_PLUGIN_ID, LOCKED_PLUGIN_ID, PLUGIN_ID, WEATHER_PLUGIN_ID, WORKSPACE_ID

CATEGORIES, PLUGINS = "/v1/stores/categories", "/v1/stores/plugins"


def call(api, plugin_id, name, arguments):
    return "POST", f"/v1/plugins/{plugin_id}/tools/call", {"tool_name": name, "arguments": arguments}


def listed(api, **params):
    data = api.ok("GET", PLUGINS, params=params)
    return [plugin["metainfo"]["entity_id"] for plugin in data["items"]], data["has_more"]


def test_plugin_and_its_tools(api):
    """A paid plugin has tools with schemas and a configuration for MCP, a free one has no such configuration."""
    plugin = api.ok("GET", f"/v1/plugins/{PLUGIN_ID}")
    assert [tool["name"] for tool in plugin["tools"]] == ["mirror"]
    assert plugin["tools"][0]["inputSchema"]["required"] == ["text"]
    (server,) = json.loads(plugin["mcp_json"])["mcpServers"].values()
    assert PLUGIN_ID in server["url"]
    assert "mcp_json" not in api.ok("GET", f"/v1/plugins/{LIBRARY_PLUGIN_ID}")
    assert api.refused("GET", "/v1/plugins/9") == (404, 4200)


def test_many_plugins(api):
    """Several plugins are returned in the requested order, each once; unknown ones are left out."""
    params = {"ids": ",".join([WEATHER_PLUGIN_ID, "9", PLUGIN_ID, WEATHER_PLUGIN_ID])}
    items = api.ok("GET", "/v1/plugins/mget", params=params)["items"]
    assert [plugin["plugin_id"] for plugin in items] == [WEATHER_PLUGIN_ID, PLUGIN_ID]


def test_tool_runs(api):
    """A tool gives the same for the same, and calls are counted in the store and in the plan."""
    verb, path, body = call(api, PLUGIN_ID, "mirror", {"text": "abc"})
    assert api.ok(verb, path, json=body) == {"result": {"text": "cba"}}
    verb, path, body = call(api, WEATHER_PLUGIN_ID, "get_weather", {"city": "Hangzhou"})
    weather = api.ok(verb, path, json=body)["result"]
    assert api.ok(verb, path, json=body)["result"] == weather
    assert weather["city"] == "Hangzhou"
    items = api.ok("GET", PLUGINS)["items"]
    assert {plugin["metainfo"]["entity_id"]: plugin["plugin_info"]["call_count"] for plugin in items} == {
        PLUGIN_ID: 1,
        WEATHER_PLUGIN_ID: 2,
        LOCKED_PLUGIN_ID: 0,
    }
    (limit,) = api.ok("GET", "/v1/commerce/benefit/benefits/get", params={"benefit_type_list": "call_tool_limit"})[
        "benefit_info"
    ]
    assert limit["effective"]["item_info"]["used"] == 3


@pytest.mark.parametrize(
    ("plugin_id", "tool", "arguments", "expected"),
    [
        ("9", "mirror", {"text": "a"}, (404, 4200)),
        (PLUGIN_ID, "unknown", {"text": "a"}, (404, 4200)),
        (PLUGIN_ID, "mirror", {}, (400, 4000)),
        (PLUGIN_ID, "mirror", {"text": 1}, (400, 4000)),
        (LIBRARY_PLUGIN_ID, "note", {"text": "a"}, (400, 4000)),
        (LOCKED_PLUGIN_ID, "get_headlines", {}, (403, 4101)),
    ],
)
def test_tool_that_cannot_be_called(api, plugin_id, tool, arguments, expected):
    """Unknown, free and locked plugins, and arguments that the tool does not take, are refused."""
    verb, path, body = call(api, plugin_id, tool, arguments)
    assert api.refused(verb, path, json=body) == expected


def test_arguments_are_named_in_the_refusal(api):
    """A refused argument is named with its place."""
    verb, path, body = call(api, PLUGIN_ID, "mirror", {"text": 1})
    assert api.send(verb, path, json=body).json()["msg"].startswith("body.arguments.text: ")


def test_categories_in_pages(api):
    """The store's categories come in pages."""
    params = {"entity_type": "plugin", "page_size": 2}
    first = api.ok("GET", CATEGORIES, params=params)
    second = api.ok("GET", CATEGORIES, params={**params, "page_num": 2})
    assert (len(first["items"]), first["has_more"], len(second["items"]), second["has_more"]) == (2, True, 1, False)


def test_store_is_filtered_and_sorted(api):
    """The store is filtered by keyword, maker and category, and sorted as requested."""
    assert listed(api) == ([WEATHER_PLUGIN_ID, PLUGIN_ID, LOCKED_PLUGIN_ID], False)
    assert listed(api, sort_type="newest")[0] == [LOCKED_PLUGIN_ID, WEATHER_PLUGIN_ID, PLUGIN_ID]
    assert listed(api, keyword="MIRR")[0] == [PLUGIN_ID]
    assert listed(api, keyword="news", sort_type="relative")[0] == [LOCKED_PLUGIN_ID]
    assert listed(api, is_official="true")[0] == [PLUGIN_ID]
    assert listed(api, is_official="false")[0] == [WEATHER_PLUGIN_ID, LOCKED_PLUGIN_ID]
    (weather, *_) = api.ok("GET", PLUGINS)["items"]
    assert listed(api, category_ids=weather["metainfo"]["category"]["id"])[0] == [WEATHER_PLUGIN_ID]
    assert listed(api, page_size=2, page_num=2) == ([LOCKED_PLUGIN_ID], False)
    assert listed(api, page_size=2) == ([WEATHER_PLUGIN_ID, PLUGIN_ID], True)
    assert api.refused("GET", PLUGINS, params={"sort_type": "relative"}) == (400, 4000)


def test_use_in_bots_is_counted(api):
    """The store shows how many bots have a plugin."""
    tools = {"id_list": [{"plugin_id": PLUGIN_ID, "api_id": "7300000000000000802"}]}
    api.ok("POST", "/v1/bot/create", json={"space_id": WORKSPACE_ID, "name": "b", "plugin_id_list": tools})
    items = api.ok("GET", PLUGINS, params={"keyword": "mirror"})["items"]
    assert items[0]["plugin_info"]["bots_use_count"] == 1
