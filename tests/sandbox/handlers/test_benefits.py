"""The plan of the account, quotas of end users, and their bills."""

from __future__ import annotations

import pytest

BENEFITS = "/v1/commerce/benefit/benefits/get"
LIMITATIONS = "/v1/commerce/benefit/limitations"
BILLS = "/v1/commerce/benefit/bill_tasks"
DAY = 86_400
MARCH_27 = 1_743_004_800  # 00:00:00 in Beijing
FOREVER = 253_402_300_799


def quota(**members):
    settings = {"benefit_type": "resource_point", "active_mode": "absolute_time", "limit": 100}
    return {**settings, "started_at": MARCH_27, "ended_at": FOREVER, **members}


def create(api, entity_type="single_device", entity_id="SN1", **members):
    body = {"entity_type": entity_type, "benefit_info": quota(**members)}
    if entity_id is not None:
        body["entity_id"] = entity_id
    return {"json": body}


def listed(api, **params):
    return api.ok(
        "GET", LIMITATIONS, params={"entity_type": "single_device", "benefit_type": "resource_point", **params}
    )


def test_plan(api):
    """Without a list of limits there is the plan alone."""
    assert api.ok("GET", BENEFITS) == {"basic_info": {"user_level": "enterprise"}}


def test_limits_of_the_plan(api):
    """Limits are stored as requested; a rate limit needs a unit of time."""
    params = {"benefit_type_list": "api_run_qps,call_tool_limit", "resource_id": "chat"}
    rate, calls = api.ok("GET", BENEFITS, params=params)["benefit_info"]
    assert (rate["resource_id"], rate["effective"]["item_info"]["total"]) == ("chat", 300)
    assert calls["effective"]["item_info"]["used"] == 0
    assert api.refused("GET", BENEFITS, params={"benefit_type_list": "api_run_qps"}) == (400, 4000)


def test_quota_is_set_changed_and_listed(api):
    """A quota is listed as it was set or changed, without its id."""
    created = api.ok("POST", LIMITATIONS, **create(api, trigger_unit="day", trigger_time=2))["benefit_info"]
    key = created.pop("benefit_id")
    assert created == {
        **quota(trigger_unit="day", trigger_time=2),
        "entity_type": "single_device",
        "entity_id": "SN1",
        "status": "valid",
    }
    assert listed(api)["benefit_infos"] == [created]
    changed = api.ok("PUT", f"{LIMITATIONS}/{key}", json={"limit": 7, "trigger_unit": "never", "status": "frozen"})
    expected = {**created, "limit": 7, "trigger_unit": "never", "trigger_time": 1, "status": "frozen"}
    assert changed == {**expected, "benefit_id": key}
    assert listed(api)["benefit_infos"] == []
    assert listed(api, status="frozen")["benefit_infos"] == [expected]


def test_quotas_in_pages(api):
    """Quotas come in pages that are chained by tokens."""
    for number in range(5):
        api.ok("POST", LIMITATIONS, **create(api, entity_id=f"SN{number}"))
    seen, token = [], ""
    for _ in range(3):
        page = listed(api, page_size=2, page_token=token)
        seen += [benefit["entity_id"] for benefit in page["benefit_infos"]]
        token = page.get("page_token", "")
    assert (seen, token, page["has_more"]) == ([f"SN{number}" for number in range(5)], "", False)
    assert [benefit["entity_id"] for benefit in listed(api, entity_id="SN3")["benefit_infos"]] == ["SN3"]
    query = {"entity_type": "single_device", "benefit_type": "resource_point", "page_token": "x"}
    assert api.refused("GET", LIMITATIONS, params=query) == (400, 4000)


@pytest.mark.parametrize(
    "arguments",
    [
        {"entity_id": None},
        {"entity_type": "enterprise_all_devices"},
        {"ended_at": MARCH_27},
        {"trigger_unit": "day", "trigger_time": 0},
    ],
    ids=["no device", "a device for all", "ends before it begins", "reset after nothing"],
)
def test_quota_that_cannot_be(api, arguments):
    """A quota that contradicts itself is refused."""
    assert api.refused("POST", LIMITATIONS, **create(api, **arguments)) == (400, 4000)


def test_quotas_of_all_devices(api):
    """All devices can have one quota in total and one that is reset, of each kind."""
    everyone = {"entity_type": "enterprise_all_devices", "entity_id": None}
    total = api.ok("POST", LIMITATIONS, **create(api, **everyone))["benefit_info"]["benefit_id"]
    api.ok("POST", LIMITATIONS, **create(api, **everyone, trigger_unit="day"))
    api.ok("POST", LIMITATIONS, **create(api, **everyone, benefit_type="voice_unified_duration_system"))
    assert api.refused("POST", LIMITATIONS, **create(api, **everyone)) == (400, 4000)
    assert api.refused("PUT", f"{LIMITATIONS}/{total}", json={"trigger_unit": "hour"}) == (400, 4000)
    query = {"entity_type": "enterprise_all_devices", "benefit_type": "resource_point", "entity_id": "SN1"}
    assert api.refused("GET", LIMITATIONS, params=query) == (400, 4000)


def test_unknown_quota(api):
    """A quota that was never set is answered with 4200."""
    assert api.refused("PUT", f"{LIMITATIONS}/9", json={"limit": 1}) == (404, 4200)


def test_bill_is_written_in_time(api):
    """A task runs until its time has come, and then lists its files until they expire."""
    task = api.ok("POST", BILLS, json={"started_at": MARCH_27 + 5, "ended_at": MARCH_27 + 40 * DAY + 5})
    assert (task["started_at"], task["ended_at"]) == (MARCH_27, MARCH_27 + 41 * DAY - 1)
    assert (task["status"], task["file_urls"], task["expires_at"]) == ("running", [], task["created_at"] + 7 * DAY)
    api.sandbox.clock.advance(1)
    (done,) = api.ok("GET", BILLS)["task_infos"]
    assert (done["status"], len(set(done["file_urls"]))) == ("succeed", 2)
    assert {**done, "status": "running", "file_urls": []} == task
    api.sandbox.clock.advance(7 * DAY)
    assert api.ok("GET", BILLS) == {"total": 0, "task_infos": []}
    (expired,) = api.ok("GET", BILLS, params={"task_ids": f"9,{task['task_id']}"})["task_infos"]
    assert (expired["status"], expired["file_urls"]) == ("succeed", [])


def test_bills_in_pages(api):
    """Tasks are listed the newest first, in pages."""
    keys = [api.ok("POST", BILLS, json={"started_at": MARCH_27})["task_id"] for _ in range(3)]
    first = api.ok("GET", BILLS, params={"page_size": 2})
    second = api.ok("GET", BILLS, params={"page_size": 2, "page_num": 2})
    assert [task["task_id"] for task in first["task_infos"] + second["task_infos"]] == keys[::-1]
    assert first["total"] == second["total"] == 3


def test_bill_of_yesterday(api):
    """Without days the bill covers yesterday."""
    task = api.ok("POST", BILLS, json={})
    now = api.sandbox.clock.seconds()
    assert task["ended_at"] - task["started_at"] == DAY - 1
    assert 0 < now - task["ended_at"] <= DAY


@pytest.mark.parametrize(
    ("days", "code"),
    [
        ({"started_at": MARCH_27, "ended_at": MARCH_27 - DAY}, (400, 4000)),
        ({"started_at": 1_741_795_199}, (400, 4000)),
        ({"started_at": FOREVER}, (400, 4000)),
        ({"started_at": MARCH_27, "ended_at": FOREVER}, (400, 4000)),
    ],
    ids=["backwards", "too old", "not begun", "not over"],
)
def test_days_that_have_no_bill(api, days, code):
    """Days that have no bill are refused."""
    assert api.refused("POST", BILLS, json=days) == code


def test_first_and_last_day_of_bills(api):
    """Bills begin on 13 March 2025 and end yesterday: today has none."""
    api.ok("POST", BILLS, json={"started_at": 1_741_795_200, "ended_at": 1_741_795_200})
    yesterday = api.ok("POST", BILLS, json={})["started_at"]
    assert api.refused("POST", BILLS, json={"ended_at": yesterday + DAY}) == (400, 4000)
