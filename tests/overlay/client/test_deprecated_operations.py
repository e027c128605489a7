"""Calls of operations that Coze has deprecated."""

from __future__ import annotations

import importlib
import pkgutil
import sys
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

import cozekit
from coze_api._core._deprecation import deprecated
from coze_api._core._resource import AsyncResource, Resource
from coze_api.resources.bots import AsyncBotsAPI, BotsAPI
from cozekit import AsyncCoze, Coze
from cozekit._chat.resource import ChatResource
from cozekit._chat.resource_async import AsyncChatResource

PAGE = {"code": 0, "data": {"space_bots": [{"bot_id": str(number)} for number in range(2)], "total": 4}}
LIST = "^`bots.list_published` is deprecated; use `coze.bots.list` instead$"
RETRIEVE = "^`bots.retrieve_published` is deprecated; use `coze.bots.retrieve` instead$"


def page(request: httpx.Request) -> httpx.Response:
    """Respond to every request with a page that is not the last, or a bot."""
    return httpx.Response(200, json=PAGE if "list" in request.url.path else {"code": 0, "data": {"bot_id": "1"}})


def places(caught: pytest.WarningsRecorder) -> list[tuple[str, int]]:
    """Return file and line of each warning."""
    return [(warning.filename, warning.lineno) for warning in caught]


def list_published(coze: Any) -> Any:
    """Call a deprecated operation in the second line below the name."""
    return coze.bots.list_published(space_id="1", page_size=2)


HERE = [(__file__, list_published.__code__.co_firstlineno + 2)]


def test_all_pages_of_a_list_warn_once_at_the_call() -> None:
    """The requests for further pages, which the client sends by itself, do not warn again."""
    with Coze(token="pat_x", http_client=httpx.Client(transport=httpx.MockTransport(page))) as coze:
        with pytest.warns(DeprecationWarning, match=LIST) as caught:
            bots = list(list_published(coze))
    assert (len(bots), places(caught)) == (4, HERE)


@pytest.mark.anyio
async def test_async_call_warns_at_its_line() -> None:
    """A coroutine and a list warn where they are called."""
    http_client = httpx.AsyncClient(transport=httpx.MockTransport(page))
    async with AsyncCoze(token="pat_x", http_client=http_client) as coze:
        with pytest.warns(DeprecationWarning, match=LIST) as caught:
            bots = [bot async for bot in list_published(coze)]
        assert (len(bots), places(caught)) == (4, HERE)
        line = sys._getframe().f_lineno + 2
        with pytest.warns(DeprecationWarning, match=RETRIEVE) as caught:
            assert (await coze.bots.retrieve_published(bot_id="1")).bot_id == "1"
        assert places(caught) == [(__file__, line)]


def unmarked(resource: type[Any]) -> Iterator[str]:
    """Return the methods that replace a deprecated one, and are not marked themselves."""
    for name, member in vars(resource).items():
        inherited = [getattr(base, name, None) for base in resource.__mro__[1:]]
        text = next((base.__deprecated__ for base in inherited if hasattr(base, "__deprecated__")), None)
        if text != getattr(member, "__deprecated__", None):
            yield f"{resource.__qualname__}.{name}"


def resources(base: type[Any]) -> Iterator[type[Any]]:
    """Return every class of resources."""
    for resource in base.__subclasses__():
        yield resource
        yield from resources(resource)


def test_methods_in_place_of_deprecated_ones_are_marked_too() -> None:
    """Where the overlay replaces the method of a deprecated operation, it warns as the generated one would."""
    for module in pkgutil.walk_packages(cozekit.__path__, "cozekit."):
        if not module.name.endswith("__main__"):
            importlib.import_module(module.name)
    overlaid = [
        resource
        for resource in {*resources(Resource), *resources(AsyncResource)}
        if resource.__module__.startswith("cozekit.")
    ]
    assert {AsyncChatResource, ChatResource} <= set(overlaid)
    assert [name for resource in overlaid for name in unmarked(resource)] == []


def test_unmarked_method_in_place_of_a_deprecated_one_is_found() -> None:
    """The check above sees methods that lack the mark, or have another one."""

    class Unmarked(BotsAPI):
        def list_published(self, **arguments: Any) -> Any:  # type: ignore[override]  # only its mark matters
            return super().list_published(**arguments)

    class Marked(AsyncBotsAPI):
        @deprecated(LIST.strip("^$"))
        def list_published(self, **arguments: Any) -> Any:  # type: ignore[override]  # only its mark matters
            return super().list_published(**arguments)

    assert [name.rpartition(".")[2] for name in unmarked(Unmarked)] == ["list_published"]
    assert list(unmarked(Marked)) == []
