"""Values of user variables."""

from __future__ import annotations

import pytest

from coze_sandbox import APP_ID, BOT_ID, WORKSPACE_ID

PATH = "/v1/variables"


def put(api, values, **members):
    data = [{"keyword": name, "value": value} for name, value in values.items()]
    body = {"bot_id": BOT_ID, "connector_uid": "u", "data": data, **members}
    api.ok("PUT", PATH, json=body)


def read(api, **query):
    items = api.ok("GET", PATH, params={"bot_id": BOT_ID, "connector_uid": "u", **query})["items"]
    return {variable["keyword"]: variable["value"] for variable in items}


def test_set_then_read(api):
    """What was set is read back, all of it or what is named; unknown names are left out."""
    put(api, {"name": "Guide", "age": "18", "city": "Oslo"})
    assert read(api) == {"name": "Guide", "age": "18", "city": "Oslo"}
    assert read(api, keywords="name,age,none") == {"name": "Guide", "age": "18"}
    put(api, {"age": "19"})
    assert read(api, keywords="age") == {"age": "19"}


def test_moments(api):
    """The times of creation and of the last update are distinguished."""
    put(api, {"a": "1"})
    api.sandbox.clock.advance(100)
    put(api, {"a": "2"})
    query = {"bot_id": BOT_ID, "connector_uid": "u"}
    value = api.ok("GET", PATH, params=query)["items"][0]
    assert value["update_time"] - value["create_time"] >= 100


def test_values_are_kept_apart(api):
    """Each user, channel, bot and app has values of its own."""
    put(api, {"a": "1"})
    assert read(api, connector_uid="v") == read(api, app_id=APP_ID) == {}
    put(api, {"a": "2"}, app_id=APP_ID)
    assert (read(api), read(api, app_id=APP_ID)) == ({"a": "1"}, {"a": "2"})


@pytest.mark.parametrize(
    ("members", "failure"),
    [
        ({}, (400, 4000)),
        ({"bot_id": "1"}, (404, 4200)),
        ({"app_id": "1"}, (404, 4200)),
        ({"bot_id": BOT_ID, "connector_id": "999"}, (400, 4015)),
        ({"bot_id": BOT_ID, "data": []}, (400, 4000)),
    ],
)
def test_refused(api, members, failure):
    """A published bot or app must be given, and something to set."""
    body = {"connector_uid": "u", "data": [{"keyword": "a", "value": "1"}], **members}
    assert api.refused("PUT", PATH, json=body) == failure
    if "data" not in members:
        assert api.refused("GET", PATH, params={"connector_uid": "u", **members}) == failure


def test_draft(api):
    """The variables of a bot that is not published cannot be set."""
    bot = api.ok("POST", "/v1/bot/create", json={"space_id": WORKSPACE_ID, "name": "n"})
    body = {"bot_id": bot["bot_id"], "connector_uid": "u", "data": [{"keyword": "a", "value": "1"}]}
    assert api.refused("PUT", PATH, json=body) == (400, 4015)
