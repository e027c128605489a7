"""Responses that are larger than the client allows raise an error."""

from __future__ import annotations

import gzip
import json
import tracemalloc
import zlib
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import httpx
import pytest

from coze_api.models import OAuthResponseType
from cozekit.auth import JWTAuth, async_authorization, authorization
from cozekit.errors import APIError, GatewayError, InvalidArgumentError, ResponseTooLarge, StreamInterrupted
from tests.overlay._clients import Connect, at_once, unwrap
from tests.overlay.auth._flows import jwt_config

JSON, EVENTS, HTML = "application/json", "text/event-stream", "text/html"
LIMIT = 100_000
OK = {"code": 0, "data": {"user_id": "1"}}


class Body(httpx.SyncByteStream, httpx.AsyncByteStream):
    """A response body whose pieces are produced as they are read.

    Attributes:
        sent: How many pieces were read.
        closed: Whether the body was closed.
    """

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self._pieces = pieces
        self.sent = 0
        self.closed = False

    def __iter__(self) -> Iterator[bytes]:
        for piece in self._pieces:
            self.sent += 1
            yield piece

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for piece in self:
            yield piece

    def close(self) -> None:
        self.closed = True

    async def aclose(self) -> None:
        self.closed = True


class Service:
    """Returns an endless body for every request.

    Attributes:
        bodies: The bodies so far.
    """

    def __init__(self, pieces: Callable[[], Iterator[bytes]], status: int = 200, **headers: str) -> None:
        self._pieces, self._status = pieces, status
        self._headers = {key.replace("_", "-"): value for key, value in headers.items()}
        self.bodies: list[Body] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.bodies.append(Body(self._pieces()))
        return httpx.Response(self._status, headers=self._headers, stream=self.bodies[-1])


def endless() -> Iterator[bytes]:
    """Yield the start of a JSON text that grows by 10,000 bytes per piece, up to 10 MB."""
    yield b'{"code": 0, "msg": "'
    yield from [b"x" * 10_000] * 1000


def bomb() -> Iterator[bytes]:
    """Return 200 MB of JSON text, compressed to one piece of 200 KB."""
    packer = zlib.compressobj(9, wbits=zlib.MAX_WBITS | 16)
    yield (
        packer.compress(b'{"code": 0, "msg": "')
        + b"".join(packer.compress(b"x" * 10_000_000) for _ in range(20))
        + packer.flush()
    )


def me(coze: Any) -> Any:
    return coze.users.me()


def stream(coze: Any) -> Any:
    return coze.chat.stream(bot_id="1", user_id="u", additional_messages=["hi"]).open()


def download(coze: Any) -> Any:
    return coze.audio.speech.create(input="Hi", voice_id="1")


def redirect(coze: Any) -> Any:
    return coze.oauth.authorize(
        client_id="1", redirect_uri="https://a.example", response_type=OAuthResponseType.CODE, state="s"
    )


def listed(coze: Any) -> Any:
    return next(iter(coze.bots.list(workspace_id="1")))


CALLS = {"users.me": me, "chat.stream": stream, "audio.speech.create": download, "bots.list": listed}


def limited(connect: Connect, service: Service, **options: Any) -> Any:
    return connect(handler=service, retry=at_once(2), max_response_bytes=LIMIT, **options)


@pytest.mark.parametrize("operation", CALLS)
@pytest.mark.parametrize("status", [200, 400, 404])
@pytest.mark.parametrize("kind", [JSON, HTML])
def test_response_is_read_to_the_limit_and_closed(connect, operation, status, kind):
    """Responses of calls, rejected streams and files, and error responses are read up to the limit and closed there."""
    service = Service(endless, status, content_type=kind, x_tt_logid="L")
    with pytest.raises(
        ResponseTooLarge, match=rf"^{operation}: the response is larger than 100,000 bytes \("
    ) as caught:
        CALLS[operation](limited(connect, service))
    error = caught.value
    assert (error.max_bytes, error.status, error.logid, error.operation) == (LIMIT, status, "L", operation)
    assert "max_response_bytes" in error.hint
    [body] = service.bodies
    assert body.closed
    assert body.sent == 11  # the first piece, nine pieces of 10,000 bytes, and the one beyond the limit


def test_redirect_response_is_read_to_the_limit_and_closed(connect):
    """The response of a call that returns a redirect is read up to the limit and closed there."""
    service = Service(endless, content_type=JSON)
    with pytest.raises(ResponseTooLarge):
        redirect(limited(connect, service))
    assert service.bodies[0].sent == 11


def test_announced_size_beyond_the_limit_is_not_read(connect):
    """A response whose Content-Length exceeds the limit is not read at all."""
    service = Service(endless, content_type=JSON, content_length="10000020")
    with pytest.raises(ResponseTooLarge):
        me(limited(connect, service))
    assert (service.bodies[0].sent, service.bodies[0].closed) == (0, True)


@pytest.mark.parametrize("operation", CALLS)
def test_compressed_response_takes_little_memory(connect, operation):
    """A response of 200 KB that decompresses to 200 MB takes no more memory than a few times the limit."""
    answer = b"".join(bomb())
    service = Service(lambda: iter([answer]), content_type=JSON, content_encoding="gzip")
    coze = limited(connect, service)
    with pytest.raises(APIError):
        CALLS[operation](
            connect(handler=Service(endless, 400), retry=0)
        )  # imports modules, so that their memory does not count
    tracemalloc.start()
    try:
        with pytest.raises(ResponseTooLarge):
            CALLS[operation](coze)
        assert tracemalloc.get_traced_memory()[1] < 20 * 1024 * 1024
    finally:
        tracemalloc.stop()


def test_compressed_event_takes_little_memory(connect):
    """A stream that decompresses to 200 MB in one line takes no more memory than a few times the largest event."""
    answer = b"".join(bomb())
    service = Service(lambda: iter([answer]), content_type=EVENTS, content_encoding="gzip")
    coze = limited(connect, service, max_event_bytes=LIMIT)
    tracemalloc.start()
    try:
        with pytest.raises(StreamInterrupted):
            stream(coze).until_done()
        assert tracemalloc.get_traced_memory()[1] < 20 * 1024 * 1024
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("operation", CALLS)
@pytest.mark.parametrize("encoding", ["gzip, gzip", "gzip,deflate,gzip", "br", "zstd"])
@pytest.mark.parametrize("kind", [JSON, EVENTS, "audio/mpeg"])
def test_nested_or_unrequested_compression_is_not_read(connect, operation, encoding, kind):
    """Content with several encodings, or one that was not requested, could expand without limit and is not read."""
    service = Service(endless, content_type=kind, content_encoding=encoding)
    http = connect.http(transport=httpx.MockTransport(service), headers={"Accept-Encoding": "gzip, deflate"})
    coze = connect("pat_a", http_client=http, retry=0)
    with pytest.raises(
        GatewayError, match=f"the response has the encoding '{encoding}', which the request does not accept"
    ):
        CALLS[operation](coze)
    assert (service.bodies[0].sent, service.bodies[0].closed) == (0, True)


def test_only_bounded_compressions_are_requested(connect):
    """Clients request only compressions whose expansion is bounded."""
    coze = connect("pat_a")
    assert unwrap(coze)._http.headers["accept-encoding"] == "gzip, deflate"


@pytest.mark.parametrize(
    ("encoding", "pack"),
    [
        ("gzip", gzip.compress),
        ("deflate", zlib.compress),
        ("GZIP", gzip.compress),
        ("identity", bytes),
        ("utf-8", bytes),
        (None, bytes),
    ],
)
@pytest.mark.parametrize("size", [1, 5000])
def test_response_within_the_limit_is_read(connect, encoding, pack, size):
    """Responses up to the limit are read, compressed or not, in pieces of any size."""
    text = json.dumps(OK).encode().ljust(LIMIT)
    packed = pack(text)
    headers = {} if encoding is None else {"content_encoding": encoding}
    service = Service(
        lambda: (packed[start : start + size] for start in range(0, len(packed), size)), content_type=JSON, **headers
    )
    answer = me(limited(connect, service))
    assert answer.user_id == "1"
    assert answer.response.http.content == text
    assert service.bodies[0].closed
    with pytest.raises(ResponseTooLarge):
        me(connect(handler=service, max_response_bytes=LIMIT - 1))


def test_response_that_a_hook_has_read_is_measured(connect):
    """A response that a hook of the caller's HTTP client has read is measured, too."""
    service = Service(endless, content_type=JSON)
    http = connect.http(transport=httpx.MockTransport(service))

    async def aread(response: httpx.Response) -> None:
        await response.aread()

    http.event_hooks = {"response": [aread if connect.is_async else lambda response: response.read()]}
    with pytest.raises(ResponseTooLarge):
        me(connect("pat_a", http_client=http, max_response_bytes=LIMIT))


def test_token_response_has_the_same_limit(connect, coze_sandbox):
    """The response to a token request has the limit of its client, and the request is not retried."""
    config = jwt_config(coze_sandbox)
    strategy = JWTAuth(config["client_id"], config["private_key"], config["public_key_id"])
    service = Service(endless, content_type=JSON)
    coze = connect(handler=service, auth=strategy, retry=at_once(2), max_response_bytes=LIMIT)
    with pytest.raises(ResponseTooLarge, match=r"^oauth\.token: the response is larger than 100,000 bytes"):
        me(coze)
    assert [body.sent for body in service.bodies] == [11]
    assert service.bodies[0].closed
    with pytest.raises(ResponseTooLarge, match=r"^oauth\.token: "):
        connect.run(async_authorization if connect.is_async else authorization, unwrap(coze))


def test_response_that_a_strategy_inspects_has_the_same_limit(connect, coze_sandbox):
    """A response that a token strategy inspects for a rejected token has the same limit."""
    config = jwt_config(coze_sandbox)
    strategy = JWTAuth(config["client_id"], config["private_key"], config["public_key_id"])
    service = Service(endless, content_type=JSON)

    def answer(request: httpx.Request) -> httpx.Response:
        if "oauth2/token" in request.url.path:
            return httpx.Response(200, json={"access_token": "czu_a", "expires_in": 9_999_999_999})
        return service(request)

    with pytest.raises(ResponseTooLarge, match=r"^users\.me: "):
        me(connect(handler=answer, auth=strategy, max_response_bytes=LIMIT))
    assert [body.sent for body in service.bodies] == [11]


def test_downloads_have_no_limit(connect, tmp_path):
    """A downloaded file may have any size: it is written as it arrives."""
    service = Service(endless, content_type="audio/mpeg")
    assert connect.run(download(limited(connect, service)).save, tmp_path / "a.mp3") == 10_000_020


@pytest.mark.parametrize("name", ["max_response_bytes", "max_event_bytes"])
@pytest.mark.parametrize("size", [0, -1, 1.5, "1", None, True])
def test_invalid_limit_is_rejected_by_name(connect, name, size):
    """A limit that is not a whole number of bytes is rejected by argument name."""
    with pytest.raises(InvalidArgumentError, match=f"{name} must be a whole number of bytes from 1"):
        connect("pat_a", **{name: size})
