"""Opening a WebSocket: handshakes, rejections, retries, authorization and settings."""

from __future__ import annotations

import logging
import socket
import ssl
import sys
import threading
from collections.abc import Generator
from typing import Any

import httpx
import pytest

from coze_api.models import ChatSocketSettings, SpeechCreated, SpeechOutputAudio, SpeechSettings
from cozekit import SocketOptions, audio
from cozekit.errors import (
    APIConnectionError,
    APITimeoutError,
    AuthenticationError,
    CozeError,
    GatewayError,
    InvalidArgumentError,
    PermissionDeniedError,
    SocketFailed,
)
from tests.overlay._clients import Connect, at_once
from tests.overlay.websockets._server import LOGID, Part, refusing, socket_server

pytestmark = pytest.mark.needs_asyncio


def greet(part: Part) -> None:
    part.send("speech.created")
    part.wait_closed()


def http_url(url: str) -> str:
    return url.replace("ws", "http", 1)


def test_handshake_has_query_token_and_headers(connect: Connect) -> None:
    """The handshake contains arguments, token and headers; the log id is available at once."""
    with socket_server(greet) as server:
        coze = connect("pat_secret", base_url=http_url(server.url), headers={"X-Team": "voice"})
        session = coze.websockets.audio.speech.connect(entity_type="bot", entity_id="7", extra_query={"new": 1})
        assert not session.is_open
        with session:
            assert session.is_open
            assert session.logid == f"{LOGID}-handshake"
            assert isinstance(session.recv(), SpeechCreated)
            assert session.logid == LOGID
        assert not session.is_open
    [request] = server.requests
    assert request.path == "/v1/audio/speech?entity_type=bot&entity_id=7&new=1"
    assert request.headers["authorization"] == "Bearer pat_secret"
    assert request.headers["x-team"] == "voice"
    assert "sec-websocket-extensions" not in request.headers
    assert "pat_secret" not in repr(session)


def test_base_url_option_replaces_the_default(connect: Connect) -> None:
    """`SocketOptions.base_url` replaces the WebSocket URL that belongs to the client's base URL."""
    with socket_server(greet) as server:
        coze = connect("pat_x", base_url="https://api.coze.com", sockets=SocketOptions(base_url=f"{server.url}/gate/"))
        with coze.websockets.chat.connect(bot_id="1") as session:
            session.recv()
    assert server.requests[0].path == "/gate/v1/chat?bot_id=1"


@pytest.mark.parametrize(
    ("answer", "error", "code", "message"),
    [
        ((401, {"code": 4100, "msg": "authentication is invalid"}), AuthenticationError, 4100, "authentication"),
        ((403, {"code": 4101, "msg": "no permission"}), PermissionDeniedError, 4101, "createSpeech"),
        ((200, {"code": 4100, "msg": "authentication is invalid"}), AuthenticationError, 4100, "authentication"),
        ((404, "<h1>lost</h1>"), GatewayError, 404, "lost"),
        ((302, "<h1>elsewhere</h1>"), GatewayError, 302, "elsewhere"),
    ],
)
def test_rejected_handshake_raises_like_a_call(
    connect: Connect, answer: Any, error: type[Any], code: int, message: str
) -> None:
    """A rejected handshake raises what an HTTP call would, with code, hint, log id and operation."""
    with socket_server(greet, process_request=refusing(*[answer] * 5)) as server:
        coze = connect("pat_x", base_url=http_url(server.url), retry=at_once())
        with pytest.raises(error) as raised, coze.websockets.audio.speech.connect():
            pass
    assert (raised.value.code, raised.value.operation) == (code, "websockets.audio.speech")
    assert raised.value.logid == LOGID
    assert message in str(raised.value)
    assert len(server.requests) == 1
    assert "pat_x" not in str(raised.value)


def test_redirect_is_not_followed(connect: Connect) -> None:
    """A redirect of the handshake is not followed, since it would send the token to another host."""

    def redirect(connection: Any, request: Any) -> Any:
        response = connection.respond(302, "over there\n")
        response.headers["Location"] = f"{other.url}/v1/audio/speech"
        return response

    with socket_server(greet) as other, socket_server(greet, process_request=redirect) as server:
        coze = connect("pat_x", base_url=http_url(server.url))
        with pytest.raises(GatewayError), coze.websockets.audio.speech.connect():
            pass
        assert not other.requests


def test_busy_server_is_retried(connect: Connect) -> None:
    """A handshake with a busy server is retried, since nothing was sent before."""
    busy = (503, {"code": 5000, "msg": "busy"})
    with socket_server(greet, process_request=refusing(busy, 429)) as server:
        coze = connect("pat_x", base_url=http_url(server.url), retry=at_once(2))
        with coze.websockets.audio.speech.connect() as session:
            session.recv()
        assert len(server.requests) == 3


def test_refused_connection_is_an_api_connection_error(connect: Connect) -> None:
    """A refused connection raises APIConnectionError with URL and attempts, and that nothing was sent."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    coze = connect("pat_x", base_url=f"http://127.0.0.1:{port}", retry=at_once(1))
    with pytest.raises(APIConnectionError, match=rf"ws://127\.0\.0\.1:{port}/v1/chat: .*tried 2 times") as raised:
        coze.websockets.chat.connect(bot_id="1").open()
    assert (raised.value.attempts, raised.value.sent) == (2, False)


def test_open_timeout_limits_each_attempt(connect: Connect) -> None:
    """`open_timeout` limits each attempt, from the first byte to the last of the handshake."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        coze = connect("pat_x", base_url=f"http://127.0.0.1:{silent.getsockname()[1]}", retry=0)
        with pytest.raises(APITimeoutError, match="the connection could not be opened in time"):
            coze.websockets.chat.connect(bot_id="1", options=SocketOptions(open_timeout=0.2)).open()
        patient = coze.with_options(deadline=0.2)
        with pytest.raises(APITimeoutError, match=r"the deadline of 0\.2 s passed"):
            patient.websockets.chat.connect(bot_id="1").open()


class Refreshing(httpx.Auth):
    """Fetches a token from a separate server, and a new one when that is rejected."""

    def __init__(self) -> None:
        self.tokens = 0

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        for _ in range(2):
            self.tokens += 1
            answer = yield httpx.Request("POST", "https://tokens.test/new")
            request.headers["Authorization"] = f"Bearer {answer.json()['data']['token']}-{self.tokens}"
            refused = yield request
            if refused.status_code != 401:
                return


def test_strategy_authorizes_and_refreshes(connect: Connect) -> None:
    """A strategy may send its own requests, receives the response to the handshake, and may send it again once."""
    strategy = Refreshing()

    def token(request: httpx.Request) -> httpx.Response:
        assert request.url == "https://tokens.test/new"
        return httpx.Response(200, json={"data": {"token": "made"}})

    refusal = (401, {"code": 4100, "msg": "expired"})
    with socket_server(greet, process_request=refusing(refusal)) as server:
        coze = connect(auth=strategy, handler=token, base_url=http_url(server.url))
        with coze.websockets.audio.speech.connect() as session:
            session.recv()
    assert [request.headers["authorization"] for request in server.requests] == ["Bearer made-1", "Bearer made-2"]


def test_second_rejection_of_a_strategy_is_raised(connect: Connect) -> None:
    """If the second token of a strategy is rejected, too, the rejection is raised."""
    refusal = (401, {"code": 4100, "msg": "expired"})
    with socket_server(greet, process_request=refusing(*[refusal] * 4)) as server:
        coze = connect(
            auth=Refreshing(),
            handler=lambda _: httpx.Response(200, json={"data": {"token": "made"}}),
            base_url=http_url(server.url),
        )
        with pytest.raises(AuthenticationError, match="expired"):
            coze.websockets.audio.speech.connect().open()
        assert len(server.requests) == 2


def test_token_function_is_called_for_each_handshake(connect: Connect) -> None:
    """A token function is called for each handshake."""
    tokens = iter(["one", "two"])
    with socket_server(greet) as server:
        coze = connect(lambda: next(tokens), base_url=http_url(server.url))
        for _ in range(2):
            with coze.websockets.audio.speech.connect():
                pass
    assert [request.headers["authorization"] for request in server.requests] == ["Bearer one", "Bearer two"]


def confirm(part: Part) -> None:
    part.send("speech.created")
    part.await_kind("speech.update")
    part.send("later.kind", {"new": 1})
    part.send("speech.updated", {"output_audio": {"codec": "pcm", "speech_rate": 0, "voice_id": "v"}})
    part.wait_closed()


def test_settings_are_confirmed_before_with_continues(connect: Connect) -> None:
    """When the `with` block starts, Coze has confirmed the settings; messages before that can still be received."""
    settings = SpeechSettings(output_audio=SpeechOutputAudio(voice_id="v"))
    with socket_server(confirm) as server:
        coze = connect("pat_x", base_url=http_url(server.url))
        connected = coze.websockets.audio.speech.connect(
            settings=settings, output_audio={"codec": "pcm", "voice_id": "v", "speech_rate": 10}
        )
        with connected as session:
            assert session.received == 3
            kinds = [session.recv(), session.recv()]
    assert [getattr(kind, "event_type", None) or kind.tag for kind in kinds] == ["speech.created", "later.kind"]
    [update] = server.received
    assert update["data"] == {"output_audio": {"codec": "pcm", "voice_id": "v", "speech_rate": 10}}
    assert settings.output_audio.codec is None, "the caller's object is not changed"


def test_rejected_settings_raise_and_close(connect: Connect) -> None:
    """If Coze responds to settings with an error, `with` raises it and the connection is closed."""

    def refuse(part: Part) -> None:
        part.await_kind("speech.update")
        part.send("error", {"code": 4000, "msg": "invalid voice"})
        part.wait_closed()

    with socket_server(refuse) as server:
        coze = connect("pat_x", base_url=http_url(server.url))
        session = coze.websockets.audio.speech.connect(output_audio=audio.PCM(24000))
        with pytest.raises(SocketFailed, match="invalid voice") as raised, session:
            pass
        assert server.gone.acquire(timeout=60)
    assert not session.is_open
    assert raised.value.code == 4000
    assert raised.value.logid == LOGID
    assert raised.value.operation == "websockets.audio.speech"
    assert raised.value.event.event_type == "error"


def test_unsubscribed_confirmation_is_not_awaited(connect: Connect) -> None:
    """If `event_subscriptions` exclude the confirmation of settings, it is not awaited."""
    settings = ChatSocketSettings(event_subscriptions=["conversation.chat.completed"])
    with socket_server(greet) as server:
        coze = connect("pat_x", base_url=http_url(server.url))
        with coze.websockets.chat.connect(bot_id="1", settings=settings, options=SocketOptions(idle_timeout=60)):
            pass


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"output_audio": {"codec": "mp4"}}, "SpeechUpdate.data.output_audio.codec must be one of 'pcm', 'opus'"),
        ({"output_audio": {"speech_rate": 101}}, "speech_rate must be at most 100"),
        ({"output_audio": audio.PCM(11025)}, "sample_rate must be one of"),
        ({"output_audio": audio.PCM(16000, channels=2)}, "16 bits in one channel"),
        ({"output_audio": "pcm"}, "must be a PCM, a SpeechOutputAudio or a dict, not str"),
        ({"settings": ChatSocketSettings()}, "settings must be SpeechSettings or a dict, not ChatSocketSettings"),
        ({"entity_type": "team"}, "entity_type must be one of"),
        ({"options": SocketOptions(base_url="ws://other.test")}, "belongs to the client"),
    ],
)
def test_invalid_arguments_are_rejected_before_connecting(
    connect: Connect, arguments: dict[str, Any], message: str
) -> None:
    """Invalid arguments and settings are rejected when the session is created."""
    coze = connect("pat_x", base_url="http://127.0.0.1:9")
    with pytest.raises(InvalidArgumentError) as raised:
        coze.websockets.audio.speech.connect(**arguments)
    assert message in str(raised.value)


@pytest.mark.parametrize(
    "options",
    [{"base_url": "https://x.test"}, {"idle_timeout": 0}, {"ping_interval": -1}, {"max_message_bytes": "1"}],
)
def test_invalid_socket_options_are_rejected(options: dict[str, Any]) -> None:
    """Invalid SocketOptions are rejected when they are created."""
    with pytest.raises(InvalidArgumentError):
        SocketOptions(**options)


def test_socket_options_must_not_be_a_dict(connect: Connect) -> None:
    """A client accepts `SocketOptions`, and rejects a dict of them."""
    with pytest.raises(InvalidArgumentError, match="sockets must be SocketOptions, not dict"):
        connect("pat_x", sockets={})


def test_missing_websockets_library_names_the_extra(connect: Connect, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the websockets library, the error names the extra that installs it."""
    for name in [name for name in sys.modules if name.partition(".")[0] == "websockets"]:
        monkeypatch.delitem(sys.modules, name)
    for name in [f"cozekit._websockets.{module}" for module in ("adapters", "connect_params")]:
        monkeypatch.delitem(sys.modules, name, raising=False)
        monkeypatch.delattr(name, raising=False)
    monkeypatch.setitem(sys.modules, "websockets", None)
    coze = connect("pat_x")
    session = coze.websockets.audio.speech.connect()
    with pytest.raises(CozeError, match=r'pip install "cozekit\[ws\]"'):
        session.open()


def test_handshake_log_hides_the_token(connect: Connect, caplog: pytest.LogCaptureFixture) -> None:
    """The log of a handshake shows that there is a token, but not its value."""
    caplog.set_level(logging.DEBUG)
    with socket_server(greet) as server:
        coze = connect("pat_secret", base_url=http_url(server.url))
        with coze.websockets.audio.speech.connect() as session:
            session.recv()
    sent = [record.getMessage() for record in caplog.records if record.name == "cozekit.websockets"]
    assert any("authorization: [hidden]" in text for text in sent)
    assert not any("pat_secret" in text for text in sent)


def test_tls_settings_decide_about_certificates(connect: Connect, certificate: str) -> None:
    """A self-signed certificate is rejected, unless the TLS settings trust it."""
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(certificate)
    with socket_server(greet, tls=tls) as server:
        base_url = server.url.replace("wss", "https")
        with pytest.raises(APIConnectionError, match="certificate verify failed"):
            connect("pat_x", base_url=base_url, retry=0).websockets.chat.connect(bot_id="1").open()
        trusting = SocketOptions(ssl=ssl.create_default_context(cafile=certificate))
        with connect("pat_x", base_url=base_url, sockets=trusting).websockets.chat.connect(bot_id="1") as session:
            session.recv()


def test_closed_session_has_no_thread(connect: Connect) -> None:
    """After a session is closed, its heartbeat and reader threads have ended."""
    before = set(threading.enumerate())
    with socket_server(greet) as server:
        coze = connect("pat_x", base_url=http_url(server.url), sockets=SocketOptions(ping_interval=0.01))
        with coze.websockets.audio.speech.connect() as session:
            session.recv()
    ours = {thread.name for thread in set(threading.enumerate()) - before}
    assert not {name for name in ours if name.startswith("cozekit")}
