"""Tests of answers that are no JSON."""

from __future__ import annotations

import pickle
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import anyio
import httpx
import pytest

from coze_api import AsyncClient, Client
from coze_api.errors import (
    AuthenticationError,
    DecodeError,
    DownloadInterrupted,
    GatewayError,
    InvalidArgumentError,
    StreamInterrupted,
)
from coze_api.models import OAuthResponseType

SOUND = bytes(range(256)) * 1000
AUTHORIZE = {
    "client_id": "app",
    "redirect_uri": "https://app.example.com/callback",
    "response_type": OAuthResponseType.CODE,
    "state": "s",
}


class Server:
    """Answers every request alike, and keeps the last one."""

    def __init__(self, answer: httpx.Response) -> None:
        self.answer = answer
        self.request = httpx.Request("GET", "http://none")

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.request = request
        return self.answer


def sound() -> httpx.Response:
    return httpx.Response(200, headers={"content-type": "audio/mpeg", "x-tt-logid": "L"}, content=iter([SOUND]))


def connect(server: Server) -> Client:
    return Client("https://api.coze.com", "token", http_client=httpx.Client(transport=httpx.MockTransport(server)))


class TestFile:
    """`audio.speech.create` answers with sound."""

    def test_read(self) -> None:
        """The content can be read at once; its type and log id are known before."""
        answer = connect(Server(sound())).audio.speech.create(input="Hi", voice_id="1")
        assert (answer.content_type, answer.logid, answer.response.status) == ("audio/mpeg", "L", 200)
        assert answer.read() == SOUND
        assert repr(answer) == "Binary(content_type='audio/mpeg', logid='L')"

    def test_iterate(self) -> None:
        """The content can be read piece by piece, after which the connection is free."""
        answer = connect(Server(sound())).audio.speech.create(input="Hi", voice_id="1")
        pieces = list(answer)
        assert b"".join(pieces) == SOUND

    def test_save(self, tmp_path: Path) -> None:
        """The content can be written to a file."""
        with connect(Server(sound())).audio.speech.create(input="Hi", voice_id="1") as answer:
            assert answer.save(tmp_path / "hi.mp3") == len(SOUND)
        assert (tmp_path / "hi.mp3").read_bytes() == SOUND

    @pytest.mark.anyio
    async def test_async(self, tmp_path: Path) -> None:
        """The async client reads it in the same three ways."""

        async def chunks() -> AsyncIterator[bytes]:
            yield SOUND

        def answer(request: httpx.Request) -> httpx.Response:
            return httpx.Response(200, headers={"content-type": "audio/wav"}, content=chunks())

        http = httpx.AsyncClient(transport=httpx.MockTransport(answer))
        client = AsyncClient("https://api.coze.com", "token", http_client=http)
        assert await (await client.audio.speech.create(input="Hi", voice_id="1")).read() == SOUND
        assert b"".join([piece async for piece in await client.audio.speech.create(input="Hi", voice_id="1")]) == SOUND
        async with await client.audio.speech.create(input="Hi", voice_id="1") as file:
            assert await file.save(tmp_path / "hi.wav") == len(SOUND)
        await http.aclose()

    def test_error(self) -> None:
        """JSON in place of a file tells an error, and HTML that a gateway answered."""
        refused = httpx.Response(401, json={"code": 4100, "msg": "bad token"})
        with pytest.raises(AuthenticationError, match="bad token"):
            connect(Server(refused)).audio.speech.create(input="Hi", voice_id="1")
        with pytest.raises(DecodeError, match="not what was asked for"):
            connect(Server(httpx.Response(200, json={"code": 0}))).audio.speech.create(input="Hi", voice_id="1")
        with pytest.raises(GatewayError):
            connect(Server(httpx.Response(200, html="<p>"))).audio.speech.create(input="Hi", voice_id="1")


class TestRedirect:
    """`oauth.authorize` sends a browser elsewhere."""

    def test_location(self) -> None:
        """The address to open is returned; the page is on www, and gets no token."""
        server = Server(httpx.Response(302, headers={"location": "https://app.example.com/callback?code=c&state=s"}))
        answer = connect(server).oauth.authorize(**AUTHORIZE)  # type: ignore[arg-type]  # mixed values
        assert answer.location == "https://app.example.com/callback?code=c&state=s"
        assert server.request.url.host == "www.coze.com"
        assert server.request.url.params["redirect_uri"] == AUTHORIZE["redirect_uri"]
        assert "authorization" not in server.request.headers

    def test_no_redirect(self) -> None:
        """A page in place of a redirect is a gateway's answer."""
        with pytest.raises(GatewayError):
            connect(Server(httpx.Response(200, html="<p>"))).oauth.authorize(**AUTHORIZE)  # type: ignore[arg-type]  # a dict of texts


@pytest.mark.parametrize("base", ["http://127.0.0.1:9", "https://api.example.com/coze"])
def test_local_server_is_its_own_sister(base: str) -> None:
    """A local server or a gateway has no sisters: pages and operations are at one address."""
    server = Server(httpx.Response(302, headers={"location": "/"}))
    http = httpx.Client(transport=httpx.MockTransport(server))
    Client(base, "t", http_client=http).oauth.authorize(**AUTHORIZE)  # type: ignore[arg-type]  # a dict of texts
    assert str(server.request.url).startswith(f"{base}/api/permission/")


def test_oauth_errors_tell_their_reason() -> None:
    """An OAuth answer names its error by a word, which is kept."""
    refused = httpx.Response(400, json={"error_code": "authorization_pending", "error_message": "not yet"})
    with pytest.raises(Exception, match="not yet") as caught:
        connect(Server(refused)).oauth.device_code(client_id="app")
    assert caught.value.reason == "authorization_pending"  # type: ignore[attr-defined]  # of errors of OAuth
    assert "authorization_pending" in str(caught.value)


class TestBrokenFile:
    """A file that breaks off."""

    @staticmethod
    def answer() -> httpx.Response:
        def chunks() -> Iterator[bytes]:
            yield SOUND
            raise httpx.ReadError("gone")

        return httpx.Response(200, headers={"content-type": "audio/mpeg", "x-tt-logid": "L"}, content=chunks())

    def test_read(self) -> None:
        """What arrived is in the error, which names operation and log id."""
        with pytest.raises(
            DownloadInterrupted, match=r"audio.speech.create: .* 256,000 bytes: ReadError: gone"
        ) as caught:
            connect(Server(self.answer())).audio.speech.create(input="Hi", voice_id="1").read()
        assert caught.value.content == SOUND
        assert (caught.value.received, caught.value.logid) == (256000, "L")
        assert pickle.loads(pickle.dumps(caught.value)).received == 256000

    def test_save(self, tmp_path: Path) -> None:
        """What arrived is in the file."""
        with pytest.raises(DownloadInterrupted) as caught:
            connect(Server(self.answer())).audio.speech.create(input="Hi", voice_id="1").save(tmp_path / "a")
        assert (tmp_path / "a").read_bytes() == SOUND
        assert caught.value.content == b""

    def test_read_twice(self) -> None:
        """The content can be asked for again."""
        answer = connect(Server(sound())).audio.speech.create(input="Hi", voice_id="1")
        assert answer.read() == answer.read() == SOUND

    def test_used_up(self, tmp_path: Path) -> None:
        """A file that was iterated over cannot be had again, and saving it leaves the target as it was."""
        answer = connect(Server(sound())).audio.speech.create(input="Hi", voice_id="1")
        assert list(answer)
        (tmp_path / "a").write_bytes(b"old")
        with pytest.raises(DownloadInterrupted):
            answer.save(tmp_path / "a")
        assert (tmp_path / "a").read_bytes() == b"old"

    def test_save_after_read(self, tmp_path: Path) -> None:
        """What was read can be saved."""
        answer = connect(Server(sound())).audio.speech.create(input="Hi", voice_id="1")
        assert len(answer.read()) == answer.save(tmp_path / "a")
        assert (tmp_path / "a").read_bytes() == SOUND


@pytest.mark.parametrize("extra", [None, {"Authorization": "Basic mine"}])
def test_no_token_of_the_client_where_none_belongs(extra: dict[str, str] | None) -> None:
    """Whatever way the client has its token, an OAuth operation does not send it; one given for the call goes out."""
    server = Server(httpx.Response(200, json={"device_code": "d"}))
    secret = {"Authorization": "Bearer SECRET"}
    http = httpx.Client(transport=httpx.MockTransport(server), headers=secret)
    for client in (
        Client("https://api.coze.com", http_client=http),
        Client("https://api.coze.com", headers=secret, http_client=http),
    ):
        client.oauth.device_code(client_id="app", extra_headers=extra)
        assert server.request.headers.get("authorization") == (extra or {}).get("Authorization")


def test_a_token_for_one_call_counts_more() -> None:
    """An Authorization header given for a call wins over every strategy of the client."""

    class Own(httpx.Auth):
        def auth_flow(self, request: httpx.Request) -> Iterator[httpx.Request]:  # type: ignore[override]  # needs no answer
            request.headers["Authorization"] = "Bearer client"
            yield request

    server = Server(httpx.Response(200, json={"code": 0, "data": {}}))
    http = httpx.Client(transport=httpx.MockTransport(server))
    client = Client("https://api.coze.com", auth=Own(), http_client=http)
    client.users.me(extra_headers={"Authorization": "Bearer mine"})
    assert server.request.headers["authorization"] == "Bearer mine"
    client.users.me()
    assert server.request.headers["authorization"] == "Bearer client"


def test_arguments_that_make_no_request() -> None:
    """An address that is too long and a header that cannot be are told by our own error."""
    client = connect(Server(httpx.Response(200, json={"code": 0})))
    with pytest.raises(InvalidArgumentError, match=r"users\.me: the arguments make no address"):
        client.users.me(extra_query={"a": "x" * 70000})
    with pytest.raises(InvalidArgumentError, match="'é', which no header can have"):
        client.users.me(extra_headers={"é": "x"})
    with pytest.raises(InvalidArgumentError, match="cannot be written as JSON"):
        client.bots.create(space_id="1", name="n", extra_body={"a": float("inf"), "b": None})


@pytest.mark.anyio
async def test_a_cancelled_read_is_no_end() -> None:
    """A stream whose read was cancelled does not look finished when it is read on."""

    async def chunks() -> AsyncIterator[bytes]:
        yield b'event:conversation.chat.created\ndata:{"id":"1"}\n\n'
        await anyio.sleep_forever()

    def answer(request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, headers={"content-type": "text/event-stream"}, content=chunks())

    http = httpx.AsyncClient(transport=httpx.MockTransport(answer))
    async with AsyncClient("https://api.coze.com", "t", http_client=http).chat.stream(
        bot_id="1", user_id="2"
    ) as stream:
        assert (await anext(stream)).event == "conversation.chat.created"
        with anyio.move_on_after(0.01):
            await anext(stream)
        with pytest.raises(StreamInterrupted, match="a read was cancelled before its end"):
            await anext(stream)
    await http.aclose()
