"""Pages lead to the next page as described, for every operation that has pages."""

from __future__ import annotations

import asyncio
import copy
import json
from typing import Any
from urllib.parse import parse_qsl

import httpx
import pytest

from coze_api import AsyncClient, Client
from tests.contract._calls import BASE, MODES, TOKEN, Call, Mode, calls, same, wire
from tests.contract._filled import filled

PAGED = [pytest.param(call, id=call.id) for call in calls() if "x-coze-pagination" in call.described]


class Pages:
    """A service that has a number of pages, distinguished by the first item's id.

    Attributes:
        requested: The value of the page's parameter in each request, or None.
    """

    def __init__(self, call: Call, count: int) -> None:
        self.requested: list[Any] = []
        self._call = call
        self._count = count
        self._paging = call.described["x-coze-pagination"]

    def answer(self, number: int) -> dict[str, Any]:
        """Make the response with a page."""
        assert self._call.answer is not None
        answer: dict[str, Any] = copy.deepcopy(filled(self._call.answer["schema"]))
        paging = self._paging
        self._put(answer, paging["items"], self.items(number))
        for key, value in (("total", self._count), ("has_more", number < self._count), ("next", f"token-{number + 1}")):
            if key in paging:
                self._put(answer, paging[key], value)
        return answer

    def items(self, number: int) -> list[Any]:
        """Make the one item of a page."""
        assert self._call.answer is not None
        (item, *_) = find(filled(self._call.answer["schema"]), self._paging["items"])
        return [{**item, "page": number}]

    def handle(self, request: httpx.Request) -> httpx.Response:
        """Return the requested page."""
        arguments = {**dict(parse_qsl(request.url.query.decode())), **json.loads(request.content or b"{}")}
        self.requested.append(arguments.get(self._paging["param"]))
        return httpx.Response(200, json=self.answer(len(self.requested)))

    def _put(self, answer: dict[str, Any], path: str, value: Any) -> None:
        *steps, last = path.split(".")
        find(answer, ".".join(steps))[last] = value


def find(value: Any, path: str) -> Any:
    """Follow a dotted path."""
    for step in filter(None, path.split(".")):
        value = value[step]
    return value


def arguments_of(call: Call) -> dict[str, Any]:
    """Take from the described example all but the page, unless it is required, and request one item at a time."""
    values, body = call.example()
    paging = call.described["x-coze-pagination"]
    for members in (values, body):
        if not needs_page(call):
            members.pop(paging["param"], None)
        if paging.get("size") in members:
            members[paging["size"]] = 1
    return call.arguments(values, body)


def needs_page(call: Call) -> bool:
    """Return whether the first page must be requested by its number."""
    name = call.described["x-coze-pagination"]["param"]
    return any(item["name"] == name and item.get("required", False) for item in call.parameters)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("call", PAGED)
def test_pages(call: Call, mode: Mode) -> None:
    """Iterating over a page yields the items of all pages, each requested once by number or by the token before."""
    pages = Pages(call, 3)
    read_items: list[Any] = []

    def read() -> None:
        with httpx.Client(transport=httpx.MockTransport(pages.handle)) as http:
            page = call.method(Client(BASE, TOKEN, http_client=http))(**arguments_of(call))
            same([wire(item) for item in page.items], pages.items(1))
            read_items.extend(wire(item) for item in page)

    async def aread() -> None:
        async with httpx.AsyncClient(transport=httpx.MockTransport(pages.handle)) as http:
            pager = call.method(AsyncClient(BASE, TOKEN, http_client=http))(**arguments_of(call))
            async for item in pager:
                read_items.append(wire(item))

    if mode == "sync":
        read()
    else:
        asyncio.run(aread())
    same(read_items, [item for number in (1, 2, 3) for item in pages.items(number)])
    if call.described["x-coze-pagination"]["style"] == "page":
        assert [None if param is None else int(param) for param in pages.requested] == [
            1 if needs_page(call) else None,
            2,
            3,
        ]
    else:
        assert pages.requested == [None, "token-2", "token-3"]


@pytest.mark.parametrize("call", PAGED)
def test_page_has_total_and_successor(call: Call) -> None:
    """A page has the described total, and whether another follows."""
    pages, paging = Pages(call, 2), call.described["x-coze-pagination"]
    with httpx.Client(transport=httpx.MockTransport(pages.handle)) as http:
        page = call.method(Client(BASE, TOKEN, http_client=http))(**arguments_of(call))
        assert page.total == (2 if "total" in paging else None)
        assert page.has_more
        last = page.next_page()
        assert not last.has_more
        assert last.next_page() is None
