"""Whatever a response holds, a call raises only subclasses of CozeError."""

from __future__ import annotations

import json
import pickle
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from coze_api._core import _json
from cozekit.auth import async_authorization, authorization
from cozekit.errors import (
    APIConnectionError,
    APIError,
    CozeError,
    DecodeError,
    GatewayError,
    RateLimitError,
)
from tests.overlay._clients import Counter, at_once, unwrap

DEEP = 3_000
DELAYS = [
    "9" * 5000,
    "9" * 30,
    "1e999",
    "٣",
    "²",
    "-1",
    "nan",
    "0x10",
    "1.",
    "Fri, 31 Dec 9999 23:59:59 -2359",
    "Mon, 01 Jan 0001 00:00:00 +2359",
    "Fri, 31 Dec 99999 23:59:59 GMT",
    "Fri, 31 Dec 1999 23:59:59 +" + "9" * 400,
    "Fri " * 1000,
    "\x7f",
]
ADDRESSES = ["javascript:alert(1)", "mailto:a@example.com", "data:,x", "http://xn--/", "http://a:b/", "/\x01", "urn:x"]
CHARSETS = ["utf-16", "utf-32", "hex", "rot13", "zlib", "undefined", "idna", "nobody-knows", "\x00", "x" * 5000, '"']


def answered(content: bytes | str, status: int = 200, **headers: str | bytes) -> Counter:
    """Return exactly this response for every request."""
    pairs = [
        (name.replace("_", "-").encode(), value if isinstance(value, bytes) else value.encode())
        for name, value in {"content_type": "application/json", **headers}.items()
    ]
    return Counter(lambda _: httpx.Response(status, headers=pairs, content=content))


def retrieve(coze: Any) -> Any:
    """Call an operation with a JSON response."""
    return coze.chat.retrieve(chat_id="1", conversation_id="2")


def download(coze: Any) -> Any:
    """Call an operation whose response is a file."""
    return coze.audio.speech.create(input="hi", voice_id="1").read()


def stream(coze: Any) -> Any:
    """Call an operation that streams."""
    return coze.chat.stream(bot_id="1", user_id="u", additional_messages=["hi"]).until_done()


def token(coze: Any) -> Any:
    """Call an operation whose response is a secret."""
    return coze.oauth.token(grant_type="refresh_token", client_id="1", refresh_token="r")


def redirect(coze: Any) -> Any:
    """Call an operation that redirects a browser."""
    return coze.oauth.authorize(response_type="code", client_id="1", redirect_uri="https://example.com", state="s")


EVERY_KIND = pytest.mark.parametrize("call", [retrieve, token, download, stream, redirect])


@pytest.fixture(params=["orjson", "json"])
def parser(request: pytest.FixtureRequest) -> Iterator[str]:
    """Run a test with each JSON parser."""
    if request.param == "orjson":
        pytest.importorskip("orjson")
    _json.use(request.param)
    yield request.param
    _json.use("auto")


@pytest.mark.parametrize("delay", DELAYS, ids=lambda delay: delay[:12])
def test_absurd_retry_after_does_not_hide_the_error(connect, delay):
    """An absurd Retry-After neither hides the error of its response nor raises another one."""
    counter = answered('{"code": 4009, "msg": "slow down"}', 429, retry_after=delay)
    with pytest.raises(RateLimitError, match="slow down"):
        retrieve(connect(handler=counter, retry=at_once(1)))


@EVERY_KIND
@pytest.mark.parametrize("address", ADDRESSES)
def test_redirect_to_an_invalid_url_is_a_connection_error(connect, address, call):
    """A redirect to an invalid URL raises a connection error, although redirects are not followed."""
    with pytest.raises(APIConnectionError, match="the connection was lost: "):
        call(connect(handler=answered("", 302, location=address), retry=0))


@EVERY_KIND
@pytest.mark.parametrize("charset", CHARSETS, ids=lambda charset: charset[:12])
def test_invalid_charset_does_not_hide_a_gateway_error(connect, charset, call):
    """A charset that is not a text encoding does not hide that a gateway sent the response."""
    counter = answered(b"\xff\xfe<h1>Bad Gateway</h1>\x00", 502, content_type=f"text/html; charset={charset}")
    with pytest.raises(GatewayError) as caught:
        call(connect(handler=counter, retry=0))
    assert caught.value.status == 502


def test_gateway_text_is_decoded_by_its_charset(connect):
    """The text of a gateway is decoded by the charset of its Content-Type header."""
    counter = answered("网关超时".encode("gbk"), 504, content_type="text/html; charset=gbk")
    with pytest.raises(GatewayError, match="网关超时"):
        retrieve(connect(handler=counter, retry=0))


@pytest.mark.parametrize("shape", ["arrays", "objects", "both"])
@pytest.mark.parametrize("depth", [_json.MAX_DEPTH, DEEP, 100_000])
@EVERY_KIND
def test_too_deep_json_is_a_decode_error(connect, parser, call, shape, depth):
    """JSON with too many levels raises DecodeError with either parser."""
    begin, end = {"arrays": ("[", "]"), "objects": ('{"a":', "}"), "both": ('[{"a":', "}]")}[shape]
    text = f'{{"code": 0, "msg": "", "data": {{"unknown": {begin * depth}1{end * depth}}}}}'
    with pytest.raises(DecodeError, match="more than 128 levels"):
        call(connect(handler=answered(text), retry=0))


def test_deepest_accepted_json_can_be_shown_compared_and_copied(connect, parser):
    """JSON with as many levels as are accepted can be shown, compared, copied and encoded."""
    depth = _json.MAX_DEPTH - 2
    text = f'{{"code": 0, "data": {{"unknown": {"[" * depth}{"]" * depth}}}}}'
    first, second = (retrieve(connect(handler=answered(text))) for _ in range(2))
    assert first == second
    assert "[" * depth in repr(first)
    assert json.dumps(first.to_dict()) == f'{{"unknown": {"[" * depth}{"]" * depth}}}'
    assert pickle.loads(pickle.dumps(first.to_dict())) == second.to_dict()


@pytest.mark.parametrize("text", ["[" * 500, "]" * 500, '\\"[{' * 500, "[]{}" * 500, "\\\\" * 500 + "["])
def test_brackets_in_strings_are_no_levels(connect, parser, text):
    """Brackets inside strings do not count as levels."""
    body = f'{{"code": 0, "data": {{"id": "{text}", "list": [{"[]," * 500}[]]}}}}'
    assert retrieve(connect(handler=answered(body))).id == json.loads(f'"{text}"')


NONSENSE = [None, True, 0, -1, 1e300, 10**100, "", "x" * 5000, "٣", [], [[]], {}, {"a": {"logid": []}}, ["a"] * 100]
for _ in range(100):
    NONSENSE[-2] = {"a": NONSENSE[-2]}  # many levels, but fewer than the limit


@pytest.mark.parametrize("status", [200, 400, 500])
@pytest.mark.parametrize(
    "member",
    [
        "code",
        "msg",
        "message",
        "detail",
        "logid",
        "debug_url",
        "error",
        "error_code",
        "error_message",
        "error_description",
    ],
)
def test_malformed_envelope_raises_only_coze_errors(connect, member, status):
    """No field of an envelope or an error, of whatever type, raises another kind of exception."""
    for value in NONSENSE:
        answer = {"code": 4000, "msg": "no", "data": {"id": "1"}, "detail": {"logid": "L"}}
        answer |= {"detail": {"logid": value}} if member == "logid" else {member: value}
        try:
            logid = retrieve(connect(handler=answered(json.dumps(answer), status), retry=0)).logid
        except APIError as error:
            assert str(error)
            assert isinstance(error.code, int)
            assert all(isinstance(text, str) for text in (error.msg, error.reason, error.debug_url, error.hint))
            logid = error.logid
        assert isinstance(logid, str)
        assert len(logid) <= 5000


@EVERY_KIND
@pytest.mark.parametrize("header", ["x-tt-logid", "content-type", "date", "set-cookie", "content-encoding", "link"])
def test_malformed_headers_raise_only_coze_errors(connect, call, header):
    """No value of a header that the client reads raises another kind of exception."""
    for value in (
        b"",
        b"\xff\xfe\x00",
        b"x" * 9000,
        b";;;=",
        b"charset=",
        "²".encode(),
        b"gzip, " * 50,
        b"application/json;\xff",
    ):
        pairs = [(b"content-type", b"application/json"), (header.encode(), value)]
        for status in (200, 500):
            counter = Counter(lambda _, s=status, p=pairs: httpx.Response(s, headers=p, content=b"\x1f\x8bnonsense"))
            try:
                call(connect(handler=counter, retry=0))
            except CozeError as error:
                assert str(error)


@pytest.mark.parametrize(
    "kind", [ValueError, KeyError, RuntimeError, UnicodeError, OSError, RecursionError, MemoryError]
)
@pytest.mark.parametrize("place", ["request", "response"])
def test_exception_of_a_hook_is_raised_unchanged(connect, place, kind):
    """An exception of an event hook of the caller's HTTP client reaches the caller unchanged."""

    def fail(_: Any) -> None:
        raise kind("mine")

    async def afail(_: Any) -> None:
        raise kind("mine")

    http = connect.http(transport=httpx.MockTransport(Counter(200)))
    http.event_hooks = {place: [afail if connect.is_async else fail]}
    with pytest.raises(kind, match="mine"):
        retrieve(connect("pat_a", http_client=http))


def test_http_error_inside_a_hook_is_a_connection_error(connect):
    """An exception of the HTTP library while a hook reads a response is raised as a connection error."""

    def read(response: httpx.Response) -> None:
        response.read()

    async def aread(response: httpx.Response) -> None:
        await response.aread()

    http = connect.http(transport=httpx.MockTransport(answered(b"", 302, location="javascript:x")))
    http.event_hooks = {"response": [aread if connect.is_async else read]}
    with pytest.raises(APIConnectionError):
        retrieve(connect("pat_a", http_client=http, retry=0))


@pytest.mark.parametrize("call", [retrieve, stream])
def test_keyboard_interrupt_is_no_connection_error(connect, call):
    """A KeyboardInterrupt is not converted into a connection error."""

    def interrupt(_: Any) -> None:
        raise KeyboardInterrupt

    if connect.is_async:
        pytest.skip("an interrupt ends the event loop of the test")
    with pytest.raises(KeyboardInterrupt):
        call(connect(handler=interrupt))


def test_cause_of_a_connection_error_shows_no_token(connect):
    """A connection error keeps its cause, and no variable of the traceback shows the token."""
    with pytest.raises(APIConnectionError) as caught:
        retrieve(connect("pat_of_mine", handler=answered("", 302, location="http://xn--/"), retry=0))
    error: BaseException | None = caught.value
    kinds, shown = [], ""
    while error is not None:
        kinds.append(type(error).__name__)
        trace = error.__traceback__
        while trace is not None:
            if "httpx" in trace.tb_frame.f_code.co_filename:
                shown += repr(trace.tb_frame.f_locals)
            trace = trace.tb_next
        error = error.__cause__
    assert kinds == ["APIConnectionError", "RemoteProtocolError", "IDNAError"]
    assert "pat_of_mine" not in shown


@pytest.mark.parametrize("failure", [httpx.ConnectError, httpx.ReadTimeout, answered("", 302, location="http://xn--/")])
def test_authorization_without_a_token_response_raises_like_a_call(connect, failure):
    """`authorization` raises what a call would raise if the token request gets no response."""

    class WithTokenRequest(httpx.Auth):
        def auth_flow(self, request: httpx.Request) -> Any:
            yield httpx.Request("POST", "https://api.coze.com/token")
            yield request

    http = connect.http(transport=httpx.MockTransport(Counter(failure)))
    coze = connect(http_client=http, auth=WithTokenRequest(), retry=0)
    raw = unwrap(coze)
    with pytest.raises(APIConnectionError, match=r"^oauth\.token: "):
        connect.run(async_authorization if connect.is_async else authorization, raw)
