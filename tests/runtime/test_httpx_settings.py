"""Tests of whose settings count: the client's own, those of an httpx client that was given, those of an `auth`."""

from __future__ import annotations

import io
from collections.abc import Generator

import httpx
import pytest

from coze_api import AsyncClient, Client
from tests.runtime._responses import BASE, Handler, Recorder, answer


class Rotating(httpx.Auth):
    """Another token for each request."""

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
    """Refuse requests with *authorization* and answer all others."""
    return lambda request: answer({}, status=401 if request.headers["authorization"] == authorization else 200)(request)


class TestAuthorization:
    """Who says who is calling."""

    @staticmethod
    def sent(recorder: Recorder) -> list[str]:
        return [value for request in recorder.requests for value in request.headers.get_list("authorization")]

    def test_token(self) -> None:
        """A token is sent as a bearer token, once."""
        recorder = Recorder()
        Client(BASE, "pat_1", http_client=_http(recorder)).files.retrieve(file_id="1")
        assert self.sent(recorder) == ["Bearer pat_1"]

    def test_strategy(self) -> None:
        """A strategy authorises every request in place of a token, and may try again."""
        recorder = Recorder(refusing("Bearer 2"))
        coze = Client(BASE, "unused", auth=Rotating(), http_client=_http(recorder))
        for _ in range(2):
            coze.conversations.delete(conversation_id="1")
        assert self.sent(recorder) == ["Bearer 1", "Bearer 2", "Bearer renewed"]

    def test_strategy_and_files(self) -> None:
        """A strategy that tries again sends the file again, from its beginning."""
        recorder = Recorder(refusing("Bearer 1"))
        Client(BASE, auth=Rotating(), http_client=_http(recorder)).files.upload(file=io.BytesIO(b"content"))
        first, second = recorder.requests
        assert first.content == second.content
        assert b"content" in second.content

    def test_none(self) -> None:
        """Without token and strategy nothing is sent, unless the HTTP client knows better."""
        recorder = Recorder()
        Client(BASE, http_client=_http(recorder)).files.retrieve(file_id="1")
        assert self.sent(recorder) == []
        Client(BASE, http_client=_http(recorder, auth=("me", "x"))).files.retrieve(file_id="1")
        Client(BASE, http_client=_http(recorder, headers={"authorization": "Bearer mine"})).files.retrieve(file_id="1")
        assert self.sent(recorder) == ["Basic bWU6eA==", "Bearer mine"]

    def test_headers(self) -> None:
        """The client's headers go with every request; those of a call replace them, in any spelling."""
        recorder = Recorder()
        coze = Client(BASE, "t", headers={"X-Env": "a", "x-other": "b"}, http_client=_http(recorder))
        coze.files.retrieve(file_id="1", extra_headers={"x-env": "c"})
        assert recorder.last.headers.get_list("x-env") == ["c"]
        assert recorder.last.headers["x-other"] == "b"
        coze.files.retrieve(file_id="1")
        assert recorder.last.headers.get_list("x-env") == ["a"]

    def test_own_agent(self) -> None:
        """A client with connections of its own names itself."""
        with Client(BASE) as coze:
            assert coze._http.headers["user-agent"] == "coze-api-python"


def _http(recorder: Recorder, **options: object) -> httpx.Client:
    return httpx.Client(transport=httpx.MockTransport(recorder), **options)  # type: ignore[arg-type]  # any option of httpx


class TestGivenClient:
    """An httpx client made by the caller."""

    def test_everything_counts(self) -> None:
        """Its headers, parameters, cookies, timeout and hooks apply; its base URL does not."""
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

    def test_parameters_keep_quoting(self) -> None:
        """Adding its parameters leaves paths and queries as they were quoted."""
        recorder = Recorder(answer({}))
        coze = Client(BASE, http_client=_http(recorder, params={"tenant": "7"}))
        coze.bots.retrieve(bot_id="a/b", extra_query={"q": "a b&c+d"})
        assert recorder.last.url.raw_path.startswith(b"/v1/bots/a%2Fb?")
        assert dict(recorder.last.url.params) == {"q": "a b&c+d", "tenant": "7"}

    def test_is_not_closed(self) -> None:
        """It stays open when the client closes; connections of the client's own are closed."""
        http = _http(Recorder())
        with Client(BASE, http_client=http):
            pass
        assert not http.is_closed
        with Client(BASE) as coze:
            pass
        assert coze._http.is_closed
        coze.close()

    @pytest.mark.anyio
    async def test_async(self) -> None:
        """The same for async clients."""
        recorder = Recorder(answer({}))
        http = httpx.AsyncClient(transport=httpx.MockTransport(recorder), headers={"User-Agent": "mine/1"}, timeout=3)
        async with AsyncClient(BASE, "t", http_client=http) as coze:
            await coze.files.retrieve(file_id="1")
        assert not http.is_closed
        assert recorder.last.headers["user-agent"] == "mine/1"
        assert set(recorder.last.extensions["timeout"].values()) == {3}
        async with AsyncClient(BASE) as own:
            pass
        assert own._http.is_closed

    def test_redirects(self) -> None:
        """A redirect is an error that says so, unless the given client follows it."""
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
