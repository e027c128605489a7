"""Streams over real connections, sync and async: reuse, closing, cancellation, early exit."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import http.server
import threading
from collections.abc import Iterator
from typing import Any

import attrs
import httpx
import pytest

from coze_api import AsyncClient, AsyncStream, Client
from coze_api.errors import StreamFailed, StreamInterrupted
from coze_api.models import ChatCreatedEvent, ChatDoneEvent, MessageDeltaEvent
from tests._serving import serving
from tests.runtime._responses import Chunks, async_client, event, streaming

CREATED = event("conversation.chat.created", {"id": "c"})
DELTA = event("conversation.message.delta", {"id": "m", "content": "Hi"})
DONE = b'event: done\ndata: "[DONE]"\n\n'


@attrs.define
class Service:
    """A server that streams.

    Attributes:
        url: Its URL.
        script: The chunks that it sends. None waits until *go* is set.
        connections: How many connections it accepted.
        go: See *script*.
    """

    url: str = ""
    script: list[bytes | None] = attrs.field(factory=list)
    connections: int = 0
    go: threading.Event = attrs.field(factory=threading.Event)

    def client(self) -> Client:
        return Client(self.url)

    def handler(self) -> type[http.server.BaseHTTPRequestHandler]:
        service = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def setup(self) -> None:
                service.connections += 1
                super().setup()

            def handle(self) -> None:
                with contextlib.suppress(OSError):  # the client may close the connection
                    super().handle()

            def do_POST(self) -> None:
                self.rfile.read(int(self.headers["content-length"]))
                self.send_response(200)
                self.send_header("content-type", "text/event-stream; charset=utf-8")
                self.send_header("transfer-encoding", "chunked")
                self.end_headers()
                for chunk in [*service.script, b""]:
                    if chunk is None:
                        service.go.wait(60)
                    else:
                        self.wfile.write(b"%x\r\n%s\r\n" % (len(chunk), chunk))
                        self.wfile.flush()

            def log_message(self, *_: object) -> None:
                pass

        return Handler


class Server(http.server.ThreadingHTTPServer):
    """A server that handles simultaneous connections."""

    daemon_threads = True
    request_queue_size = 100


@pytest.fixture
def service() -> Iterator[Service]:
    """Start a server on this machine."""
    service = Service()
    with serving(Server(("127.0.0.1", 0), service.handler())) as service.url:
        yield service
        service.go.set()


def begin(coze: Any) -> Any:
    """Start a chat."""
    return coze.chat.stream(bot_id="1", user_id="2")


class TestSync:
    """Sync streams."""

    def test_ended_stream_returns_its_connection(self, service: Service) -> None:
        """After the end of a stream the next one uses its connection, with or without `with`."""
        service.script = [CREATED, DELTA, DONE]
        with service.client() as coze:
            assert len(list(begin(coze))) == 3
            with begin(coze) as stream:
                assert len(list(stream)) == 3
            begin(coze).until_done()
        assert service.connections == 1

    def test_event_is_yielded_when_it_arrives(self, service: Service) -> None:
        """An event is yielded when it arrives, not when the next one does."""
        service.script = [CREATED, None, DONE]
        with service.client() as coze, begin(coze) as stream:
            assert isinstance(next(stream), ChatCreatedEvent)
            service.go.set()
            assert isinstance(next(stream), ChatDoneEvent)

    def test_early_close_keeps_server_and_client_working(self, service: Service) -> None:
        """After an early close, server and client keep working."""
        service.script = [CREATED, None, DONE]
        with service.client() as coze:
            stream = begin(coze)
            next(stream)
            stream.close()
            with pytest.raises(StreamInterrupted):
                next(stream)
            service.go.set()
            assert len(list(begin(coze))) == 2
        assert service.connections == 2

    def test_dropped_stream_releases_its_connection(self, service: Service) -> None:
        """A stream that is dropped before its end releases its connection."""
        service.script = [CREATED, None, DONE]
        with Client(service.url, http_client=httpx.Client(limits=httpx.Limits(max_connections=1), timeout=60)) as coze:
            for _ in begin(coze):
                break
            gc.collect()
            service.go.set()
            assert len(list(begin(coze))) == 2
            coze._http.close()


@pytest.mark.anyio
class TestAsync:
    """Async streams."""

    async def test_ended_async_stream_returns_its_connection(self, service: Service) -> None:
        """After the end of an async stream the next one uses its connection."""
        service.script = [CREATED, DELTA, DONE]
        async with AsyncClient(service.url) as coze:
            assert len([each async for each in begin(coze)]) == 3
            async with begin(coze) as stream:
                assert isinstance(stream, AsyncStream)
                assert len([each async for each in stream]) == 3
                assert stream.ended
            assert (await begin(coze).until_done()).ended
        assert service.connections == 1

    async def test_early_close_keeps_server_and_async_client_working(self, service: Service) -> None:
        """After an early close, server and async client keep working."""
        service.script = [CREATED, None, DONE]
        async with AsyncClient(service.url) as coze:
            stream = begin(coze)
            await anext(stream)
            await stream.close()
            for _ in range(2):
                with pytest.raises(StreamInterrupted, match="it was closed here before its end"):
                    await anext(stream)
            service.go.set()
            assert len([each async for each in begin(coze)]) == 2

    async def test_close_ends_a_read_in_another_task(self, service: Service) -> None:
        """Closing ends a read that waits in another task."""
        service.script = [CREATED, None, DONE]
        async with AsyncClient(service.url) as coze:
            stream = begin(coze)
            await anext(stream)
            reading = asyncio.create_task(stream.until_done())
            await asyncio.sleep(0)
            await stream.close()
            with pytest.raises(StreamInterrupted) as caught:
                await reading
            assert caught.value.events == 1

    async def test_canceled_read_releases_the_connection(self, service: Service) -> None:
        """Canceling a read releases the only connection of the pool for the next stream."""
        service.script = [CREATED, None, DONE]
        limits = httpx.Limits(max_connections=1)
        async with httpx.AsyncClient(limits=limits, timeout=60) as http_client:
            coze = AsyncClient(service.url, http_client=http_client)
            stream = begin(coze)
            await anext(stream)
            reading = asyncio.create_task(stream.until_done())
            await asyncio.sleep(0)
            reading.cancel()
            with pytest.raises(asyncio.CancelledError):
                await reading
            service.go.set()
            assert len([each async for each in begin(coze)]) == 2

    async def test_cancellation_while_closing_loses_no_connection(self, service: Service) -> None:
        """A cancellation that takes effect while the stream closes, since nothing waited before, loses no connection."""
        service.script = [CREATED, DELTA, DONE]
        async with httpx.AsyncClient(limits=httpx.Limits(max_connections=1), timeout=60) as http_client:
            coze = AsyncClient(service.url, http_client=http_client)

            async def read() -> None:
                async for each in begin(coze):
                    if isinstance(each, ChatDoneEvent):
                        task = asyncio.current_task()
                        assert task is not None
                        task.cancel()

            for _ in range(3):
                reading = asyncio.create_task(read())
                with contextlib.suppress(asyncio.CancelledError):
                    await reading
            assert len([each async for each in begin(coze)]) == 3

    async def test_early_exit_releases_the_connection(self, service: Service) -> None:
        """Leaving `async with` early, also by an exception, releases the connection."""
        service.script = [CREATED, None, DONE]
        async with httpx.AsyncClient(limits=httpx.Limits(max_connections=1), timeout=60) as http_client:
            coze = AsyncClient(service.url, http_client=http_client)
            with contextlib.suppress(ZeroDivisionError):
                async with begin(coze) as stream:
                    async for _ in stream:
                        raise ZeroDivisionError
            assert not stream.ended
            service.go.set()
            assert len([each async for each in begin(coze)]) == 2

    async def test_simultaneous_streams_are_independent(self, service: Service) -> None:
        """Simultaneous streams are independent of each other."""
        service.script = [CREATED, DELTA, DONE]
        async with AsyncClient(service.url) as coze:
            streams = await asyncio.gather(*(begin(coze).until_done() for _ in range(20)))
        assert all(stream.ended for stream in streams)


@pytest.mark.anyio
class TestAsyncEnds:
    """Ends of async streams; test_stream_ends has those of sync streams."""

    @staticmethod
    def begin(*chunks: bytes | Exception, body: Chunks | None = None) -> AsyncStream[Any]:
        return async_client(streaming(*chunks, body=body)).chat.stream(bot_id="1", user_id="2")

    async def test_done_ends_an_async_stream(self) -> None:
        """The last event ends an async stream, and later events are not read."""
        body = Chunks(CREATED, DELTA + DONE + DELTA, *[DELTA] * 1000)
        stream = self.begin(body=body)
        assert [type(each) async for each in stream] == [ChatCreatedEvent, MessageDeltaEvent, ChatDoneEvent]
        assert body.given < 20
        assert body.closed
        assert [each async for each in stream] == []

    async def test_failed_async_stream_raises_again(self) -> None:
        """A failed async stream raises its failure again when it is read again."""
        stream = self.begin(CREATED, event("conversation.chat.failed", {"code": "4028", "msg": "no credits"}))
        for _ in range(2):
            with pytest.raises(StreamFailed, match="no credits") as caught:
                await stream.until_done()
        assert caught.value.code == 4028

    @pytest.mark.parametrize("chunks", [(), (httpx.ReadError("gone"),)])
    async def test_interrupted_async_stream_raises_again(self, chunks: tuple[Exception, ...]) -> None:
        """An interrupted async stream raises StreamInterrupted again when it is read again."""
        stream = self.begin(CREATED, DELTA[:9], *chunks)
        for _ in range(2):
            with pytest.raises(StreamInterrupted) as caught:
                await stream.until_done()
        assert (caught.value.events, caught.value.rest) == (1, DELTA[:9])
        assert isinstance(caught.value.last_event, ChatCreatedEvent)

    async def test_last_event_needs_no_blank_line(self) -> None:
        """A last event without its blank line is yielded, also if the connection breaks after it."""
        assert len([each async for each in self.begin(CREATED, DONE[:-1])]) == 2
        assert (await self.begin(DONE, httpx.ReadError("gone")).until_done()).ended

    async def test_unopened_async_stream_needs_no_close(self) -> None:
        """A stream that is never opened can be closed, and does not have to be."""
        stream = self.begin(DONE)
        await stream.close()
        with pytest.raises(StreamInterrupted, match="after 0 events"):
            await anext(stream)
