"""Options of connections: a proxy, trusted certificates, and how many connections there are."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import pytest

from coze_sandbox import BOT_ID, Sandbox
from cozekit import APIConnectionError, APITimeoutError, AsyncCoze, Coze, HTTPBackend
from cozekit.errors import GatewayError, InvalidArgumentError
from tests._serving import serving


def test_a_proxy_gets_all_requests(connect, monkeypatch):
    """A proxy given as an option is used for every request, to this machine too, in place of the environment's."""
    requests: list[tuple[str, str | None]] = []

    class Refuse(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            requests.append((self.path, self.headers["Proxy-Authorization"]))
            self.send_error(502)

        def log_message(self, *_: object) -> None:
            pass

    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    with serving(ThreadingHTTPServer(("127.0.0.1", 0), Refuse)) as address:
        backend = HTTPBackend(proxy=address.replace("http://", "http://me:hunter2@"))
        coze = connect("pat_a", base_url="http://127.0.0.1:9", retry=0, http_backend=backend)
        with pytest.raises(GatewayError):
            coze.users.me()
    assert [path for path, _ in requests] == ["http://127.0.0.1:9/v1/users/me"]
    assert requests[0][1].startswith("Basic ")
    assert "hunter2" not in repr(backend)


@pytest.fixture(scope="module")
def secure() -> Iterator[Sandbox]:
    """Run a sandbox with a certificate of its own."""
    with Sandbox(tls=True) as sandbox:
        yield sandbox


@pytest.mark.parametrize("as_context", [False, True])
def test_certificates_of_a_file_are_trusted(connect, secure, as_context):
    """A service is trusted whose certificate is in the file, or in the `SSLContext`, that the option names."""
    settings: Any = ssl.create_default_context(cafile=secure.ca_file) if as_context else Path(secure.ca_file)
    coze = connect(secure.token, base_url=secure.base_url, retry=0, http_backend=HTTPBackend(ssl=settings))
    assert coze.users.me().user_id


def test_other_certificates_are_not_trusted(connect, secure):
    """Without the option, a service whose certificate nobody else vouches for is refused."""
    coze = connect(secure.token, base_url=secure.base_url, retry=0, http_backend=HTTPBackend())
    with pytest.raises(APIConnectionError, match="the connection could not be opened"):
        coze.users.me()


def test_connections_are_limited(connect, coze_sandbox):
    """With one connection, a call waits for the stream that is open, and is sent once that has ended."""
    backend = HTTPBackend(max_connections=1)
    coze = connect(coze_sandbox.token, base_url=coze_sandbox.base_url, retry=0, http_backend=backend)
    with coze.chat.stream(bot_id=BOT_ID, user_id="u", additional_messages=["hi"]) as stream:
        with pytest.raises(APITimeoutError):
            coze.users.me(timeout=(5, 5, 5, 0.05))
        stream.until_done()
    assert coze.users.me().user_id


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"proxy": "me:hunter2@proxy"}, "proxy of http_backend must be an address such as http://host:port"),
        ({"proxy": 3}, "proxy of http_backend must be an address"),
        ({"proxy": "ftp://proxy"}, "proxy of http_backend must be an address"),
        (
            {"ssl": True},
            "ssl of http_backend must be an ssl.SSLContext or the path of a file of certificates, not bool",
        ),
        ({"ssl": "missing.pem"}, "ssl of http_backend: the certificates of missing.pem cannot be read"),
        ({"max_connections": 0}, "max_connections of http_backend must be a whole number from 1, not 0"),
        ({"max_connections": True}, "max_connections of http_backend must be a whole number from 1, not True"),
    ],
)
def test_unusable_options_are_refused(options, message):
    """An option that cannot be used is refused when the options are made, and no password is shown."""
    with pytest.raises(InvalidArgumentError) as caught:
        HTTPBackend(**options)
    assert str(caught.value).startswith(message)
    assert "hunter2" not in str(caught.value)


def test_a_file_without_certificates_is_refused(tmp_path):
    """A file that holds no certificates is refused when the options are made."""
    file = tmp_path / "empty.pem"
    file.write_text("none", encoding="utf-8")
    with pytest.raises(InvalidArgumentError, match=r"^ssl of http_backend: the certificates of .*empty\.pem cannot be"):
        HTTPBackend(ssl=file)


@pytest.mark.parametrize(("client", "http"), [(Coze, httpx.Client), (AsyncCoze, httpx.AsyncClient)])
def test_options_and_an_http_client_exclude_each_other(client, http):
    """A client takes options of connections or an HTTP client, not both, and no other type for the options."""
    with pytest.raises(InvalidArgumentError, match=r"^pass either http_client or http_backend, not both$"):
        client("pat_a", http_client=http(), http_backend=HTTPBackend())
    with pytest.raises(InvalidArgumentError, match=r"^http_backend must be an HTTPBackend, not str$"):
        client("pat_a", http_backend="httpx")
