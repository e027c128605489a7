"""Requests to this machine bypass the proxies of the environment."""

from __future__ import annotations

from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import SimpleNamespace
from typing import Any
from urllib.parse import urlsplit

import pytest

from coze_api._core._loopback import is_loopback
from coze_api.resources.websockets import WebsocketsChatAPI
from coze_sandbox import BOT_ID
from cozekit import APIConnectionError, SocketOptions
from cozekit._websockets.handshake import _HandshakeBuilder
from cozekit.auth import JWTAuth
from cozekit.errors import GatewayError
from tests._serving import serving
from tests.overlay._clients import Connect, at_once, unwrap
from tests.overlay.auth._flows import Flows

VARIABLES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY")


@pytest.fixture
def proxy(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Set a proxy in the environment that records requests and rejects them."""
    requests: list[str] = []

    class Refuse(BaseHTTPRequestHandler):
        def answer(self) -> None:
            requests.append(f"{self.command} {self.path}")
            self.send_error(502)

        do_GET = do_POST = do_CONNECT = answer  # noqa: N815  (name of the base class)

        def log_message(self, *_: object) -> None:
            pass

    with serving(ThreadingHTTPServer(("127.0.0.1", 0), Refuse)) as address:
        for name in VARIABLES:
            monkeypatch.setenv(name, address)
            monkeypatch.setenv(name.lower(), address)
        for name in ("NO_PROXY", "no_proxy"):
            monkeypatch.delenv(name, raising=False)
        yield SimpleNamespace(address=address, requests=requests)


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_local_calls_bypass_the_proxy(connect, coze_sandbox, proxy, host):
    """Calls and streams to this machine bypass the proxy of the environment."""
    base_url = coze_sandbox.base_url.replace("127.0.0.1", host)
    coze = connect(coze_sandbox.token, base_url=base_url, retry=0)
    assert coze.users.me().user_id
    with coze.chat.stream(bot_id=BOT_ID, user_id="u", additional_messages=["hi"]) as stream:
        assert stream.until_done().answer
    assert proxy.requests == []


@pytest.mark.parametrize(
    "address", ["http://127.9.9.9:9", "http://[::1]:9", "https://127.0.0.1:9", "http://a.localhost:9"]
)
def test_every_loopback_name_bypasses_the_proxy(connect, proxy, address):
    """All of 127.0.0.0/8, [::1] and names below localhost are this machine, with http and https."""
    with pytest.raises(APIConnectionError):
        connect("pat_a", base_url=address, retry=0).users.me()
    assert proxy.requests == []


def test_local_token_requests_bypass_the_proxy(connect: Connect, flows: Flows, proxy: Any) -> None:
    """Token requests to this machine bypass the proxy of the environment."""
    assert flows.jwt().token().access_token
    config = flows.app()
    strategy = JWTAuth(config["client_id"], config["private_key"], config["public_key_id"], base_url=flows.base_url)
    assert connect(auth=strategy, retry=0).users.me().user_id
    assert proxy.requests == []


@pytest.mark.needs_asyncio
def test_local_websockets_bypass_the_proxy(connect, coze_sandbox, proxy):
    """WebSockets to this machine bypass the proxy of the environment."""
    coze = connect(coze_sandbox.token, base_url=coze_sandbox.base_url, retry=0)
    with coze.websockets.chat.connect(bot_id=BOT_ID) as session:
        assert session.is_open
    assert proxy.requests == []


@pytest.mark.parametrize(
    ("base_url", "options", "used"),
    [
        ("http://127.0.0.1:8080", True, None),
        ("http://127.0.0.1:8080", "http://proxy:1", "http://proxy:1"),
        ("https://localhost", True, None),
        ("https://api.coze.com", True, True),
        ("https://api.coze.com", None, None),
        ("https://api.coze.com", False, None),
    ],
)
@pytest.mark.needs_asyncio
def test_remote_websockets_use_the_proxy(connect, base_url, options, used):
    """A WebSocket uses the environment's proxy for other machines, and an explicit proxy for every machine."""
    pytest.importorskip("websockets")
    coze = connect("pat_a", base_url=base_url)
    handshake = WebsocketsChatAPI(unwrap(coze)).handshake(bot_id="1")
    assert _HandshakeBuilder(handshake, SocketOptions(proxy=options), 1).params(handshake.built).proxy == used


def test_remote_calls_use_the_proxy(connect, proxy):
    """Calls to other machines use the proxy of the environment."""
    with pytest.raises(GatewayError):
        connect("pat_a", base_url="http://coze.invalid", allow_http=True, retry=0).users.me()
    assert proxy.requests == ["GET http://coze.invalid/v1/users/me"]


def test_proxy_of_the_callers_client_is_used_for_this_machine(connect, coze_sandbox, proxy, monkeypatch):
    """A proxy of the caller's HTTP client is used for this machine, too."""
    for name in VARIABLES:
        monkeypatch.delenv(name)
        monkeypatch.delenv(name.lower())
    http = connect.http(proxy=proxy.address)
    with pytest.raises(GatewayError):
        connect("pat_a", base_url=coze_sandbox.base_url, http_client=http, retry=at_once(0)).users.me()
    assert proxy.requests == [f"GET {coze_sandbox.base_url}/v1/users/me"]


def test_invalid_proxy_does_not_affect_local_calls(connect, coze_sandbox, monkeypatch):
    """An invalid proxy in the environment does not affect calls to this machine."""
    monkeypatch.setenv("ALL_PROXY", "htp://nonsense")
    assert connect(coze_sandbox.token, base_url=coze_sandbox.base_url).users.me().user_id


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("127.0.0.1", True), ("127.255.255.254", True), ("::1", True), ("localhost", True), ("a.localhost", True),
        ("128.0.0.1", False), ("10.0.0.1", False), ("0.0.0.0", False), ("::2", False), ("notlocalhost", False),
        ("localhost.example.com", False), ("127.0.0.1.example.com", False), ("", False),
    ],
)  # fmt: skip
def test_only_loopback_addresses_and_names_count(host, expected):
    """Only loopback addresses and reserved local names count as this machine."""
    assert is_loopback(host) is expected
    assert is_loopback(urlsplit(f"//{f'[{host}]' if ':' in host else host}").hostname or "") is expected
