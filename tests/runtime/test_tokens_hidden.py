"""An access token appears nowhere except in its header."""

from __future__ import annotations

import http.server
import logging
import pickle
import traceback
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest

from coze_api import AsyncClient, Client
from coze_api.errors import CozeError, InvalidArgumentError
from tests._serving import serving
from tests.runtime._responses import BASE, answer, client, nothing_sent, raw, streaming

TOKEN = "pat_geheim123"


def fail(error: Exception) -> Callable[[httpx.Request], httpx.Response]:
    """Raise an exception instead of a response."""

    def handle(request: httpx.Request) -> httpx.Response:
        raise error

    return handle


class _Server(http.server.BaseHTTPRequestHandler):
    """Responds to every POST like Coze, and records its Authorization header."""

    protocol_version = "HTTP/1.1"
    seen: list[str | None]

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["content-length"]))
        self.seen.append(self.headers["authorization"])
        body = b'{"code":0,"data":{}}'
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def server() -> Iterator[tuple[str, list[str | None]]]:
    """Start a real server; return its URL and the Authorization headers that it received."""
    seen: list[str | None] = []
    handler = type("Handler", (_Server,), {"seen": seen})
    with serving(http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)) as url:
        yield url, seen


class TestToken:
    """Places where a token must not appear."""

    @pytest.mark.parametrize("make", [Client, AsyncClient])
    def test_repr_of_the_client_hides_the_token(self, make: type[Client | AsyncClient]) -> None:
        """V12: neither the client nor its attributes show the token."""
        coze = make(BASE, TOKEN)
        for shown in (coze, coze.files, coze.chat, coze._http):
            assert TOKEN not in repr(shown) + str(shown)
        assert repr(coze) == f"{make.__name__}(base_url='{BASE}')"

    @pytest.mark.parametrize(
        "handler",
        [
            answer(code=4100, msg="authentication is invalid"),
            answer({}, status=500),
            answer([1]),
            raw("<html>", status=502, content_type="text/html"),
            fail(httpx.ConnectError("refused")),
            fail(httpx.ReadTimeout("too slow")),
        ],
    )
    def test_errors_hide_the_token(self, handler: Callable[[httpx.Request], httpx.Response]) -> None:
        """No error shows the token: not in its text, repr, traceback or pickle, nor in the repr of its response."""
        with pytest.raises((CozeError, httpx.HTTPError)) as caught:
            client(handler, TOKEN).files.retrieve(file_id="1")
        error: Any = caught.value
        shown = [str(error), repr(error), *traceback.format_exception(error), repr(getattr(error, "response", None))]
        if isinstance(error, CozeError):
            shown.append(repr(pickle.dumps(error)))
        assert not any(TOKEN in text for text in shown)

    def test_streams_hide_the_token(self) -> None:
        """Neither a stream nor its interruption shows the token."""
        stream = client(streaming(b"event: x\n", httpx.ReadError("gone")), TOKEN).chat.stream(bot_id="1", user_id="2")
        with pytest.raises(CozeError) as caught:
            stream.until_done()
        shown = [repr(stream), repr(stream.response), str(caught.value), *traceback.format_exception(caught.value)]
        assert not any(TOKEN in text for text in shown)

    def test_results_hide_the_token(self) -> None:
        """Neither a result nor its HTTP response shows the token."""
        file = client(answer({"id": "1"}), TOKEN).files.retrieve(file_id="1")
        assert TOKEN not in repr(file) + repr(file.response) + repr(file.response.http.request.headers)

    def test_logs_hide_the_token(self, server: tuple[str, list[str | None]], caplog: pytest.LogCaptureFixture) -> None:
        """With all logs of the HTTP libraries enabled, over a real connection, none contains the token."""
        address, seen = server
        caplog.set_level(logging.DEBUG)
        with Client(address, TOKEN) as coze:
            coze.chat.create(bot_id="1", user_id="2")
        assert seen == [f"Bearer {TOKEN}"]
        assert any(record.name.startswith("httpcore") for record in caplog.records)
        assert any(record.name == "httpx" for record in caplog.records)
        assert not any(TOKEN in f"{record.getMessage()} {vars(record)}" for record in caplog.records)

    @pytest.mark.parametrize(
        "token", [f"{TOKEN}\n", f"{TOKEN}\r\nX-Evil: 1", f" {TOKEN}", f"{TOKEN}é", f"{TOKEN} x", ""]
    )
    @pytest.mark.parametrize("make", [Client, AsyncClient])
    def test_invalid_token_is_rejected_without_showing_it(self, make: type[Client | AsyncClient], token: str) -> None:
        """A token that HTTP cannot send, such as one with a line break, is rejected when the client is created, and not
        shown.
        """
        with pytest.raises(InvalidArgumentError) as caught:
            make(BASE, token)
        assert str(caught.value) == "the token is empty or contains a space, a line break or another invalid character"

    @pytest.mark.parametrize("where", ["client", "call"])
    def test_invalid_header_is_rejected_without_showing_it(self, where: str) -> None:
        """A header of the caller that HTTP cannot send is rejected and not shown."""
        headers = {"Authorization": f"Bearer {TOKEN}\n"}
        coze = client(nothing_sent, None, headers=headers if where == "client" else None)
        with pytest.raises(InvalidArgumentError) as caught:
            coze.files.retrieve(file_id="1", extra_headers=headers if where == "call" else None)
        assert "Authorization" in str(caught.value)
        assert TOKEN not in "".join(traceback.format_exception(caught.value))


def test_tokens_in_results_are_hidden_from_repr() -> None:
    """A result that holds a secret hides it in its repr; the attribute has it."""
    from coze_api.models import ApiApp, OauthDeviceCodeResponse, OauthTokenResponse, Room

    for model in (ApiApp, OauthDeviceCodeResponse, OauthTokenResponse, Room):
        names = model._secrets
        instance = model.from_dict({name: f"Hidden {name}" for name in model._known})
        assert names
        assert not [name for name in names if f"Hidden {name}" in repr(instance)]
        assert all(getattr(instance, name) == f"Hidden {name}" for name in names)
        assert all(f"{name}=…" in repr(instance) for name in names)
