"""No flow reveals a secret, even when it fails, and no secret is sent to another server."""

from __future__ import annotations

import contextlib
import json
import logging
import socket
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Self

import httpx
import pytest

from coze_api._core._secrets import hidden
from coze_api.operations import oauth
from cozekit.auth import FileStore, JWTAuth, RedisStore, Token, new_state, new_verifier
from cozekit.auth._token_request import TokenRequest
from cozekit.errors import APIError, CozeError, GatewayError, InvalidArgumentError, OAuthError
from tests.overlay._clients import Connect, Counter, unwrap
from tests.overlay._exception_dump import shown
from tests.overlay.auth._flows import PUBLIC_APP, REDIRECT, Flows, browse, jwt_config

CLIENT_SECRET = "Hidden-client-secret"
CODE = "code_Hidden-code"
VERIFIER = "Hidden-verifier-" + "v" * 40
ACCESS, REFRESH, DEVICE = "czu_Hidden-access", "Hidden-refresh", "Hidden-device"
STATE = "Hidden-state"
SECRETS = {CLIENT_SECRET, CODE, VERIFIER, ACCESS, REFRESH, DEVICE, STATE, "Hidden"}
GIVEN = {"access_token": ACCESS, "refresh_token": REFRESH, "expires_in": 4102444800}
BEGUN = {
    "device_code": DEVICE,
    "user_code": "AB",
    "verification_uri": "https://x.example",
    "expires_in": 1,
    "interval": 1,
}


def token(seconds: float = -60) -> Token:
    return Token(access_token=ACCESS, refresh_token=REFRESH, expires_at=datetime.now(UTC) + timedelta(seconds=seconds))


def quoted(request: httpx.Request) -> str:
    """Return an error text that quotes the secrets, as a careless server would."""
    sent = json.loads(request.content)
    return f"bad {request.headers.get('Authorization')} {[value for value in sent.values() if value != 'id']}"


class Silent:
    """A server that accepts requests and never responds, or breaks the connection."""

    def __init__(self, *, breaks: bool) -> None:
        self._server = socket.create_server(("127.0.0.1", 0))
        self._breaks = breaks
        self._held: list[socket.socket] = []
        threading.Thread(target=self._accept, daemon=True).start()
        self.base_url = f"http://127.0.0.1:{self._server.getsockname()[1]}"

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self._server.accept()
                if self._breaks:
                    connection.recv(10)
                    connection.close()
                else:
                    self._held.append(connection)

    def close(self) -> None:
        self._server.shutdown(socket.SHUT_RDWR)
        self._server.close()
        for connection in self._held:
            connection.close()


@pytest.fixture(params=["refused", "broken", "silent", "wrong", "garbage", "cut", "list", "gateway", "odd", "fine"])
def service(request: pytest.FixtureRequest, connect: Connect) -> Iterator[dict[str, Any]]:
    """Return the settings of a service that fails in one of many ways, or works."""
    timeout = httpx.Timeout(5, read=0.05)
    if request.param in {"refused", "broken", "silent"}:
        server = Silent(breaks=request.param == "broken")
        if request.param == "refused":
            server.close()
        http = connect.http(timeout=timeout)
        yield {"base_url": server.base_url, "http_client": http}
        connect.run(http.aclose if connect.is_async else http.close)
        if request.param != "refused":
            server.close()
        return
    answers = {
        "wrong": lambda sent: httpx.Response(
            400, json={"error_code": "invalid_request", "error_message": quoted(sent)}
        ),
        "garbage": httpx.Response(200, text="<html>"),
        "cut": httpx.Response(200, content=json.dumps({**GIVEN, **BEGUN})[:-3]),
        "list": httpx.Response(200, json=[{**GIVEN, **BEGUN}]),
        "gateway": httpx.Response(503, text="busy"),
        "odd": httpx.Response(200, json={**GIVEN, "expires_in": "soon", "data": ACCESS}),
        "fine": lambda sent: {**BEGUN, **GIVEN, "expires_in": 1} if "/oauth2/" in sent.url.path else {"data": {}},
    }
    http = connect.http(transport=httpx.MockTransport(Counter(answers[request.param])), timeout=timeout)
    yield {"base_url": "https://api.coze.com", "http_client": http}


def attempts(
    flows: Flows, connect: Connect, service: dict[str, Any], folder: Path
) -> Iterator[tuple[Any, Callable[[], Any]]]:
    """Return every action on every flow, with the objects that perform it."""
    web = flows("WebOAuth", "id", CLIENT_SECRET, REDIRECT, **service)
    pkce = flows("PKCEOAuth", "id", REDIRECT, **service)
    device = flows("DeviceOAuth", "id", **service)
    config = jwt_config(flows.sandbox)
    jwt = flows("JWTOAuth", config["client_id"], config["private_key"], config["public_key_id"], **service)
    yield unwrap(web), lambda: web.exchange(CODE)
    yield unwrap(web), lambda: web.refresh(token())
    yield unwrap(web), lambda: web.exchange(f"{CODE}\n")
    yield unwrap(web), lambda: web.refresh(Token(access_token=ACCESS, expires_at=datetime.now(UTC)))
    yield unwrap(web), lambda: web.parse_callback(f"{REDIRECT}?code={CODE}&state=other", state=STATE)
    yield (
        unwrap(web),
        lambda: web.parse_callback(f"{REDIRECT}?code={CODE}&error=server_error&state={STATE}", state=STATE),
    )
    yield unwrap(web), lambda: flows("WebOAuth", "id", f"{CLIENT_SECRET}\n")
    yield unwrap(pkce), lambda: pkce.exchange(CODE, code_verifier=VERIFIER)
    yield unwrap(pkce), lambda: pkce.exchange(CODE, code_verifier=f"{VERIFIER} ")
    yield unwrap(pkce), lambda: pkce.authorize_url(state=STATE, code_verifier=f"{VERIFIER} ")
    yield unwrap(device), lambda: device.wait(device.start())
    yield unwrap(jwt), jwt.token
    broken = config["private_key"].replace("MII", "Hidden", 1)
    for key in (broken, f"Hidden {config['private_key'][:200]}"):
        yield unwrap(jwt), lambda key=key: flows("JWTOAuth", "id", key, "kid", **service)
        yield unwrap(jwt), lambda key=key: JWTAuth("id", key, "kid")
    path = folder / "app.json"
    path.write_text(json.dumps({**config, "private_key": broken}), encoding="utf-8")
    yield unwrap(jwt), lambda: JWTAuth.from_file(path)
    strategies = [
        unwrap(web).auth(token()),
        unwrap(web).auth(token(), store=FileStore(folder)),
        unwrap(web).auth(token(), store=RedisStore("redis://user:Hidden@127.0.0.1:1/0")),
        unwrap(web).auth(token(), store=FileStore(path)),  # a file in place of a folder
        JWTAuth(config["client_id"], config["private_key"], config["public_key_id"], base_url=service["base_url"]),
    ]
    for strategy in strategies:
        coze = connect(auth=strategy, http_client=service["http_client"], retry=0)
        yield strategy, coze.users.me
        yield coze, coze.users.me


def secrets_of(sandbox: Any) -> set[str]:
    lines = jwt_config(sandbox)["private_key"].splitlines()
    return {*SECRETS, lines[1], lines[2], lines[-2]}


def test_no_secret_in_reprs_logs_and_tracebacks(flows, connect, service, coze_sandbox, tmp_path, caplog):
    """No secret is in a repr, a log, or an exception with all variables of its traceback, whatever fails."""
    caplog.set_level(logging.DEBUG)
    secrets, failed = secrets_of(coze_sandbox), 0
    for owner, act in attempts(flows, connect, service, tmp_path):
        texts = [f"{owner!r} {owner!s}"]
        try:
            texts.append(f"{act()!r}")
        except CozeError as error:
            failed += 1
            texts.append(shown(error))
        text = "\n".join(texts)
        leaks = [line for line in text.splitlines() if any(secret in line for secret in secrets)]
        assert not leaks
    assert failed >= 9
    assert not [secret for secret in secrets if secret in caplog.text]


@pytest.mark.parametrize(
    "options",
    [
        {"base_url": "http://service.example"},
        {"retry": -1},
        {"auth": httpx.Auth()},
        {"http_client": "none"},
        {"sockets": "none"},
        {"headers": {"X-Team": "\n"}},
    ],
    ids=lambda options: next(iter(options)),
)
def test_client_errors_do_not_show_the_token(connect, options):
    """If a client cannot be created or a call fails, the error does not show the token."""
    with pytest.raises((CozeError, ValueError)) as caught:
        connect(ACCESS, **options).users.me()
    assert ACCESS not in shown(caught.value)


@pytest.mark.parametrize("source", ["argument", "variable", "function"])
def test_invalid_token_is_not_shown(connect, monkeypatch, source):
    """A value that cannot be a token may contain one, and the error does not show it."""
    wrong = f"Bearer {ACCESS}"
    if source == "variable":
        monkeypatch.setenv("COZE_API_TOKEN", wrong)
    token = {"argument": wrong, "variable": None, "function": lambda: wrong}[source]
    with pytest.raises(CozeError, match="check for extra copied text") as caught:
        connect(token, base_url="http://127.0.0.1:1").users.me()
    assert ACCESS not in shown(caught.value)


def test_successful_flows_show_no_secret(flows, connect, coze_sandbox, caplog, tmp_path):
    """Tokens, codes, flows, strategies, stores and the request log of a full run through the sandbox show no secret."""
    caplog.set_level(logging.DEBUG)
    web, state = flows.web(), new_state()
    came = browse(web.authorize_url(state=state))
    caplog.clear()  # the client does not log what the browser sends
    code = web.parse_callback(came, state=state)
    first = web.exchange(code)
    store = FileStore(tmp_path)
    store.save("k", first)
    old = Token(access_token=first.access_token, refresh_token=first.refresh_token, expires_at=datetime.now(UTC))
    auth = unwrap(web).auth(old, store=store, key="k2")
    coze = connect(auth=auth, base_url=flows.base_url)
    coze.users.me()
    second = store.load("k2")
    verifier = new_verifier()
    url = flows.pkce().authorize_url(state=state, code_verifier=verifier)
    assert verifier not in url
    begun = flows.device().start()
    parts = [unwrap(web), first, second, store, auth, coze, begun, vars(auth), vars(unwrap(web)).keys(), auth._manager]
    text = f"{parts} {caplog.text}"
    for secret in (
        code,
        state,
        verifier,
        begun._device_code,
        first.access_token,
        first.refresh_token,
        second.refresh_token,
    ):
        assert secret not in text
    assert "/oauth2/token" in caplog.text


class Elsewhere:
    """A server that records its requests and redirects them if configured."""

    def __init__(self, status: int = 200, location: str = "") -> None:
        self.got: list[str] = []
        got = self.got

        class Handler(BaseHTTPRequestHandler):
            def _answer(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                got.append(f"{self.headers} {body!r}")
                answer = json.dumps({**GIVEN, "code": 0, "data": {}}).encode()
                self.send_response(status)
                self.send_header("Location", f"{location}{self.path}")
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            do_GET = do_POST = _answer  # noqa: N815  (name of the base class)

            def log_message(self, *_: Any) -> None:
                """Log nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.base_url = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01})

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


@pytest.mark.parametrize("follow", [False, True])
@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_redirects_carry_no_secret_to_another_server(flows, connect, status, follow):
    """A redirect to another server carries no token, secret or refresh token, even if the HTTP client follows
    redirects.
    """
    with Elsewhere() as thief, Elsewhere(status, thief.base_url) as service:
        http = connect.http(follow_redirects=follow)
        options = {"base_url": service.base_url, "http_client": http}
        web = flows("WebOAuth", "id", CLIENT_SECRET, REDIRECT, **options)
        with pytest.raises((OAuthError, APIError)):
            web.exchange(CODE)
        with contextlib.suppress(CozeError):
            connect(auth=unwrap(web).auth(token()), retry=0, **options).users.me()
        with contextlib.suppress(CozeError):
            connect(auth=unwrap(web).auth(token(seconds=600)), retry=0, **options).users.me()
        with contextlib.suppress(CozeError):
            connect(ACCESS, retry=0, **options).users.me()
        connect.run(http.aclose if connect.is_async else http.close)
    assert len(service.got) == 4
    assert bool(thief.got) is follow
    assert "Hidden" in "".join(service.got)
    assert "Hidden" not in "".join(thief.got)


def test_redirected_token_request_is_an_error_with_a_remedy(flows, connect):
    """A token request that is redirected with its body is not sent again, and the error names the base URL to set."""
    with Elsewhere() as thief, Elsewhere(307, thief.base_url) as service:
        http = connect.http(follow_redirects=True)
        options = {"base_url": service.base_url, "http_client": http}
        web = flows("WebOAuth", "id", CLIENT_SECRET, REDIRECT, **options)
        with pytest.raises(GatewayError, match="the token request was redirected, which is not followed"):
            connect(auth=unwrap(web).auth(token()), **options).users.me()
        connect.run(http.aclose if connect.is_async else http.close)
    assert PUBLIC_APP not in "".join(thief.got)
    assert not [text for text in thief.got if REFRESH in text]


def test_refresh_token_that_is_no_utf8_is_rejected_without_showing_it():
    """A refresh token that UTF-8 cannot encode is rejected before it is sent; neither it nor the app's secret is shown."""
    arguments = {"grant_type": "refresh_token", "client_id": "1", "refresh_token": hidden(f"{REFRESH}\udfff")}
    with pytest.raises(InvalidArgumentError, match="surrogate") as caught:
        TokenRequest(oauth.TOKEN, arguments, CLIENT_SECRET).request()
    assert CLIENT_SECRET not in shown(caught.value)
    assert REFRESH not in str(caught.value)
