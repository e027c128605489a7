"""Whatever fails in whatever operation, no exception reveals a secret."""

from __future__ import annotations

import json
import logging
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from importlib import import_module
from typing import Any
from urllib.parse import quote, urlencode

import attrs
import httpx
import pytest

from coze_api import AsyncClient, Client
from coze_api._core._operation import Operation
from coze_api._core._secrets import SecretStr, hidden, mask, without
from coze_api.models import OauthTokenResponse
from cozekit import CozeError, webhooks
from cozekit.errors import APIError, DecodeError, GatewayError, InvalidArgumentError
from tests.fuzz import _description as description
from tests.overlay._clients import Connect
from tests.overlay._exception_dump import response_dump, shown

SENT = "Hidden-header-0123456789"
GIVEN = {"authorization": f"Bearer {SENT}", "X-Signature": SENT}
ACCESS, REFRESH = "czu_Hidden-access0123", "Hidden-refresh-0123456789"
KEY = "-----BEGIN PRIVATE KEY-----\nHiddenMIIEvQIBADANBg\nHiddenkqhkiG9w0BAQ\n-----END PRIVATE KEY-----"
JWT = "eyJHidden0aGVhZGVy.eyJHidden1cGF5bG9hZA.Hidden2c2lnbmF0dXJl"
SECRETS = {"access_token": ACCESS, "refresh_token": REFRESH, "client_secret": "Hidden-secret", "key": KEY, "jwt": JWT}
BARE = {**SECRETS, "expires_in": 4102444800, "token": "Hidden-pass", "device_code": "Hidden-device"}


def _text(text: str, status: int = 200, kind: str = "application/json") -> httpx.Response:
    return httpx.Response(status, content=text.encode(), headers={"content-type": kind})


class _Broken(httpx.SyncByteStream, httpx.AsyncByteStream):
    """A response body that breaks off."""

    def __iter__(self) -> Iterator[bytes]:
        yield json.dumps(BARE).encode()[:-3]
        raise httpx.ReadError("broken")

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for piece in self:
            yield piece


ANSWERS: dict[str, Callable[[], httpx.Response]] = {
    "broken": lambda: httpx.Response(200, headers={"content-type": "application/json"}, stream=_Broken()),
    "cut": lambda: _text(json.dumps(BARE)[:-3]),
    "cut early": lambda: _text(json.dumps({"data": SECRETS})[:60]),
    "list": lambda: _text(json.dumps([BARE])),
    "text": lambda: _text(json.dumps(json.dumps(SECRETS))),
    "data is a list": lambda: _text(json.dumps({"code": 0, "data": [SECRETS, ACCESS, JWT]})),
    "data is a text": lambda: _text(json.dumps({"code": 0, "data": json.dumps(SECRETS)})),
    "items are an object": lambda: _text(json.dumps({"code": 0, "data": {"items": SECRETS, "tokens": SECRETS}})),
    "items are texts": lambda: _text(
        json.dumps({"code": 0, "data": {"items": [ACCESS, JWT], "access_token": [ACCESS]}})
    ),
    "no data": lambda: _text(json.dumps(SECRETS)),
    "page": lambda: _text(f"<html>Bearer {ACCESS} {urlencode(SECRETS)} {quote(json.dumps(SECRETS))}", 502, "text/html"),
    "message": lambda: _text(json.dumps({"code": 4100, "msg": f"wrong: {SECRETS} Authorization: Bearer {SENT}"})),
    "refused": lambda: _text(json.dumps({"error_code": ACCESS, "error_message": f"not {JWT}", **BARE}), 401),
    "redirected": lambda: httpx.Response(
        302, headers={"location": f"https://x.example/?code={SENT}", "set-cookie": f"session={SENT}", "x-key": ACCESS}
    ),
}
FAILURES: dict[str, Callable[[], Exception]] = {
    "unsent": lambda: httpx.ConnectError("refused"),
    "lost": lambda: httpx.ReadTimeout("late"),
    "nonsense": lambda: httpx.LocalProtocolError(f"Illegal header value b'Bearer {SENT}\\n'"),
}


def _operation(name: str) -> Operation[Any]:
    tag, _, rest = name.partition(".")
    module = import_module(f"coze_api.operations.{tag}")
    return getattr(module, rest.upper().replace(".", "_"))  # type: ignore[no-any-return]


def _fitting(described: description.Operation) -> dict[str, Any]:
    """Return the arguments of an operation from the description's examples, by their Python names."""
    names = {argument.wire: name for name, argument in _operation(described.id).arguments.items()}
    return {names[wire]: value for wire, value in described.arguments.items() if wire in names}


def _called(client: Any, described: description.Operation, **options: Any) -> Any:
    method: Any = client
    for part in described.id.split("."):
        method = getattr(method, part)
    arguments = _fitting(described)
    for name in described.files:
        arguments[name] = ("a.png", b"\x89PNG")
    result = method(**arguments, **options)
    return result.until_done() if hasattr(result, "until_done") else result


@pytest.mark.parametrize("failure", [*ANSWERS, *FAILURES, "header"])
def test_no_operation_error_shows_a_token(connect: Connect, failure: str, caplog: pytest.LogCaptureFixture) -> None:
    """No exception of any operation shows a token of its request or response; for token operations, nothing of the
    response.
    """
    caplog.set_level(logging.DEBUG)

    def answer(request: httpx.Request) -> httpx.Response:
        if failure in FAILURES:
            failed_so = FAILURES[failure]()
            raise failed_so
        return ANSWERS[failure]()

    coze = connect("pat_Hidden-client-token", handler=answer, headers={"X-Key": SENT}, retry=0)
    sent_headers = {**GIVEN, "X-Wrong": f"{SENT}\n"} if failure == "header" else GIVEN
    failed = 0
    for described in description.operations():
        try:
            _called(coze, described, extra_headers=dict(sent_headers))
        except CozeError as error:
            failed += 1
            text = shown(error)
            assert "Hidden" not in text, (described.id, [line for line in text.splitlines() if "Hidden" in line][:3])
            if isinstance(error, APIError) and _operation(described.id).confidential:
                assert "Hidden" not in response_dump(error), described.id
                assert not getattr(error, "excerpt", "")
    assert failed > 1
    assert "Hidden" not in caplog.text


@pytest.mark.parametrize(
    "answer", [name for name in ANSWERS if name not in {"broken", "redirected", "no data", "message", "refused"}]
)
def test_token_operation_error_holds_the_status_only(connect: Connect, answer: str) -> None:
    """The error of a token operation has the reason and the status, but nothing of the response."""
    coze = connect("pat_x", handler=lambda _: ANSWERS[answer](), retry=0)
    try:
        coze.oauth.token(grant_type="refresh_token", client_id="i", refresh_token=REFRESH)
    except (GatewayError, DecodeError) as error:
        assert error.response is not None
        assert error.response.status == ANSWERS[answer]().status_code
        assert error.__context__ is None
        assert error.response.http.content == b""
        assert "that is not shown" in str(error) or "its text is not shown" in str(error)
        assert "Hidden" not in shown(error) + response_dump(error)
    else:
        assert answer in {"data is a list", "data is a text", "items are an object", "items are texts"}


def test_operations_with_password_fields_are_confidential() -> None:
    """Operations whose responses have a field with `format: password` are confidential, and no others."""
    confidential_ids = {described.id for described in description.operations() if _operation(described.id).confidential}
    assert {
        "oauth.token",
        "oauth.device_code",
        "audio.rooms.create",
        "api_apps.list",
        "api_apps.create",
    } <= confidential_ids
    assert not {"users.me", "oauth.authorize", "chat.create"} & confidential_ids


def test_secret_arguments_are_hidden_if_another_is_rejected(connect: Connect) -> None:
    """If another argument is rejected, codes and refresh tokens are not visible in any variable."""
    wrong: Any = 17
    for name in ("code", "refresh_token", "device_code", "code_verifier"):
        with pytest.raises(InvalidArgumentError) as caught:
            connect("pat_x", handler=lambda _: httpx.Response(200)).oauth.token(
                grant_type="refresh_token", **{name: REFRESH}, scope=wrong
            )
        assert REFRESH not in shown(caught.value)


@pytest.mark.parametrize("cls", [Client, AsyncClient])
@pytest.mark.parametrize(
    "options", [{"base_url": "http://"}, {"base_url": f"http://a:{SENT}@b"}, {"timeout": -1}, {"on_gap": "x"}],
    ids=lambda options: next(iter(options)),
)  # fmt: skip
def test_generated_client_errors_hide_token_and_headers(cls: Any, options: Mapping[str, Any]) -> None:
    """If a generated client cannot be created, the error shows neither its token nor its headers."""
    with pytest.raises(CozeError) as caught:
        cls(**{"base_url": "https://api.coze.com", **options}, token=SENT, headers={"X-Key": SENT})
    assert "Hidden" not in shown(caught.value)


@pytest.mark.parametrize("kind", [str, list, tuple, set, iter])
def test_callback_tokens_are_hidden(kind: Any) -> None:
    """Callback tokens are not shown if a callback is rejected or the tokens are invalid, in whatever way they are
    passed.
    """
    tokens = "Hidden-verify" if kind is str else kind(["Hidden-verify", "Hidden-other"])
    with pytest.raises(webhooks.WebhookError) as caught:
        webhooks.parse({"X-Coze-Signature": "s", **GIVEN}, b"{}", token=tokens)
    assert "Hidden" not in shown(caught.value)
    for make in (webhooks.ASGIApp, webhooks.WSGIApp):
        with pytest.raises(InvalidArgumentError) as refused:
            make(lambda _: None, token=[SENT, ""])
        assert "Hidden" not in shown(refused.value)


@pytest.mark.parametrize("resource", ["speech", "transcriptions"])
def test_failed_websocket_hides_token_and_headers(
    connect: Connect, resource: str, caplog: pytest.LogCaptureFixture
) -> None:
    """If a WebSocket cannot be opened, the error shows neither the token nor the headers of its handshake."""
    caplog.set_level(logging.DEBUG)
    coze = connect("pat_Hidden-token", base_url="http://127.0.0.1:1", retry=0)
    with pytest.raises(CozeError) as caught:
        getattr(coze.websockets.audio, resource).connect(extra_headers=dict(GIVEN)).open()
    assert "Hidden" not in shown(caught.value)
    assert "Hidden" not in caplog.text


def test_secret_fields_of_models_are_hidden() -> None:
    """Secret and unknown fields of a model with secrets are hidden from `repr` and from tools that read its fields."""
    from rich.pretty import pretty_repr

    token = OauthTokenResponse.from_dict({**BARE, "more": {"deep": ["Hidden"]}})
    assert token.access_token == ACCESS
    assert token.to_dict()["refresh_token"] == REFRESH
    assert "Hidden" not in f"{token!r} {token} {pretty_repr(token)} {attrs.asdict(token)!r}"


def test_secret_string_hides_its_repr_and_slices() -> None:
    """A secret string equals its text, but the `repr` of it and of its slices hides it."""
    secret = hidden("Hidden" * 30)
    assert isinstance(secret, SecretStr)
    assert secret == "Hidden" * 30
    assert "Hidden" not in f"{secret!r} {secret[:80]!r} {hidden({'a': ['Hidden', ('Hidden', b'Hidden')]})!r}"
    assert hidden(secret) is secret
    assert hidden(None) is None
    assert hidden(5) == 5


QUOTED = [
    *(
        json.dumps({"note": "n", name: "Hidden-1"})
        for name in ("access_token", "refresh_token", "client_secret", "token")
    ),
    json.dumps(json.dumps({"refresh_token": 'Hid"Hidden'})),
    str({"private_key": KEY}),
    '{"refresh_token": "Hidden',
    "{'device_code': 'Hidden'}",
    "&quot;access_token&quot;:&quot;Hidden&quot;",
    urlencode({"a": "b", "refresh_token": "Hid+Hidden Hidden"}),
    quote(json.dumps({"access_token": "Hidden"})),
    f"Authorization: Bearer {SENT}",
    f"(b'Authorization', b'Bearer {SENT}')",
    "authorization=Basic%20SGlkZGVuHidden",
    f"Bearer%20{SENT}",
    "Cookie: a=Hidden; b=Hidden",
    f"at {JWT}.",
    "pat_Hidden0123 and czs_Hidden0123",
    "code_Hidden1234567",
    f"key {KEY[:60]}",
    KEY.replace("\n", "\\n"),
    "https://user:Hidden@proxy.example:80/",
    "GET /callback?code=Hidden&state=Hidden",
]


@pytest.mark.parametrize("text", QUOTED)
def test_tokens_keys_and_passwords_are_masked_in_any_quoting(text: str) -> None:
    """Tokens, keys and passwords are masked in every quoting, also if cut off or URL-encoded."""
    assert "Hidden" not in mask(text)
    assert "Hidden" not in str(CozeError(text))
    assert "…" in mask(text)


@pytest.mark.parametrize(
    "text",
    [
        "the access token must be a str, not int",
        "Invalid token: expired",
        "code_challenge_method must be one of 'plain', 'S256', not 'x'",
        "{'code': 4000, 'msg': 'Bad', 'next_page_token': 'abc'}",
        "token_count=5, page_token=None",
        '{"token_type": "Bearer", "expires_in": 5}',
        "https://www.coze.com/work_flow?execute_id=5&space_id=1",
        "https://api.coze.com:443/x@y",
        "Basic information is missing",
        "no access token: set COZE_API_TOKEN, or pass token= or auth=",
    ],
)
def test_text_without_secrets_is_not_masked(text: str) -> None:
    """Text without secrets is not masked, even if it mentions tokens."""
    assert mask(text) == text


def test_masking_takes_linear_time() -> None:
    """Masking is fast for texts made to be slow: each is cut to a length that every pattern scans once."""
    for piece in (
        '"access_token":"',
        "\\",
        "://",
        "a:/",
        "-----BEGIN PRIVATE KEY-----",
        "code_a",
        " ",
        "token ",
        "eyJ",
    ):
        assert len(mask(piece * 50_000)) < 45_000


def test_known_secrets_are_masked_completely() -> None:
    """Known secrets are masked completely, even if one is a prefix of another."""
    assert without("a Hidden1 b Hidden12", ["Hidden1", "Hidden12", None, ""]) == "a … b …"
