"""Token strategies: when a token is requested, and what happens if that fails."""

from __future__ import annotations

import io
import time
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coze_sandbox import BOT_ID, USER_ID
from cozekit import APIConnectionError, APIError, Coze
from cozekit.auth import JWTAuth, MemoryStore, Token, async_authorization, authorization
from cozekit.errors import AuthenticationError, InvalidArgumentError, InvalidGrant, OAuthError
from tests.overlay._clients import at_once, unwrap
from tests.overlay.auth._flows import SECRET, WEB_APP, ahead, expired, jwt_config, token_requests
from tests.overlay.auth._token_service import BASE, Service, client, strategy, token


def test_every_flow_authorizes_and_renews(connect, flows):
    """The token of every flow authorizes a client and is renewed after it has expired."""
    for flow, first in (flows.web_token(), flows.pkce_token()):
        auth = flow.auth(expired(first))
        coze = connect(auth=auth, base_url=flows.base_url)
        assert coze.users.me().user_id
        assert coze.users.me().user_id
    assert token_requests(flows.sandbox) == 4


def test_base_url_comes_from_the_strategy(connect, monkeypatch):
    """A client takes the base URL of its strategy and rejects a different one."""
    monkeypatch.setenv("COZE_API_BASE", "https://api.coze.cn")
    auth = strategy(token())
    assert connect(auth=auth).base_url == BASE
    assert connect(auth=auth, base_url=f"{BASE}/").base_url == f"{BASE}/".rstrip("/")
    with pytest.raises(InvalidArgumentError, match=r"auth is configured for https://api\.coze\.com but base_url is"):
        connect(auth=auth, base_url="https://api.coze.cn")
    flow = f"WebOAuth(client_id='{WEB_APP}', base_url='{BASE}')"
    assert repr(auth) == f"TokenAuth({flow}, key='{WEB_APP}@api.coze.com')"


def test_valid_token_is_sent_and_saved_at_first_use(connect):
    """A valid token is sent unchanged, and saved in the store at its first use."""
    service, store = Service(), MemoryStore()
    auth = strategy(token(seconds=600), store=store, key="k")
    client(connect, service, auth).users.me()
    assert (service.calls, service.refreshes) == (["a0"], [])
    assert store.load("k").refresh_token == "r0"


@pytest.mark.parametrize(("left", "leeway", "renewed"), [(61, 60, 0), (59, 60, 1), (59, 0, 0), (-1, 0, 1)])
def test_token_is_renewed_before_it_expires(connect, left, leeway, renewed):
    """A token is renewed some seconds before it expires."""
    service = Service()
    client(connect, service, strategy(token(seconds=left), leeway=leeway)).users.me()
    assert len(service.refreshes) == renewed
    assert service.calls == [f"a{renewed}"]


def test_short_lived_token_is_not_renewed_at_every_call(connect):
    """A token whose lifetime is shorter than the leeway is not renewed at every call."""
    service = Service(lifetime=50)
    coze = client(connect, service, strategy(token()))
    for _ in range(5):
        coze.users.me()
    assert len(service.refreshes) == 1


def test_rotated_refresh_token_is_saved_before_use(connect):
    """Each refresh invalidates its refresh token; the new one is in the store before the new token is used."""
    service, store, saved = Service(), MemoryStore(), []
    coze = client(connect, service, strategy(token(), store=store, key="k"))

    def look(bearer: str) -> bool:
        stored = store.load("k")
        saved.append((bearer, stored and stored.refresh_token))
        return bearer != service.access_token

    service.refuse = look
    for number in (0, 10, 20):
        service.access_token = f"a{number}"  # this invalidates the latest token
        coze.users.me()
    assert service.refreshes == ["r0", "r1", "r11"]
    assert saved == [("a1", "r1"), ("a1", "r1"), ("a11", "r11"), ("a11", "r11"), ("a21", "r21")]


def test_refresh_token_that_is_not_rotated_stays_in_use(connect):
    """If a response has no refresh token, the old one is used further, in memory and in the store."""
    service, store = Service(), MemoryStore()
    service.rotates = False
    coze = client(connect, service, strategy(token(), store=store, key="k"))
    for number in (0, 10):
        service.access_token = f"a{number}"
        coze.users.me()
        saved = store.load("k")
        assert (saved.access_token, saved.refresh_token) == (f"a{number + 1}", "r0")
    assert service.refreshes == ["r0", "r0"]


class Pipe(io.RawIOBase):
    """A file that can be read only once."""

    def __init__(self) -> None:
        self._left = [b"x" * 10]

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        return self._left.pop() if size and self._left else b""


def test_consumed_upload_is_not_sent_again(connect, flows, coze_sandbox):
    """A request body that was consumed is not sent again; later calls use the new token."""
    web, first = flows.web_token()
    later = datetime.now(UTC) + timedelta(hours=1)
    wrong = Token(access_token="czu_unknown", refresh_token=first.refresh_token, expires_at=later)
    coze_sandbox.requests.clear()
    coze = connect(auth=web.auth(wrong), base_url=flows.base_url)
    with pytest.raises(AuthenticationError):
        coze.files.upload(("a.txt", Pipe()))
    assert [record.operation for record in coze_sandbox.requests] == ["files.upload"]
    assert coze.files.upload(("a.txt", Pipe())).bytes == 10


def test_rewindable_upload_is_sent_again_in_full(connect, flows, coze_sandbox):
    """A file that can be rewound is sent again in full after a rejected token."""
    web, first = flows.web_token()
    later = datetime.now(UTC) + timedelta(hours=1)
    wrong = Token(access_token="czu_unknown", refresh_token=first.refresh_token, expires_at=later)
    coze = connect(auth=web.auth(wrong), base_url=flows.base_url)
    assert coze.files.upload(("a.txt", io.BytesIO(b"x" * 1000))).bytes == 1000


def test_rejected_stream_is_opened_again_with_a_new_token(connect, flows, coze_sandbox):
    """A stream whose token is rejected is opened again with a new one, and its events arrive one by one."""
    web, first = flows.web_token()
    later = datetime.now(UTC) + timedelta(hours=1)
    wrong = Token(access_token="czu_unknown", refresh_token=first.refresh_token, expires_at=later)
    coze = connect(auth=web.auth(wrong), base_url=flows.base_url)
    with coze.chat.stream(bot_id=BOT_ID, user_id="u", additional_messages=["hi"]) as stream:
        stream.until_done()
    assert token_requests(coze_sandbox) == 2


@pytest.mark.parametrize("trouble", [httpx.ConnectError, httpx.ReadTimeout, 503, 400])
def test_failed_token_request_is_retried_for_every_operation(connect, trouble):
    """A token request that fails temporarily is retried for every operation, since the operation was not sent yet."""
    service = Service()
    service.trouble = [trouble, trouble]
    coze = client(connect, service, strategy(token()))
    coze.conversations.create()
    assert len(service.refreshes) == 3
    assert service.calls == ["a1"]


def test_failing_token_request_is_raised_as_such(connect):
    """A token request that keeps failing raises an error that names the token request."""
    service = Service()
    service.trouble = [httpx.ReadTimeout] * 3
    with pytest.raises(APIConnectionError) as caught:
        client(connect, service, strategy(token())).users.me()
    assert str(caught.value).startswith(
        "users.me: the access token could not be renewed: no response was received in time"
    )
    assert caught.value.sent is False
    service.trouble = [503] * 3
    with pytest.raises(APIError) as failed:
        client(connect, service, strategy(token())).users.me()
    assert failed.value.operation == "oauth.token"


def test_valid_token_is_used_while_renewal_fails(connect):
    """A token that expires soon is used as long as it is valid while Coze issues no new one."""
    service = Service()
    service.trouble = [503]
    coze = client(connect, service, strategy(token(seconds=30)), retry=0)
    for _ in range(3):
        assert coze.users.me().user_id == "1"
    assert (service.refreshes, service.calls) == (["503"], ["a0"] * 3)


def test_lost_refresh_response_is_named_in_the_error(connect):
    """If the response to a refresh was lost, the later rejection of the used refresh token names this cause."""
    service = Service()
    service.trouble = ["lost"]
    with pytest.raises(InvalidGrant, match="The response to an earlier refresh was lost with its connection"):
        client(connect, service, strategy(token())).users.me()
    assert service.refreshes == ["lost", "refused"]


def test_missing_token_requires_login(connect):
    """Without any token the error is a request to log in, and nothing is sent."""
    service = Service()
    with pytest.raises(InvalidGrant, match=r"there is no token\. The user must log in"):
        client(connect, service, strategy()).users.me()
    with pytest.raises(InvalidGrant, match=r"has no refresh token\. The user must log in again"):
        client(connect, service, strategy(token(refresh=None))).users.me()
    assert service.refreshes == service.calls == []


@pytest.mark.parametrize("skew", [-7200, 7200])
@pytest.mark.parametrize("dated", [True, False])
def test_wrong_clock_neither_renews_too_often_nor_too_late(connect, skew, dated):
    """If the clock is hours off, a token is neither renewed at every call nor used after its expiry."""
    service = Service(skew=skew)
    service.dated = dated
    coze = client(connect, service, strategy(token()))
    for _ in range(5):
        coze.users.me()
    assert service.calls == ["a1"] * 5
    service.access_token = "a7"  # the token expires
    coze.users.me()
    assert service.calls[5:] == ["a1", "a8"]
    for _ in range(5):
        coze.users.me()
    assert len(service.refreshes) == 2


def test_short_lived_token_is_renewed_after_half_its_life(connect, monkeypatch):
    """A token whose lifetime is less than twice the leeway is renewed after half of its lifetime."""
    now, service = time.time, Service(lifetime=60)
    coze = client(connect, service, strategy(token()))
    for passed in (0, 20, 40):
        service.clock = ahead(now, passed)
        monkeypatch.setattr(time, "time", service.clock)
        coze.users.me()
    assert service.calls == ["a1", "a1", "a2"]


@pytest.mark.parametrize("skew", [-7200, 7200])
def test_expiry_is_measured_by_the_clock_of_coze(connect, monkeypatch, skew):
    """A token is renewed before it expires even if the local clock is hours off."""
    now, service = time.time, Service(skew=skew)
    coze = client(connect, service, strategy(token()))
    coze.users.me()
    service.clock = ahead(now, skew + service.lifetime - 30)
    monkeypatch.setattr(time, "time", ahead(now, service.lifetime - 30))
    coze.users.me()
    assert service.calls == ["a1", "a2"]


def test_token_request_uses_the_transport_and_headers_of_the_client(connect):
    """Token requests use the client's transport and headers, but not the token and body of the call."""
    service, seen = Service(), []

    def look(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return service(request)

    http = connect.http(transport=httpx.MockTransport(look), headers={"X-Gate": "1", "User-Agent": "mine"})
    coze = connect(auth=strategy(token()), http_client=http, headers={"X-Team": "2"})
    coze.conversations.create(name="n")
    first, second = seen
    assert (first.url.path.rsplit("/", 1)[-1], first.headers["Authorization"]) == ("token", f"Bearer {SECRET}")
    assert {first.headers[name] for name in ("X-Gate", "User-Agent", "X-Team")} == {"1", "mine", "2"}
    assert second.headers["Authorization"] == "Bearer a1"
    assert first.extensions["timeout"] == second.extensions["timeout"]


def test_token_is_sent_to_its_own_service_only():
    """A strategy sends its token to its own service only: not to another host, port or scheme."""
    service = Service()
    auth = strategy(token())
    with httpx.Client(transport=httpx.MockTransport(service), auth=auth) as http:
        for address in (
            "https://api.coze.cn/",
            "http://api.coze.com/",
            "https://api.coze.com:8443/",
            "https://evil.com/",
            "https://pages.coze.com/",
        ):
            with pytest.raises(InvalidArgumentError, match="does not authorize requests to"):
                http.get(address)
        assert http.get("https://ws.coze.com/").status_code == 200
    assert service.calls == ["a1"]


def test_authorization_header_is_renewed_like_that_of_a_call(connect):
    """The Authorization header alone is renewed like that of a call, for strategies, functions and tokens."""
    service = Service()
    show = async_authorization if connect.is_async else authorization

    def header(coze: Any) -> str:
        return connect.run(show, unwrap(coze))

    coze = client(connect, service, strategy(token()))
    assert header(coze) == header(coze) == "Bearer a1"
    assert (service.refreshes, service.calls) == (["r0"], [])
    assert header(connect("pat_a")) == "Bearer pat_a"
    assert header(connect(lambda: "pat_b")) == "Bearer pat_b"
    http = connect.http(headers={"Authorization": "Bearer own"})
    assert header(connect(http_client=http)) == "Bearer own"
    service.trouble = [503]
    with pytest.raises(OAuthError):
        header(client(connect, service, strategy(token())))
    assert header(coze) == "Bearer a1"


def test_jwt_token_is_requested_again_after_expiry_or_rejection(connect, coze_sandbox):
    """A service signs a new JWT whenever its token expires or is rejected, and shares the token through its store."""
    config, store = jwt_config(coze_sandbox), MemoryStore()

    def client_with(**options: Any) -> Any:
        arguments = (config["client_id"], config["private_key"], config["public_key_id"])
        auth = JWTAuth(*arguments, base_url=coze_sandbox.base_url, store=store, **options)
        return connect(auth=auth)

    coze = client_with(duration=300)
    for _ in range(3):
        coze.users.me()
    client_with(duration=300).users.me()
    assert token_requests(coze_sandbox) == 1
    coze_sandbox.clock.advance(400)
    assert coze.users.me().user_id
    assert token_requests(coze_sandbox) == 2
    for options in ({"session_name": "a"}, {"session_name": "b"}, {"duration": 60}, {"account_id": USER_ID}):
        client_with(**options).users.me()
        client_with(**options).users.me()
    assert token_requests(coze_sandbox) == 6


EVENTS = st.sampled_from(["call", "call", "expire", "refuse", "down", "timeout", "elsewhere", "restart", "clock"])


@given(events=st.lists(EVENTS, max_size=12))
@settings(max_examples=120, deadline=None)
def test_every_call_succeeds_unless_a_response_is_lost(events):
    """As long as no response is lost, every call succeeds in the end, each refresh token is used once, and the store
    holds the next one.
    """
    service, store = Service(), MemoryStore()
    spent: list[str] = service.refreshes
    store.save("k", token())
    with httpx.Client(transport=httpx.MockTransport(service)) as http:

        def started() -> Coze:
            return Coze(auth=strategy(store=store, key="k"), http_client=http, retry=at_once())

        coze = started()
        for event in [*events, "call"]:
            match event:
                case "call":
                    assert coze.users.me().user_id == "1"
                case "expire":
                    store.save("k", expired(store.load("k") or token()))
                    coze = started()
                case "refuse":
                    service.access_token = f"a{int(service.access_token[1:]) + 1}"
                case "down":
                    service.trouble = [503]
                case "timeout":
                    service.trouble = [httpx.ConnectTimeout]
                case "elsewhere":
                    assert started().users.me().user_id == "1"
                case "restart":
                    coze = started()
                case "clock":
                    service.clock = ahead(service.clock, 3600)
    refreshes = [each for each in spent if each.startswith("r") and each != "refused"]
    assert len(set(refreshes)) == len(refreshes)
    assert "refused" not in spent
    saved = store.load("k")
    assert saved is not None
    assert saved.refresh_token == service.refresh_token
