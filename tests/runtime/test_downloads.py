"""Responses that are files or redirects."""

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
    """Sends the same response to every request, and keeps the last request."""

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
    """The audio file of `audio.speech.create`."""

    def test_file_can_be_read_at_once(self) -> None:
        """The content can be read at once; its type and log id are available before."""
        answer = connect(Server(sound())).audio.speech.create(input="Hi", voice_id="1")
        assert (answer.content_type, answer.logid, answer.response.status) == ("audio/mpeg", "L", 200)
        assert answer.read() == SOUND
        assert repr(answer) == "Binary(content_type='audio/mpeg', logid='L')"

    def test_file_can_be_iterated(self) -> None:
        """The content can be read in pieces, after which the connection is free."""
        answer = connect(Server(sound())).audio.speech.create(input="Hi", voice_id="1")
        pieces = list(answer)
        assert b"".join(pieces) == SOUND

    def test_file_can_be_saved(self, tmp_path: Path) -> None:
        """The content can be written to a file."""
        with connect(Server(sound())).audio.speech.create(input="Hi", voice_id="1") as answer:
            assert answer.save(tmp_path / "hi.mp3") == len(SOUND)
        assert (tmp_path / "hi.mp3").read_bytes() == SOUND

    @pytest.mark.anyio
    async def test_async_file_can_be_read_iterated_and_saved(self, tmp_path: Path) -> None:
        """An async client reads, iterates and saves a file."""

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

    def test_json_or_html_instead_of_a_file_is_an_error(self) -> None:
        """JSON in place of a file raises its error, and HTML raises GatewayError."""
        refused = httpx.Response(401, json={"code": 4100, "msg": "bad token"})
        with pytest.raises(AuthenticationError, match="bad token"):
            connect(Server(refused)).audio.speech.create(input="Hi", voice_id="1")
        with pytest.raises(DecodeError, match="its type is not the expected one"):
            connect(Server(httpx.Response(200, json={"code": 0}))).audio.speech.create(input="Hi", voice_id="1")
        with pytest.raises(GatewayError):
            connect(Server(httpx.Response(200, html="<p>"))).audio.speech.create(input="Hi", voice_id="1")


class TestRedirect:
    """The browser redirect of `oauth.authorize`."""

    def test_redirect_returns_the_url(self) -> None:
        """The URL of the redirect is returned; the request goes to the www host and has no token."""
        server = Server(httpx.Response(302, headers={"location": "https://app.example.com/callback?code=c&state=s"}))
        answer = connect(server).oauth.authorize(**AUTHORIZE)  # type: ignore[arg-type]  # mixed values
        assert answer.location == "https://app.example.com/callback?code=c&state=s"
        assert server.request.url.host == "www.coze.com"
        assert server.request.url.params["redirect_uri"] == AUTHORIZE["redirect_uri"]
        assert "authorization" not in server.request.headers

    def test_page_instead_of_a_redirect_is_a_gateway_error(self) -> None:
        """A page in place of a redirect raises GatewayError."""
        with pytest.raises(GatewayError):
            connect(Server(httpx.Response(200, html="<p>"))).oauth.authorize(**AUTHORIZE)  # type: ignore[arg-type]  # a dict of texts


@pytest.mark.parametrize("base", ["http://127.0.0.1:9", "https://api.example.com/coze"])
def test_local_server_has_pages_and_operations_at_one_url(base: str) -> None:
    """A local server or a gateway has no www host: pages and operations have the same base URL."""
    server = Server(httpx.Response(302, headers={"location": "/"}))
    http = httpx.Client(transport=httpx.MockTransport(server))
    Client(base, "t", http_client=http).oauth.authorize(**AUTHORIZE)  # type: ignore[arg-type]  # a dict of texts
    assert str(server.request.url).startswith(f"{base}/api/permission/")


def test_oauth_error_keeps_its_reason() -> None:
    """The word in which an OAuth error response names its reason is kept."""
    refused = httpx.Response(400, json={"error_code": "authorization_pending", "error_message": "not yet"})
    with pytest.raises(Exception, match="not yet") as caught:
        connect(Server(refused)).oauth.device_code(client_id="app")
    assert caught.value.reason == "authorization_pending"  # type: ignore[attr-defined]  # of errors of OAuth
    assert "authorization_pending" in str(caught.value)


class TestBrokenFile:
    """A download that breaks off."""

    @staticmethod
    def answer() -> httpx.Response:
        def chunks() -> Iterator[bytes]:
            yield SOUND
            raise httpx.ReadError("gone")

        return httpx.Response(200, headers={"content-type": "audio/mpeg", "x-tt-logid": "L"}, content=chunks())

    def test_interrupted_read_has_the_partial_content(self) -> None:
        """The error of an interrupted read has the partial content, the operation and the log id."""
        with pytest.raises(
            DownloadInterrupted, match=r"audio.speech.create: .* 256,000 bytes: ReadError: gone"
        ) as caught:
            connect(Server(self.answer())).audio.speech.create(input="Hi", voice_id="1").read()
        assert caught.value.content == SOUND
        assert (caught.value.received, caught.value.logid) == (256000, "L")
        assert pickle.loads(pickle.dumps(caught.value)).received == 256000

    def test_interrupted_save_keeps_the_partial_file(self, tmp_path: Path) -> None:
        """An interrupted save keeps the partial content in the file."""
        with pytest.raises(DownloadInterrupted) as caught:
            connect(Server(self.answer())).audio.speech.create(input="Hi", voice_id="1").save(tmp_path / "a")
        assert (tmp_path / "a").read_bytes() == SOUND
        assert caught.value.content == b""

    def test_interrupted_read_keeps_its_content(self) -> None:
        """After an interruption the partial content can be read again."""
        answer = connect(Server(sound())).audio.speech.create(input="Hi", voice_id="1")
        assert answer.read() == answer.read() == SOUND

    def test_iterated_file_cannot_be_read_again(self, tmp_path: Path) -> None:
        """A file that was iterated cannot be read again, and saving it does not change the target."""
        answer = connect(Server(sound())).audio.speech.create(input="Hi", voice_id="1")
        assert list(answer)
        (tmp_path / "a").write_bytes(b"old")
        with pytest.raises(DownloadInterrupted):
            answer.save(tmp_path / "a")
        assert (tmp_path / "a").read_bytes() == b"old"

    def test_read_file_can_be_saved(self, tmp_path: Path) -> None:
        """A file that was read can be saved."""
        answer = connect(Server(sound())).audio.speech.create(input="Hi", voice_id="1")
        assert len(answer.read()) == answer.save(tmp_path / "a")
        assert (tmp_path / "a").read_bytes() == SOUND


@pytest.mark.parametrize("extra", [None, {"Authorization": "Basic mine"}])
def test_oauth_operations_do_not_send_the_clients_token(extra: dict[str, str] | None) -> None:
    """OAuth operations do not send the client's token, in whatever form the client has it; a token of the call is sent."""
    server = Server(httpx.Response(200, json={"device_code": "d"}))
    secret = {"Authorization": "Bearer SECRET"}
    http = httpx.Client(transport=httpx.MockTransport(server), headers=secret)
    for client in (
        Client("https://api.coze.com", http_client=http),
        Client("https://api.coze.com", headers=secret, http_client=http),
    ):
        client.oauth.device_code(client_id="app", extra_headers=extra)
        assert server.request.headers.get("authorization") == (extra or {}).get("Authorization")


def test_authorization_header_of_a_call_overrides_every_strategy() -> None:
    """An Authorization header of a call overrides every strategy of the client."""

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


def test_too_long_url_and_invalid_header_are_coze_errors() -> None:
    """A URL that is too long and an invalid header raise a CozeError."""
    client = connect(Server(httpx.Response(200, json={"code": 0})))
    with pytest.raises(InvalidArgumentError, match=r"users\.me: the arguments do not form a valid URL"):
        client.users.me(extra_query={"a": "x" * 70000})
    with pytest.raises(InvalidArgumentError, match="'é', which no header can have"):
        client.users.me(extra_headers={"é": "x"})
    with pytest.raises(InvalidArgumentError, match="cannot be written as JSON"):
        client.bots.create(space_id="1", name="n", extra_body={"a": float("inf"), "b": None})


@pytest.mark.anyio
async def test_canceled_read_does_not_end_the_stream() -> None:
    """A stream whose read was canceled does not count as complete when it is read again."""

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
        with pytest.raises(StreamInterrupted, match="a read was canceled before its end"):
            await anext(stream)
    await http.aclose()
