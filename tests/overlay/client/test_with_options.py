"""Copies of a client with other options."""

from __future__ import annotations

import threading

import httpx
import pytest

from cozekit import APIError, RetryPolicy
from tests.overlay._clients import Counter, at_once, unwrap


def test_copy_shares_connections(connect):
    """A copy uses the connections of the original, and closing the copy does not close them."""
    coze = connect("pat_a")
    copy = coze.with_options(timeout=1)
    assert unwrap(copy)._http is unwrap(coze)._http
    with copy:
        pass
    copy.close()
    assert not unwrap(coze)._http.is_closed


def test_original_keeps_its_options(connect):
    """The original keeps timeout, retries, deadline, headers and resources."""
    coze = connect("pat_a", headers={"X-A": "1"}, retry=1, deadline=9, timeout=8)
    resources = unwrap(coze.chat), unwrap(coze.bots), unwrap(coze.chat.messages)
    before = {name: value for name, value in vars(unwrap(coze)).items() if name != "_http"}
    copy = coze.with_options(timeout=1, retry=5, deadline=2, headers={"X-B": "2"})
    assert {name: value for name, value in vars(unwrap(coze)).items() if name != "_http"} == before
    assert (unwrap(coze.chat), unwrap(coze.bots), unwrap(coze.chat.messages)) == resources
    assert unwrap(copy)._retry == RetryPolicy(max_retries=5)
    assert (unwrap(copy)._timeout, unwrap(copy)._deadline) == (1, 2)
    assert unwrap(copy)._headers == {"X-A": "1", "X-B": "2"}


def test_resources_of_a_copy_use_its_options(connect):
    """Resources of a copy, nested ones too, use the copy's options."""
    answers = Counter({"code": 0, "data": []})
    coze = connect(handler=answers)
    coze.chat.messages.list(conversation_id="1", chat_id="2")
    copy = coze.with_options(headers={"X-B": "2"})
    copy.chat.messages.list(conversation_id="1", chat_id="2")
    coze.chat.messages.list(conversation_id="1", chat_id="2")
    assert [request.headers.get("X-B") for request in answers.requests] == [None, "2", None]


def test_omitted_options_are_inherited(connect):
    """Options that are omitted are those of the original; None restores a default."""
    coze = connect("pat_a", retry=7, deadline=9, timeout=8)
    copy = coze.with_options()
    assert (unwrap(copy)._retry.max_retries, unwrap(copy)._deadline, unwrap(copy)._timeout) == (7, 9, 8)
    plain = coze.with_options(retry=None, deadline=None, timeout=None)
    assert (unwrap(plain)._retry, unwrap(plain)._deadline, unwrap(plain)._timeout) == (RetryPolicy(), None, None)


def test_copies_of_copies_combine_options(connect):
    """Copies can be copied, and their options combine."""
    answers = Counter(200)
    coze = connect(handler=answers)
    coze.with_options(headers={"X-A": "1"}).with_options(headers={"X-B": "2"}).users.me()
    assert {"x-a", "x-b"} <= set(answers.requests[0].headers)


def test_copy_without_retries_sends_once(connect):
    """A copy without retries sends once; its original still retries."""
    answers = Counter(httpx.Response(503, json={"code": 5000}))
    coze = connect(handler=answers, retry=at_once(3))
    with pytest.raises(APIError):
        coze.with_options(retry=0).users.me()
    assert len(answers) == 1
    with pytest.raises(APIError):
        coze.users.me()
    assert len(answers) == 5


def test_copy_keeps_the_subclass(connect):
    """A copy of a subclass is an instance of the subclass."""

    class Mine(connect.client):  # type: ignore[misc,name-defined]  # a class that a fixture chose
        pass

    assert type(Mine("pat_a").with_options(retry=0)) is Mine


def test_copies_can_be_made_while_resources_load(connect):
    """Copies can be made while other threads load resources."""
    coze = unwrap(connect("pat_a"))
    errors: list[Exception] = []

    def work() -> None:
        try:
            for _ in range(200):
                copy = coze.with_options(retry=0)
                assert copy.bots._client is copy
                vars(coze).pop("bots", None)
                assert coze.bots._client is coze
        except Exception as error:
            errors.append(error)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
