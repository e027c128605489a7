"""What is new in the log of requests, for whoever asks again and again."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from coze_sandbox import BOT_ID, Sandbox
from coze_sandbox import _log as log
from coze_sandbox._log import RequestLog, RequestRecord


def add(requests: RequestLog) -> RequestRecord:
    """Begin the record of a request."""
    return requests.add(method="GET", path="/", query="", operation=None, headers={})


def test_only_what_changed_is_told() -> None:
    """A request is told when it is new and after each change, be it to what became of it or to what was said."""
    requests = RequestLog()
    first, second = add(requests), add(requests)
    news = requests.since("")
    assert (news.records, news.whole, news.first) == ([first, second], True, 1)
    news = requests.since(news.revision)
    assert (news.records, news.whole) == ([], False)
    second.status = 200
    news = requests.since(news.revision)
    assert news.records == [second]
    first.say("client", "chat.update")
    third = add(requests)
    news = requests.since(news.revision)
    assert (news.records, news.whole) == ([first, third], False)
    with requests.timed(third):
        pass
    assert requests.since(news.revision).records == [third]


def test_everything_is_told_after_the_log_was_cleared() -> None:
    """Whoever asks with a revision from before a clearing, or with none at all, is told everything."""
    requests = RequestLog()
    add(requests)
    before = requests.since("").revision
    requests.clear()
    one = add(requests)
    for revision in (before, "", "x", "-1", f"{requests.since('').revision}x", RequestLog().since("").revision):
        news = requests.since(revision)
        assert (news.records, news.whole, news.first) == ([one], True, 1)


def test_requests_that_were_dropped(monkeypatch: pytest.MonkeyPatch) -> None:
    """The number of the oldest request that is kept tells which others are gone."""
    monkeypatch.setattr(log, "_KEPT", 2)
    requests = RequestLog()
    assert requests.since("").first == 0
    for _ in range(5):
        add(requests)
    assert requests.since("").first == 4


def test_news_over_http(coze_sandbox: Sandbox) -> None:
    """Other processes ask with the revision of the last answer, for one operation or all."""

    def ask(**query: str) -> Any:
        return httpx.get(f"{coze_sandbox.base_url}/_sandbox/requests", params=query).json()

    headers = {"Authorization": f"Bearer {coze_sandbox.token}"}
    httpx.get(f"{coze_sandbox.base_url}/v1/users/me", headers=headers)
    news = ask()
    assert [one["operation"] for one in news["requests"]] == ["users.me"]
    httpx.get(f"{coze_sandbox.base_url}/v1/bots/{BOT_ID}", headers=headers)
    later = ask(since=news["revision"])
    assert ([one["operation"] for one in later["requests"]], later["whole"]) == (["bots.retrieve"], False)
    assert ask(since=news["revision"], operation="users.me")["requests"] == []
    assert ask(since=later["revision"])["requests"] == []
