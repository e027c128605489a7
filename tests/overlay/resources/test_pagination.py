"""Lists that come in pages, over the sandbox."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs

import pytest

from coze_sandbox import BOT_ID, WORKSPACE_ID
from cozekit.errors import AuthenticationError, ServerError


@pytest.fixture
def bots(coze: Any) -> list[str]:
    """Give the ids of five bots more, newest first."""
    return [coze.bots.create(space_id=WORKSPACE_ID, name=f"bot {number}").bot_id for number in range(5)][::-1]


@pytest.fixture
def conversation(coze: Any) -> str:
    """Give the id of a conversation with seven messages."""
    key: str = coze.conversations.create().id
    for number in range(7):
        coze.conversations.messages.create(conversation_id=key, role="user", content=str(number), content_type="text")
    return key


def test_all_items(coze, coze_sandbox, bots):
    """Iterating over a list yields the items of all pages, each page asked for once, and no page too many."""
    coze_sandbox.requests.clear()
    found = [bot.id for bot in coze.bots.list(workspace_id=WORKSPACE_ID, publish_status="all", page_size=2)]
    assert set(found) == {*bots, BOT_ID}
    assert len(found) == 6
    assert [parse_qs(record.query).get("page_num") for record in coze_sandbox.requests] == [None, ["2"], ["3"]]


def test_pages(coze, bots):
    """`pages()` yields pages with their items, total and log id; a page tells whether another follows."""
    pages = list(coze.bots.list(workspace_id=WORKSPACE_ID, publish_status="all", page_size=4).pages())
    assert [len(page.items) for page in pages] == [4, 2]
    assert [page.has_more for page in pages] == [True, False]
    assert {page.total for page in pages} == {6}
    assert len({page.logid for page in pages}) == 2


def test_next_page(coze, bots):
    """Pages can be turned by hand; after the last there is None."""
    page = coze.bots.list(workspace_id=WORKSPACE_ID, publish_status="all", page_size=4)
    second = page.next_page()
    assert len(second.items) == 2
    assert second.next_page() is None


def test_breaking_off(coze, coze_sandbox, bots):
    """Pages that nobody looks at are not asked for."""
    coze_sandbox.requests.clear()
    for number, _bot in enumerate(coze.bots.list(workspace_id=WORKSPACE_ID, publish_status="all", page_size=2), 1):
        if number == 2:
            break
    assert len(coze_sandbox.requests) == 1


def test_workspaces(coze):
    """Workspaces come page by page like everything else."""
    made = {coze.workspaces.create(name=f"team {number}", description="d").id for number in range(3)}
    found = [workspace.id for workspace in coze.workspaces.list(page_size=2)]
    assert set(found) == made | {WORKSPACE_ID}
    assert len(found) == 4


def test_messages(coze, coze_sandbox, conversation):
    """Messages are turned by a cursor in the body, in either order, without loss or repetition."""
    coze_sandbox.requests.clear()
    listed = coze.conversations.messages.list(conversation_id=conversation, order="asc", limit=3)
    assert [message.content for message in listed] == list("0123456")
    assert len(coze_sandbox.requests) == 3
    listed = coze.conversations.messages.list(conversation_id=conversation, limit=3)
    assert [message.content for message in listed] == list("6543210")


def test_empty(coze):
    """A list without items is empty after one request."""
    assert list(coze.conversations.messages.list(conversation_id=coze.conversations.create().id)) == []


def test_failure_on_a_later_page(coze, coze_sandbox, bots):
    """An error on a later page is raised as it is, after the items before it."""
    coze_sandbox.faults.add("status", operation="bots.list", after=1, times=None, status=500)
    found: list[str] = []
    with pytest.raises(ServerError) as caught:
        found.extend(bot.id for bot in coze.bots.list(workspace_id=WORKSPACE_ID, publish_status="all", page_size=2))
    assert len(found) == 2
    assert caught.value.operation == "bots.list"


def test_failure_that_passes(coze, coze_sandbox, bots):
    """A page that fails once is asked for again, and nothing is lost."""
    coze_sandbox.faults.add("status", operation="bots.list", after=1, status=503)
    assert len(list(coze.bots.list(workspace_id=WORKSPACE_ID, publish_status="all", page_size=2))) == 6


def test_refused(connect, coze_sandbox):
    """A list that is refused tells so as any call does."""
    with pytest.raises(AuthenticationError):
        list(connect("pat_wrong", base_url=coze_sandbox.base_url).workspaces.list())


def test_options_go_on(coze, coze_sandbox, bots):
    """Every page is asked for with the options of the first, and with the policies of its client."""
    coze_sandbox.requests.clear()
    client = coze.with_options(headers={"X-Client": "1"})
    list(client.bots.list(workspace_id=WORKSPACE_ID, publish_status="all", page_size=2, extra_headers={"X-Trace": "2"}))
    assert {(record.headers["x-client"], record.headers["x-trace"]) for record in coze_sandbox.requests} == {("1", "2")}
    assert len(coze_sandbox.requests) == 3
