"""Errors and results can be pickled, as process pools and task queues do."""

from __future__ import annotations

import copy
import importlib
import pickle
from typing import Any

import httpx
import pytest

from coze_sandbox import BOT_ID
from cozekit import CozeError, webhooks
from cozekit.errors import APITimeoutError, ChatFailed, PollTimeout, StreamInterrupted
from tests.overlay._clients import Counter

SECRET = "pat_Secret0123456789"
RUNNING = {"code": 0, "data": {"id": "7", "conversation_id": "8", "status": "in_progress"}}
FAILED = {"code": 0, "data": {"id": "7", "conversation_id": "8", "status": "failed", "last_error": {"code": 4011}}}


def retrieve(coze: Any) -> Any:
    return coze.chat.create_and_poll(bot_id="1", user_id="u", poll_timeout=0)


def stream(coze: Any) -> Any:
    return coze.chat.stream(bot_id="1", user_id="u").until_done()


def events(*pairs: tuple[str, str]) -> httpx.Response:
    text = "".join(f"event: {name}\ndata: {data}\n\n" for name, data in pairs)
    return httpx.Response(200, text=text, headers={"content-type": "text/event-stream"})


CREATED = ("conversation.chat.created", '{"id": "7", "conversation_id": "8", "status": "created"}')
FAILURES = {
    "argument": (200, lambda coze: coze.chat.create(bot_id=None, user_id="u")),
    "answer": (httpx.Response(401, json={"code": 4100, "msg": "no"}), retrieve),
    "gateway": (httpx.Response(502, text="<html>"), retrieve),
    "shape": ([1], retrieve),
    "connection": (httpx.ConnectError, retrieve),
    "timeout": (httpx.ReadTimeout, retrieve),
    "poll": (RUNNING, retrieve),
    "failed": (FAILED, retrieve),
    "stream failed": (events(CREATED, ("conversation.chat.failed", '{"code": 4011, "msg": "no"}')), stream),
    "stream cut": (events(CREATED), stream),
}


@pytest.mark.parametrize("way", [lambda error: pickle.loads(pickle.dumps(error)), copy.copy, copy.deepcopy])
@pytest.mark.parametrize("case", FAILURES)
def test_pickled_errors_keep_class_text_and_attributes(connect, case, way):
    """A pickled error keeps class, text and attributes."""
    answer, call = FAILURES[case]
    with pytest.raises(CozeError) as caught:
        call(connect(SECRET, handler=Counter(answer), retry=0))
    error = caught.value
    other = way(error)
    assert type(other) is type(error)
    assert str(other) == str(error)
    left = {"response", "stream"}  # these attributes hold a connection
    attributes = {name: value for name, value in vars(error).items() if name not in left}
    assert {name: value for name, value in vars(other).items() if name not in left} == attributes
    assert all(vars(other).get(name) is None for name in left)


@pytest.mark.parametrize("case", FAILURES)
def test_pickled_error_holds_no_token(connect, case):
    """A pickled error does not contain the token."""
    answer, call = FAILURES[case]
    with pytest.raises(CozeError) as caught:
        call(connect(SECRET, handler=Counter(answer), retry=0))
    assert SECRET.encode() not in pickle.dumps(caught.value)


def test_pickled_errors_keep_attempts_chat_and_events(connect):
    """A pickled error keeps what is needed to continue: attempts, chat and events."""
    errors_by_name = {}
    for case in ("timeout", "poll", "failed", "stream failed", "stream cut"):
        answer, call = FAILURES[case]
        with pytest.raises(CozeError) as caught:
            call(connect(handler=Counter(answer), retry=0))
        errors_by_name[case] = pickle.loads(pickle.dumps(caught.value))
    assert isinstance(errors_by_name["timeout"], APITimeoutError | TimeoutError)
    assert (errors_by_name["timeout"].attempts, errors_by_name["timeout"].sent) == (1, True)
    assert isinstance(errors_by_name["poll"], PollTimeout)
    assert errors_by_name["poll"].chat.id == "7"
    assert isinstance(errors_by_name["failed"], ChatFailed)
    assert (errors_by_name["failed"].chat.id, errors_by_name["failed"].code) == ("7", 4011)
    assert errors_by_name["stream failed"].chat.conversation_id == "8"
    assert isinstance(errors_by_name["stream cut"], StreamInterrupted)
    assert "chat 7 of conversation 8" in str(errors_by_name["stream cut"])
    assert errors_by_name["stream cut"].last_event.data.id == "7"


def test_models_of_a_result_can_be_pickled(coze):
    """The models of a result can be pickled and are equal afterwards."""
    result = coze.chat.create_and_poll(bot_id=BOT_ID, user_id="u", additional_messages=["hi"], poll_interval=0)
    assert pickle.loads(pickle.dumps(result.messages[0])) == result.messages[0]


def test_pickled_result_holds_neither_request_nor_token(coze, coze_sandbox):
    """A pickled result keeps status, headers and log id of its response, but neither request nor token."""
    user = coze.users.me()
    data = pickle.dumps(user)
    assert coze_sandbox.token.encode() not in data
    other = pickle.loads(data)
    assert other == user
    assert (other.logid, other.response.status, other.response.headers) == (
        user.logid,
        200,
        user.response.headers,
    )


@pytest.mark.parametrize("offered", ["cozekit.errors", "cozekit.webhooks", "coze_api.errors"])
def test_exceptions_name_a_public_module(offered: str) -> None:
    """The module of an exception, which tracebacks show, is a public module that exports it."""
    module = importlib.import_module(offered)
    kinds = [getattr(module, name) for name in module.__all__]
    exceptions = {kind for kind in kinds if isinstance(kind, type) and issubclass(kind, BaseException)}
    assert exceptions
    for kind in exceptions:
        assert not any(part.startswith("_") for part in kind.__module__.split(".")), kind
        assert getattr(importlib.import_module(kind.__module__), kind.__name__) is kind


def test_webhook_errors_can_be_pickled() -> None:
    """A pickled webhook error keeps class and message."""
    error = pickle.loads(pickle.dumps(webhooks.StaleCallback("too old")))
    assert (type(error), str(error), error.status) == (webhooks.StaleCallback, "too old", 401)
