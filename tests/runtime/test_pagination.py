"""Pages that lead to the next page."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from coze_api import AsyncPage, AsyncPager, Client, Page
from coze_api._core._argument_types import Int, Text
from coze_api._core._operation import Argument, Operation, Options, Paging
from coze_api.errors import DecodeError, InvalidArgumentError, RateLimitError
from coze_api.models import BotSummary, ConversationsMessagesListResponse, Message
from tests.runtime._responses import BASE, Recorder, async_client, client

Body = dict[str, Any]
Answer = Callable[[httpx.Request], Body]

TOKENS: Operation[ConversationsMessagesListResponse] = Operation(
    "things.list",
    "GET",
    "/things",
    ConversationsMessagesListResponse.from_dict,
    result=".",
    arguments={"page_token": Argument("page_token", "query", Text()), "size": Argument("size", "query", Int())},
    paging=Paging("token", "page_token", ("data",), has_more=("has_more",), next=("last_id",)),
)


def record(make: Answer) -> Recorder:
    """Respond with the envelope whose fields *make* returns, or with the response that it returns."""
    return Recorder(lambda request: httpx.Response(200, json={"code": 0, "msg": "", **make(request)}))


def scripted(*bodies: Body) -> Recorder:
    """Respond to each request with the next body."""
    left = list(bodies)
    return record(lambda _: left.pop(0))


def bots(count: int, *, per_page: int, total: Any = None) -> Recorder:
    """Respond like the list of bots, whose number of pages follows from *count*."""

    def make(request: httpx.Request) -> Body:
        number, size = (int(request.url.params.get(name, default)) for name, default in defaults.items())
        ids = range(count)[(number - 1) * size : number * size]
        return {"data": {"items": [{"id": str(id_)} for id_ in ids], "total": total}}

    defaults = {"page_num": 1, "page_size": per_page}
    return record(make)


def ids(items: Any) -> str:
    return "".join(item.id for item in items)


def messages(text: str, *, has_more: Any = None, last_id: str | None = None) -> Body:
    return {"data": [{"id": letter} for letter in text], "has_more": has_more, "last_id": last_id}


class TestNumbers:
    """Pages by page number."""

    def test_iteration_requests_each_page_when_needed(self) -> None:
        """Iterating yields the items of all pages, and requests each page when it is needed."""
        recorder = bots(5, per_page=2, total=5)
        page = client(recorder).bots.list(workspace_id="w", page_size=2)
        assert isinstance(page, Page)
        assert len(recorder.requests) == 1
        assert (len(page), page.total, page.has_more) == (2, 5, True)
        items = iter(page)
        assert [next(items).id, next(items).id] == ["0", "1"]
        assert len(recorder.requests) == 1
        assert ids(items) == "234"
        assert [request.url.query.decode() for request in recorder.requests] == [
            "workspace_id=w&page_size=2",
            "workspace_id=w&page_num=2&page_size=2",
            "workspace_id=w&page_num=3&page_size=2",
        ]

    def test_pages_can_be_iterated_from_any_page(self) -> None:
        """Pages can be iterated one by one, starting at any of them, and repeatedly."""
        page = client(bots(5, per_page=2, total=5)).bots.list(workspace_id="w", page_size=2)
        assert [ids(part.items) for part in page.pages()] == ["01", "23", "4"]
        second = page.next_page()
        assert second is not None
        assert ids(second) == "234"
        assert ids(page) == "01234"
        third = second.next_page()
        assert third is not None
        assert (third.next_page(), third.has_more) == (None, False)
        assert isinstance(third.items[0], BotSummary)

    def test_iteration_starts_at_the_requested_page(self) -> None:
        """Iteration starts at the requested page."""
        assert ids(client(bots(5, per_page=2, total=5)).bots.list(workspace_id="w", page_num=2, page_size=2)) == "234"

    @pytest.mark.parametrize(
        ("count", "total", "size", "requests"),
        [
            (4, 4, 2, 2),  # the total is reached
            (4, None, 2, 3),  # an empty page
            (5, None, 2, 3),  # a short page
            (2, 2, None, 1),  # all in one page of unknown size
            (4, 4, None, 2),  # the total is reached, though the size is unknown
            (4, "4", 2, 2),  # a total as a string
            (4, "many", 2, 3),  # an invalid total
            (0, 0, 2, 1),
            (0, 9, 2, 1),  # an empty page, whatever the total
        ],
    )
    def test_total_or_short_page_ends_the_iteration(
        self, count: int, total: Any, size: int | None, requests: int
    ) -> None:
        """The total, a short page or an empty page ends the iteration."""
        recorder = bots(count, per_page=2, total=total)
        assert len(list(client(recorder).bots.list(workspace_id="w", page_size=size))) == count
        assert len(recorder.requests) == requests

    def test_has_more_overrides_the_sizes(self) -> None:
        """`has_more` in the response overrides all sizes."""
        recorder = scripted(
            {"data": {"items": [{"id": "a"}], "has_more": True}}, {"data": {"items": [{"id": "b"}], "has_more": False}}
        )
        assert [bot.version for bot in client(recorder).bots.versions.list(bot_id="1", page_size=9)] == [None, None]
        assert len(recorder.requests) == 2

    @pytest.mark.parametrize("items", [None, []])
    def test_page_without_items_is_the_last(self, items: Any) -> None:
        """A page without items is the last, even if the response announces more."""
        page = client(scripted({"data": {"items": items, "has_more": True}})).bots.versions.list(bot_id="1")
        assert (page.items, list(page), page.has_more) == ([], [], True)
        assert page.answer.to_dict() == {"items": items, "has_more": True}

    @pytest.mark.parametrize("items", ["text", "", {"a": 1}, {}, 7, 0, False])
    def test_items_that_are_no_list_are_a_decode_error(self, items: Any) -> None:
        """A page whose items are not a list raises DecodeError: an empty page would look like the end of the list."""
        pages = client(scripted({"data": {"items": [{}], "has_more": True}}, {"data": {"items": items}}))
        with pytest.raises(DecodeError, match=rf"'items' of the page is of type {type(items).__name__} "):
            list(pages.bots.versions.list(bot_id="1"))

    @pytest.mark.parametrize(
        ("total", "read"),
        [
            ("1e999", None),
            ("NaN", None),
            ("-1", None),
            ('"٣"', None),
            ('"7"', 7),
            ("7.0", 7),
            ("true", None),
            ("[]", None),
            ("9" * 300, int("9" * 300)),
            (f'"{"9" * 300}"', None),
        ],
    )
    def test_invalid_total_is_ignored(self, total: str, read: int | None) -> None:
        """A total that is not a number of items is ignored."""
        content = f'{{"data": {{"items": [], "total": {total}}}}}'.encode()
        page = client(lambda _: httpx.Response(200, content=content)).bots.list(workspace_id="w")
        assert page.total == (read if read is None or read < 2**64 else pytest.approx(read))


class TestTokens:
    """Pages by the token of the previous page."""

    @staticmethod
    def list(recorder: Recorder, **arguments: Any) -> Page[Message]:
        http = httpx.Client(transport=httpx.MockTransport(recorder))
        return Client(BASE, http_client=http).paginate(TOKENS, arguments, Options())

    def test_token_requests_the_next_page(self) -> None:
        """The token of a page requests the next."""
        recorder = scripted(messages("ab", last_id="t 1"), messages("c", last_id="t2"), messages("d", last_id=""))
        assert ids(self.list(recorder, size=2)) == "abcd"
        assert [request.url.query.decode() for request in recorder.requests] == [
            "size=2", "page_token=t+1&size=2", "page_token=t2&size=2"
        ]  # fmt: skip

    @pytest.mark.parametrize(
        "last",
        [
            messages("b", last_id="x"),  # the same token again
            messages("b", last_id=None),
            messages("b", last_id="y", has_more=False),
            messages("", last_id="y", has_more=True),
        ],
    )
    def test_repeated_or_missing_token_ends_the_iteration(self, last: Body) -> None:
        """A repeated or missing token, an empty page, or `has_more: false` ends the iteration."""
        recorder = scripted(messages("a", last_id="x"), last)
        assert ids(self.list(recorder)) in {"a", "ab"}
        assert len(recorder.requests) == 2

    def test_cursor_is_sent_in_the_body(self) -> None:
        """A cursor is sent in the place of its argument, here in the body."""
        recorder = scripted(messages("ab", has_more=True, last_id="b"), messages("c", has_more=False, last_id="c"))
        page = client(recorder).conversations.messages.list(conversation_id="1", limit=2)
        assert page.has_more
        assert ids(page) == "abc"
        bodies = [json.loads(request.content) for request in recorder.requests]
        assert bodies == [{"limit": 2}, {"after_id": "b", "limit": 2}]
        assert {request.url.query for request in recorder.requests} == {b"conversation_id=1"}


class TestAllPages:
    """What holds for all kinds of pages."""

    def test_extra_options_apply_to_every_page(self) -> None:
        """Extra options of the call apply to every page."""
        recorder = bots(3, per_page=2, total=3)
        page = client(recorder).bots.list(workspace_id="w", page_size=2, extra_headers={"X-A": "1"}, timeout=7)
        assert ids(page) == "012"
        assert [request.headers["x-a"] for request in recorder.requests] == ["1", "1"]
        assert all(set(request.extensions["timeout"].values()) == {7} for request in recorder.requests)

    def test_error_of_a_page_is_raised_and_the_page_can_be_retried(self) -> None:
        """The error of a page is raised, and the page can be requested again."""
        first = {"data": {"items": [{"id": "a"}], "has_more": True}}
        last = {"data": {"items": [{"id": "b"}], "has_more": False}}
        recorder = scripted(first, {"code": 4009, "msg": "busy"}, last)
        page = client(recorder).bots.versions.list(bot_id="1")
        with pytest.raises(RateLimitError, match=r"^bots\.versions\.list: busy \(HTTP 200, code 4009\)") as caught:
            list(page)
        assert caught.value.__cause__ is None
        again = page.next_page()
        assert again is not None
        assert not again.has_more

    def test_repr_shows_the_items(self) -> None:
        """The repr of a page shows its items only."""
        assert repr(client(bots(1, per_page=2, total=1)).bots.list(workspace_id="w")) == (
            "Page(items=[BotSummary(id='0')], total=1, has_more=False, response=Response(status=200, logid=''))"
        )


@pytest.mark.anyio
class TestAsync:
    """Async pages."""

    async def test_pager_can_be_iterated_repeatedly(self) -> None:
        """A pager yields the items of all pages without being awaited, and again from the start."""
        recorder = bots(5, per_page=2, total=5)
        pager = async_client(recorder).bots.list(workspace_id="w", page_size=2)
        assert isinstance(pager, AsyncPager)
        assert recorder.requests == []
        assert ids([bot async for bot in pager]) == "01234"
        assert len(recorder.requests) == 3
        assert ids([bot async for bot in pager]) == "01234"

    async def test_awaited_pager_is_its_first_page(self) -> None:
        """An awaited pager is its first page, which leads to the next."""
        page = await async_client(bots(3, per_page=2, total=3)).bots.list(workspace_id="w", page_size=2)
        assert isinstance(page, AsyncPage)
        assert (ids(page.items), page.total, page.has_more, page.logid, len(page)) == ("01", 3, True, "", 2)
        last = await page.next_page()
        assert last is not None
        assert ids(last.items) == "2"
        assert await last.next_page() is None
        assert ids([bot async for bot in page]) == "012"

    async def test_pagers_and_pages_yield_pages(self) -> None:
        """Pagers and pages yield pages."""
        pager = async_client(bots(3, per_page=2, total=3)).bots.list(workspace_id="w", page_size=2)
        assert [ids(page.items) async for page in pager.pages()] == ["01", "2"]
        assert [ids(page.items) async for page in (await pager).pages()] == ["01", "2"]

    async def test_async_cursor_requests_the_next_page(self) -> None:
        """A cursor of an async page requests the next."""
        recorder = scripted(messages("ab", has_more=True, last_id="b"), messages("c", has_more=False))
        pager = async_client(recorder).conversations.messages.list(conversation_id="1")
        assert ids([message async for message in pager]) == "abc"

    async def test_async_error_of_a_page_is_raised(self) -> None:
        """The error of a page is raised, on the first page as on the second."""
        first = {"data": {"items": [{"id": "a"}], "has_more": True}}
        for bodies in ([{"code": 4009}], [first, {"code": 4009}]):
            with pytest.raises(RateLimitError):
                [bot async for bot in async_client(scripted(*bodies)).bots.versions.list(bot_id="1")]

    async def test_invalid_argument_raises_with_the_first_page(self) -> None:
        """An invalid argument raises when the first page is requested."""
        pager = async_client(scripted()).bots.versions.list(bot_id="1", page_size=31)
        with pytest.raises(InvalidArgumentError):
            await pager

    async def test_break_requests_no_further_page(self) -> None:
        """Leaving the loop early requests no further page."""
        recorder = bots(5, per_page=2, total=5)
        async for bot in async_client(recorder).bots.list(workspace_id="w", page_size=2):
            if bot.id == "1":
                break
        assert len(recorder.requests) == 1
