"""OAuth flows: authorization code, PKCE, device code and JWT."""

from __future__ import annotations

import base64
import hashlib
import json
import threading
from datetime import UTC, datetime, timedelta
from typing import Any

import attrs
import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from coze_sandbox import BOT_ID, CHANNEL_APP, ENTERPRISE_APP, ENTERPRISE_ID, SERVICE_APP, USER_ID, WORKSPACE_ID
from cozekit import Coze, auth
from cozekit.auth import Token, _device_code, _device_code_async, new_state, new_verifier, parse_callback
from cozekit.errors import (
    AuthorizationDenied,
    DecodeError,
    DeviceCancelled,
    DeviceDenied,
    DeviceExpired,
    DeviceTimeout,
    InvalidArgumentError,
    InvalidClient,
    InvalidGrant,
    OAuthError,
    StateMismatch,
)
from tests.overlay._clients import Counter, unwrap
from tests.overlay.auth._flows import PUBLIC_APP, REDIRECT, SECRET, WEB_APP, Flows, browse, query_of


def user_of(token: Token, base_url: str) -> str:
    with Coze(token.access_token, base_url=base_url) as coze:
        return coze.users.me().user_id


def test_web_app_exchanges_a_code_and_refreshes(flows, coze_sandbox):
    """A web app sends the user to Coze, exchanges the code for a token, and refreshes it, which invalidates the first
    token.
    """
    web, token = flows.web_token()
    assert token.access_token.startswith("czu_")
    assert timedelta(minutes=14) < token.expires_at - datetime.now(UTC) < timedelta(minutes=16)
    assert user_of(token, flows.base_url)
    following = web.refresh(token)
    assert following.refresh_token not in {None, token.refresh_token}
    assert user_of(following, flows.base_url)
    with pytest.raises(InvalidGrant, match="the user must log in again"):
        web.refresh(token)


@pytest.mark.parametrize("base_url", ["https://api.coze.com", "https://api.coze.cn", "https://coze.example/gate"])
def test_authorize_url_is_on_the_www_host_of_the_region(flows, base_url):
    """The authorize URL is on the www host of the same region, or on the base URL of any other service."""
    web = flows.web(base_url=base_url)
    url = httpx.URL(web.authorize_url(state="a b"))
    assert f"{url.scheme}://{url.host}" == base_url.replace("api.", "www.").removesuffix("/gate")
    expected = {"response_type": "code", "client_id": WEB_APP, "redirect_uri": REDIRECT, "state": "a b"}
    assert query_of(str(url)) == expected
    narrow = httpx.URL(web.authorize_url(state="s", workspace_id="77"))
    assert "workspace_id/77/" in narrow.path
    with pytest.raises(InvalidArgumentError, match="state must be a string"):
        web.authorize_url(state="")


def test_code_for_one_workspace_gives_a_token(flows):
    """A code that was granted for one workspace can be exchanged for a token."""
    web = flows.web()
    state = new_state()
    came = browse(web.authorize_url(state=state, workspace_id=WORKSPACE_ID))
    assert web.exchange(web.parse_callback(came, state=state)).refresh_token


def test_pkce_app_exchanges_a_code_with_its_verifier(flows):
    """An app without a secret exchanges its code by sending the code verifier."""
    pkce, token = flows.pkce_token()
    assert user_of(pkce.refresh(token), flows.base_url)


def test_pkce_challenge_matches_rfc_7636(flows):
    """The code challenge is the URL-safe Base64 of the verifier's SHA-256, as in RFC 7636, appendix B."""
    verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
    query = query_of(flows.pkce().authorize_url(state="s", code_verifier=verifier))
    assert query["code_challenge"] == "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
    assert query["code_challenge_method"] == "S256"
    generated = new_verifier()
    query = query_of(flows.pkce().authorize_url(state="s", code_verifier=generated))
    assert query["code_challenge"] == base64.urlsafe_b64encode(
        hashlib.sha256(generated.encode()).digest()
    ).decode().strip("=")
    for unusable in ("short", "ä" * 50, "a" * 129):
        with pytest.raises(InvalidArgumentError, match="code_verifier must be 43 to 128 letters"):
            flows.pkce().authorize_url(state="s", code_verifier=unusable)


def test_wrong_verifier_is_rejected(flows):
    """A code cannot be exchanged with the verifier of another request."""
    pkce, state = flows.pkce(), new_state()
    came = browse(pkce.authorize_url(state=state, code_verifier=new_verifier()))
    with pytest.raises(InvalidGrant, match="send the user to authorize_url") as caught:
        pkce.exchange(pkce.parse_callback(came, state=state), code_verifier=new_verifier())
    assert caught.value.operation == "oauth.token"


def test_code_can_be_exchanged_once(flows):
    """A code that was used before is rejected with an error with a remedy."""
    web, state = flows.web(), new_state()
    code = web.parse_callback(browse(web.authorize_url(state=state)), state=state)
    web.exchange(code)
    with pytest.raises(InvalidGrant, match="A code works once"):
        web.exchange(code)


def test_parse_callback_returns_the_code_of_the_right_state():
    """The code is read from the redirect URL, or from its path and query, if the state matches."""
    assert parse_callback(f"{REDIRECT}?tenant=7&code=code_a&state=s%201", state="s 1") == "code_a"
    assert parse_callback("/callback?state=s&code=c", state="s") == "c"


@pytest.mark.parametrize(
    "query",
    ["code=c", "code=c&state=other", "code=c&state=", "code=c&state=s&state=s", "error=access_denied&state=other", ""],
)
def test_callback_with_another_state_is_rejected(query):
    """If the state differs from the one that was sent, no code is returned."""
    with pytest.raises(StateMismatch, match="somebody else started this authorization"):
        parse_callback(f"{REDIRECT}?{query}", state="s")
    with pytest.raises(InvalidArgumentError, match="state is empty"):
        parse_callback(f"{REDIRECT}?{query}", state="")


def test_malformed_callback_url_is_rejected():
    """A malformed redirect URL raises the same error as a wrong state, and no other exception."""
    with pytest.raises(StateMismatch):
        parse_callback("http://[app.example.com/callback?state=s&code=c", state="s")


@pytest.mark.parametrize(
    ("query", "kind", "message"),
    [
        ("error=access_denied&error_description=No+thanks", AuthorizationDenied, "No thanks (access_denied)"),
        ("error=access_deny&code=c", AuthorizationDenied, "the redirect has no code (access_deny)"),
        ("error=server_error", OAuthError, "the redirect has no code (server_error)"),
        ("code=a&code=b", OAuthError, "no code, or several"),
        ("x=1", OAuthError, "no code, or several"),
    ],
)
def test_callback_with_an_error_raises_it(query, kind, message):
    """An error in the redirect URL in place of a code is raised."""
    with pytest.raises(kind) as caught:
        parse_callback(f"{REDIRECT}?{query}&state=s", state="s")
    assert type(caught.value) is kind
    assert message in str(caught.value)


@given(sent=st.text(min_size=1), came=st.text())
def test_states_are_compared_exactly(sent, came):
    """Two different states never match, in any alphabet."""
    from cozekit.auth._redirect import check_state

    if sent == came:
        check_state(came, sent)
    else:
        with pytest.raises((StateMismatch, UnicodeEncodeError)):
            check_state(came, sent)


class User:
    """A user who allows or denies a device while its poll sleeps."""

    def __init__(self, sandbox: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        self.naps: list[float] = []
        self.then: dict[int, Any] = {}

        def sleep(seconds: float) -> None:
            sandbox.clock.advance(seconds)
            self.naps.append(seconds)
            self.then.get(len(self.naps), lambda: None)()

        async def asleep(seconds: float) -> None:
            sleep(seconds)

        monkeypatch.setattr(_device_code, "sleep", sleep)
        monkeypatch.setattr(_device_code_async, "sleep_async", asleep)
        monkeypatch.setattr(_device_code_async, "_now", lambda: sum(self.naps))


@pytest.fixture
def user(coze_sandbox, monkeypatch):
    """Return the user of a device."""
    return User(coze_sandbox, monkeypatch)


def test_device_polls_at_the_given_interval(flows, user):
    """A device shows a code and a URL, polls at the interval that Coze sets, and gets its token."""
    device = flows.device()
    code = device.start()
    assert code.user_code
    assert query_of(code.verification_url)["user_code"] == code.user_code
    assert code.verification_url.startswith(code.verification_uri)
    assert timedelta(minutes=4) < code.expires_at - datetime.now(UTC) < timedelta(minutes=6)
    token = device.wait(code)
    assert user_of(token, flows.base_url)
    assert set(user.naps) == {5}
    assert device.refresh(token).refresh_token


def test_device_can_request_one_workspace(flows, user):
    """A device can request access to one workspace only."""
    device = flows.device()
    assert device.wait(device.start(workspace_id=WORKSPACE_ID)).refresh_token


BEGUN = {
    "device_code": "d",
    "user_code": "WDJB-MJHT",
    "verification_uri": "https://x.example/d?l=en",
    "expires_in": 300,
}
GIVEN = {"access_token": "czu_a", "expires_in": 4102444800, "refresh_token": "r"}


def device_error(word: str) -> httpx.Response:
    """Build an error response as the device flow documents it."""
    return httpx.Response(400, json={"error": word, "error_description": "a reason"})


def polled(flows: Flows, connect: Any, *answers: Any, **begun: Any) -> tuple[Any, Any, Counter]:
    """Return a device flow and its code, whose polls get the given responses."""
    counter = Counter({**BEGUN, **begun}, *answers)
    device = flows.device(http_client=connect.http(transport=httpx.MockTransport(counter)))
    return device, device.start(), counter


def test_device_interval_grows_by_five_seconds_on_slow_down(flows, connect, user):
    """A device polls at the interval of the response, five seconds by default, and five more after each `slow_down`."""
    answers = [
        device_error("authorization_pending"),
        device_error("slow_down"),
        device_error("authorization_pending"),
        device_error("slow_down"),
        GIVEN,
    ]
    device, code, _ = polled(flows, connect, *answers, interval=7)
    assert code.verification_url == "https://x.example/d?l=en&user_code=WDJB-MJHT"
    odd = attrs.evolve(code, user_code="W\udfff")
    assert odd.verification_url == "https://x.example/d?l=en&user_code=W%3F"
    assert device.wait(code).access_token == "czu_a"
    assert user.naps == [7, 7, 12, 12, 17]
    device, code, _ = polled(flows, connect, GIVEN)
    assert device.wait(code)
    assert user.naps[5:] == [5]


@pytest.mark.parametrize("expires_in", [10**9, 10**30, -(10**30), 1e300])
def test_absurd_expiry_of_a_device_code_is_rejected(flows, connect, expires_in):
    """A device code with an absurd lifetime raises an error instead of a date overflow."""
    with pytest.raises(DecodeError, match="the response has no device code"):
        polled(flows, connect, expires_in=expires_in)


@pytest.mark.parametrize("token", ["czu_ü", "czu a", "a\nb", "\ud800", "\x00"])
def test_token_that_no_header_can_hold_is_rejected_at_once(flows, connect, user, token):
    """An access token that cannot be sent in a header is rejected when it is fetched, and the error does not show it."""
    answer = httpx.Response(200, content=json.dumps({**GIVEN, "access_token": token}))
    device, code, _ = polled(flows, connect, answer)
    with pytest.raises(DecodeError, match="the response has no access token") as caught:
        device.wait(code)
    assert token not in str(caught.value)
    with pytest.raises(InvalidArgumentError, match="access_token holds characters that no token has"):
        Token(access_token=token, expires_at=datetime.now(UTC))


@pytest.mark.parametrize(
    "date", [b"Fri, 31 Dec 9999 23:59:59 -2359", b"Mon, 01 Jan 0001 00:00:00 +2359", b"\xff", b"9" * 5000]
)
def test_absurd_date_header_does_not_matter(flows, connect, user, date):
    """A token is decoded whatever the Date header of its response holds."""
    answer = httpx.Response(200, json=GIVEN, headers=[(b"date", date)])
    device, code, _ = polled(flows, connect, answer)
    assert device.wait(code).access_token == "czu_a"


def test_device_interval_is_at_most_30_seconds(flows, connect, user):
    """After any number of `slow_down` responses a device still polls every 30 seconds."""
    device, code, _ = polled(flows, connect, *[device_error("slow_down")] * 7, GIVEN)
    assert device.wait(code).access_token == "czu_a"
    assert user.naps == [5, 10, 15, 20, 25, 30, 30, 30]


def test_slow_down_with_status_429_is_not_retried_at_once(flows, connect, user):
    """A `slow_down` error with status 429 makes the device poll more slowly, not retry at once."""
    slower = httpx.Response(429, json={"error": "slow_down"}, headers={"Retry-After": "1"})
    device, code, counter = polled(flows, connect, slower, GIVEN)
    assert device.wait(code).access_token == "czu_a"
    assert user.naps == [5, 10]
    assert len(counter) == 3


def test_device_polls_again_after_a_lost_response(flows, connect, user):
    """Lost responses and server errors do not end the polling: the device polls again, more slowly."""
    failure = {"error_code": "internal_error", "error_message": "Service internal error."}
    answers = [httpx.ReadTimeout, httpx.Response(502, text="bad gateway"), httpx.Response(400, json=failure), GIVEN]
    device, code, counter = polled(flows, connect, *answers)
    assert device.wait(code).access_token == "czu_a"
    assert user.naps == [5, 10, 10, 10]
    assert len(counter) == 5


@pytest.mark.parametrize(
    ("word", "kind"),
    [("access_denied", DeviceDenied), ("access_deny", DeviceDenied), ("expired_token", DeviceExpired)],
)
def test_denial_and_expiry_raise_different_errors(flows, connect, user, word, kind):
    """Denial by the user and expiry of the code end the polling, each with its own error."""
    device, code, counter = polled(flows, connect, device_error("authorization_pending"), device_error(word))
    with pytest.raises(kind) as caught:
        device.wait(code)
    assert caught.value.reason == word
    assert len(counter) == 3


def test_device_sends_no_poll_after_expiry(flows, connect, user):
    """After the device code has expired, no more requests are sent."""
    device, code, counter = polled(flows, connect, device_error("authorization_pending"), expires_in=12)
    with pytest.raises(DeviceExpired, match="show the user the new code"):
        device.wait(code)
    assert user.naps == [5, 5, 2]
    assert len(counter) == 4


def test_device_wait_can_time_out_and_start_again(flows, connect, user):
    """The timeout of the caller ends the wait on time, and the same code can be waited for again."""
    device, code, _ = polled(flows, connect, device_error("authorization_pending"), GIVEN)
    with pytest.raises(DeviceTimeout, match="within 8 s; the code is still valid"):
        device.wait(code, timeout=8)
    assert sum(user.naps) == 8
    assert device.wait(code).access_token == "czu_a"


def test_event_or_function_ends_the_wait_of_a_thread(coze_sandbox, user):
    """An event or a function ends the wait of a thread at once."""
    stop, counter = threading.Event(), Counter(BEGUN, device_error("authorization_pending"))
    http = httpx.Client(transport=httpx.MockTransport(counter))
    device = auth.DeviceOAuth(PUBLIC_APP, base_url=coze_sandbox.base_url, http_client=http)
    code = device.start()
    user.then[25] = stop.set
    with pytest.raises(DeviceCancelled):
        device.wait(code, cancel=stop)
    assert len(user.naps) == 25
    with pytest.raises(DeviceCancelled):
        device.wait(code, cancel=lambda: len(user.naps) >= 30)
    assert len(counter) == 2


@pytest.mark.anyio
async def test_canceled_task_ends_the_wait_of_an_async_device(coze_sandbox):
    """Canceling its task ends the wait of an async device."""
    import anyio

    transport = httpx.MockTransport(Counter(BEGUN))
    async with httpx.AsyncClient(transport=transport) as http:
        device = auth.AsyncDeviceOAuth(PUBLIC_APP, base_url=coze_sandbox.base_url, http_client=http)
        code = await device.start()
        with anyio.move_on_after(0.01) as scope:
            await device.wait(code)
    assert scope.cancelled_caught


def test_jwt_app_gets_a_token_of_the_requested_duration(flows):
    """A service signs a JWT and gets a token that is valid for the duration it requests."""
    token = flows.jwt().token(session_name="user-1", duration=3600)
    assert token.access_token.startswith("czs_")
    assert token.refresh_token is None
    assert timedelta(minutes=59) < token.expires_at - datetime.now(UTC) < timedelta(minutes=61)
    assert user_of(token, flows.base_url)


SCOPE = {
    "account_permission": {"permission_list": ["Connector.botChat"]},
    "attribute_constraint": {"connector_bot_chat_attribute": {"bot_id_list": ["7379462189365198898"]}},
}


@pytest.mark.parametrize(
    ("options", "path", "body", "claims"),
    [
        ({}, "/token", {}, {}),
        ({"scope": SCOPE, "duration": 1}, "/token", {"scope": SCOPE, "duration_seconds": 1}, {}),
        ({"account_id": "42"}, "/account/42/token", {}, {}),
        ({"enterprise_id": "volcano_1"}, "/enterprise_id/volcano_1/token", {}, {}),
        ({"session_name": "ü"}, "/token", {}, {"session_name": "ü"}),
        ({"device_id": "d"}, "/token", {}, {"session_context": {"device_info": {"device_id": "d"}}}),
        ({"custom_consumer": "c"}, "/token", {}, {"session_context": {"device_info": {"custom_consumer": "c"}}}),
    ],
    ids=["developer", "channel", "account", "enterprise", "session", "device", "consumer"],
)
def test_jwt_claims_and_endpoint_depend_on_the_kind_of_app(flows, connect, options, path, body, claims):
    """Each kind of app uses its own endpoint; the JWT names the API host as audience and is valid once."""
    import jwt

    counter = Counter({"access_token": "czs_a", "expires_in": 4102444800})
    http = connect.http(transport=httpx.MockTransport(counter))
    flow = flows.jwt(base_url="https://api.coze.cn", http_client=http)
    for _ in range(2):
        flow.token(**options)
    first, second = (request.headers["Authorization"].removeprefix("Bearer ") for request in counter.requests)
    request = counter.requests[0]
    assert request.url.path.endswith(f"/oauth2{path}")
    grant = "urn:ietf:params:oauth:grant-type:jwt-bearer"
    assert json.loads(request.content) == {"grant_type": grant, **body}
    header, claims_of_first = jwt.get_unverified_header(first), jwt.decode(first, options={"verify_signature": False})
    config = flows.app()
    assert header == {"alg": "RS256", "typ": "JWT", "kid": config["public_key_id"]}
    assert {name: claims_of_first.pop(name) for name in claims} == claims
    assert (claims_of_first.pop("iss"), claims_of_first.pop("aud")) == (config["client_id"], "api.coze.cn")
    assert claims_of_first.pop("exp") - claims_of_first.pop("iat") == 600
    assert len(claims_of_first["jti"]) > 32
    assert set(claims_of_first) == {"jti"}
    assert jwt.decode(second, options={"verify_signature": False})["jti"] != claims_of_first["jti"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"duration": 0}, "duration must be 1 to 86399 seconds"),
        ({"duration": "900"}, "duration must be 1 to 86399 seconds, not '900'"),
        ({"duration": 86400}, "duration_seconds must be at most 86399"),
        ({"account_id": "1", "enterprise_id": "2"}, "either account_id or enterprise_id"),
        ({"account_id": "1", "scope": SCOPE}, "a scope is for channel apps"),
        ({"device_id": "1", "custom_consumer": "2"}, "either device_id or custom_consumer"),
        ({"session_name": 7}, "session_name must be a non-empty str"),
        ({"sesion_name": "x"}, "unknown options: sesion_name"),
        ({"scope": {"account_permission": 1}}, "scope"),
    ],
)
def test_invalid_jwt_options_are_rejected_before_sending(flows, coze_sandbox, options, message):
    """Invalid options are rejected before anything is sent, by the flow and by the strategy."""
    with pytest.raises(InvalidArgumentError, match=message):
        flows.jwt().token(**options)
    config = flows.app()
    with pytest.raises(InvalidArgumentError, match=message):
        auth.JWTAuth(config["client_id"], config["private_key"], config["public_key_id"], **options)
    assert not len(coze_sandbox.requests)


def test_channel_collaborator_and_enterprise_apps_get_tokens(flows):
    """Channel apps, collaborator accounts and enterprise apps get their own kinds of tokens."""
    scoped = {**SCOPE, "attribute_constraint": {"connector_bot_chat_attribute": {"bot_id_list": [BOT_ID]}}}
    assert flows.jwt(CHANNEL_APP.client_id).token(scope=scoped).access_token
    assert flows.jwt(SERVICE_APP.client_id).token(account_id=USER_ID).access_token
    assert flows.jwt(ENTERPRISE_APP.client_id).token(enterprise_id=ENTERPRISE_ID).access_token


def test_rejected_app_error_names_what_to_check(flows, coze_sandbox, connect):
    """The error for a rejected app names what to check: key, secret, clock, or whether the app is active."""
    service, channel = flows.app(), flows.app(CHANNEL_APP.client_id)
    wrong = flows("JWTOAuth", service["client_id"], channel["private_key"], service["public_key_id"])
    with pytest.raises(InvalidClient, match="private key and public key id belong together"):
        wrong.token()
    web = flows("WebOAuth", WEB_APP, "another", REDIRECT)
    state = new_state()
    with pytest.raises(InvalidClient, match="Check client id, secret or key, and the region"):
        web.exchange(web.parse_callback(browse(web.authorize_url(state=state)), state=state))
    coze_sandbox.oauth.set_active(service["client_id"], active=False)
    with pytest.raises(AuthorizationDenied, match="currently deactivated by the owner"):
        flows.jwt().token()
    with pytest.raises(AuthorizationDenied, match="invalid app type"):
        flows("JWTOAuth", PUBLIC_APP, service["private_key"], service["public_key_id"]).token()


def test_denial_by_the_user_is_final(flows, coze_sandbox):
    """If the user denies access, in the browser or for a device, no further request is sent."""
    coze_sandbox.oauth.auto_consent = False
    web, state = flows.web(), new_state()
    with pytest.raises(AuthorizationDenied):
        web.parse_callback(browse(web.authorize_url(state=state)), state=state)


@pytest.mark.parametrize("allow", [True, False])
def test_device_polls_until_the_user_decides(flows, coze_sandbox, user, allow):
    """A device polls until its user has allowed or denied access."""
    coze_sandbox.oauth.auto_consent = None
    device = flows.device()
    code = device.start()
    user.then[3] = lambda: coze_sandbox.oauth.decide(code.user_code, allow=allow)
    if allow:
        assert device.wait(code).refresh_token
    else:
        with pytest.raises(DeviceDenied):
            device.wait(code)
    assert user.naps == [5, 5, 5]


def test_device_without_a_decision_ends_at_expiry(flows, coze_sandbox, user):
    """If the user does nothing, the polling ends when the device code expires."""
    coze_sandbox.oauth.auto_consent = None
    device = flows.device()
    with pytest.raises(DeviceExpired):
        device.wait(device.start())
    assert sum(user.naps) == 300


def test_jwt_uses_the_clock_of_the_service(flows, coze_sandbox):
    """A JWT is dated by the clock of the service, so a local clock that is hours off does no harm."""
    coze_sandbox.clock.advance(7200)
    assert flows.jwt().token().access_token.startswith("czs_")


def test_audience_option_names_the_host_behind_a_gateway(flows, connect, coze_sandbox):
    """Behind a gateway, `audience` sets the host of the JWTs, since Coze does not know the gateway's host."""

    def gateway(request: httpx.Request) -> httpx.Response:
        address = coze_sandbox.base_url + request.url.raw_path.decode()
        headers = {name: value for name, value in request.headers.items() if name not in {"host", "accept-encoding"}}
        answer = httpx.request(request.method, address, headers=headers, content=request.read())
        return httpx.Response(answer.status_code, content=answer.content, headers=answer.headers)

    app = {**flows.app(), "base_url": "https://coze.example.com"}
    settings = {name: app[name] for name in ("client_id", "private_key", "public_key_id", "base_url")}
    coze = connect(handler=gateway, auth=auth.JWTAuth(**settings))
    with pytest.raises(InvalidClient, match="audience= names the host of Coze"):
        coze.users.me()
    coze = connect(handler=gateway, auth=auth.JWTAuth(**settings, audience="api.coze.com"))
    assert coze.users.me().user_id
    with pytest.raises(InvalidArgumentError, match="audience must be a string"):
        auth.JWTOAuth(**settings, audience="")


def test_app_file_configures_flow_and_strategy(flows, tmp_path, connect):
    """The settings file from the Coze console holds all that a flow or a strategy needs, the region included."""
    path = flows.app_file(tmp_path)
    assert auth.JWTOAuth.from_file(path).token().access_token.startswith("czs_")
    strategy = auth.JWTAuth.from_file(path, session_name="user-1")
    assert strategy.base_url == flows.base_url
    coze = connect(auth=strategy)
    assert coze.base_url == flows.base_url
    assert coze.users.me().user_id


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"client_type": "web"}, "belongs to an app of the flow 'web', not 'jwt'"),
        ({"private_key": ""}, "lacks private_key"),
        ({"private_key": "nonsense"}, "private_key is not a private key in PEM format"),
    ],
)
def test_app_file_of_another_kind_is_rejected_with_the_reason(flows, tmp_path, changes, message):
    """A settings file of the wrong kind is rejected with the reason."""
    with pytest.raises(InvalidArgumentError, match=message):
        auth.JWTAuth.from_file(flows.app_file(tmp_path, **changes))


def test_missing_or_invalid_app_file_is_rejected_with_its_path(tmp_path):
    """A settings file that is missing or is not JSON is rejected with its path."""
    with pytest.raises(InvalidArgumentError, match=r"app\.json: cannot be read: No such file"):
        auth.JWTAuth.from_file(tmp_path / "app.json")
    (tmp_path / "app.json").write_text("-----BEGIN PRIVATE KEY-----", encoding="utf-8")
    with pytest.raises(InvalidArgumentError, match="is not JSON; download the app's settings"):
        auth.JWTAuth.from_file(tmp_path / "app.json")


def test_private_key_can_be_read_from_a_file(flows, tmp_path):
    """A private key can be read from a file; a literal backslash-n counts as a line break."""
    config = flows.app()
    (tmp_path / "key.pem").write_text(config["private_key"], encoding="utf-8")
    options = {"public_key_id": config["public_key_id"], "base_url": flows.base_url}
    by_file = auth.JWTOAuth(config["client_id"], private_key_file=tmp_path / "key.pem", **options)
    one_line = config["private_key"].replace("\n", "\\n")
    for flow in (by_file, auth.JWTOAuth(config["client_id"], one_line, **options)):
        assert flow.token().access_token
    with pytest.raises(InvalidArgumentError, match="either private_key or private_key_file"):
        auth.JWTOAuth(config["client_id"], **options)
    with pytest.raises(InvalidArgumentError, match=r"none\.pem' cannot be read: No such file"):
        auth.JWTOAuth(config["client_id"], private_key_file=tmp_path / "none.pem", **options)


def test_unusable_private_key_is_rejected_at_construction(flows):
    """A private key that Coze cannot use is rejected when it is passed."""
    from cryptography.hazmat.primitives import serialization as form
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    pem = key.private_bytes(form.Encoding.PEM, form.PrivateFormat.PKCS8, form.NoEncryption()).decode()
    with pytest.raises(InvalidArgumentError, match="not an RSA key; Coze accepts only RS256"):
        auth.JWTOAuth("1", pem, "kid")


@pytest.mark.parametrize("skew", [-7200, 7200])
def test_jwt_is_signed_again_with_the_time_of_coze(connect, flows, skew):
    """A JWT that was rejected because of the local clock is signed again with the time of Coze."""
    import time
    from email.utils import formatdate

    import jwt

    true = time.time() + skew
    seen = []

    def answer(request: httpx.Request) -> httpx.Response:
        claims = jwt.decode(request.headers["Authorization"].split()[1], options={"verify_signature": False})
        seen.append(claims["iat"])
        headers = {"Date": formatdate(true, usegmt=True)}
        if abs(claims["iat"] - true) > 60:
            return httpx.Response(400, json={"error_code": "invalid_client"}, headers=headers)
        return httpx.Response(200, json={"access_token": "a", "expires_in": int(true) + 900}, headers=headers)

    token = flows.jwt(http_client=connect.http(transport=httpx.MockTransport(answer))).token()
    assert len(seen) == 2
    assert abs((token.expires_at - token.obtained_at).total_seconds() - 900) <= 1


@pytest.mark.parametrize("address", ["http://api.coze.com", "http://10.0.0.1"])
def test_flow_requires_https(flows, address):
    """A flow does not send secrets over plain HTTP unless this is allowed explicitly."""
    with pytest.raises(InvalidArgumentError, match="base_url must use https://"):
        flows.web(base_url=address)
    assert flows.web(base_url=address, allow_http=True).base_url == address


@pytest.mark.parametrize("secret", ["", " a", "a\nb", None, 7])
def test_invalid_secret_is_rejected_without_showing_it(secret):
    """A client secret that cannot be sent is rejected, and the error does not show it."""
    with pytest.raises(InvalidArgumentError, match="client_secret must be a string of printable ASCII characters"):
        auth.WebOAuth("id", secret)


def test_token_expiry_must_be_timezone_aware():
    """The expiry of a token is an aware datetime, and a naive one is rejected."""
    now = datetime.now(UTC)
    token = Token(access_token="a", expires_at=now + timedelta(seconds=30))
    assert not token.expired()
    assert token.expired(leeway=31)
    with pytest.raises(ValueError, match="expires_at must be a datetime with a time zone"):
        Token(access_token="a", expires_at=datetime(2026, 1, 1))  # noqa: DTZ001  (the naive datetime is what is tested)


@given(seconds=st.integers(0, 10**12), refresh=st.one_of(st.none(), st.text(min_size=1)))
def test_expires_in_is_a_timestamp_or_a_duration(seconds, refresh):
    """A large `expires_in` is a timestamp, a small one a duration from the response; both survive a store."""
    from coze_api.models import OauthTokenResponse

    now = datetime(2026, 1, 1, tzinfo=UTC)
    answer = OauthTokenResponse.from_dict({"access_token": "a", "expires_in": seconds, "refresh_token": refresh})
    token = Token.from_answer(answer, now)
    if token is None:
        assert seconds > 250_000_000_000  # after the year 9999
        return
    expected = now.timestamp() + seconds if seconds < 100_000_000 else seconds
    assert token.expires_at.timestamp() == expected
    assert Token.from_dict(token.to_dict()) == token
    assert SECRET not in repr(token)


def test_old_name_of_the_token_request_factory_warns(flows):
    """The old name of `token_request_factory` still works, and warns by DeprecationWarning."""
    flow = unwrap(flows.jwt())
    with pytest.warns(DeprecationWarning, match="token_request_factory"):
        assert flow.renewing({})(0.0).time_sensitive
