"""Chat streams: events that arrive faster than they can be read."""

from __future__ import annotations

import asyncio
import json
import statistics
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any

import cozepy
import httpx
import httpx_sse

from ._clients import Layer, vendor, vendor_async
from ._measure import BASE, Case, Table, in_process
from ._server import running
from ._traffic import BASE_URL, BOT_ID, EVENTS, TEXT, TOKEN, USER_ID, chat_chunks, data_lines, transport

__all__ = ["tables"]

_COUNT = EVENTS + 5
_DELTA = "conversation.message.delta"
_REQUEST: dict[str, Any] = {
    "headers": {"Authorization": f"Bearer {TOKEN}"},
    "json": {"bot_id": BOT_ID, "user_id": USER_ID, "additional_messages": [], "stream": True},
}
# Factor over the vendor's SDK, by parser and by source of the stream.
_AIMS = {("json", True): 2.5, ("orjson", True): 4.0, ("json", False): 1.8, ("orjson", False): 1.8}
_FIRST = 60  # streams of which each sample takes the median time to the first event


def _parser(name: str) -> Callable[[], None]:
    """Return a function that sets the JSON parser of our client."""
    from coze_api._core import _json

    return lambda: _json.use(name)


def _ours(
    layer: Layer, source: httpx.MockTransport | None, base_url: str, choose: Callable[[], None]
) -> Callable[[], str]:
    from coze_api.models import MessageDeltaEvent

    client = layer.client(source, base_url)

    def run() -> str:
        choose()
        with client.chat.stream(bot_id=BOT_ID, user_id=USER_ID, additional_messages=["你好"]) as stream:
            return "".join(event.data.content for event in stream if isinstance(event, MessageDeltaEvent))

    return run


def _ours_async(
    layer: Layer, source: httpx.MockTransport | None, base_url: str, choose: Callable[[], None]
) -> Callable[[], str]:
    from coze_api.models import MessageDeltaEvent

    client, loop = layer.async_client(source, base_url), asyncio.Runner()

    async def read() -> str:
        async with client.chat.stream(bot_id=BOT_ID, user_id=USER_ID, additional_messages=["你好"]) as stream:
            return "".join([event.data.content async for event in stream if isinstance(event, MessageDeltaEvent)])

    def run() -> str:
        choose()
        return loop.run(read())

    return run


def _vendor_text(event: cozepy.ChatEvent) -> str:
    if event.event == cozepy.ChatEventType.CONVERSATION_MESSAGE_DELTA and event.message is not None:
        return event.message.content
    return ""


def _vendor(source: httpx.MockTransport | None, base_url: str) -> Callable[[], str]:
    client, question = vendor(source, base_url), cozepy.Message.build_user_question_text("你好")

    def run() -> str:
        events = client.chat.stream(bot_id=BOT_ID, user_id=USER_ID, additional_messages=[question])
        return "".join(map(_vendor_text, events))

    return run


def _vendor_async(source: httpx.MockTransport | None, base_url: str) -> Callable[[], str]:
    client, loop = vendor_async(source, base_url), asyncio.Runner()
    question = cozepy.Message.build_user_question_text("你好")

    async def read() -> str:
        events = client.chat.stream(bot_id=BOT_ID, user_id=USER_ID, additional_messages=[question])
        return "".join([_vendor_text(event) async for event in events])

    return lambda: loop.run(read())


def _sse_text(event: httpx_sse.ServerSentEvent) -> str:
    value = json.loads(event.data)
    return str(value["content"]) if event.event == _DELTA else ""


def _httpx_sse(source: httpx.MockTransport | None, base_url: str) -> Callable[[], str]:
    client = httpx.Client(transport=source, trust_env=False)

    def run() -> str:
        with httpx_sse.connect_sse(client, "POST", f"{base_url}/v3/chat", **_REQUEST) as stream:
            return "".join(map(_sse_text, stream.iter_sse()))

    return run


def _httpx_sse_async(source: httpx.MockTransport | None, base_url: str) -> Callable[[], str]:
    client, loop = httpx.AsyncClient(transport=source, trust_env=False), asyncio.Runner()

    async def read() -> str:
        async with httpx_sse.aconnect_sse(client, "POST", f"{base_url}/v3/chat", **_REQUEST) as stream:
            return "".join([_sse_text(event) async for event in stream.aiter_sse()])

    return lambda: loop.run(read())


def _bytes(source: httpx.MockTransport | None, base_url: str) -> Callable[[], int]:
    client = httpx.Client(transport=source, trust_env=False)

    def run() -> int:
        with client.stream("POST", f"{base_url}/v3/chat", **_REQUEST) as response:
            return sum(map(len, response.iter_bytes()))

    return run


def _bytes_async(source: httpx.MockTransport | None, base_url: str) -> Callable[[], int]:
    client, loop = httpx.AsyncClient(transport=source, trust_env=False), asyncio.Runner()

    async def lengths() -> AsyncIterator[int]:
        async with client.stream("POST", f"{base_url}/v3/chat", **_REQUEST) as response:
            async for chunk in response.aiter_bytes():
                yield len(chunk)

    async def read() -> int:
        return sum([length async for length in lengths()])

    return lambda: loop.run(read())


def _parsing() -> Callable[[], int]:
    lines = data_lines()
    return lambda: len([json.loads(line) for line in lines])


def _cases(layer: Layer, source: httpx.MockTransport | None, base_url: str, *, is_async: bool) -> Iterator[Case]:
    size = sum(map(len, chat_chunks(whole_events=True)))
    ours = _ours_async if is_async else _ours
    yield in_process(BASE, (_vendor_async if is_async else _vendor)(source, base_url), TEXT, _COUNT)
    for parser in ("json", "orjson"):
        run = ours(layer, source, base_url, _parser(parser))
        yield in_process(f"{layer.package} {parser}", run, TEXT, _COUNT, aim=_AIMS[parser, source is not None])
    yield in_process(
        "httpx-sse + json, no models", (_httpx_sse_async if is_async else _httpx_sse)(source, base_url), TEXT, _COUNT
    )
    yield in_process("httpx bytes alone", (_bytes_async if is_async else _bytes)(source, base_url), size, _COUNT)
    yield in_process("json.loads alone", _parsing(), _COUNT, _COUNT)


def _first(begin: Callable[[], AbstractContextManager[Iterator[Any]]]) -> Callable[[], float]:
    """Return a function that measures the wall time to the first event, including the connection."""

    def sample() -> float:
        times = []
        for _ in range(_FIRST):
            start = time.perf_counter()
            with begin() as events:
                next(events)
                times.append(time.perf_counter() - start)
        return statistics.median(times)

    return sample


def _first_cases(layer: Layer, base_url: str) -> Iterator[Case]:
    ours, theirs, bare = layer.client(None, base_url), vendor(None, base_url), httpx.Client(trust_env=False)
    question = cozepy.Message.build_user_question_text("你好")

    @contextmanager
    def begin_theirs() -> Iterator[Iterator[Any]]:
        stream = theirs.chat.stream(bot_id=BOT_ID, user_id=USER_ID, additional_messages=[question])
        yield iter(stream)
        stream.response._raw_response.close()

    @contextmanager
    def begin_ours() -> Iterator[Iterator[Any]]:
        with ours.chat.stream(bot_id=BOT_ID, user_id=USER_ID, additional_messages=["你好"]) as stream:
            yield iter(stream)

    @contextmanager
    def begin_bare() -> Iterator[Iterator[Any]]:
        with bare.stream("POST", f"{base_url}/v3/chat", **_REQUEST) as response:
            yield response.iter_bytes()

    yield Case(BASE, _first(begin_theirs))
    yield Case(layer.package, _first(begin_ours))
    yield Case("httpx, first bytes", _first(begin_bare))


def tables(layer: Layer) -> Iterator[Table]:
    """Yield the tables of this part."""
    with running() as base_url:
        yield Table("stream", "first event, sync, 127.0.0.1", "ms", "stream", list(_first_cases(layer, base_url)))
    for is_async in (False, True):
        kind = "async" if is_async else "sync"
        for whole, cut in ((False, "4 KiB chunks"), (True, "one event per chunk")):
            source = transport(chat_chunks(whole_events=whole))
            cases = list(_cases(layer, source, BASE_URL, is_async=is_async))
            yield Table("stream", f"chat stream, {kind}, memory, {cut}", "us", "event", cases)
        with running() as base_url:
            cases = list(_cases(layer, None, base_url, is_async=is_async))
            yield Table("stream", f"chat stream, {kind}, 127.0.0.1", "us", "event", cases)
