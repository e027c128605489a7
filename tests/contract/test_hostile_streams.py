"""Streams and waiting calls with values of wrong types: nothing but a `CozeError` comes of them."""

from __future__ import annotations

import os
import pickle
import re
import warnings
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

import httpx
import pytest
from anyio.from_thread import start_blocking_portal
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from coze_api import Model
from cozekit import RetryPolicy
from cozekit.errors import CozeError, StreamGapWarning
from tests.contract._calls import Call, calls, resolve
from tests.contract._filled import filled
from tests.contract._hostile import as_json, damaged, streams
from tests.overlay._clients import Connect

EXAMPLES = max(int(os.environ.get("COZEKIT_MAX_EXAMPLES", "200")) // 20, 5)
STREAMING = {call.id: call for call in calls() if call.kind == "stream"}
fuzz = settings(
    max_examples=EXAMPLES,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large],
)


def get_weather(city: str = "", days: list[int] | None = None, **others: Any) -> Any:
    """Return what was given, as a tool may."""
    return [city, days, others]


ACCUMULATED = (
    "messages", "answer", "follow_ups", "usage", "chat", "debug_url", "tool_runs", "question", "output", "outputs",
    "nodes", "interrupt", "gaps", "ended", "logid", "text", "status", "failed", "entity_id",
)  # fmt: skip


@pytest.fixture(scope="module", params=["sync", "asyncio", "trio"])
def connect(request: pytest.FixtureRequest) -> Iterator[Connect]:
    """Give a maker of clients of one kind."""
    if request.param == "sync":
        yield Connect(None)
        return
    with start_blocking_portal(request.param) as portal:
        yield Connect(portal)


def look_at(thing: Any) -> None:
    """Read what has accumulated, and show it."""
    for name in ACCUMULATED:
        value = getattr(thing, name, None) if name != "text" or not hasattr(thing, "until_done") else None
        assert isinstance(repr(value), str)
        if name in {"answer", "question", "debug_url", "output", "logid", "text"} and not _is_member(thing, name):
            assert isinstance(value, str | None)
    for node in getattr(thing, "nodes", None) or ():
        assert isinstance(node if isinstance(node, str) else node.content, str)
    with suppress(ValueError):  # which is documented
        getattr(thing, "output_json", lambda: None)()


def _is_member(thing: Any, name: str) -> bool:
    """Return whether a name is a member of a response, which is what came, whatever that was."""
    return isinstance(thing, Model) and name in thing._known


def show(event: Any) -> None:
    """Show an event, and encode it again."""
    assert isinstance(repr(event), str)
    data = getattr(event, "data", None)
    if isinstance(data, Model):
        assert data == type(data).from_dict(data.to_dict())


def read(stream: Any, view: str) -> None:
    """Read a stream in one of its ways to its end, and answer its question once."""
    resumed = False
    while True:
        source = stream if view == "events" else getattr(stream, view, stream)
        for item in source:
            if view == "text" or view == "reasoning":
                assert isinstance(item, str) or source is stream
            show(item)
            look_at(stream)
        if resumed or getattr(stream, "interrupt", None) is None:
            return
        resumed = True
        stream.resume("Ulm")


def only_coze_errors(act: Callable[[], Any]) -> None:
    """Run *act*, which may raise a `CozeError`, one that can be shown and pickled."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", StreamGapWarning)
        try:
            result = act()
        except CozeError as error:
            assert isinstance(str(error), str)
            assert isinstance(repr(error), str)
            assert type(pickle.loads(pickle.dumps(error))) is type(error)
            look_at(getattr(error, "stream", None) or getattr(error, "run", None))
        else:
            look_at(result)


def client(connect: Connect, answer: Callable[[httpx.Request], httpx.Response], on_gap: str) -> Any:
    """Make a client that is answered by *answer*."""
    policy = RetryPolicy(max_retries=0)
    transport = httpx.MockTransport(answer)
    return connect.show(connect.client("t", http_client=connect.http(transport=transport), retry=policy, on_gap=on_gap))


@pytest.mark.parametrize("view", ["events", "text", "reasoning", "audio", "completed_messages"])
@pytest.mark.parametrize("method", STREAMING)
@fuzz
@given(data=st.data())
def test_streams(method: str, view: str, connect: Connect, data: st.DataObject) -> None:
    """Whatever the members of events are, reading raises a `CozeError` or nothing, and what accumulates has its type."""
    call = STREAMING[method]
    content = data.draw(streams(call.protocol), label="stream")
    requests: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        requests.append(request)
        return httpx.Response(200, headers={"content-type": "text/event-stream"}, content=content)

    coze = client(connect, answer, data.draw(st.sampled_from(["raise", "ignore"]), label="on_gap"))

    def act() -> None:
        with call.method(coze)(**call.arguments(*call.example())) as stream:
            read(stream, view)

    only_coze_errors(act)
    assert requests


@pytest.mark.parametrize("view", ["events", "text"])
@fuzz
@given(data=st.data())
def test_tool_rounds(view: str, connect: Connect, data: st.DataObject) -> None:
    """Calls of tools with members of wrong types are refused by a `CozeError`, or reported to the bot."""
    protocol = STREAMING["chat.stream"].protocol
    chat = filled(resolve(protocol["events"]["conversation.chat.requires_action"]["data"]))
    chat["status"] = "requires_action"
    chat["required_action"]["submit_tool_outputs"]["tool_calls"][0]["function"]["name"] = "get_weather"
    action = f"event: conversation.chat.requires_action\ndata: {as_json(data.draw(damaged(chat)))}\n\n".encode()
    contents = [action, data.draw(streams(protocol))]

    def answer(_: httpx.Request) -> httpx.Response:
        content = contents.pop(0) if contents else action
        return httpx.Response(200, headers={"content-type": "text/event-stream"}, content=content)

    coze = client(connect, answer, "ignore")

    def act() -> None:
        with coze.chat.run_stream(tools=[get_weather], max_rounds=3, bot_id="1", user_id="u") as stream:
            read(stream, view)

    only_coze_errors(act)


DOCUMENT = {"name": "n", "source_info": {"web_url": "https://a.test"}}
_RUNS = ("workflows.runs.create", "workflows.runs.run_histories.retrieve")
_CHATS = ("chat.create", "chat.retrieve", "chat.messages.list", "chat.submit_tool_outputs")
WAITING: dict[str, tuple[tuple[str, ...], Callable[[Any], Any]]] = {
    "chat.create_and_poll": (
        _CHATS,
        lambda coze: coze.chat.create_and_poll(bot_id="1", user_id="u", poll_timeout=0),
    ),
    "chat.run": (
        _CHATS,
        lambda coze: coze.chat.run(tools=[get_weather], bot_id="1", user_id="u", poll_timeout=0, max_rounds=2),
    ),
    "workflows.runs.create": (_RUNS, lambda coze: coze.workflows.runs.create(workflow_id="1")),
    "workflows.runs.create_and_poll": (
        _RUNS,
        lambda coze: coze.workflows.runs.create_and_poll(workflow_id="1", poll_timeout=0),
    ),
    "datasets.documents.create_and_poll": (
        ("datasets.documents.create", "datasets.process"),
        lambda coze: coze.datasets.documents.create_and_poll(
            dataset_id="1", document_bases=[DOCUMENT], chunk_strategy={}, format_type=0, poll_timeout=0
        ),
    ),
    "copy_tasks.create_and_poll": (
        ("copy_tasks.create", "copy_tasks.retrieve"),
        lambda coze: coze.copy_tasks.create_and_poll(entity_type="bot", entity_id="1", poll_timeout=0),
    ),
    "recover": (_CHATS, lambda coze: list(recovered(coze))),
}
CALLS = {call.id: call for call in calls()}


def recovered(coze: Any) -> Iterator[Any]:
    """Recover a stream that broke off."""
    stream = coze.chat.stream(bot_id="1", user_id="u")
    with suppress(CozeError), stream:
        stream.until_done()
    yield from stream.recover(poll_timeout=0)
    look_at(stream)


def _line(call: Call) -> re.Pattern[str]:
    """Return what matches the line of a request."""
    return re.compile(f"{call.verb.upper()} {re.sub(r'{.*?}', '.*', call.path)}")


@st.composite
def answers(draw: st.DrawFn, method: str) -> bytes:
    """Draw the response of an operation: what is described, with its result damaged."""
    call = CALLS[method]
    assert call.answer is not None
    parts = {**filled(call.answer["schema"]), "code": 0}
    parts.pop("error_code", None)
    if call.result != ".":
        parts[call.result] = draw(damaged(parts[call.result]))
        return as_json(parts).encode()
    members = draw(damaged(parts))
    return as_json({**members, "code": 0} if isinstance(members, dict) else members).encode()


@pytest.mark.parametrize("method", WAITING)
@fuzz
@given(data=st.data())
def test_waiting(method: str, connect: Connect, data: st.DataObject) -> None:
    """Whatever the members of polled responses are, a `CozeError` is raised, or the result has the declared types."""
    used, begin = WAITING[method]
    parts = {name: data.draw(answers(name), label=name) for name in used}
    created = data.draw(damaged({"id": "c", "conversation_id": "v", "status": "in_progress"}))
    stream = f"event: conversation.chat.created\ndata: {as_json(created)}\n\n".encode()

    def answer(request: httpx.Request) -> httpx.Response:
        if method == "recover" and request.method == "POST":
            return httpx.Response(200, headers={"content-type": "text/event-stream"}, content=stream)
        line = f"{request.method} {request.url.path}"
        content = next(parts[name] for name in used if _line(CALLS[name]).fullmatch(line))
        return httpx.Response(200, headers={"content-type": "application/json"}, content=content)

    only_coze_errors(lambda: begin(client(connect, answer, "ignore")))
