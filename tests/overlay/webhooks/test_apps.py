"""Webhook applications, mounted in real servers."""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.routing import Mount, Route

from coze_api.models import BotDeletedCallback
from cozekit import webhooks
from cozekit.errors import InvalidArgumentError
from tests._callbacks import TOKEN, signed
from tests.overlay.webhooks._servers import serving_asgi, serving_wsgi

DELETED = {"header": {"event_type": "bot.deleted", "event_id": "e1"}, "event": {"bot_id": "7"}}
PUBLISHED = {
    "header": {"event_type": "bot.published", "event_id": "e2", "connector_id": "9"},
    "event": {"bot_name": "n"},
}
Post = Callable[..., httpx.Response]


@contextmanager
def sending(app: Any) -> Iterator[Post]:
    """Serve *app* and return a function that posts signed callbacks to it."""
    serving = serving_wsgi if isinstance(app, webhooks.WSGIApp) else serving_asgi
    with serving(app) as url, httpx.Client() as http:

        def post(value: Any, **headers: str) -> httpx.Response:
            body = value if isinstance(value, bytes) else json.dumps(value).encode()
            return http.post(url, content=body, headers={**signed(body), **headers})

        yield post


@pytest.fixture(params=[webhooks.ASGIApp, webhooks.WSGIApp], ids=["asgi", "wsgi"])
def kind(request: pytest.FixtureRequest) -> Any:
    """Return each kind of application."""
    return request.param


def test_signed_callback_is_passed_to_the_handler(kind: Any) -> None:
    """A signed callback is passed to the handler, typed, and gets status 200."""
    seen: list[Any] = []
    with sending(kind(seen.append, token=TOKEN)) as post:
        assert post(DELETED).status_code == 200
    assert [type(message) for message in seen] == [BotDeletedCallback]


def test_wrong_signature_gets_401(kind: Any) -> None:
    """A wrong signature gets status 401, and the handler is not called."""
    seen: list[Any] = []
    with sending(kind(seen.append, token="another")) as post:
        answer = post(DELETED)
    assert answer.status_code == 401
    assert "verify_token" in answer.json()["error"]
    assert seen == []


def test_return_value_of_the_handler_is_the_json_body(kind: Any) -> None:
    """The return value of the handler is the response's JSON body."""
    with sending(kind(lambda _: webhooks.reject("No"), token=TOKEN)) as post:
        answer = post(PUBLISHED)
    assert answer.headers["content-type"] == "application/json"
    assert answer.json() == {"audit": {"audit_status": 3, "reason": "No"}}


def test_missing_channel_reply_is_logged(kind: Any, caplog: pytest.LogCaptureFixture) -> None:
    """A missing reply to a channel's publish request would make publishing fail, so it is logged."""
    with caplog.at_level(logging.WARNING, "cozekit.webhooks"), sending(kind(lambda _: None, token=TOKEN)) as post:
        assert post(PUBLISHED).status_code == 200
    assert "no response to a bot that is published to a channel" in caplog.text


def test_repeated_callback_is_handled_once(kind: Any) -> None:
    """A repeated callback gets the first response again, and the handler is not called again."""
    seen: list[Any] = []

    def handle(message: Any) -> Any:
        seen.append(message)
        return webhooks.approve()

    with sending(kind(handle, token=TOKEN)) as post:
        answers = [post(PUBLISHED).json() for _ in range(3)]
    assert len(seen) == 1
    assert answers == [{"audit": {"audit_status": 2}}] * 3


def test_remember_limits_the_deduplication(kind: Any) -> None:
    """With remember=0 the handler is called for every request; with a small number the oldest callbacks are forgotten."""
    seen: list[Any] = []
    with sending(kind(seen.append, token=TOKEN, remember=0)) as post:
        post(DELETED)
        post(DELETED)
    assert len(seen) == 2
    with sending(kind(seen.append, token=TOKEN, remember=1)) as post:
        post(DELETED)
        post(PUBLISHED)
        post(DELETED)
    assert len(seen) == 5


def test_failed_handler_gets_500_and_is_called_again(kind: Any, caplog: pytest.LogCaptureFixture) -> None:
    """An exception of the handler is logged and gets status 500, and the handler is called again for the repeated
    callback.
    """
    failures = [RuntimeError("database away"), None]

    def handle(_: Any) -> None:
        failure = failures.pop(0)
        if failure:
            raise failure

    with sending(kind(handle, token=TOKEN)) as post:
        answer = post(DELETED)
        assert answer.status_code == 500
        assert "database" not in answer.text
        assert post(DELETED).status_code == 200
    assert "database away" in caplog.text


def test_repetition_during_handling_gets_503(kind: Any) -> None:
    """While a callback is handled, its repetition gets status 503, so that it is sent again later."""
    started, finish = threading.Event(), threading.Event()

    def handle(_: Any) -> None:
        started.set()
        finish.wait(60)

    app = kind(handle, token=TOKEN)
    receiver = app._handler
    body = json.dumps(DELETED).encode()
    with sending(app) as post:
        thread = threading.Thread(target=post, args=(DELETED,))
        thread.start()
        assert started.wait(60)
        assert (
            receiver.parse(list(signed(body).items()), body).status == 503
        )  # the WSGI server handles one request at a time
        finish.set()
        thread.join()
        assert post(DELETED).status_code == 200


def test_invalid_return_value_is_logged(kind: Any, caplog: pytest.LogCaptureFixture) -> None:
    """An invalid return value of a handler is logged as an error."""
    with sending(kind(lambda _: {"audit": {}}, token=TOKEN)) as post:
        assert post(PUBLISHED).status_code == 500
    assert "not dict" in caplog.text


def test_unsigned_challenge_is_returned(kind: Any) -> None:
    """The challenge that verifies the URL is returned unchanged, without a signature."""
    with sending(kind(print, token=TOKEN)) as post:
        assert post({"challenge": "c"}, **{"X-Coze-Signature": ""}).json() == {"challenge": "c"}


def test_large_body_gets_413_and_other_methods_405(kind: Any) -> None:
    """A body above 1 MiB gets status 413, any method except POST 405."""
    app = kind(print, token=TOKEN)
    serving = serving_wsgi if isinstance(app, webhooks.WSGIApp) else serving_asgi
    with serving(app) as url:
        assert httpx.get(url).status_code == 405
        assert httpx.post(url, content=b" " * (1024 * 1024 + 1)).status_code == 413


@pytest.mark.anyio
@pytest.mark.parametrize("anyio_backend", ["asyncio", "trio"])
@pytest.mark.parametrize("hidden", [False, True])
async def test_asgi_awaits_the_handler(hidden: bool) -> None:
    """The ASGI application awaits a coroutine function, or the coroutine that a plain function returns."""

    async def handle(_: Any) -> Any:
        return webhooks.in_review()

    app: Any = webhooks.ASGIApp((lambda message: handle(message)) if hidden else handle, token=TOKEN)
    body = json.dumps(PUBLISHED).encode()
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://own") as http:
        answer = await http.post("/", content=body, headers=signed(body))
    assert answer.json() == {"audit": {"audit_status": 1}}


def test_wsgi_rejects_a_coroutine_function() -> None:
    """The WSGI application rejects a coroutine function when it is created, not when a callback arrives."""

    async def handle(_: Any) -> None:
        """Do nothing."""

    with pytest.raises(InvalidArgumentError, match="ASGIApp"):
        webhooks.WSGIApp(handle, token=TOKEN)  # type: ignore[arg-type, unused-ignore]  # the checker may see it, too


def test_asgi_supports_lifespan() -> None:
    """The application works in a server that requires the lifespan protocol."""
    config = uvicorn.Config(webhooks.ASGIApp(print, token=TOKEN), lifespan="on", log_level="critical", port=0)
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run)
    thread.start()
    server.should_exit = True
    thread.join(60)
    assert not thread.is_alive()
    assert server.lifespan.should_exit is False


@pytest.mark.parametrize(("route", "path"), [(Route, "/coze"), (Mount, "/coze/")], ids=["route", "mount"])
def test_starlette_route_and_mount(route: Any, path: str) -> None:
    """A Starlette route receives callbacks at exactly its path, and a mount below it, from a sender that follows no
    redirects.
    """
    received: list[Any] = []
    app = Starlette(routes=[route("/coze", webhooks.ASGIApp(received.append, token=TOKEN))])
    body = json.dumps(DELETED).encode()
    with serving_asgi(app) as url:
        answer = httpx.post(f"{url}{path}", content=body, headers=signed(body), follow_redirects=False)
        refused = httpx.get(f"{url}{path}")
    assert (answer.status_code, len(received), refused.status_code) == (200, 1, 405)
