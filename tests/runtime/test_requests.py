"""Requests as they are sent."""

from __future__ import annotations

import io
import re
from typing import Any

import httpx
import pytest

from coze_api import AsyncClient, Client
from coze_api.errors import InvalidArgumentError
from tests.runtime._responses import BASE, Recorder, answer, async_client, client

PAYLOAD = b'before\r\n--+++--\r\nContent-Disposition: form-data; name="file"; filename="evil"\r\n\r\nafter'


class TestBytes:
    """Method, target, headers and body of representative operations."""

    def test_get_has_a_query_and_no_body(self) -> None:
        """A GET sends its arguments in the query, and no body."""
        recorder = Recorder()
        client(recorder).files.retrieve(file_id="7 1")
        assert recorder.last.method == "GET"
        assert str(recorder.last.url) == f"{BASE}/v1/files/retrieve?file_id=7+1"
        assert recorder.last.content == b""
        assert "content-type" not in recorder.last.headers
        assert "content-length" not in recorder.last.headers

    def test_post_has_compact_utf8_json(self) -> None:
        """A POST sends its arguments as compact JSON in UTF-8, with the constant fields of the operation."""
        recorder = Recorder()
        client(recorder).chat.create(bot_id="1", user_id="ü", conversation_id="3", auto_save_history=True)
        assert recorder.last.method == "POST"
        assert recorder.target == "/v3/chat?conversation_id=3"
        assert recorder.last.content == '{"bot_id":"1","user_id":"ü","auto_save_history":true,"stream":false}'.encode()
        assert recorder.last.headers["content-type"] == "application/json"

    def test_post_without_arguments_sends_an_empty_object(self) -> None:
        """A POST without arguments sends an empty object."""
        recorder = Recorder()
        client(recorder).conversations.clear(conversation_id="1")
        assert (recorder.target, recorder.last.content) == ("/v1/conversations/1/clear", b"{}")

    def test_put_has_a_body_and_delete_if_described(self) -> None:
        """PUT has a body; DELETE has one only if it is described."""
        recorder = Recorder()
        coze = client(recorder)
        coze.conversations.update(conversation_id="1", name="n")
        assert (recorder.last.method, recorder.body) == ("PUT", {"name": "n"})
        coze.conversations.delete(conversation_id="1")
        assert (recorder.last.method, recorder.last.content) == ("DELETE", b"")
        coze.workspaces.members.delete(workspace_id="1", user_ids=["2"])
        assert (recorder.last.method, recorder.body) == ("DELETE", {"user_ids": ["2"]})

    def test_stream_accepts_events_unless_overridden(self) -> None:
        """A stream sends `stream: true` and accepts events; the caller's Accept header overrides this."""
        recorder = Recorder(answer(code=4000))
        for headers in (None, {"accept": "text/plain"}):
            stream = client(recorder).chat.stream(bot_id="1", user_id="2", extra_headers=headers)
            with pytest.raises(Exception, match="code 4000"):
                stream.open()
        first, second = recorder.requests
        assert first.headers.get_list("accept") == ["text/event-stream"]
        assert second.headers.get_list("accept") == ["text/plain"]
        assert recorder.body == {"bot_id": "1", "user_id": "2", "stream": True}

    @pytest.mark.anyio
    async def test_async_client_sends_the_same_request(self) -> None:
        """An async client sends the same request."""
        sync, other = Recorder(), Recorder()
        client(sync).chat.create(bot_id="1", user_id="2", conversation_id="3")
        await async_client(other).chat.create(bot_id="1", user_id="2", conversation_id="3")
        assert sync.last.headers == other.last.headers
        assert (sync.target, sync.last.content) == (other.target, other.last.content)


class Counted(io.BytesIO):
    """A file that records how it is read.

    Attributes:
        reads: Sizes of the read calls.
    """

    name = "/some/where/big.bin"

    def __init__(self, content: bytes) -> None:
        super().__init__(content)
        self.reads: list[int | None] = []

    def read(self, size: int | None = -1, /) -> bytes:
        self.reads.append(size)
        return super().read(size)


class Pipe:
    """A stream that can be read only once and has no known size."""

    def __init__(self, *chunks: bytes) -> None:
        self._chunks = list(chunks)

    def read(self, size: int = -1, /) -> bytes:
        return self._chunks.pop(0) if self._chunks else b""


class TestUploads:
    """Multipart bodies."""

    @staticmethod
    def upload(file: Any) -> httpx.Request:
        recorder = Recorder()
        client(recorder).files.upload(file=file)
        return recorder.last

    def test_file_is_one_multipart_part(self) -> None:
        """A file is one part with name, type and content, between boundaries."""
        request = self.upload(("a.png", b"\x89PNG", "image/png"))
        boundary = request.headers["content-type"].removeprefix("multipart/form-data; boundary=").encode()
        assert request.content == (
            b"--" + boundary + b"\r\n"
            b'Content-Disposition: form-data; name="file"; filename="a.png"\r\n'
            b"Content-Type: image/png\r\n\r\n"
            b"\x89PNG\r\n"
            b"--" + boundary + b"--\r\n"
        )  # fmt: skip

    def test_boundary_is_random(self) -> None:
        """V10: each request has its own long random boundary, which no content can contain on purpose."""
        contents = [self.upload(("a.bin", PAYLOAD)) for _ in range(2)]
        boundaries = {request.headers["content-type"].partition("boundary=")[2] for request in contents}
        assert len(boundaries) == 2
        assert all(re.fullmatch("[0-9a-f]{32}", boundary) for boundary in boundaries)
        for request in contents:
            boundary = request.headers["content-type"].partition("boundary=")[2].encode()
            assert request.content.count(boundary) == 2
            _, part, end = request.content.split(b"--" + boundary)
            assert part.partition(b"\r\n\r\n")[2] == PAYLOAD + b"\r\n"
            assert end == b"--\r\n"

    def test_quotes_and_line_breaks_in_a_name_are_escaped(self) -> None:
        """Quotes and line breaks in a file name are escaped."""
        content = self.upload(('a"\r\nX-Evil: 1\r\n\r\nb.png', b"x")).content
        assert b'filename="a%22%0D%0AX-Evil: 1%0D%0A%0D%0Ab.png"\r\n' in content

    def test_file_is_read_in_pieces_with_known_length(self) -> None:
        """A file object is never read as a whole, and its length is announced."""
        file = Counted(b"x" * 300_000)
        request = self.upload(file)
        assert b'filename="big.bin"' in request.content
        assert len(file.reads) > 4
        assert all(size is not None and 0 < size <= 1 << 16 for size in file.reads)
        assert int(request.headers["content-length"]) == len(request.content)

    def test_file_is_sent_from_its_start(self) -> None:
        """A file object is sent completely, whatever its position, and so can be sent again."""
        file = io.BytesIO(b"content")
        file.seek(4)
        for _ in range(2):
            assert b"\r\n\r\ncontent\r\n" in self.upload(file).content

    def test_pipe_is_sent_in_chunks(self) -> None:
        """A stream of unknown size is sent in chunks."""
        request = self.upload(("a.bin", Pipe(b"one", b"two")))
        assert request.headers["transfer-encoding"] == "chunked"
        assert b"\r\n\r\nonetwo\r\n" in request.content

    @pytest.mark.anyio
    async def test_async_client_sends_files(self) -> None:
        """An async client sends files in the same form."""
        recorder = Recorder()

        async def handle(request: httpx.Request) -> httpx.Response:
            await request.aread()
            return recorder(request)

        http = httpx.AsyncClient(transport=httpx.MockTransport(handle))
        await AsyncClient(BASE, http_client=http).files.upload(file=("a.bin", io.BytesIO(PAYLOAD)))
        assert PAYLOAD in recorder.last.content


class TestBaseURL:
    """The base URL of requests."""

    @pytest.mark.parametrize(
        ("base", "sent"),
        [
            ("https://a.example", "https://a.example/v1/files/retrieve?file_id=1"),
            ("https://a.example/", "https://a.example/v1/files/retrieve?file_id=1"),
            ("http://127.0.0.1:8000/proxy/coze/", "http://127.0.0.1:8000/proxy/coze/v1/files/retrieve?file_id=1"),
        ],
    )
    def test_paths_are_joined_to_the_base_url(self, base: str, sent: str) -> None:
        """Paths are joined to the base URL, with and without a prefix, without double slashes."""
        recorder = Recorder()
        coze = Client(base, http_client=httpx.Client(transport=httpx.MockTransport(recorder)))
        coze.files.retrieve(file_id="1")
        assert str(recorder.last.url) == sent
        assert coze.base_url == base.rstrip("/")

    @pytest.mark.parametrize(
        "base_url",
        ["", "api.coze.com", "ftp://a.example", "https://", "https://a.example?x=1", "https://a.example#x", None, 5],
    )  # fmt: skip
    @pytest.mark.parametrize("make", [Client, AsyncClient])
    def test_invalid_base_url_is_rejected_at_construction(
        self, make: type[Client | AsyncClient], base_url: Any
    ) -> None:
        """An invalid base URL is rejected when the client is created."""
        with pytest.raises(InvalidArgumentError, match=r"^base_url "):
            make(base_url)

    @pytest.mark.parametrize("base_url", ["https://me:geheim@a.example", "ftp://me:geheim@a.example"])
    def test_base_url_with_a_password_is_rejected_without_showing_it(self, base_url: str) -> None:
        """A base URL with a password is rejected by an error that does not show the password."""
        with pytest.raises(InvalidArgumentError) as caught:
            Client(base_url)
        assert str(caught.value) == "base_url must not hold a user name or password"


class TestTimeouts:
    """Timeouts and connection limits."""

    @staticmethod
    def timeout(request: httpx.Request) -> Any:
        return request.extensions["timeout"]

    def test_default_timeouts(self) -> None:
        """V1: the default timeouts are 5, 60 and 60 seconds; waiting for a connection has none."""
        with Client(BASE) as coze:
            assert coze._http.timeout == httpx.Timeout(connect=5, read=60, write=60, pool=None)
        assert AsyncClient(BASE)._http.timeout == httpx.Timeout(connect=5, read=60, write=60, pool=None)

    @pytest.mark.parametrize(
        ("seconds", "expected"),
        [
            (7, {"connect": 7, "read": 7, "write": 7, "pool": 7}),
            ((1, 2, 3, 4), {"connect": 1, "read": 2, "write": 3, "pool": 4}),
            (httpx.Timeout(8), {"connect": 8, "read": 8, "write": 8, "pool": 8}),
        ],
    )
    def test_timeout_of_a_call_overrides_the_clients(self, seconds: Any, expected: dict[str, float]) -> None:
        """A timeout in seconds or per phase applies to the client; that of a call overrides it."""
        recorder = Recorder()
        coze = client(recorder, timeout=seconds)
        coze.files.retrieve(file_id="1")
        assert self.timeout(recorder.last) == expected
        coze.files.retrieve(file_id="1", timeout=0.5)
        assert set(self.timeout(recorder.last).values()) == {0.5}
        coze.files.retrieve(file_id="1")
        assert self.timeout(recorder.last) == expected
