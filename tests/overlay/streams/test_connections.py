"""Every end of a stream releases its connection."""

from __future__ import annotations

import gc
import weakref
from collections.abc import AsyncIterator, Iterator
from typing import Any

import anyio
import httpx
import pytest

from coze_sandbox import BOT_ID, Sandbox
from cozekit import AsyncCoze, Coze
from cozekit.errors import APIError, ChatFailed, StreamInterrupted
from tests.overlay._clients import Connect, at_once

LONG: dict[str, Any] = {"bot_id": BOT_ID, "user_id": "u", "additional_messages": ["/long 500"]}


@pytest.fixture
def narrow(connect: Connect, coze_sandbox: Sandbox) -> Any:
    """Create a client with one connection and a short pool timeout."""
    http = connect.http(limits=httpx.Limits(max_connections=1), timeout=httpx.Timeout(5, pool=0.05))
    return connect(coze_sandbox.token, base_url=coze_sandbox.base_url, http_client=http, retry=0)


def test_complete_stream_keeps_its_connection_alive(narrow):
    """A stream that was read to its end keeps its connection alive for the next call."""
    stream = narrow.chat.stream(**LONG)
    stream.until_done()
    port = stream.response.http.extensions["network_stream"].get_extra_info("client_addr")
    following = narrow.chat.stream(**LONG).until_done()
    assert following.response.http.extensions["network_stream"].get_extra_info("client_addr") == port


def test_exit_after_some_events_releases_the_connection(narrow):
    """Leaving `with` after some events releases the connection."""
    for _ in range(3):
        with narrow.chat.stream(**LONG) as stream:
            for number, _event in enumerate(stream):
                if number == 5:
                    break
        assert stream.response.http.is_closed
    assert narrow.users.me().user_id


def test_exit_of_an_unread_stream_releases_the_connection(narrow):
    """Leaving `with` without reading anything releases the connection."""
    with narrow.chat.stream(**LONG):
        pass
    assert narrow.users.me().user_id


def test_break_from_text_releases_the_connection(narrow):
    """A `break` from the loop over `text` within `with` releases the connection."""
    with narrow.chat.stream(**LONG) as stream:
        for _piece in stream.text:
            break
    assert narrow.users.me().user_id


def test_exception_of_the_caller_releases_the_connection(narrow):
    """An exception of the caller within `with` releases the connection and reaches the caller."""
    with pytest.raises(TypeError), narrow.chat.stream(**LONG) as stream:
        next(iter(stream)) / 0
    assert narrow.users.me().user_id


def test_close_releases_the_connection(narrow):
    """Closing a stream releases the connection, and closing it again is allowed."""
    stream = narrow.chat.stream(**LONG).open()
    next(iter(stream))
    stream.close()
    stream.close()
    assert narrow.users.me().user_id


def test_failed_streams_release_the_connection_without_with(narrow, coze_sandbox):
    """Streams that are rejected, cut, or end with a failure release the connection even without `with`."""
    with pytest.raises(APIError):
        narrow.chat.stream(**{**LONG, "bot_id": "7"}).open()
    with pytest.raises(ChatFailed):
        narrow.chat.stream(**{**LONG, "additional_messages": ["/fail 5000 no"]}).until_done()
    coze_sandbox.faults.add("cut", operation="chat.create", events=9)
    with pytest.raises(StreamInterrupted):
        narrow.chat.stream(**LONG).until_done()
    coze_sandbox.faults.add("html")
    with pytest.raises(APIError):
        narrow.chat.stream(**LONG).open()
    assert narrow.users.me().user_id


def test_retried_stream_uses_one_connection(connect, coze_sandbox):
    """A stream that is rejected with 429 and opened by the second attempt uses one connection."""
    http = connect.http(limits=httpx.Limits(max_connections=1), timeout=httpx.Timeout(5, pool=0.05))
    coze = connect(coze_sandbox.token, base_url=coze_sandbox.base_url, http_client=http, retry=at_once())
    coze_sandbox.faults.add("rate_limit", seconds=0, times=2)
    with coze.chat.stream(**LONG) as stream:
        stream.until_done()
    assert [record.status for record in coze_sandbox.requests] == [429, 429, 200]


class Chunks(httpx.SyncByteStream, httpx.AsyncByteStream):
    """A response body that counts how often it is closed."""

    def __init__(self, *chunks: bytes) -> None:
        self._chunks = chunks
        self.closed = 0

    def __iter__(self) -> Iterator[bytes]:
        yield from self._chunks

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for chunk in self._chunks:
            yield chunk

    def close(self) -> None:
        self.closed += 1

    async def aclose(self) -> None:
        self.closed += 1


@pytest.mark.parametrize("body", [b'{"code": 4100, "msg": "no"}', b"<html>", b"event: done\ndata: 1\n\n", b""])
def test_every_response_body_is_closed(connect, body):
    """The body of every response is closed, whether it is a stream or an error in its place."""
    chunks = Chunks(body)
    kind = "text/event-stream" if body.startswith(b"event") else "application/json"
    answer = httpx.Response(200, stream=chunks, headers={"content-type": kind})
    stream = connect(handler=lambda _: answer).chat.stream(**LONG)
    try:
        stream.until_done()
    except APIError:
        assert not body.startswith(b"event")
    assert chunks.closed


@pytest.mark.anyio
@pytest.mark.parametrize("when", ["opening", "reading"])
async def test_canceled_task_releases_the_connection(coze_sandbox, when):
    """A task that is canceled while it opens or reads a stream releases the connection."""
    if when == "opening":
        coze_sandbox.faults.add("delay", operation="chat.create", seconds=30)
    else:
        coze_sandbox.faults.add("delay", operation="chat.create", seconds=30, events=4)
    http = httpx.AsyncClient(limits=httpx.Limits(max_connections=1), timeout=httpx.Timeout(60, pool=1))
    coze = AsyncCoze(coze_sandbox.token, base_url=coze_sandbox.base_url, http_client=http, retry=0)
    reached = anyio.Event()

    async def read() -> None:
        if when == "opening":
            reached.set()
        async with coze.chat.stream(**LONG) as stream:
            async for event in stream:
                if event.event == "conversation.message.delta":
                    reached.set()

    async with http:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(read)
            await reached.wait()
            await anyio.wait_all_tasks_blocked()
            tasks.cancel_scope.cancel()
        assert (await coze.users.me()).user_id


@pytest.mark.anyio
async def test_simultaneous_streams_do_not_mix(coze_sandbox):
    """The events of simultaneous streams do not mix."""
    async with AsyncCoze(coze_sandbox.token, base_url=coze_sandbox.base_url) as coze:
        answers: dict[int, str] = {}

        async def chat(number: int) -> None:
            async with coze.chat.stream(
                bot_id=BOT_ID, user_id=str(number), additional_messages=[f"/say this is {number}"]
            ) as stream:
                answers[number] = "".join([piece async for piece in stream.text])

        async with anyio.create_task_group() as tasks:
            for number in range(20):
                tasks.start_soon(chat, number)
    assert answers == {number: f"this is {number}" for number in range(20)}


@pytest.fixture
def no_collector() -> Iterator[None]:
    """Disable the collection of reference cycles."""
    gc.disable()
    yield
    gc.enable()


def test_ended_stream_has_no_reference_cycle(coze_sandbox, no_collector):
    """A stream that was read to its end has no reference cycle, so its memory is freed without the garbage collector."""
    with Coze(coze_sandbox.token, base_url=coze_sandbox.base_url) as coze:
        with coze.chat.stream(bot_id=BOT_ID, user_id="u", additional_messages=["/say Good day"]) as stream:
            assert stream.until_done().answer == "Good day"
        alive = weakref.ref(stream)
        del stream
        assert alive() is None


@pytest.mark.anyio
async def test_ended_async_stream_has_no_reference_cycle(coze_sandbox, no_collector):
    """An async stream that was read to its end has no reference cycle, so its memory is freed without the garbage
    collector.
    """
    async with AsyncCoze(coze_sandbox.token, base_url=coze_sandbox.base_url) as coze:
        async with coze.chat.stream(bot_id=BOT_ID, user_id="u", additional_messages=["/say Good day"]) as stream:
            assert (await stream.until_done()).answer == "Good day"
        alive = weakref.ref(stream)
        del stream
        assert alive() is None
