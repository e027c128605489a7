"""Where token and address come from, and what is said about bad ones."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from cozekit import COZE_CN, COZE_COM, SocketOptions
from cozekit.auth import DeviceOAuth
from cozekit.errors import InvalidArgumentError
from tests.overlay._clients import Counter

SECRET = "pat_Secret0123456789"


def sent(answers: Counter) -> str | None:
    """Return the authorisation of the last request."""
    return answers.requests[-1].headers.get("Authorization")


def test_environment(connect, monkeypatch):
    """Token and address come from the environment where the call names none."""
    monkeypatch.setenv("COZE_API_TOKEN", f" {SECRET}\n")
    monkeypatch.setenv("COZE_API_BASE", " https://coze.example/ ")
    answers = Counter(200)
    coze = connect(http_client=connect.http(transport=httpx.MockTransport(answers)))
    coze.users.me()
    assert coze.base_url == "https://coze.example"
    assert answers.requests[0].url.host == "coze.example"
    assert sent(answers) == f"Bearer {SECRET}"


def test_arguments_come_first(connect, monkeypatch):
    """Arguments win over the environment."""
    monkeypatch.setenv("COZE_API_TOKEN", "pat_environment")
    monkeypatch.setenv("COZE_API_BASE", "https://coze.example")
    answers = Counter(200)
    connect(SECRET, handler=answers, base_url=COZE_CN).users.me()
    assert answers.requests[0].url.host == "api.coze.cn"
    assert sent(answers) == f"Bearer {SECRET}"


def test_default_address(connect):
    """The international service is called where nothing is said; both services have a name."""
    assert connect(SECRET).base_url == COZE_COM == "https://api.coze.com"
    assert connect(SECRET, base_url=COZE_CN).base_url == "https://api.coze.cn"


@pytest.mark.parametrize("setting", ["", " \n"])
def test_empty_settings_count_as_none(connect, monkeypatch, setting):
    """Variables that are set to nothing are as good as not set."""
    monkeypatch.setenv("COZE_API_TOKEN", setting)
    monkeypatch.setenv("COZE_API_BASE", setting)
    assert connect(SECRET).base_url == COZE_COM
    with pytest.raises(InvalidArgumentError, match="no access token"):
        connect()


@pytest.mark.parametrize("given", [(), ("",), ("  ",)])
def test_no_token(connect, given):
    """Without a token the message names the variable, the arguments and where tokens are made."""
    with pytest.raises(InvalidArgumentError) as caught:
        connect(*given)
    assert str(caught.value) == (
        "no access token: run `cozekit login`, set COZE_API_TOKEN, or pass token= or auth=; create tokens on "
        "https://www.coze.com/open/oauth/pats or https://www.coze.cn/open/oauth/pats"
    )


@pytest.mark.parametrize("token", ["pat_a b", "Bearer pat_a", "pat_a\r\nX: y", "pat_ä", "pat_\x00", "“pat_a”"])
def test_garbled_token(connect, token):
    """A token with characters that no token has is refused at once, by a message that does not show it."""
    with pytest.raises(InvalidArgumentError) as caught:
        connect(token)
    assert str(caught.value) == "the access token contains invalid characters; check for extra copied text"


@pytest.mark.parametrize("token", [b"pat_a", 7, ["pat_a"]])
def test_token_of_another_type(connect, token):
    """A token must be text."""
    with pytest.raises(InvalidArgumentError, match="the access token must be a str, not "):
        connect(token)


def test_function(connect):
    """A function is asked for the token before every request, and white space is cut off."""
    answers, tokens = Counter(200), iter(["pat_1", "pat_2\n"])
    coze = connect(lambda: next(tokens), handler=answers)
    coze.users.me()
    assert sent(answers) == "Bearer pat_1"
    coze.users.me()
    assert sent(answers) == "Bearer pat_2"


@pytest.mark.parametrize("function", [lambda: f"{SECRET}\r\nX: y", lambda: "", lambda: None])
def test_function_returns_no_token(connect, function):
    """What a function returns is checked like a token, before anything is sent and without showing it."""
    answers = Counter(200)
    coze = connect(function, handler=answers)
    with pytest.raises(InvalidArgumentError) as caught:
        coze.users.me()
    assert SECRET not in str(caught.value)
    assert not answers.requests


async def _coroutine() -> str:
    return f"{SECRET}\n"


@pytest.mark.parametrize("function", [_coroutine, lambda: _coroutine()], ids=["async function", "function"])
def test_async_function(connect, function):
    """An async function is awaited before every request of an async client; a sync one refuses it."""
    answers = Counter(200)
    if connect.is_async:
        connect(function, handler=answers).users.me()
        assert sent(answers) == f"Bearer {SECRET}"
        return
    with pytest.raises(InvalidArgumentError, match="the function passed as token is async: use AsyncCoze"):
        connect(function, handler=answers).users.me()
    assert not answers.requests


def test_function_fails(connect):
    """What the function raises reaches the caller as it is, without another try."""

    def locked() -> str:
        raise PermissionError("the key store is locked")

    with pytest.raises(PermissionError, match="locked"):
        connect(locked, handler=Counter(200)).users.me()


class Signed(httpx.Auth):
    """Authorises by its own header, and again where it was refused."""

    def auth_flow(self, request: httpx.Request) -> Any:
        request.headers["X-Signature"] = "1"
        response = yield request
        if response.status_code == 401:
            request.headers["X-Signature"] = "2"
            yield request


def test_strategy(connect, monkeypatch):
    """An httpx.Auth replaces the token, that of the environment as well, and may send again."""
    monkeypatch.setenv("COZE_API_TOKEN", SECRET)
    answers = Counter(httpx.Response(401, json={"code": 4100}), 200)
    connect(handler=answers, auth=Signed()).users.me()
    assert [headers["X-Signature"] for headers in answers.headers] == ["1", "2"]
    assert sent(answers) is None


def test_both(connect):
    """Token and strategy together are refused."""
    with pytest.raises(InvalidArgumentError, match="pass either token or auth, not both"):
        connect(SECRET, auth=Signed())


def test_http_client_that_authorises(connect, monkeypatch):
    """Auth or header of one's own HTTP client wins over the environment, and makes a token needless."""
    monkeypatch.setenv("COZE_API_TOKEN", SECRET)
    answers = Counter(200)
    transport = httpx.MockTransport(answers)
    connect(http_client=connect.http(transport=transport, auth=Signed())).users.me()
    assert answers.requests[-1].headers["X-Signature"] == "1"
    assert sent(answers) is None
    connect(http_client=connect.http(transport=transport, headers={"Authorization": "Bearer other"})).users.me()
    assert sent(answers) == "Bearer other"


def test_token_beside_http_client_that_authorises(connect):
    """A token that is given wins over auth and headers of one's own HTTP client."""
    answers = Counter(200)
    for options in ({"auth": Signed()}, {"headers": {"Authorization": "Bearer other"}}):
        http = connect.http(transport=httpx.MockTransport(answers), **options)
        connect(SECRET, http_client=http).users.me()
        assert sent(answers) == f"Bearer {SECRET}"


@pytest.mark.parametrize("base_url", ["api.coze.com", "ftp://api.coze.com", "https://", "https://a.b/?x=1"])
def test_bad_address(connect, base_url):
    """An address that cannot be one is refused, and shown."""
    with pytest.raises(InvalidArgumentError, match="base_url"):
        connect(SECRET, base_url=base_url)


def test_address_with_password(connect):
    """An address with a password is refused without showing it."""
    with pytest.raises(InvalidArgumentError) as caught:
        connect(SECRET, base_url="https://user:hidden@api.coze.com")
    assert "hidden" not in str(caught.value)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"retry": -1}, "retry must be a RetryPolicy or the maximum number of retries, not -1"),
        ({"retry": "3"}, "retry must be a RetryPolicy or the maximum number of retries, not '3'"),
        ({"deadline": 0}, "deadline must be a number of seconds above 0, not 0"),
        ({"deadline": "5"}, "deadline must be a number of seconds above 0, not '5'"),
    ],
)
def test_unusable_policies(connect, options, message):
    """Unusable policies are refused when the client is made, and by with_options."""
    coze = connect(SECRET)
    for make in (lambda: connect(SECRET, **options), lambda: coze.with_options(**options)):
        with pytest.raises(InvalidArgumentError) as caught:
            make()
        assert str(caught.value) == message


@pytest.mark.parametrize(
    "base_url",
    ["http://127.0.0.1:8080", "http://localhost:1", "http://coze.localhost", "http://[::1]:9", "HTTPS://a.b"],
)
def test_address_that_nobody_listens_to(connect, base_url):
    """Addresses with encryption and those of this machine are fine."""
    assert connect(SECRET, base_url=base_url).base_url == base_url


@pytest.mark.parametrize(
    "base_url", ["http://api.coze.com", "http://10.0.0.1:80", "http://localhost.evil.example", "HTTP://a"]
)
def test_address_without_encryption(connect, monkeypatch, base_url):
    """An address without encryption is refused, wherever it comes from, unless it is allowed."""
    with pytest.raises(
        InvalidArgumentError, match=r"base_url must use https:// .*: without encryption, the token can be read"
    ):
        connect(SECRET, base_url=base_url)
    monkeypatch.setenv("COZE_API_BASE", base_url)
    with pytest.raises(InvalidArgumentError, match="or pass allow_http=True"):
        connect(SECRET)
    assert connect(SECRET, base_url=base_url, allow_http=True).base_url == base_url


def test_socket_address_without_encryption(connect):
    """An address for WebSockets without encryption is refused as well: the token goes there."""
    sockets = SocketOptions(base_url="ws://ws.coze.com")
    with pytest.raises(InvalidArgumentError, match=r"base_url must use wss:// \(or pass allow_http=True\)"):
        connect(SECRET, sockets=sockets)
    connect(SECRET, sockets=sockets, allow_http=True)
    connect(SECRET, sockets=SocketOptions(base_url="ws://127.0.0.1:8080"))


def test_auth_that_is_no_strategy(connect):
    """The client raises at once for an auth that is no httpx.Auth; for a flow, the message names the method to call."""
    with pytest.raises(InvalidArgumentError, match=r"another httpx\.Auth, not str$"):
        connect(auth=SECRET)
    with pytest.raises(InvalidArgumentError, match=r"not DeviceOAuth; call its method auth\(\) for one"):
        connect(auth=DeviceOAuth("1"))
