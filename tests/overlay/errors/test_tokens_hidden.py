"""No error, log or repr shows the token."""

from __future__ import annotations

import copy
import logging
import pickle
import traceback
from pathlib import Path
from typing import Any

import httpx
import pytest

from coze_sandbox import BOT_ID
from cozekit import CozeError
from tests.overlay._clients import Connect, Counter, unwrap

SECRET = "pat_Secret0123456789"


class Signed(httpx.Auth):
    """Adds the token to requests by itself."""

    def auth_flow(self, request: httpx.Request) -> Any:
        request.headers["Authorization"] = f"Bearer {SECRET}"
        yield request


WAYS = {"token": (SECRET, None), "function": (lambda: SECRET, None), "strategy": (None, Signed())}


@pytest.fixture(params=WAYS)
def make(request: pytest.FixtureRequest, connect: Connect):
    """Return a factory of clients that hold the token in one of several ways."""
    token, auth = WAYS[request.param]
    return lambda **options: connect(token, auth=auth, **options)


def test_reprs_hide_the_token(make):
    """Neither repr nor str of a client, its copies, resources and streams shows the token."""
    coze = make(headers={"X-Other": SECRET})
    raw = unwrap(coze)
    parts = [coze, coze.with_options(timeout=1), coze.chat, coze.files, coze.bots, raw._auth, copy.copy(raw)]
    parts.append(coze.chat.stream(bot_id="1", user_id="u"))
    assert SECRET not in "".join(f"{part!r}{part!s}" for part in parts)


@pytest.mark.parametrize(
    "answer",
    [
        httpx.Response(401, json={"code": 4100, "msg": "wrong"}),
        httpx.Response(502, text="<html>", headers={"content-type": "text/html"}),
        httpx.Response(200, json=[]),
        httpx.ConnectError("refused"),
        httpx.ReadTimeout("late"),
    ],
    ids=lambda answer: f"{type(answer).__name__} {getattr(answer, 'status_code', '')}",
)
def test_tracebacks_with_locals_hide_the_token(make, answer):
    """No traceback shows the token, even with the values of local variables."""
    coze = make(http_client=None, retry=0)
    raw = unwrap(coze)
    raw._http._transport = httpx.MockTransport(Counter(answer))
    raw._http._mounts = {}
    with pytest.raises(CozeError) as caught:
        coze.bots.retrieve(bot_id="1")
    shown = traceback.TracebackException.from_exception(caught.value, capture_locals=True)
    frames = [frame for frame in shown.stack if "tests" not in Path(frame.filename).parts]
    assert frames
    text = "".join(str(frame.locals) for frame in frames) + "".join(shown.format(chain=True))
    assert SECRET not in text
    assert SECRET not in f"{caught.value!r}{caught.value.__dict__}"


def test_debug_logs_hide_the_token(connect, coze_sandbox, caplog):
    """No log of httpx and httpcore shows the token, even at the lowest level."""
    caplog.set_level(logging.DEBUG)
    coze = connect(coze_sandbox.token, base_url=coze_sandbox.base_url)
    coze.workspaces.list()
    with coze.chat.stream(bot_id=BOT_ID, user_id="u", additional_messages=["hi"]) as stream:
        stream.until_done()
    assert "/v3/chat" in caplog.text
    assert coze_sandbox.token not in caplog.text


def test_frames_of_the_http_library_are_cut(connect):
    """If the connection breaks, the traceback does not show what the HTTP library was sending."""

    def breaks(request: httpx.Request) -> httpx.Response:
        sending = dict(request.headers)
        raise httpx.WriteError("broken", request=request) from OSError(f"{len(sending)}")

    with pytest.raises(CozeError) as caught:
        connect(SECRET, handler=breaks, retry=0).users.me()
    cause = caught.value.__cause__
    assert cause is not None
    shown = traceback.TracebackException.from_exception(cause, capture_locals=True)
    frame = next(frame for frame in shown.stack if frame.name == "breaks")
    assert not frame.locals


OPAQUE = "73d4621945cb87fdcb2c80649594c25e310437325fbe3e64acedced35646b4d1"  # has no known token format
QUOTING = {
    "message": httpx.Response(401, json={"code": 4100, "msg": f"the token {OPAQUE} is wrong"}),
    "page": httpx.Response(
        502, text=f"<p>{'x' * 150} {OPAQUE}", headers={"content-type": "text/html"}
    ),  # cut inside the token
    "text": httpx.Response(200, json=f"no answer for {OPAQUE}{'y' * 100}"),
    "debug page": httpx.Response(200, json={"code": 5000, "msg": "no", "debug_url": f"https://x.example/{OPAQUE}"}),
}


@pytest.mark.parametrize("answer", QUOTING.values(), ids=QUOTING)
def test_error_hides_a_token_quoted_by_the_response(connect, answer):
    """No error shows the token of its request, even if the response quotes it, complete or cut."""
    with pytest.raises(CozeError) as caught:
        connect(OPAQUE, handler=lambda _: answer, retry=0).users.me()
    shown = f"{caught.value!s}{caught.value!r}{pickle.dumps(caught.value)!r}"
    assert OPAQUE[:16] not in shown
    assert OPAQUE[-16:] not in shown


def test_stream_failure_hides_a_token_quoted_by_an_event(connect):
    """The failure of a stream hides the token of its request, even if an event quotes it."""
    body = f'event:error\ndata:{{"code":4100,"msg":"{OPAQUE} is wrong"}}\n\n'
    headers = {"content-type": "text/event-stream"}
    coze = connect(OPAQUE, handler=lambda _: httpx.Response(200, text=body, headers=headers), retry=0)
    with coze.chat.stream(bot_id="1", user_id="u") as stream, pytest.raises(CozeError, match="is wrong") as caught:
        stream.until_done()
    assert OPAQUE not in str(caught.value)
