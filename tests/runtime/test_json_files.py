"""Downloads of files that are JSON, which is also what errors are written in."""

from __future__ import annotations

import gzip
import json
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from coze_api import AsyncClient, Client
from coze_api._core._download_async import MAX_ERROR_BYTES
from coze_api.errors import APIError, AuthenticationError, DecodeError, DownloadInterrupted, GatewayError, NotFoundError

JSON = {"content-type": "application/json; charset=utf-8", "x-tt-logid": "L"}
ATTACHMENT = {**JSON, "content-disposition": 'attachment; filename="a.json"'}
ERROR = {"code": 4200, "msg": "The requested resource file_id=7 does not exist."}
LONG = json.dumps([{"code": 4200, "msg": "x"}] * 10_000).encode()
CHUNK = 1000


class Body(httpx.SyncByteStream, httpx.AsyncByteStream):
    """A body that counts the bytes that were taken from it, and may break off."""

    def __init__(self, content: bytes, *, breaks_off: bool = False) -> None:
        self.content = content
        self.breaks_off = breaks_off
        self.taken = 0
        self.closed = False

    def __iter__(self) -> Iterator[bytes]:
        for start in range(0, len(self.content), CHUNK):
            self.taken = min(start + CHUNK, len(self.content))
            yield self.content[start : self.taken]
        if self.breaks_off:
            raise httpx.ReadError("gone")

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for chunk in self:
            yield chunk

    def close(self) -> None:
        self.closed = True

    async def aclose(self) -> None:
        self.closed = True


class Service:
    """Responds to every request with one response, by a sync or an async client."""

    def __init__(self, body: Body | bytes, headers: dict[str, str], status: int = 200) -> None:
        self.body = body if isinstance(body, Body) else Body(body)
        self.headers, self.status = headers, status

    def __call__(self, request: httpx.Request) -> httpx.Response:
        return httpx.Response(self.status, headers=self.headers, stream=self.body)

    def file(self) -> Any:
        """Download the file by a sync client."""
        http = httpx.Client(transport=httpx.MockTransport(self))
        return Client("https://api.coze.com", "t", http_client=http).files.content.retrieve(file_id="7")

    async def file_async(self) -> Any:
        """Download the file by an async client."""
        http = httpx.AsyncClient(transport=httpx.MockTransport(self))
        return await AsyncClient("https://api.coze.com", "t", http_client=http).files.content.retrieve(file_id="7")


FILES = [
    pytest.param(b'{"city": "Paris", "days": [1, 2]}', id="object"),
    pytest.param(b"[1, 2, 3]", id="list"),
    pytest.param(b'"text"', id="text"),
    pytest.param(b"{", id="no JSON after all"),
    pytest.param(b"", id="empty"),
    pytest.param(b"[" * 5000 + b"]" * 5000, id="nested deeply"),
    pytest.param(b'{"code": 0, "msg": ""}', id="code 0"),
    pytest.param(b'{"code": 4200}', id="code without msg"),
    pytest.param(b'{"code": "FR", "msg": "x"}', id="code that is no number"),
    pytest.param(b'{"code": true, "msg": "x"}', id="code that is a boolean"),
    pytest.param(b'{"code": 7, "msg": {"text": "x"}}', id="msg that is no text"),
    pytest.param(LONG, id="longer than an error"),
]


@pytest.mark.parametrize("content", FILES)
def test_json_file_is_delivered(content: bytes, tmp_path: Path) -> None:
    """A file that is JSON can be read, iterated and saved as any other file."""
    assert Service(content, JSON).file().read() == content
    assert b"".join(Service(content, JSON).file()) == content
    with Service(content, JSON).file() as file:
        assert file.content_type == "application/json"
        assert file.save(tmp_path / "a.json") == len(content)
    assert (tmp_path / "a.json").read_bytes() == content


@pytest.mark.anyio
@pytest.mark.parametrize("content", FILES)
async def test_async_json_file_is_delivered(content: bytes, tmp_path: Path) -> None:
    """An async client reads, iterates and saves a file that is JSON."""
    assert await (await Service(content, JSON).file_async()).read() == content
    assert b"".join([chunk async for chunk in await Service(content, JSON).file_async()]) == content
    async with await Service(content, JSON).file_async() as file:
        assert await file.save(tmp_path / "a.json") == len(content)
    assert (tmp_path / "a.json").read_bytes() == content


@pytest.mark.parametrize("error", [ERROR, {**ERROR, "code": "4200"}])
def test_error_in_place_of_a_file_is_raised(error: dict[str, Any]) -> None:
    """JSON with a code other than 0 and a msg is the error of Coze, also with the HTTP status 200."""
    service = Service(json.dumps(error).encode(), JSON)
    with pytest.raises(NotFoundError, match="file_id=7 does not exist") as caught:
        service.file()
    assert (caught.value.code, caught.value.logid, service.body.closed) == (4200, "L", True)
    assert caught.value.response is not None
    assert caught.value.response.http.json() == error


@pytest.mark.anyio
async def test_async_error_in_place_of_a_file_is_raised() -> None:
    """An async client raises the error that comes in place of a file."""
    service = Service(json.dumps(ERROR).encode(), JSON)
    with pytest.raises(NotFoundError, match="file_id=7 does not exist"):
        await service.file_async()
    assert service.body.closed


def test_http_error_in_place_of_a_file_is_raised() -> None:
    """JSON with an HTTP status of an error is an error, whatever it holds and whatever its headers are."""
    with pytest.raises(AuthenticationError):
        Service(b'{"code": 4100, "msg": "bad token"}', ATTACHMENT, 401).file()
    with pytest.raises(APIError) as caught:
        Service(b'{"city": "Paris"}', JSON, 500).file()
    assert caught.value.status == 500


@pytest.mark.parametrize("disposition", ["attachment", 'Attachment; filename="a"', "inline; filename*=UTF-8''a"])
def test_attachment_is_a_file_whatever_it_holds(disposition: str) -> None:
    """A response that Content-Disposition names as a file is one, even if it looks like an error or a page."""
    for content, media_type in ((json.dumps(ERROR).encode(), "application/json"), (b"<p>", "text/html")):
        headers = {"content-type": media_type, "content-disposition": disposition}
        assert Service(content, headers).file().read() == content


def test_page_without_a_name_is_no_file() -> None:
    """HTML that no header names as a file is the page of a gateway."""
    with pytest.raises(GatewayError):
        Service(b"<p>", {"content-type": "text/html"}).file()


def test_long_json_file_is_not_held_in_memory() -> None:
    """Of a long JSON file no more is read before it is delivered than an error may have, and closing ends the rest."""
    service = Service(LONG * 10, JSON)
    file = service.file()
    assert MAX_ERROR_BYTES < service.body.taken <= MAX_ERROR_BYTES + CHUNK
    assert next(iter(file)) == (LONG * 10)[: service.body.taken]
    assert service.body.taken <= MAX_ERROR_BYTES + 2 * CHUNK
    file.close()
    assert service.body.closed
    with pytest.raises(DownloadInterrupted):  # what was given out is gone
        file.read()


@pytest.mark.anyio
async def test_long_async_json_file_can_be_closed_unread() -> None:
    """Closing a long JSON file before it is read releases the connection; nothing can be read afterwards."""
    service = Service(LONG, JSON)
    file = await service.file_async()
    await file.close()
    assert service.body.closed
    with pytest.raises(DownloadInterrupted):
        await file.read()


def test_attachment_is_delivered_before_its_body() -> None:
    """Nothing is read of a file with a Content-Disposition before it is delivered."""
    service = Service(LONG, ATTACHMENT)
    file = service.file()
    assert service.body.taken == 0
    assert file.read() == LONG


@pytest.mark.parametrize("content", [LONG, b"[1]"])
def test_compressed_json_file_is_delivered(content: bytes) -> None:
    """A JSON file that is compressed on its way is delivered as it was before."""
    service = Service(gzip.compress(content), {**JSON, "content-encoding": "gzip"})
    assert service.file().read() == content


def test_interrupted_long_json_file_has_the_partial_content() -> None:
    """The error of a long JSON file that breaks off has all that arrived, with what was read before the delivery."""
    service = Service(Body(LONG, breaks_off=True), JSON)
    with pytest.raises(DownloadInterrupted) as caught:
        service.file().read()
    assert (caught.value.content, caught.value.received) == (LONG, len(LONG))


def test_short_json_that_breaks_off_is_a_failure_of_the_request() -> None:
    """JSON that breaks off before it can be recognized as a file or an error fails as any other response does."""
    service = Service(Body(b'{"code"', breaks_off=True), JSON)
    with pytest.raises(httpx.ReadError, match="gone"):
        service.file()
    assert service.body.closed


def test_json_in_place_of_speech_is_a_failure() -> None:
    """Speech is never JSON: JSON in its place is a failure, whatever it holds."""
    http = httpx.Client(transport=httpx.MockTransport(Service(b'{"city": "Paris"}', ATTACHMENT)))
    with pytest.raises(DecodeError, match="its type is not the expected one"):
        Client("https://api.coze.com", "t", http_client=http).audio.speech.create(input="Hi", voice_id="1")
