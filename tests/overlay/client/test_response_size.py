"""Answers that are larger than anybody expects: they end where they exceed what the client allows."""

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
from tests.overlay._clients import Connect, at_once
from tests.overlay.auth._flows import jwt_config

JSON, EVENTS, HTML = "application/json", "text/event-stream", "text/html"
LIMIT = 100_000
OK = {"code": 0, "data": {"user_id": "1"}}


class Body(httpx.SyncByteStream, httpx.AsyncByteStream):
    """The body of an answer, sent piece by piece as it is read.

    Attributes:
        sent: How many pieces were asked for.
        closed: Whether it was closed.
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
    """Answers every request by a body that never seems to end.

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
    """Begin a JSON text that grows by 10,000 bytes for each piece, up to 10 MB."""
    yield b'{"code": 0, "msg": "'
    yield from [b"x" * 10_000] * 1000


def bomb() -> Iterator[bytes]:
    """Send 200 MB of a JSON text, compressed to one piece of 200 KB."""
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
def test_stopped_early(connect, operation, status, kind):
    """Answers of calls, also of refused streams and files and with errors, are read to the limit and closed there."""
    service = Service(endless, status, content_type=kind, x_tt_logid="L")
    with pytest.raises(ResponseTooLarge, match=rf"^{operation}: the answer is larger than 100,000 bytes \(") as caught:
        CALLS[operation](limited(connect, service))
    error = caught.value
    assert (error.max_bytes, error.status, error.logid, error.operation) == (LIMIT, status, "L", operation)
    assert "max_response_bytes" in error.hint
    [body] = service.bodies
    assert body.closed
    assert body.sent == 11  # the beginning, nine of 10,000 bytes, and the one that is too much


def test_redirect(connect):
    """So is an answer that was to be a redirect."""
    service = Service(endless, content_type=JSON)
    with pytest.raises(ResponseTooLarge):
        redirect(limited(connect, service))
    assert service.bodies[0].sent == 11


def test_announced(connect):
    """An answer that announces more than the limit is not read at all."""
    service = Service(endless, content_type=JSON, content_length="10000020")
    with pytest.raises(ResponseTooLarge):
        me(limited(connect, service))
    assert (service.bodies[0].sent, service.bodies[0].closed) == (0, True)


@pytest.mark.parametrize("operation", CALLS)
def test_compressed(connect, operation):
    """An answer of 200 KB that decompresses to 200 MB takes no more memory than a few times the limit."""
    answer = b"".join(bomb())
    service = Service(lambda: iter([answer]), content_type=JSON, content_encoding="gzip")
    coze = limited(connect, service)
    with pytest.raises(APIError):
        CALLS[operation](connect(handler=Service(endless, 400), retry=0))  # imports what it needs
    tracemalloc.start()
    try:
        with pytest.raises(ResponseTooLarge):
            CALLS[operation](coze)
        assert tracemalloc.get_traced_memory()[1] < 20 * 1024 * 1024
    finally:
        tracemalloc.stop()


def test_compressed_event(connect):
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
def test_other_compressions(connect, operation, encoding, kind):
    """What is compressed several times, or in a way that was not asked for, expands without bound: it is not read."""
    service = Service(endless, content_type=kind, content_encoding=encoding)
    http = connect.http(transport=httpx.MockTransport(service), headers={"Accept-Encoding": "gzip, deflate"})
    coze = connect("pat_a", http_client=http, retry=0)
    with pytest.raises(GatewayError, match=f"the answer is compressed as '{encoding}', which was not asked for"):
        CALLS[operation](coze)
    assert (service.bodies[0].sent, service.bodies[0].closed) == (0, True)


def test_asked_for(connect):
    """Clients ask for compressions that expand within bounds alone."""
    coze = connect("pat_a")
    assert getattr(coze, "raw", coze)._http.headers["accept-encoding"] == "gzip, deflate"


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
def test_within_the_limit(connect, encoding, pack, size):
    """Answers up to the limit are read as ever, compressed or not, in pieces of any size."""
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


def test_read_before(connect):
    """An answer that a hook of one's own HTTP client has read already is measured, too."""
    service = Service(endless, content_type=JSON)
    http = connect.http(transport=httpx.MockTransport(service))

    async def aread(response: httpx.Response) -> None:
        await response.aread()

    http.event_hooks = {"response": [aread if connect.is_async else lambda response: response.read()]}
    with pytest.raises(ResponseTooLarge):
        me(connect("pat_a", http_client=http, max_response_bytes=LIMIT))


def test_token_requests(connect, coze_sandbox):
    """An answer to a request for a token has the limit of the client that needs it, and is not asked for again."""
    config = jwt_config(coze_sandbox)
    strategy = JWTAuth(config["client_id"], config["private_key"], config["public_key_id"])
    service = Service(endless, content_type=JSON)
    coze = connect(handler=service, auth=strategy, retry=at_once(2), max_response_bytes=LIMIT)
    with pytest.raises(ResponseTooLarge, match=r"^oauth\.token: the answer is larger than 100,000 bytes"):
        me(coze)
    assert [body.sent for body in service.bodies] == [11]
    assert service.bodies[0].closed
    with pytest.raises(ResponseTooLarge, match=r"^oauth\.token: "):
        connect.run(async_authorization if connect.is_async else authorization, getattr(coze, "raw", coze))


def test_answers_that_a_strategy_reads(connect, coze_sandbox):
    """An answer that a strategy looks into, since it may refuse the token, has the limit as well."""
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


def test_files_have_no_limit(connect, tmp_path):
    """A file may be of any size: it is written as it arrives."""
    service = Service(endless, content_type="audio/mpeg")
    assert connect.run(download(limited(connect, service)).save, tmp_path / "a.mp3") == 10_000_020


@pytest.mark.parametrize("name", ["max_response_bytes", "max_event_bytes"])
@pytest.mark.parametrize("size", [0, -1, 1.5, "1", None, True])
def test_refused_sizes(connect, name, size):
    """A limit that is no whole number of bytes is refused by name."""
    with pytest.raises(InvalidArgumentError, match=f"{name} must be a whole number of bytes from 1"):
        connect("pat_a", **{name: size})
