"""Where token and base URL come from, and the errors for invalid ones."""

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
    """Return the Authorization header of the last request."""
    return answers.requests[-1].headers.get("Authorization")


def test_token_and_base_url_come_from_the_environment(connect, monkeypatch):
    """Token and base URL come from the environment if no arguments are given."""
    monkeypatch.setenv("COZE_API_TOKEN", f" {SECRET}\n")
    monkeypatch.setenv("COZE_API_BASE", " https://coze.example/ ")
    answers = Counter(200)
    coze = connect(http_client=connect.http(transport=httpx.MockTransport(answers)))
    coze.users.me()
    assert coze.base_url == "https://coze.example"
    assert answers.requests[0].url.host == "coze.example"
    assert sent(answers) == f"Bearer {SECRET}"


def test_arguments_override_the_environment(connect, monkeypatch):
    """Arguments override the environment."""
    monkeypatch.setenv("COZE_API_TOKEN", "pat_environment")
    monkeypatch.setenv("COZE_API_BASE", "https://coze.example")
    answers = Counter(200)
    connect(SECRET, handler=answers, base_url=COZE_CN).users.me()
    assert answers.requests[0].url.host == "api.coze.cn"
    assert sent(answers) == f"Bearer {SECRET}"


def test_default_base_url_is_the_international_service(connect):
    """The international service is the default; both services have a constant."""
    assert connect(SECRET).base_url == COZE_COM == "https://api.coze.com"
    assert connect(SECRET, base_url=COZE_CN).base_url == "https://api.coze.cn"


@pytest.mark.parametrize("setting", ["", " \n"])
def test_empty_variables_count_as_unset(connect, monkeypatch, setting):
    """Environment variables that are empty count as unset."""
    monkeypatch.setenv("COZE_API_TOKEN", setting)
    monkeypatch.setenv("COZE_API_BASE", setting)
    assert connect(SECRET).base_url == COZE_COM
    with pytest.raises(InvalidArgumentError, match="no access token"):
        connect()


@pytest.mark.parametrize("token", [(), ("",), ("  ",)])
def test_missing_token_error_names_variable_arguments_and_page(connect, token):
    """If no token is set, the error names the variable, the arguments, and the page that creates tokens."""
    with pytest.raises(InvalidArgumentError) as caught:
        connect(*token)
    assert str(caught.value) == (
        "no access token: run `cozekit login`, set COZE_API_TOKEN, or pass token= or auth=; create tokens on "
        "https://www.coze.com/open/oauth/pats or https://www.coze.cn/open/oauth/pats"
    )


@pytest.mark.parametrize("token", ["pat_a b", "Bearer pat_a", "pat_a\r\nX: y", "pat_ä", "pat_\x00", "“pat_a”"])
def test_token_with_invalid_characters_is_rejected_without_showing_it(connect, token):
    """A token with characters that no token contains is rejected at once, by an error that does not show it."""
    with pytest.raises(InvalidArgumentError) as caught:
        connect(token)
    assert str(caught.value) == "the access token contains invalid characters; check for extra copied text"


@pytest.mark.parametrize("token", [b"pat_a", 7, ["pat_a"]])
def test_token_must_be_a_string(connect, token):
    """A token that is not a string is rejected."""
    with pytest.raises(InvalidArgumentError, match="the access token must be a str, not "):
        connect(token)


def test_token_function_is_called_before_every_request(connect):
    """A token function is called before every request, and white space around its result is removed."""
    answers, tokens = Counter(200), iter(["pat_1", "pat_2\n"])
    coze = connect(lambda: next(tokens), handler=answers)
    coze.users.me()
    assert sent(answers) == "Bearer pat_1"
    coze.users.me()
    assert sent(answers) == "Bearer pat_2"


@pytest.mark.parametrize("function", [lambda: f"{SECRET}\r\nX: y", lambda: "", lambda: None])
def test_invalid_result_of_a_token_function_is_rejected(connect, function):
    """The result of a token function is validated like a token, before anything is sent and without showing it."""
    answers = Counter(200)
    coze = connect(function, handler=answers)
    with pytest.raises(InvalidArgumentError) as caught:
        coze.users.me()
    assert SECRET not in str(caught.value)
    assert not answers.requests


async def _coroutine() -> str:
    return f"{SECRET}\n"


@pytest.mark.parametrize("function", [_coroutine, lambda: _coroutine()], ids=["async function", "function"])
def test_async_token_function_needs_an_async_client(connect, function):
    """An async client awaits an async token function before every request; a sync client rejects it."""
    answers = Counter(200)
    if connect.is_async:
        connect(function, handler=answers).users.me()
        assert sent(answers) == f"Bearer {SECRET}"
        return
    with pytest.raises(InvalidArgumentError, match="the function passed as token is async: use AsyncCoze"):
        connect(function, handler=answers).users.me()
    assert not answers.requests


def test_exception_of_a_token_function_is_raised_unchanged(connect):
    """An exception of the token function reaches the caller unchanged and is not retried."""

    def locked() -> str:
        raise PermissionError("the key store is locked")

    with pytest.raises(PermissionError, match="locked"):
        connect(locked, handler=Counter(200)).users.me()


class Signed(httpx.Auth):
    """Authorizes with its own header, and sends the request again if it is rejected."""

    def auth_flow(self, request: httpx.Request) -> Any:
        request.headers["X-Signature"] = "1"
        response = yield request
        if response.status_code == 401:
            request.headers["X-Signature"] = "2"
            yield request


def test_httpx_auth_replaces_the_token(connect, monkeypatch):
    """An httpx.Auth replaces the token, also that of the environment, and may send the request again."""
    monkeypatch.setenv("COZE_API_TOKEN", SECRET)
    answers = Counter(httpx.Response(401, json={"code": 4100}), 200)
    connect(handler=answers, auth=Signed()).users.me()
    assert [headers["X-Signature"] for headers in answers.headers] == ["1", "2"]
    assert sent(answers) is None


def test_token_and_auth_together_are_rejected(connect):
    """Passing both a token and an auth strategy is rejected."""
    with pytest.raises(InvalidArgumentError, match="pass either token or auth, not both"):
        connect(SECRET, auth=Signed())


def test_auth_of_the_callers_http_client_overrides_the_environment(connect, monkeypatch):
    """Auth or header of the caller's HTTP client overrides the environment, and no token is required."""
    monkeypatch.setenv("COZE_API_TOKEN", SECRET)
    answers = Counter(200)
    transport = httpx.MockTransport(answers)
    connect(http_client=connect.http(transport=transport, auth=Signed())).users.me()
    assert answers.requests[-1].headers["X-Signature"] == "1"
    assert sent(answers) is None
    connect(http_client=connect.http(transport=transport, headers={"Authorization": "Bearer other"})).users.me()
    assert sent(answers) == "Bearer other"


def test_token_argument_overrides_the_callers_http_client(connect):
    """A token argument overrides auth and headers of the caller's HTTP client."""
    answers = Counter(200)
    for options in ({"auth": Signed()}, {"headers": {"Authorization": "Bearer other"}}):
        http = connect.http(transport=httpx.MockTransport(answers), **options)
        connect(SECRET, http_client=http).users.me()
        assert sent(answers) == f"Bearer {SECRET}"


@pytest.mark.parametrize("base_url", ["api.coze.com", "ftp://api.coze.com", "https://", "https://a.b/?x=1"])
def test_invalid_base_url_is_rejected_and_shown(connect, base_url):
    """An invalid base URL is rejected by an error that shows it."""
    with pytest.raises(InvalidArgumentError, match="base_url"):
        connect(SECRET, base_url=base_url)


def test_base_url_with_a_password_is_rejected_without_showing_it(connect):
    """A base URL that contains a password is rejected without showing the password."""
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
def test_invalid_options_are_rejected_at_construction(connect, options, message):
    """Invalid options are rejected when the client is created, and by with_options."""
    coze = connect(SECRET)
    for make in (lambda: connect(SECRET, **options), lambda: coze.with_options(**options)):
        with pytest.raises(InvalidArgumentError) as caught:
            make()
        assert str(caught.value) == message


@pytest.mark.parametrize(
    "base_url",
    ["http://127.0.0.1:8080", "http://localhost:1", "http://coze.localhost", "http://[::1]:9", "HTTPS://a.b"],
)
def test_https_and_loopback_urls_are_accepted(connect, base_url):
    """URLs with https and URLs of this machine are accepted."""
    assert connect(SECRET, base_url=base_url).base_url == base_url


@pytest.mark.parametrize(
    "base_url", ["http://api.coze.com", "http://10.0.0.1:80", "http://localhost.evil.example", "HTTP://a"]
)
def test_plain_http_is_rejected_unless_allowed(connect, monkeypatch, base_url):
    """A base URL with plain HTTP is rejected, wherever it is set, unless it is allowed explicitly."""
    with pytest.raises(
        InvalidArgumentError, match=r"base_url must use https:// .*: without encryption, the token can be read"
    ):
        connect(SECRET, base_url=base_url)
    monkeypatch.setenv("COZE_API_BASE", base_url)
    with pytest.raises(InvalidArgumentError, match="or pass allow_http=True"):
        connect(SECRET)
    assert connect(SECRET, base_url=base_url, allow_http=True).base_url == base_url


def test_plain_ws_url_is_rejected(connect):
    """An unencrypted WebSocket URL is rejected as well, since the token is sent there."""
    sockets = SocketOptions(base_url="ws://ws.coze.com")
    with pytest.raises(InvalidArgumentError, match=r"base_url must use wss:// \(or pass allow_http=True\)"):
        connect(SECRET, sockets=sockets)
    connect(SECRET, sockets=sockets, allow_http=True)
    connect(SECRET, sockets=SocketOptions(base_url="ws://127.0.0.1:8080"))


def test_invalid_auth_is_rejected_with_a_remedy(connect):
    """A value that cannot authorize requests is rejected when the client is created; for an OAuth flow the error names
    the method to call.
    """
    with pytest.raises(InvalidArgumentError, match=r"another httpx\.Auth, not str$"):
        connect(auth=SECRET)
    with pytest.raises(InvalidArgumentError, match=r"not DeviceOAuth; call its method auth\(\) for one"):
        connect(auth=DeviceOAuth("1"))
