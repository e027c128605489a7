"""Plain responses: a page of messages, and requests whose only cost is sending them."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from itertools import count
from typing import Any

import httpx

from ._clients import Layer, vendor
from ._measure import BASE, Case, Table, in_process
from ._server import running
from ._stock import Stock
from ._traffic import BASE_URL, CHAT_ID, CONVERSATION_ID, FILE_ID, TOKEN, reply, transport

__all__ = ["page_tables", "request_tables"]

_HEADERS = {"Authorization": f"Bearer {TOKEN}"}
_MESSAGES, _FILES, _CANCEL = "/v1/conversation/message/list", "/v1/files/retrieve", "/v3/chat/cancel"


def _with_parser(name: str, run: Callable[[], Any]) -> Callable[[], Any]:
    from coze_api._core import _json

    def chosen() -> Any:
        _json.use(name)
        return run()

    return chosen


def page_tables(layer: Layer, stock: Stock | None) -> Iterator[Table]:
    """Yield the tables of the part "page"."""
    http = httpx.Client(transport=transport(), headers=_HEADERS)
    ours, theirs = layer.client(transport()), vendor(transport())

    def bare() -> list[str]:
        response = http.post(f"{BASE_URL}{_MESSAGES}", params={"conversation_id": CONVERSATION_ID}, json={"limit": 50})
        return [item["content"] for item in response.json()["data"]]

    def own() -> list[str]:
        page = ours.conversations.messages.list(conversation_id=CONVERSATION_ID, limit=50)
        return [item.content for item in page.items]

    def their() -> list[str]:
        page = theirs.conversations.messages.list(conversation_id=CONVERSATION_ID, limit=50)
        return [item.content for item in page.items]

    body = reply(_MESSAGES)
    expected = [item["content"] for item in json.loads(body)["data"]]
    cases = [
        in_process(BASE, their, expected),
        in_process(f"{layer.package} json", _with_parser("json", own), expected, aim=1.3),
        in_process(f"{layer.package} orjson", _with_parser("orjson", own), expected),
        in_process("httpx + json, no models", bare, expected),
        in_process("json.loads alone", lambda: [item["content"] for item in json.loads(body)["data"]], expected),
    ]
    notes = []
    if stock is not None:
        cases.append(in_process("stock", stock.message_contents(stock.client(transport())), expected))
        notes.append(f"stock: openapi-python-client left out {stock.warnings} parts of the description")
    yield Table("page", "page of 50 messages, memory", "us", "page", cases, notes)


def _small(layer: Layer, source: httpx.MockTransport | None, base_url: str) -> Iterator[tuple[str, list[Case]]]:
    http = httpx.Client(transport=source, headers=_HEADERS, trust_env=False)
    ours, theirs = layer.client(source, base_url), vendor(source, base_url)

    def case(name: str, run: Callable[[], Any], expected: Any, aim: float | None = None) -> Case:
        return in_process(name, _with_parser("json", run) if name == layer.package else run, expected, aim=aim)

    files = map(str, count(int(FILE_ID)))  # another URL each time, as in practice

    def own_cancel() -> str:
        return str(ours.chat.cancel(conversation_id=CONVERSATION_ID, chat_id=CHAT_ID).status)

    def their_cancel() -> str:
        return str(theirs.chat.cancel(conversation_id=CONVERSATION_ID, chat_id=CHAT_ID).status.value)

    def bare_cancel() -> str:
        ids = {"conversation_id": CONVERSATION_ID, "chat_id": CHAT_ID}
        return str(http.post(f"{base_url}{_CANCEL}", json=ids).json()["data"]["status"])

    yield (
        "GET",
        [
            case(BASE, lambda: theirs.files.retrieve(file_id=next(files)).file_name, "1120.jpeg"),
            case(layer.package, lambda: ours.files.retrieve(file_id=next(files)).file_name, "1120.jpeg", 1.1),
            case(
                "httpx + json, no models",
                lambda: http.get(f"{base_url}{_FILES}", params={"file_id": next(files)}).json()["data"]["file_name"],
                "1120.jpeg",
            ),
        ],
    )
    yield (
        "POST",
        [
            case(BASE, their_cancel, "canceled"),
            case(layer.package, own_cancel, "canceled", 1.1),
            case(
                "httpx + json, no models",
                bare_cancel,
                "canceled",
            ),
        ],
    )


def request_tables(layer: Layer, stock: Stock | None) -> Iterator[Table]:
    """Yield the tables of the part "request"."""
    for verb, cases in _small(layer, transport(), BASE_URL):
        if stock is not None and verb == "GET":
            cases.append(in_process("stock", stock.file_name(stock.client(transport())), "1120.jpeg"))
        yield Table("request", f"small {verb}, memory", "us", "request", cases)
    with running() as base_url:
        for verb, cases in _small(layer, None, base_url):
            yield Table("request", f"small {verb}, 127.0.0.1", "us", "request", cases)
