"""Paginated lists against the sandbox."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs

import pytest

from coze_sandbox import BOT_ID, WORKSPACE_ID
from cozekit.errors import AuthenticationError, ServerError


@pytest.fixture
def bots(coze: Any) -> list[str]:
    """Create five more bots and return their ids, newest first."""
    return [coze.bots.create(space_id=WORKSPACE_ID, name=f"bot {number}").bot_id for number in range(5)][::-1]


@pytest.fixture
def conversation(coze: Any) -> str:
    """Create a conversation with seven messages and return its id."""
    key: str = coze.conversations.create().id
    for number in range(7):
        coze.conversations.messages.create(conversation_id=key, role="user", content=str(number), content_type="text")
    return key


def test_iteration_yields_the_items_of_all_pages(coze, coze_sandbox, bots):
    """Iterating over a list yields the items of all pages; each page is requested once, and no page too many."""
    coze_sandbox.requests.clear()
    ids = [bot.id for bot in coze.bots.list(workspace_id=WORKSPACE_ID, publish_status="all", page_size=2)]
    assert set(ids) == {*bots, BOT_ID}
    assert len(ids) == 6
    assert [parse_qs(record.query).get("page_num") for record in coze_sandbox.requests] == [None, ["2"], ["3"]]


def test_pages_have_items_total_and_log_id(coze, bots):
    """`pages()` yields pages with items, total and log id; a page reports whether another follows."""
    pages = list(coze.bots.list(workspace_id=WORKSPACE_ID, publish_status="all", page_size=4).pages())
    assert [len(page.items) for page in pages] == [4, 2]
    assert [page.has_more for page in pages] == [True, False]
    assert {page.total for page in pages} == {6}
    assert len({page.logid for page in pages}) == 2


def test_next_page_ends_with_none(coze, bots):
    """`next_page` returns one page after another, and None after the last."""
    page = coze.bots.list(workspace_id=WORKSPACE_ID, publish_status="all", page_size=4)
    second = page.next_page()
    assert len(second.items) == 2
    assert second.next_page() is None


def test_pages_that_are_not_read_are_not_requested(coze, coze_sandbox, bots):
    """Pages that are not read are not requested."""
    coze_sandbox.requests.clear()
    for number, _bot in enumerate(coze.bots.list(workspace_id=WORKSPACE_ID, publish_status="all", page_size=2), 1):
        if number == 2:
            break
    assert len(coze_sandbox.requests) == 1


def test_workspaces_are_paginated(coze):
    """Workspaces are paginated like every list."""
    created = {coze.workspaces.create(name=f"team {number}", description="d").id for number in range(3)}
    listed = [workspace.id for workspace in coze.workspaces.list(page_size=2)]
    assert set(listed) == created | {WORKSPACE_ID}
    assert len(listed) == 4


def test_messages_are_paginated_by_a_cursor_in_the_body(coze, coze_sandbox, conversation):
    """Messages are paginated by a cursor in the body, in either order, without loss or repetition."""
    coze_sandbox.requests.clear()
    listed = coze.conversations.messages.list(conversation_id=conversation, order="asc", limit=3)
    assert [message.content for message in listed] == list("0123456")
    assert len(coze_sandbox.requests) == 3
    listed = coze.conversations.messages.list(conversation_id=conversation, limit=3)
    assert [message.content for message in listed] == list("6543210")


def test_empty_list_takes_one_request(coze):
    """A list without items is empty after one request."""
    assert list(coze.conversations.messages.list(conversation_id=coze.conversations.create().id)) == []


def test_error_on_a_later_page_is_raised_after_the_items_before_it(coze, coze_sandbox, bots):
    """An error on a later page is raised after the items before it."""
    coze_sandbox.faults.add("status", operation="bots.list", after=1, times=None, status=500)
    ids: list[str] = []
    with pytest.raises(ServerError) as caught:
        ids.extend(bot.id for bot in coze.bots.list(workspace_id=WORKSPACE_ID, publish_status="all", page_size=2))
    assert len(ids) == 2
    assert caught.value.operation == "bots.list"


def test_failed_page_is_retried(coze, coze_sandbox, bots):
    """A page that fails once is requested again, and no item is lost."""
    coze_sandbox.faults.add("status", operation="bots.list", after=1, status=503)
    assert len(list(coze.bots.list(workspace_id=WORKSPACE_ID, publish_status="all", page_size=2))) == 6


def test_rejected_list_raises_like_a_call(connect, coze_sandbox):
    """A list that is rejected raises the error that any call raises."""
    with pytest.raises(AuthenticationError):
        list(connect("pat_wrong", base_url=coze_sandbox.base_url).workspaces.list())


def test_options_apply_to_every_page(coze, coze_sandbox, bots):
    """Every page is requested with the options of the first, and with the options of its client."""
    coze_sandbox.requests.clear()
    client = coze.with_options(headers={"X-Client": "1"})
    list(client.bots.list(workspace_id=WORKSPACE_ID, publish_status="all", page_size=2, extra_headers={"X-Trace": "2"}))
    assert {(record.headers["x-client"], record.headers["x-trace"]) for record in coze_sandbox.requests} == {("1", "2")}
    assert len(coze_sandbox.requests) == 3
