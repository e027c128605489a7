"""Precedence of settings: those of the client, of the caller's httpx client, and of an `auth` strategy."""

from __future__ import annotations

import io
from collections.abc import Generator

import httpx
import pytest

from coze_api import AsyncClient, Client
from tests.runtime._responses import BASE, Handler, Recorder, answer


class Rotating(httpx.Auth):
    """An auth strategy with another token for each request."""

    def __init__(self) -> None:
        self.number = 0

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        self.number += 1
        request.headers["Authorization"] = f"Bearer {self.number}"
        response = yield request
        if response.status_code == 401:
            request.headers["Authorization"] = "Bearer renewed"
            yield request


def refusing(authorization: str) -> Handler:
    """Reject requests with *authorization* and accept all others."""
    return lambda request: answer({}, status=401 if request.headers["authorization"] == authorization else 200)(request)


class TestAuthorization:
    """The Authorization header."""

    @staticmethod
    def sent(recorder: Recorder) -> list[str]:
        return [value for request in recorder.requests for value in request.headers.get_list("authorization")]

    def test_token_is_sent_as_bearer(self) -> None:
        """A token is sent once, as a bearer token."""
        recorder = Recorder()
        Client(BASE, "pat_1", http_client=_http(recorder)).files.retrieve(file_id="1")
        assert self.sent(recorder) == ["Bearer pat_1"]

    def test_strategy_replaces_the_token(self) -> None:
        """A strategy authorizes every request in place of a token, and may send it again."""
        recorder = Recorder(refusing("Bearer 2"))
        coze = Client(BASE, "unused", auth=Rotating(), http_client=_http(recorder))
        for _ in range(2):
            coze.conversations.delete(conversation_id="1")
        assert self.sent(recorder) == ["Bearer 1", "Bearer 2", "Bearer renewed"]

    def test_strategy_sends_a_file_again_from_its_start(self) -> None:
        """A strategy that sends a request again sends its file from the start."""
        recorder = Recorder(refusing("Bearer 1"))
        Client(BASE, auth=Rotating(), http_client=_http(recorder)).files.upload(file=io.BytesIO(b"content"))
        first, second = recorder.requests
        assert first.content == second.content
        assert b"content" in second.content

    def test_without_token_no_header_is_sent(self) -> None:
        """Without token and strategy no Authorization header is sent, unless the HTTP client adds one."""
        recorder = Recorder()
        Client(BASE, http_client=_http(recorder)).files.retrieve(file_id="1")
        assert self.sent(recorder) == []
        Client(BASE, http_client=_http(recorder, auth=("me", "x"))).files.retrieve(file_id="1")
        Client(BASE, http_client=_http(recorder, headers={"authorization": "Bearer mine"})).files.retrieve(file_id="1")
        assert self.sent(recorder) == ["Basic bWU6eA==", "Bearer mine"]

    def test_headers_of_a_call_replace_the_clients(self) -> None:
        """The client's headers are in every request; those of a call replace them, in any spelling."""
        recorder = Recorder()
        coze = Client(BASE, "t", headers={"X-Env": "a", "x-other": "b"}, http_client=_http(recorder))
        coze.files.retrieve(file_id="1", extra_headers={"x-env": "c"})
        assert recorder.last.headers.get_list("x-env") == ["c"]
        assert recorder.last.headers["x-other"] == "b"
        coze.files.retrieve(file_id="1")
        assert recorder.last.headers.get_list("x-env") == ["a"]

    def test_default_client_sends_its_user_agent(self) -> None:
        """A client with its own connections sends its own User-Agent."""
        with Client(BASE) as coze:
            assert coze._http.headers["user-agent"] == "coze-api-python"


def _http(recorder: Recorder, **options: object) -> httpx.Client:
    return httpx.Client(transport=httpx.MockTransport(recorder), **options)  # type: ignore[arg-type]  # any option of httpx


class TestGivenClient:
    """An httpx client that the caller passes."""

    def test_all_settings_but_the_base_url_apply(self) -> None:
        """The headers, parameters, cookies, timeout and hooks of the caller's client apply; its base URL does not."""
        seen: list[str] = []
        recorder = Recorder(answer({}))
        http = _http(
            recorder,
            headers={"User-Agent": "mine/1", "Accept-Language": "zh"},
            params={"tenant": "7"},
            cookies={"session": "c"},
            timeout=httpx.Timeout(3),
            base_url="https://elsewhere.example/base",
            event_hooks={
                "request": [lambda request: seen.append("request")],
                "response": [lambda response: seen.append("response")],
            },
        )
        Client(BASE, "t", http_client=http).files.retrieve(file_id="1")
        request = recorder.last
        assert request.headers["user-agent"] == "mine/1"
        assert request.headers["accept-language"] == "zh"
        assert request.headers["cookie"] == "session=c"
        assert request.headers["authorization"] == "Bearer t"
        assert str(request.url) == f"{BASE}/v1/files/retrieve?tenant=7&file_id=1"
        assert set(request.extensions["timeout"].values()) == {3}
        assert seen == ["request", "response"]

    def test_parameters_do_not_change_the_quoting(self) -> None:
        """Adding the parameters of the caller's client does not change the quoting of paths and queries."""
        recorder = Recorder(answer({}))
        coze = Client(BASE, http_client=_http(recorder, params={"tenant": "7"}))
        coze.bots.retrieve(bot_id="a/b", extra_query={"q": "a b&c+d"})
        assert recorder.last.url.raw_path.startswith(b"/v1/bots/a%2Fb?")
        assert dict(recorder.last.url.params) == {"q": "a b&c+d", "tenant": "7"}

    def test_callers_client_stays_open(self) -> None:
        """The caller's client stays open when the client closes; the client's own connections are closed."""
        http = _http(Recorder())
        with Client(BASE, http_client=http):
            pass
        assert not http.is_closed
        with Client(BASE) as coze:
            pass
        assert coze._http.is_closed
        coze.close()

    @pytest.mark.anyio
    async def test_async_settings_apply_and_client_stays_open(self) -> None:
        """The settings of the caller's async client apply, and it stays open."""
        recorder = Recorder(answer({}))
        http = httpx.AsyncClient(transport=httpx.MockTransport(recorder), headers={"User-Agent": "mine/1"}, timeout=3)
        async with AsyncClient(BASE, "t", http_client=http) as coze:
            await coze.files.retrieve(file_id="1")
        assert not http.is_closed
        assert recorder.last.headers["user-agent"] == "mine/1"
        assert set(recorder.last.extensions["timeout"].values()) == {3}
        async with AsyncClient(BASE) as own_client:
            pass
        assert own_client._http.is_closed

    def test_redirect_is_an_error_unless_followed(self) -> None:
        """A redirect raises an error that explains it, unless the caller's client follows redirects."""
        recorder = Recorder(
            lambda request: (
                httpx.Response(200, json={"code": 0, "data": {"id": "1"}})
                if request.url.path == "/new"
                else httpx.Response(307, headers={"location": f"{BASE}/new"}, text="moved")
            )
        )
        assert Client(BASE, http_client=_http(recorder, follow_redirects=True)).files.retrieve(file_id="1").id == "1"
        with pytest.raises(Exception, match="HTTP 307"):
            Client(BASE, http_client=_http(recorder)).files.retrieve(file_id="1")
