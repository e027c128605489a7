"""Applications that receive callbacks, mounted in real servers."""

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
    """Serve *app*, and give a function that posts signed callbacks to it."""
    serving = serving_wsgi if isinstance(app, webhooks.WSGIApp) else serving_asgi
    with serving(app) as url, httpx.Client() as http:

        def post(value: Any, **headers: str) -> httpx.Response:
            body = value if isinstance(value, bytes) else json.dumps(value).encode()
            return http.post(url, content=body, headers={**signed(body), **headers})

        yield post


@pytest.fixture(params=[webhooks.ASGIApp, webhooks.WSGIApp], ids=["asgi", "wsgi"])
def kind(request: pytest.FixtureRequest) -> Any:
    """Give each kind of application."""
    return request.param


def test_a_callback_reaches_the_handler(kind: Any) -> None:
    """A signed callback is handed over, typed, and answered with 200."""
    seen: list[Any] = []
    with sending(kind(seen.append, token=TOKEN)) as post:
        assert post(DELETED).status_code == 200
    assert [type(message) for message in seen] == [BotDeletedCallback]


def test_what_is_not_from_coze_is_refused(kind: Any) -> None:
    """A wrong signature is answered with 401, and the handler is not called."""
    seen: list[Any] = []
    with sending(kind(seen.append, token="another")) as post:
        answer = post(DELETED)
    assert answer.status_code == 401
    assert "verify_token" in answer.json()["error"]
    assert seen == []


def test_the_review_of_a_channel_is_answered(kind: Any) -> None:
    """What the handler returns is the answer's body, in JSON."""
    with sending(kind(lambda _: webhooks.reject("No"), token=TOKEN)) as post:
        answer = post(PUBLISHED)
    assert answer.headers["content-type"] == "application/json"
    assert answer.json() == {"audit": {"audit_status": 3, "reason": "No"}}


def test_a_channel_without_an_answer_is_warned_of(kind: Any, caplog: pytest.LogCaptureFixture) -> None:
    """No answer to a bot that is published to a channel would make publishing fail, so it is logged."""
    with caplog.at_level(logging.WARNING, "cozekit.webhooks"), sending(kind(lambda _: None, token=TOKEN)) as post:
        assert post(PUBLISHED).status_code == 200
    assert "no answer to a bot that is published to a channel" in caplog.text


def test_a_repeated_callback_is_handled_once(kind: Any) -> None:
    """A callback that is sent again gets the first answer again, and the handler is not called again."""
    seen: list[Any] = []

    def handle(message: Any) -> Any:
        seen.append(message)
        return webhooks.approve()

    with sending(kind(handle, token=TOKEN)) as post:
        answers = [post(PUBLISHED).json() for _ in range(3)]
    assert len(seen) == 1
    assert answers == [{"audit": {"audit_status": 2}}] * 3


def test_repetitions_can_be_asked_for(kind: Any) -> None:
    """With remember=0 every request is handed over; with a small number the oldest are forgotten."""
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


def test_a_failing_handler_is_called_again(kind: Any, caplog: pytest.LogCaptureFixture) -> None:
    """An exception is logged and answered with 500, and the callback is handed over when it comes again."""
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


def test_a_callback_under_way_is_not_handled_twice(kind: Any) -> None:
    """While a callback is being handled, its repetition is answered with 503, so that it comes once more."""
    begun, go_on = threading.Event(), threading.Event()

    def handle(_: Any) -> None:
        begun.set()
        go_on.wait(60)

    app = kind(handle, token=TOKEN)
    receiver = app._receiver
    body = json.dumps(DELETED).encode()
    with sending(app) as post:
        thread = threading.Thread(target=post, args=(DELETED,))
        thread.start()
        assert begun.wait(60)
        assert receiver.read(list(signed(body).items()), body).status == 503  # the WSGI server knows one call at a time
        go_on.set()
        thread.join()
        assert post(DELETED).status_code == 200


def test_a_wrong_return_value_is_a_failure(kind: Any, caplog: pytest.LogCaptureFixture) -> None:
    """A handler that returns what is no answer is told so in the log."""
    with sending(kind(lambda _: {"audit": {}}, token=TOKEN)) as post:
        assert post(PUBLISHED).status_code == 500
    assert "returned dict" in caplog.text


def test_the_address_is_checked_unsigned(kind: Any) -> None:
    """The challenge for an address is answered unchanged."""
    with sending(kind(print, token=TOKEN)) as post:
        assert post({"challenge": "c"}, **{"X-Coze-Signature": ""}).json() == {"challenge": "c"}


def test_large_bodies_and_other_methods_are_refused(kind: Any) -> None:
    """More than 1 MiB is answered with 413, anything but POST with 405."""
    app = kind(print, token=TOKEN)
    serving = serving_wsgi if isinstance(app, webhooks.WSGIApp) else serving_asgi
    with serving(app) as url:
        assert httpx.get(url).status_code == 405
        assert httpx.post(url, content=b" " * (1024 * 1024 + 1)).status_code == 413


@pytest.mark.anyio
@pytest.mark.parametrize("anyio_backend", ["asyncio", "trio"])
@pytest.mark.parametrize("hidden", [False, True])
async def test_a_coroutine_function_is_awaited(hidden: bool) -> None:
    """The ASGI application awaits a handler that is a coroutine function, or a plain one that returns a coroutine."""

    async def handle(_: Any) -> Any:
        return webhooks.in_review()

    app: Any = webhooks.ASGIApp((lambda message: handle(message)) if hidden else handle, token=TOKEN)
    body = json.dumps(PUBLISHED).encode()
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://own") as http:
        answer = await http.post("/", content=body, headers=signed(body))
    assert answer.json() == {"audit": {"audit_status": 1}}


def test_wsgi_cannot_await() -> None:
    """A coroutine function is refused by the WSGI application when it is made, not when a callback comes."""

    async def handle(_: Any) -> None:
        """Do nothing."""

    with pytest.raises(InvalidArgumentError, match="ASGIApp"):
        webhooks.WSGIApp(handle, token=TOKEN)  # type: ignore[arg-type, unused-ignore]  # the checker may see it, too


def test_asgi_runs_on_its_own_with_lifespan() -> None:
    """The application serves a server that insists on the lifespan protocol."""
    config = uvicorn.Config(webhooks.ASGIApp(print, token=TOKEN), lifespan="on", log_level="critical", port=0)
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run)
    thread.start()
    server.should_exit = True
    thread.join(60)
    assert not thread.is_alive()
    assert server.lifespan.should_exit is False


@pytest.mark.parametrize(("route", "path"), [(Route, "/coze"), (Mount, "/coze/")], ids=["route", "mount"])
def test_part_of_a_starlette_application(route: Any, path: str) -> None:
    """A route receives callbacks at exactly its path, and a mount below it, from a sender that follows no redirects."""
    received: list[Any] = []
    app = Starlette(routes=[route("/coze", webhooks.ASGIApp(received.append, token=TOKEN))])
    body = json.dumps(DELETED).encode()
    with serving_asgi(app) as url:
        answer = httpx.post(f"{url}{path}", content=body, headers=signed(body), follow_redirects=False)
        refused = httpx.get(f"{url}{path}")
    assert (answer.status_code, len(received), refused.status_code) == (200, 1, 405)
