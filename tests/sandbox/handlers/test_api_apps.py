"""Callback apps."""

from __future__ import annotations

import pytest

PATH = "/v1/api_apps"


@pytest.fixture
def app(api) -> str:
    """Give a callback app."""
    return api.ok("POST", PATH, json={"app_type": "normal", "name": "Orders"})["id"]


def test_life_of_an_app(api, app):
    """An app is made with a secret, changed, listed with it, and deleted."""
    api.ok("PUT", f"{PATH}/{app}", json={"callback_url": "https://example.com/"})
    shown = api.ok("GET", PATH)["items"]
    assert [(entry["id"], entry["name"], entry["callback_url"]) for entry in shown] == [
        (app, "Orders", "https://example.com/")
    ]
    assert len(shown[0]["verify_token"]) > 20
    api.ok("DELETE", f"{PATH}/{app}")
    assert api.ok("GET", PATH) == {"items": [], "has_more": False}
    assert api.refused("DELETE", f"{PATH}/{app}") == (404, 4200)


def test_kinds(api, app):
    """An app of a channel needs the channel, one of the account a name."""
    assert api.refused("POST", PATH, json={"app_type": "normal"}) == (400, 4000)
    assert api.refused("POST", PATH, json={"app_type": "connector", "name": "n"}) == (400, 4000)
    channel = api.ok("POST", PATH, json={"app_type": "connector", "connector_id": "7"})
    assert channel["connector_id"] == "7"
    assert [entry["id"] for entry in api.ok("GET", PATH, params={"app_type": "normal"})["items"]] == [app]


def test_pages(api):
    """The token of a page leads to the next one, until there is none."""
    keys = [api.ok("POST", PATH, json={"app_type": "normal", "name": str(n)})["id"] for n in range(5)]
    seen, query = [], {"page_size": 2}
    while True:
        data = api.ok("GET", PATH, params=query)
        seen += [app["id"] for app in data["items"]]
        if not data["has_more"]:
            break
        query["page_token"] = data["next_page_token"]
    assert seen == keys
    assert "next_page_token" not in data
    for token in ("x", "9" * 5000):
        assert api.refused("GET", PATH, params={"page_token": token}) == (400, 4000)


def test_subscriptions(api, app):
    """An app is subscribed to events once each, until it is unsubscribed or deleted."""
    path = f"{PATH}/{app}/events"
    api.ok("POST", path, json={"event_types": ["bot.published", "bot.deleted"]})
    api.ok("POST", path, json={"event_types": ["bot.published"]})
    listed = api.ok("GET", path)["items"]
    assert [(subscription["event_type"], subscription["name"]) for subscription in listed] == [
        ("bot.published", "Orders"),
        ("bot.deleted", "Orders"),
    ]
    assert api.ok("GET", path, params={"page_size": 1})["has_more"] is True
    api.ok("DELETE", path, json={"event_types": ["bot.published", "benefit.usage"]})
    assert [subscription["event_type"] for subscription in api.ok("GET", path)["items"]] == ["bot.deleted"]
    assert api.refused("POST", path, json={"event_types": []}) == (400, 4000)
    assert api.refused("POST", path, json={"event_types": ["bot.born"]}) == (400, 4000)
    api.ok("DELETE", f"{PATH}/{app}")
    assert api.refused("GET", path) == (404, 4200)
