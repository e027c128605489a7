"""How streams release their connection: closed by another thread, ended by a lingering server, never reading ahead."""

from __future__ import annotations

import queue
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import anyio
import httpx
import pytest

from coze_api import AsyncClient, Client
from coze_api.errors import StreamInterrupted
from coze_api.models import ChatDoneEvent
from tests.runtime._responses import Chunks, async_client, client, event, streaming

HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"
CREATED = event("conversation.chat.created", {"id": "c"})
DELTA = event("conversation.message.delta", {"id": "m", "content": "Hi"})
DONE = b'event: done\ndata: "[DONE]"\n\n'
LONG = 60.0  # timeout of a server in seconds


def chunk(data: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(data), data)


@contextmanager
def server(serve: Callable[[socket.socket], None]) -> Iterator[str]:
    """Listen on this machine, and let *serve* handle each connection after its first request."""
    sockets: list[socket.socket] = []

    def accept(listening: socket.socket) -> None:
        while True:
            try:
                connection, _ = listening.accept()
            except OSError:
                return
            sockets.append(connection)
            connection.settimeout(LONG)
            threading.Thread(target=answer, args=(connection,), daemon=True).start()

    def answer(connection: socket.socket) -> None:
        try:
            received = b""
            while b"\r\n\r\n{" not in received:
                received += connection.recv(65536) or b"\r\n\r\n{"
            serve(connection)
        except OSError:
            pass  # the client closed the connection

    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = threading.Thread(target=accept, args=(listening,), daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        listening.shutdown(socket.SHUT_RDWR)
        for each in sockets:
            each.close()


def client_left(connection: socket.socket) -> bool:
    """Wait until the client closes the connection, and return whether it did before the server's timeout."""
    try:
        connection.recv(1)
    except TimeoutError:
        connection.shutdown(socket.SHUT_RDWR)
        return False
    except OSError:
        pass  # the client reset the connection
    return True


def one_connection() -> dict[str, Any]:
    """Return options of an HTTP client with one connection, a short pool timeout and no read timeout."""
    return {"limits": httpx.Limits(max_connections=1), "timeout": httpx.Timeout(None, pool=5), "trust_env": False}


def begin(coze: Any) -> Any:
    return coze.chat.stream(bot_id="1", user_id="2")


class TestThreads:
    """Closing a sync stream from another thread."""

    def test_close_ends_a_waiting_read(self) -> None:
        """A waiting read ends at once with StreamInterrupted, and its connection is free."""
        quiet = threading.Event()
        left: queue.SimpleQueue[bool] = queue.SimpleQueue()

        def serve(connection: socket.socket) -> None:
            if quiet.is_set():
                connection.sendall(HEAD + chunk(DONE) + b"0\r\n\r\n")
            else:
                connection.sendall(HEAD + chunk(CREATED))
                quiet.set()
                left.put(client_left(connection))

        with server(serve) as url, httpx.Client(**one_connection()) as http:
            coze = Client(url, http_client=http)
            stream = begin(coze)
            next(stream)
            caught: list[BaseException] = []
            reading = threading.Event()

            def read() -> None:
                reading.set()
                try:
                    stream.until_done()
                except StreamInterrupted as error:
                    caught.append(error)

            reader = threading.Thread(target=read)
            reader.start()
            reading.wait()
            time.sleep(0.05)  # lets the thread reach the socket; closing works without it, too
            stream.close()
            reader.join()
            assert left.get()
            [error] = caught
            assert isinstance(error, StreamInterrupted)
            assert "it was closed here before its end" in str(error)
            assert error.events == 1
            assert len(list(begin(coze))) == 1

    def test_stream_closed_before_the_first_read_sends_nothing(self) -> None:
        """A stream that was closed before it was opened sends nothing when it is read."""
        body = Chunks(CREATED, DONE)
        stream = begin(client(streaming(body=body)))
        stream.close()
        with pytest.raises(StreamInterrupted, match="closed here"):
            next(stream)
        assert body.given == 0


class TestLingering:
    """Servers that send the last event and do not end their response."""

    @pytest.fixture
    def left(self) -> queue.SimpleQueue[bool]:
        """Return how each response ended: True if the client closed it."""
        return queue.SimpleQueue()

    @pytest.fixture
    def url(self, left: queue.SimpleQueue[bool]) -> Iterator[str]:
        def serve(connection: socket.socket) -> None:
            connection.sendall(HEAD + chunk(CREATED) + chunk(DONE))
            left.put(client_left(connection))

        with server(serve) as url:
            yield url

    def test_stream_ends_before_the_response(self, url: str, left: queue.SimpleQueue[bool]) -> None:
        """The stream ends with its last event, before the server has ended its response, and releases its connection."""
        with httpx.Client(**one_connection()) as http:
            coze = Client(url, http_client=http)
            for _ in range(2):
                stream = begin(coze)
                assert isinstance(list(stream)[-1], ChatDoneEvent)
                assert stream.ended
                assert left.get()

    @pytest.mark.anyio
    async def test_async_stream_ends_before_the_response(self, url: str, left: queue.SimpleQueue[bool]) -> None:
        """An async stream ends with its last event, before the server has ended its response, and releases its
        connection.
        """
        async with httpx.AsyncClient(**one_connection()) as http:
            coze = AsyncClient(url, http_client=http)
            for _ in range(2):
                assert (await begin(coze).until_done()).ended
                assert await anyio.to_thread.run_sync(left.get)


class TestBackpressure:
    """Nothing is read before it is requested."""

    def test_chunk_is_read_with_its_first_event(self) -> None:
        """Each chunk is read when its first event is requested."""
        body = Chunks(CREATED, DELTA + DELTA, DELTA, DONE)
        stream = begin(client(streaming(body=body)))
        stream.open()
        chunks_read = [(next(stream), body.given)[1] for _ in range(5)]
        assert chunks_read == [1, 2, 2, 3, 4]

    @pytest.mark.anyio
    async def test_async_chunk_is_read_with_its_first_event(self) -> None:
        """An async stream reads each chunk when its first event is requested."""
        body = Chunks(CREATED, DELTA + DELTA, DELTA, DONE)
        stream = await begin(async_client(streaming(body=body))).open()
        chunks_read = [(await anext(stream), body.given)[1] for _ in range(5)]
        assert chunks_read == [1, 2, 2, 3, 4]

    def test_server_can_send_only_what_buffers_hold(self) -> None:
        """A server that sends without end can send only what the system's buffers hold."""
        sent = 0
        full = threading.Event()
        block = chunk(event("conversation.message.delta", {"id": "m", "content": "x" * 60_000})) * 16

        def serve(connection: socket.socket) -> None:
            nonlocal sent
            connection.sendall(HEAD + chunk(CREATED))
            connection.settimeout(0.3)
            try:
                while sent < 2**28:
                    sent += connection.send(block)
            except TimeoutError:
                full.set()
                connection.settimeout(LONG)
                connection.recv(1)

        with server(serve) as url, Client(url) as coze, begin(coze) as stream:
            next(stream)
            assert full.wait(LONG)
        assert sent < 2**26


@pytest.mark.anyio
async def test_second_reader_of_an_async_stream_is_rejected() -> None:
    """A second task that reads an async stream gets an error, and the first continues undisturbed."""
    go = anyio.Event()

    class Slow(Chunks):
        async def __aiter__(self) -> Any:
            yield CREATED
            await go.wait()
            yield DONE

    stream = begin(async_client(streaming(body=Slow())))
    await anext(stream)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(stream.until_done)
        await anyio.wait_all_tasks_blocked()
        with pytest.raises(RuntimeError, match="another task is reading this stream"):
            await anext(stream)
        go.set()
    assert stream.ended
