"""Chats that call tools, streamed and polled."""

from __future__ import annotations

import contextvars
import dataclasses
import json
import logging
import pickle
import threading
from collections.abc import Callable
from typing import Any, Literal

import anyio
import anyio.lowlevel
import httpx
import pytest

from coze_api import models
from coze_api.operations import chat as operations
from coze_sandbox import BOT_ID
from cozekit import AsyncCoze, ChatRun, Coze, ToolError, ToolRun, errors, tool
from cozekit._tools.runner import ToolRunner
from tests.overlay._clients import Connect

CHAT: dict[str, Any] = {"bot_id": BOT_ID, "user_id": "u"}
TWO = '/tool get_weather {"city": "Ulm"}\n/tool get_time {"zone": 1}'


@dataclasses.dataclass
class Report:
    city: str
    degrees: int


def get_weather(city: str) -> str:
    return f"rain in {city}"


def get_time(zone: int) -> dict[str, int]:
    return {"hour": 12 + zone}


class Either:
    """Runs a chat streamed or polled, and gives both results one interface."""

    def __init__(self, coze: Any, *, by_stream: bool) -> None:
        self.coze = coze
        self.by_stream = by_stream

    def __call__(self, text: str, **options: Any) -> Any:
        options = {**CHAT, "additional_messages": [text], **options}
        if self.by_stream:
            with self.coze.chat.run_stream(**options) as stream:
                stream.until_done()
            return stream
        return self.coze.chat.run(**options, poll_interval=0)


@pytest.fixture(params=["stream", "poll"])
def run(request, coze) -> Either:
    return Either(coze, by_stream=request.param == "stream")


def answer_of(run: Any) -> str:
    return run.text if isinstance(run, ChatRun) else run.answer


def test_calls_of_one_round_are_submitted_together(run, coze_sandbox):
    """The outputs of one round are submitted together, in the order of the calls, and the bot continues."""
    done = run(TWO, tools=[get_time, get_weather])
    assert answer_of(done) == 'get_weather says: rain in Ulm; get_time says: {"hour":13}'
    assert done.chat.status is models.ChatStatus.COMPLETED
    assert [(entry.name, entry.arguments, entry.output, entry.error) for entry in done.tool_runs] == [
        ("get_weather", {"city": "Ulm"}, "rain in Ulm", None),
        ("get_time", {"zone": 1}, '{"hour":13}', None),
    ]
    assert all(entry.seconds >= 0 and entry.call.id for entry in done.tool_runs)
    (sent,) = coze_sandbox.requests.of("chat.submit_tool_outputs")
    assert [entry["tool_call_id"] for entry in sent.body["tool_outputs"]] == [entry.call.id for entry in done.tool_runs]
    assert done.usage.token_count > 0


def test_messages_of_all_rounds_are_kept(run, coze_sandbox):
    """A bot may call tools in several rounds, and the messages of all rounds are kept."""
    steps = iter(["/tool step {}", "/tool step {}", "done"])
    done = run("/tool step {}", tools=[tool(lambda: next(steps), name="step")])
    assert answer_of(done) == "step says: done"
    assert [entry.output for entry in done.tool_runs] == ["/tool step {}", "/tool step {}", "done"]
    assert len(coze_sandbox.requests.of("chat.submit_tool_outputs")) == 3


def test_chat_without_tool_calls_is_a_plain_chat(run):
    """A chat that calls no tools is a plain chat."""
    done = run("/say hi", tools=[get_weather])
    assert (answer_of(done), done.tool_runs) == ("hi", [])


def test_tool_result_is_sent_as_json_unless_a_string(run):
    """The result of a tool is sent as JSON, or unchanged if it is a string."""

    def give(what: Literal["report", "none", "list", "usage", "state"]) -> Any:
        return {
            "report": Report("Ulm", 4),
            "none": None,
            "list": (1, {"a": Report("Bonn", 5)}),
            "usage": models.ChatUsage(token_count=1),
            "state": models.ChatStatus.FAILED,
        }[what]

    for what, output in {
        "report": '{"city":"Ulm","degrees":4}',
        "none": "null",
        "list": '[1,{"a":{"city":"Bonn","degrees":5}}]',
        "usage": '{"token_count":1}',
        "state": "failed",
    }.items():
        (entry,) = run(f'/tool give {{"what": "{what}"}}', tools=[give]).tool_runs
        assert entry.output == output


def boom(city: str) -> str:
    raise RuntimeError(f"password=hunter2 for {city}")


def refuse(city: str) -> str:
    raise ToolError(f"I know nothing about {city}.")


@pytest.mark.parametrize(
    ("function", "call", "output"),
    [
        (boom, 'boom {"city": "Ulm"}', "The tool boom failed (RuntimeError)."),
        (refuse, 'refuse {"city": "Ulm"}', "I know nothing about Ulm."),
        (
            get_weather,
            'get_weather {"town": "Ulm"}',
            "Invalid arguments for get_weather: town is unknown; expected: city.",
        ),
        (get_weather, "get_weather {}", "Invalid arguments for get_weather: required but missing: city."),
        (get_weather, "no_such {}", "There is no tool called no_such; available tools: get_weather."),
        (tool(lambda: object(), name="odd"), "odd {}", "The tool odd failed (TypeError)."),
    ],
    ids=["exception", "refusal", "unknown", "missing", "no tool", "no JSON"],
)
def test_bot_receives_argument_errors_and_exception_classes(run, caplog, function, call, output):
    """The bot receives errors in its arguments and the class of exceptions; their text is only logged."""
    with caplog.at_level(logging.WARNING, "cozekit.tools"):
        done = run(f"/tool {call}", tools=[function])
    (entry,) = done.tool_runs
    assert entry.output == output
    assert answer_of(done) == f"{call.split()[0]} says: {output}"
    assert "hunter2" not in entry.output
    assert entry.error is not None
    assert entry.call.id in caplog.text
    assert ("hunter2" in caplog.text) is (function is boom)


def test_on_tool_error_raise_ends_the_run(run, coze_sandbox):
    """With on_tool_error="raise" an exception of a tool ends the run; invalid arguments do not."""
    with pytest.raises(errors.ToolFailed) as caught:
        run('/tool boom {"city": "Ulm"}', tools=[boom], on_tool_error="raise")
    error = caught.value
    assert str(error) == "the tool boom failed: RuntimeError"
    assert isinstance(error.__cause__, RuntimeError)
    assert error.chat.status is models.ChatStatus.REQUIRES_ACTION
    assert (error.tool_run.name, error.tool_run.arguments) == ("boom", {"city": "Ulm"})
    assert not coze_sandbox.requests.of("chat.submit_tool_outputs")
    copy = pickle.loads(pickle.dumps(error))
    assert (copy.tool_run.output, copy.chat.id) == (error.tool_run.output, error.chat.id)
    done = run('/tool refuse {"city": "Ulm"}', tools=[refuse], on_tool_error="raise")
    assert answer_of(done) == "refuse says: I know nothing about Ulm."


def test_max_rounds_ends_the_run(run, coze_sandbox):
    """A bot that keeps calling tools is stopped after max_rounds by an error with the chat and the calls."""
    endless = tool(lambda: "/tool endless {}", name="endless")
    with pytest.raises(errors.ToolRoundsExceeded) as caught:
        run("/tool endless {}", tools=[endless], max_rounds=3)
    assert "the bot calls endless again after 3 rounds of tools" in str(caught.value)
    assert [entry.name for entry in caught.value.tool_runs] == ["endless"] * 3
    assert caught.value.chat.status is models.ChatStatus.REQUIRES_ACTION
    assert len(coze_sandbox.requests.of("chat.submit_tool_outputs")) == 3
    copy = pickle.loads(pickle.dumps(caught.value))
    assert (str(copy), [entry.output for entry in copy.tool_runs]) == (str(caught.value), ["/tool endless {}"] * 3)


def test_tool_call_without_tools_is_an_error(run):
    """A bot that calls a tool although none was passed causes an error with the chat."""
    with pytest.raises(
        errors.ActionRequired, match="the bot calls get_weather, get_time, but there are no tools"
    ) as caught:
        run(TWO, tools=[])
    assert len(caught.value.chat.required_action.submit_tool_outputs.tool_calls) == 2
    assert run("/say hi", tools=[]).tool_runs == []


def test_chat_that_waits_for_tools_is_the_result_without_run(coze):
    """Without `run` a chat that waits for tools is the result, with its required action."""
    result = coze.chat.create_and_poll(**CHAT, additional_messages=[TWO], poll_interval=0)
    assert result.status is models.ChatStatus.REQUIRES_ACTION
    assert len(result.chat.required_action.submit_tool_outputs.tool_calls) == 2


def test_hooks_receive_each_call_before_and_after(run):
    """Hooks receive each call before it is executed, and its result afterwards."""
    seen: list[str] = []

    def weather(city: str) -> str:
        seen.append(f"weather {city}")
        return "rain"

    def before(call: models.ToolCall) -> None:
        seen.append(f"before {call.function.name}")

    def after(entry: ToolRun) -> None:
        seen.append(f"after {entry.name}: {entry.output}")

    run('/tool weather {"city": "Ulm"}', tools=[weather], on_tool_call=before, on_tool_run=after)
    assert seen == ["before weather", "weather Ulm", "after weather: rain"]


def test_exception_of_a_hook_ends_the_run(run, coze_sandbox):
    """An exception of a hook ends the run and is never sent to the bot."""

    def after(entry: ToolRun) -> None:
        raise KeyError(entry.name)

    with pytest.raises(KeyError, match="get_weather"):
        run(TWO, tools=[get_weather, get_time], on_tool_run=after)
    assert not coze_sandbox.requests.of("chat.submit_tool_outputs")


trace: contextvars.ContextVar[str] = contextvars.ContextVar("trace", default="")


def test_calls_of_one_round_run_concurrently(run):
    """Calls of one round run concurrently, in the caller's context."""
    meet = threading.Barrier(3, timeout=60)

    def wait(place: int) -> str:
        meet.wait()
        return f"{place}"

    done = run("\n".join(f'/tool wait {{"place": {place}}}' for place in range(3)), tools=[wait])
    assert [entry.output for entry in done.tool_runs] == ["0", "1", "2"]


def test_tools_in_threads_have_the_callers_context(coze_sandbox):
    """Tools have the context variables of the caller, also in threads."""
    token = trace.set("T1")
    try:
        with Coze(coze_sandbox.token, base_url=coze_sandbox.base_url) as coze:
            look = tool(lambda: trace.get(), name="look")
            done = coze.chat.run(
                **CHAT, additional_messages=["/tool look {}\n/tool look {}"], tools=[look], poll_interval=0
            )
    finally:
        trace.reset(token)
    assert [entry.output for entry in done.tool_runs] == ["T1", "T1"]


async def fetch(city: str) -> str:
    await anyio.lowlevel.checkpoint()
    return f"fetched {city}"


class AsyncService:
    async def __call__(self, city: str) -> str:
        return await fetch(city)


@pytest.mark.parametrize("function", [fetch, tool(AsyncService(), name="fetch")], ids=["function", "object"])
def test_async_tools_need_async_coze(connect: Connect, coze_sandbox, function):
    """AsyncCoze runs async tools beside sync ones; Coze rejects them before anything is sent."""
    coze = connect(coze_sandbox.token, base_url=coze_sandbox.base_url)
    for by_stream in (True, False):
        run = Either(coze, by_stream=by_stream)
        text = '/tool fetch {"city": "Ulm"}\n/tool get_weather {"city": "Bonn"}'
        if connect.is_async:
            assert answer_of(run(text, tools=[function, get_weather])) == (
                "fetch says: fetched Ulm; get_weather says: rain in Bonn"
            )
        else:
            with pytest.raises(errors.InvalidArgumentError, match="the tool fetch is async; use AsyncCoze"):
                run(text, tools=[function])
            assert not coze_sandbox.requests


def test_awaitable_result_needs_async_coze(connect: Connect, coze_sandbox):
    """AsyncCoze awaits an awaitable result of a function; in Coze it is a failed tool."""
    run = Either(connect(coze_sandbox.token, base_url=coze_sandbox.base_url), by_stream=True)
    hidden = tool(lambda city: fetch(city), name="hidden")
    (entry,) = run('/tool hidden {"city": "Ulm"}', tools=[hidden]).tool_runs
    assert entry.output == ("fetched Ulm" if connect.is_async else "The tool hidden failed (TypeError).")


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({"tools": [get_weather, tool(get_time, name="get_weather")]}, "there are two tools called get_weather"),
        ({"tools": [7]}, "a tool must be a function, not int"),
        ({"tools": get_weather}, "tools must be a list of functions"),
        ({"tools": [], "max_rounds": -1}, "max_rounds must be an integer of at least 0, not -1"),
        ({"tools": [], "on_tool_error": "ignore"}, "on_tool_error must be 'report' or 'raise', not 'ignore'"),
        ({"tools": [], "on_tool_run": fetch}, "on_tool_run must be a sync function, not <function fetch"),
        ({"tools": [], "on_tool_call": 7}, "on_tool_call must be a sync function, not 7"),
        ({"tools": [], "auto_save_history": False}, "chats that call tools need auto_save_history"),
    ],
    ids=lambda value: value if isinstance(value, str) else None,
)
def test_invalid_tool_options_are_rejected_before_sending(run, coze_sandbox, options, reason):
    """Invalid tool options are rejected before anything is sent."""
    with pytest.raises(errors.InvalidArgumentError, match=reason):
        run("hi", **options)
    assert not coze_sandbox.requests


def test_misspelled_argument_is_a_type_error(coze):
    """A misspelled argument raises a TypeError with its name."""
    with pytest.raises(TypeError, match="bot"):
        coze.chat.run_stream(tools=[], bot="1", user_id="u")


# --- The stream as a whole


def test_events_of_all_rounds_are_one_stream(coze):
    """The events of all rounds are one stream, from the first event to the last `done`."""
    with coze.chat.run_stream(**CHAT, additional_messages=[TWO], tools=[get_weather, get_time]) as stream:
        kinds = [event.event for event in stream]
        assert list(stream) == []
    assert kinds.count("conversation.chat.created") == 2
    assert kinds.count("conversation.chat.requires_action") == 1
    assert kinds[-1] == "done"
    assert stream.ended
    assert stream.logid == stream.response.logid


def test_text_of_all_rounds_is_separated_by_line_breaks(coze):
    """The text of all rounds is one; answers of different rounds are separated by line breaks."""
    with coze.chat.run_stream(**CHAT, additional_messages=[TWO], tools=[get_weather, get_time]) as stream:
        assert stream.chat is None
        assert stream.logid != ""
        text = "".join(stream.text)
    assert text == stream.answer == 'get_weather says: rain in Ulm; get_time says: {"hour":13}'
    assert not stream.follow_ups
    assert [message.type for message in stream.messages if message.type == "answer"] == ["answer"]


class Server:
    """Returns the given responses in order, then the last one repeatedly: lists are event streams, all else is JSON."""

    def __init__(self, *answers: Any) -> None:
        self.answers = list(answers)
        self.paths: list[str] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.paths.append(request.url.path)
        answer = self.answers.pop(0)
        if isinstance(answer, list):
            text = "".join(f"event:{name}\ndata:{json.dumps(data)}\n\n" for name, data in answer)
            return httpx.Response(200, text=text, headers={"content-type": "text/event-stream"})
        return httpx.Response(200, json={"code": 0, "data": answer})


def chat(status: str, *calls: dict[str, Any]) -> dict[str, Any]:
    action = {"required_action": {"type": "submit_tool_outputs", "submit_tool_outputs": {"tool_calls": list(calls)}}}
    return {"id": "7", "conversation_id": "8", "status": status, **(action if status == "requires_action" else {})}


def called(name: str, arguments: str = "{}", kind: str = "function") -> dict[str, Any]:
    return {"id": f"call-{name}", "type": kind, "function": {"name": name, "arguments": arguments}}


def message(content: str) -> dict[str, Any]:
    return {"id": content, "conversation_id": "8", "role": "assistant", "type": "answer", "content": content}


def test_answer_before_a_tool_call_is_on_its_own_line(connect: Connect):
    """An answer before a tool call is part of the answer, on its own line."""
    server = Server(
        [
            ("conversation.message.delta", message("I look")),
            ("conversation.message.completed", message("I look")),
            ("conversation.chat.requires_action", chat("requires_action", called("look"))),
            ("done", "[DONE]"),
        ],
        [
            ("conversation.message.delta", message("Found")),
            ("conversation.message.completed", message("Found")),
            ("conversation.chat.completed", chat("completed")),
            ("done", "[DONE]"),
        ],
    )
    stream = connect(handler=server).chat.run_stream(**CHAT, tools=[tool(lambda: "x", name="look")])
    assert "".join(stream.text) == stream.answer == "I look\nFound"
    assert server.paths == [operations.STREAM.path, operations.SUBMIT_TOOL_OUTPUTS_STREAM.path]


@pytest.mark.parametrize("by_stream", [True, False], ids=["stream", "poll"])
@pytest.mark.parametrize(
    ("calls", "reason"),
    [
        ((called("a"), called("q", kind="reply_message")), "waits for something that is not a tool call"),
        (({"id": "1", "type": "new"},), "waits for something that is not a tool call"),
        ((), "waits for something that is not a tool call"),
    ],
    ids=["question beside tools", "unknown kind", "nothing"],
)
def test_action_without_tool_calls_is_action_required(connect: Connect, by_stream, calls, reason):
    """A chat that waits for an action other than tool outputs raises ActionRequired."""
    waiting = chat("requires_action", *calls)
    server = Server([("conversation.chat.requires_action", waiting)] if by_stream else waiting)
    with pytest.raises(errors.ActionRequired, match=reason):
        Either(connect(handler=server), by_stream=by_stream)("hi", tools=[tool(lambda: "x", name="a")])


@pytest.mark.parametrize("by_stream", [True, False], ids=["stream", "poll"])
def test_question_to_the_user_ends_the_run(connect: Connect, by_stream):
    """A question to the user is not a failure: the run ends with a chat that waits for the next message."""
    waiting = chat("requires_action", called("", kind="reply_message"))
    server = Server([("conversation.chat.requires_action", waiting)] if by_stream else waiting, None)
    done = Either(connect(handler=server), by_stream=by_stream)("hi", tools=[get_weather])
    assert done.chat.status is models.ChatStatus.REQUIRES_ACTION
    assert done.tool_runs == []


def test_headers_are_sent_with_submitted_outputs(coze, coze_sandbox):
    """The extra headers of the call are also sent with the submitted outputs."""
    for by_stream in (True, False):
        coze_sandbox.requests.clear()
        Either(coze, by_stream=by_stream)(TWO, tools=[get_weather, get_time], extra_headers={"X-Trace": "1"})
        assert {record.headers.get("x-trace") for record in coze_sandbox.requests} == {"1"}


def test_interrupted_later_round_keeps_earlier_events(coze, coze_sandbox):
    """An interruption in a later round is raised, and the events before it are kept."""
    coze_sandbox.faults.add("cut", operation="chat.submit_tool_outputs", events=3)
    stream = coze.chat.run_stream(**CHAT, additional_messages=[TWO], tools=[get_weather, get_time])
    with pytest.raises(errors.StreamInterrupted), stream:
        stream.until_done()
    assert [entry.output for entry in stream.tool_runs] == ["rain in Ulm", '{"hour":13}']
    assert stream.messages
    assert not stream.ended


@pytest.mark.parametrize(
    ("operation", "events"), [("chat.create", 3), ("chat.submit_tool_outputs", 0), ("chat.submit_tool_outputs", 4)]
)
def test_recovered_round_continues_with_its_tools(coze, coze_sandbox, operation, events):
    """A round that is interrupted is recovered, its tools are called, and no message is duplicated."""
    coze_sandbox.faults.add("cut", operation=operation, events=events)
    stream = coze.chat.run_stream(**CHAT, additional_messages=[TWO], tools=[get_weather, get_time])
    with pytest.raises(errors.StreamInterrupted), stream:
        stream.until_done()
    had = [message.id for message in stream.messages]
    recovered = [message.id for message in stream.recover(poll_interval=0)]
    with stream:
        stream.until_done()
    assert stream.ended
    assert stream.answer == 'get_weather says: rain in Ulm; get_time says: {"hour":13}'
    assert len(stream.tool_runs) == 2
    assert not set(had) & set(recovered)
    ids = [message.id for message in stream.messages]
    assert len(set(ids)) == len(ids)


def test_all_iterators_cover_all_rounds(coze):
    """The iterators of reasoning, audio and messages cover all rounds, as `text` does."""
    think = tool(lambda: "ok", name="think")
    for name, count in (("reasoning", 0), ("audio", 0), ("completed_messages", 2)):
        with coze.chat.run_stream(**CHAT, additional_messages=["/tool think {}"], tools=[think]) as stream:
            assert len(list(getattr(stream, name))) >= count
        assert stream.answer == "think says: ok"
        assert len(stream.tool_runs) == 1


def test_failed_run_raises_again_and_calls_no_tool_twice(coze):
    """Reading after a tool ended the run raises the same error again and calls no tool twice."""
    calls: list[str] = []

    def once() -> str:
        calls.append("x")
        raise RuntimeError("no")

    stream = coze.chat.run_stream(**CHAT, additional_messages=["/tool once {}"], tools=[once], on_tool_error="raise")
    with stream:
        for _ in range(2):
            with pytest.raises(errors.ToolFailed):
                stream.until_done()
    assert calls == ["x"]


def test_stream_closed_before_its_tools_is_not_complete(coze, coze_sandbox):
    """A stream that was closed before its tools were called does not count as complete."""
    calls: list[Callable[..., Any]] = []
    stream = coze.chat.run_stream(
        **CHAT, additional_messages=["/tool one {}"], tools=[tool(lambda: calls.append, name="one")]
    )
    with stream:
        for event in stream:
            if event.event == "done":
                break
    with pytest.raises(errors.StreamInterrupted, match="closed here before its end") as caught:
        stream.until_done()
    assert caught.value.stream.tool_runs == []  # the stream of the run, not that of the round
    assert not stream.ended
    assert not coze_sandbox.requests.of("chat.submit_tool_outputs")


def test_stream_closed_during_a_tool_sends_no_outputs(coze, coze_sandbox):
    """A stream that another thread closes during a tool call sends no outputs, and does not count as complete."""
    stream = coze.chat.run_stream(
        **CHAT, additional_messages=["/tool leave {}"], tools=[tool(lambda: stream.close(), name="leave")]
    )
    with pytest.raises(errors.StreamInterrupted, match="closed here before its end"):
        stream.until_done()
    assert [run.name for run in stream.tool_runs] == ["leave"]
    assert not stream.ended
    assert not coze_sandbox.requests.of("chat.submit_tool_outputs")


@pytest.mark.parametrize("where", ["tool", "hook before", "hook after"])
def test_run_interrupted_during_tools_can_be_recovered(coze_sandbox, where):
    """A run that was interrupted during its tool calls can be recovered: it calls the tools that had not ended, and
    continues.
    """
    calls: list[str] = []
    places = [where]

    def visit(place: str) -> None:
        if place in places:
            places.remove(place)
            raise KeyboardInterrupt

    def work() -> str:
        calls.append("work")
        visit("tool")
        return "done"

    with Coze(coze_sandbox.token, base_url=coze_sandbox.base_url) as coze:
        stream = coze.chat.run_stream(
            **CHAT,
            additional_messages=["/tool work {}"],
            tools=[work],
            max_rounds=1,
            on_tool_call=lambda _: visit("hook before"),
            on_tool_run=lambda _: visit("hook after"),
        )
        with pytest.raises(KeyboardInterrupt), stream:
            stream.until_done()
        with pytest.raises(errors.StreamInterrupted, match="interrupted between two rounds; call recover") as caught:
            stream.until_done()
        assert caught.value.stream.chat.status is models.ChatStatus.REQUIRES_ACTION
        assert list(stream.recover(poll_interval=0)) == []
        assert stream.until_done().answer == "work says: done"
    assert stream.ended
    assert len(stream.tool_runs) == 1
    assert calls == (["work", "work"] if where == "tool" else ["work"])
    assert len(coze_sandbox.requests.of("chat.submit_tool_outputs")) == 1


@pytest.mark.anyio
async def test_run_canceled_during_tools_can_be_recovered(coze_sandbox):
    """A run whose task was canceled during its tool calls can be recovered; no tool that had ended is called again."""
    calls: list[str] = []

    async def quick() -> str:
        calls.append("quick")
        return "q"

    async def slow() -> str:
        calls.append("slow")
        if calls.count("slow") == 1:
            await anyio.lowlevel.checkpoint()
            scope.cancel()
            await anyio.sleep_forever()
        return "s"

    async with AsyncCoze(coze_sandbox.token, base_url=coze_sandbox.base_url) as coze:
        text = "/tool quick {}\n/tool slow {}"
        stream = coze.chat.run_stream(**CHAT, additional_messages=[text], tools=[quick, slow])
        with anyio.CancelScope() as scope:
            await stream.until_done()
        with pytest.raises(errors.StreamInterrupted, match="interrupted between two rounds"):
            await stream.until_done()
        assert [message async for message in stream.recover(poll_interval=0)] == []
        assert (await stream.until_done()).answer == "quick says: q; slow says: s"
    assert calls.count("quick") == 1
    assert calls.count("slow") == 2


def test_only_the_interrupted_tool_is_called_again(coze_sandbox):
    """Of two concurrent tools, only the interrupted one is called again."""
    calls: list[str] = []
    ended = threading.Event()

    def quick() -> str:
        calls.append("quick")
        ended.set()
        return "q"

    def slow() -> str:
        calls.append("slow")
        ended.wait()
        if calls.count("slow") == 1:
            raise KeyboardInterrupt
        return "s"

    with Coze(coze_sandbox.token, base_url=coze_sandbox.base_url) as coze:
        text = "/tool quick {}\n/tool slow {}"
        stream = coze.chat.run_stream(**CHAT, additional_messages=[text], tools=[quick, slow])
        with pytest.raises(KeyboardInterrupt):
            stream.until_done()
        assert list(stream.recover(poll_interval=0)) == []
        assert stream.until_done().answer == "quick says: q; slow says: s"
    assert sorted(calls) == ["quick", "slow", "slow"]


def waiting_for(*names: str) -> models.Chat:
    """Create a chat that waits for tools without parameters."""
    calls = [{"id": name, "type": "function", "function": {"name": name, "arguments": "{}"}} for name in names]
    action = {"type": "submit_tool_outputs", "submit_tool_outputs": {"tool_calls": calls}}
    return models.Chat.from_dict({"id": "1", "status": "requires_action", "required_action": action})


def test_late_tool_result_is_not_used_in_a_later_round():
    """The result of a tool that ends after its interrupted round is not used for a call of a later round."""
    left: list[threading.Thread] = []
    begun, late = threading.Event(), threading.Event()

    def interrupt() -> str:
        begun.wait()
        if loop.on_tool_call is None:
            raise KeyboardInterrupt
        return "i"

    def slow() -> str:
        if left:
            return "in time"
        left.append(threading.current_thread())
        begun.set()
        late.wait()
        return "too late"

    loop = ToolRunner.create([interrupt, slow])
    first, second = waiting_for("interrupt", "slow"), waiting_for("interrupt", "slow")
    with pytest.raises(KeyboardInterrupt):
        loop.run_calls(first)
    loop.on_tool_call = lambda _: None
    assert [result.output for result in loop.run_calls(first)] == ["i", "in time"]

    def let_it_end(_: Any) -> None:
        late.set()
        left[0].join()

    loop.on_tool_call = let_it_end
    assert [result.output for result in loop.run_calls(second)] == ["i", "in time"]
    assert [run.output for run in loop.runs] == ["i", "in time"] * 2
