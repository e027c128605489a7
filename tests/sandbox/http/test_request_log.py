"""What is new in the request log, for a client that polls it."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from coze_sandbox import BOT_ID, Sandbox
from coze_sandbox._http import request_log as log
from coze_sandbox._http.request_log import RequestLog, RequestRecord


def add(requests: RequestLog) -> RequestRecord:
    """Begin the record of a request."""
    return requests.add(method="GET", path="/", query="", operation=None, headers={})


def test_poll_returns_requests_changed_since_a_revision() -> None:
    """A poll returns requests that are new or whose outcome or messages have changed since its revision."""
    requests = RequestLog()
    first, second = add(requests), add(requests)
    news = requests.since("")
    assert (news.records, news.is_full, news.first) == ([first, second], True, 1)
    news = requests.since(news.revision)
    assert (news.records, news.is_full) == ([], False)
    second.status = 200
    news = requests.since(news.revision)
    assert news.records == [second]
    first.add_message("client", "chat.update")
    third = add(requests)
    news = requests.since(news.revision)
    assert (news.records, news.is_full) == ([first, third], False)
    with requests.timed(third):
        pass
    assert requests.since(news.revision).records == [third]


def test_poll_returns_all_requests_after_a_clearing() -> None:
    """A poll with a revision from before a clearing, or with an unknown one, returns all requests."""

    requests = RequestLog()
    add(requests)
    before = requests.since("").revision
    requests.clear()
    record = add(requests)
    for revision in (before, "", "x", "-1", f"{requests.since('').revision}x", RequestLog().since("").revision):
        news = requests.since(revision)
        assert (news.records, news.is_full, news.first) == ([record], True, 1)


def test_requests_that_were_dropped(monkeypatch: pytest.MonkeyPatch) -> None:
    """The number of the oldest kept request shows which others are gone."""
    monkeypatch.setattr(log, "_KEPT", 2)
    requests = RequestLog()
    assert requests.since("").first == 0
    for _ in range(5):
        add(requests)
    assert requests.since("").first == 4


def ended(requests: RequestLog, body: Any, **members: Any) -> RequestRecord:
    """Add a request that is over."""
    record = requests.add(**{"method": "GET", "path": "/", "query": "", "operation": None, "headers": {}, **members})
    with requests.timed(record):
        record.body = body
    return record


def test_bodies_of_ordinary_size_are_kept_whole() -> None:
    """Hundreds of thousands of characters, and thousands of values, are looked at as they were sent."""
    requests = RequestLog()
    body = {"text": "a" * 500_000, "items": [{"n": number} for number in range(1_000)]}
    record = ended(requests, body)
    assert (record.body, record.kept) == (body, "whole")


def test_large_bodies_are_shortened() -> None:
    """A body of more than a mebibyte is cut when its request is over, and has a mark where it was cut."""
    requests = RequestLog()
    record = add(requests)
    with requests.timed(record):
        record.body = {"file": "x" * 10_000_000, "name": "a.txt"}
        assert len(record.body["file"]) == 10_000_000
    assert (record.body, record.kept) == ({"file": "x" * 200 + "… (10000000 characters)", "name": "a.txt"}, "shortened")
    record = ended(requests, {"numbers": list(range(1_000_000)), "after": 1})
    assert record.body == {"numbers": [*range(998), "… 999002 more"], "…": "1 more"}
    record = ended(requests, {"k" * 2_000_000: [[number] for number in range(100_000)]})
    assert list(record.body) == ["k" * 200 + "… (2000000 characters)"]
    assert len(str(record.body)) < 20_000


def test_all_records_have_a_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where all requests take too much, the oldest lose their bodies first, and leave when nothing else is left."""
    monkeypatch.setattr(log, "_KEPT_BYTES", 1_000_000)
    requests = RequestLog()
    for number in range(200):
        ended(requests, {"text": str(number) * 30_000})
    states = [record.kept for record in requests]
    whole = states.count("whole")
    assert states == ["dropped"] * (200 - whole) + ["whole"] * whole
    assert 0 < sum(len(record.body["text"]) for record in requests if record.kept == "whole") <= 1_000_000
    assert {record.body for record in requests if record.kept == "dropped"} == {None}
    assert requests[-1].body == {"text": "199" * 30_000}
    for _ in range(100):
        ended(requests, None, query="q" * 50_000)
    assert 10 < len(requests) < 20
    assert {record.query for record in requests} == {"q" * 50_000}


def test_the_limit_begins_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """Requests that were cleared away, or are over only after that, take no room."""
    monkeypatch.setattr(log, "_KEPT_BYTES", 100_000)
    monkeypatch.setattr(log, "_KEPT", 5)
    requests = RequestLog()
    for _ in range(20):
        late = add(requests)
        with requests.timed(late):
            late.body = "x" * 60_000
            requests.clear()
        record = ended(requests, "x" * 60_000)
        assert (record.kept, list(requests)) == ("whole", [record])
        requests.clear()
    for _ in range(20):
        ended(requests, "x" * 10_000)
    assert [record.kept for record in requests] == ["whole"] * 5


def test_messages_have_a_limit() -> None:
    """Of the messages over a WebSocket the last are kept that fit into a mebibyte, each without most of its values."""
    record = add(RequestLog())
    values, sound = list(range(100_000)), "x" * 100_000
    for number in range(100):
        record.add_message("client", "input", {"number": number, "values": values, "sound": sound})
    assert len(str(record.messages)) < 2_000_000
    assert 10 < len(record.messages) < 100
    assert [entry.data["number"] for entry in record.messages] == list(range(100 - len(record.messages), 100))


def test_old_name_of_add_message_warns() -> None:
    """`RequestRecord.say`, the former name of `add_message`, warns and adds the message."""
    record = add(RequestLog())
    with pytest.warns(DeprecationWarning, match="is called `add_message`"):
        record.say("client", "input")
    assert [entry.event for entry in record.messages] == ["input"]


def test_many_large_bodies(coze_sandbox: Sandbox) -> None:
    """Requests with ten megabytes each leave less than one in all."""
    headers = {"Authorization": f"Bearer {coze_sandbox.token}"}
    body = {"name": "n" * 10_000_000}
    with httpx.Client(base_url=coze_sandbox.base_url, headers=headers) as http:
        for _ in range(6):
            http.post("/v1/conversation/create", json=body)
        news = http.get("/_sandbox/requests")
    assert len(news.content) < 1_000_000
    assert {record["kept"] for record in news.json()["requests"]} == {"shortened"}


def test_news_over_http(coze_sandbox: Sandbox) -> None:
    """Other processes poll with the revision of the last response, for one operation or all."""

    def poll(**query: str) -> Any:
        return httpx.get(f"{coze_sandbox.base_url}/_sandbox/requests", params=query).json()

    headers = {"Authorization": f"Bearer {coze_sandbox.token}"}
    httpx.get(f"{coze_sandbox.base_url}/v1/users/me", headers=headers)
    news = poll()
    assert [record["operation"] for record in news["requests"]] == ["users.me"]
    httpx.get(f"{coze_sandbox.base_url}/v1/bots/{BOT_ID}", headers=headers)
    later = poll(since=news["revision"])
    assert ([record["operation"] for record in later["requests"]], later["whole"]) == (["bots.retrieve"], False)
    assert poll(since=news["revision"], operation="users.me")["requests"] == []
    assert poll(since=later["revision"])["requests"] == []
