"""Mutated streams of server-sent events, read in every public way, sync and async."""

from __future__ import annotations

import json
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from random import Random
from typing import Any

import httpx

from cozekit import AsyncCoze, Coze
from cozekit.errors import CozeError, StreamGap
from tests.fuzz._answers import get_weather, make_client, method, secrets_of
from tests.fuzz._cases import Case, drive, on_loop
from tests.fuzz._description import instance, operation, operations, schema_of_event, streams
from tests.fuzz._replies import BREAKS, Reply, mutated, spoil, valid
from tests.fuzz._use import Secrets, each, end_by, look, settled, use_error
from tests.fuzz._values import dumps, hostile, mutate

__all__ = ["streaming"]

_ENTRIES = (
    ("chat.create", "chat.stream"),
    ("chat.create", "chat.run_stream"),
    ("chat.submit_tool_outputs", "chat.submit_tool_outputs_stream"),
    ("workflows.runs.stream", "workflows.runs.stream"),
    ("workflows.runs.stream", "workflows.runs.stream"),
    ("workflows.runs.stream_resume", "workflows.runs.stream_resume"),
    ("workflows.chat.stream", "workflows.chat.stream"),
)
_MOST_REQUESTS = 40
_PIECES = 3000


@dataclass
class Event:
    """One event.

    Attributes:
        id: The value of the `id:` line, or None for no such line.
        data: JSON, or text that is sent unchanged.
    """

    id: str | None
    name: str | None
    data: Any


def _chat(rng: Random) -> list[Event]:
    """Create the events of a valid chat."""
    protocol = "ChatStream"

    def event(name: str, **members: Any) -> Event:
        data = instance(schema_of_event(protocol, name), rng)
        if isinstance(data, dict):
            data.update(members)
        return Event(None, name, data)

    ids = {"id": "7382159487131697202", "conversation_id": "7381473525342978089", "bot_id": "73794"}
    events = [
        event("conversation.chat.created", **ids, status="created"),
        event("conversation.chat.in_progress", **ids, status="in_progress"),
    ]
    for number in range(rng.randrange(1, 4)):
        message = {
            "id": f"73821594941234{number}",
            "chat_id": ids["id"],
            "conversation_id": ids["conversation_id"],
            "role": "assistant",
            "type": rng.choice(("answer", "answer", "verbose", "follow_up", "function_call", "tool_response")),
            "content_type": "text",
        }
        pieces = [rng.choice(("Hel", "lo ", "\n", "世界", "{}", "")) for _ in range(rng.randrange(5))]
        for piece in pieces:
            thoughts = {"reasoning_content": "hm"} if rng.random() < 0.3 else {}
            events.append(event("conversation.message.delta", **message, content=piece, **thoughts))
        if rng.random() < 0.3:
            events.append(event("conversation.audio.delta", **message, content="AAECAw=="))
        events.append(event("conversation.message.completed", **message, content="".join(pieces)))
    end = rng.random()
    if end < 0.2:
        action = {
            "type": "submit_tool_outputs",
            "submit_tool_outputs": {
                "tool_calls": [
                    {
                        "id": "c1",
                        "type": "function",
                        "function": {"name": "get_weather", "arguments": '{"city": "Oslo"}'},
                    }
                ]
            },
        }
        events.append(
            event("conversation.chat.requires_action", **ids, status="requires_action", required_action=action)
        )
    elif end < 0.3:
        events.append(event("conversation.chat.failed", **ids))
    elif end < 0.35:
        events.append(event("error"))
    else:
        events.append(event("conversation.chat.completed", **ids, status="completed"))
    if rng.random() < 0.9:
        events.append(
            Event(None, "done", rng.choice(("[DONE]", {"debug_url": "https://www.coze.com/work_flow?execute_id=1"})))
        )
    return events


def _run(rng: Random) -> list[Event]:
    """Create the events of a valid workflow run."""
    protocol, events = "WorkflowStream", []
    for node in range(rng.randrange(1, 4)):
        count = rng.randrange(1, 5)
        for number in range(count):
            data = instance(schema_of_event(protocol, "Message"), rng)
            data.update(
                content=rng.choice(("Hel", "lo", "\n", '{"output": "x"}')),
                node_title=f"Node {node}",
                node_seq_id=str(number),
                node_is_finish=number == count - 1,
            )
            events.append(Event("", "Message", data))
        if rng.random() < 0.1:
            events.append(Event("", "PING", ""))
    name = rng.choice(("Done", "Done", "Done", "Interrupt", "Interrupt", "Error"))
    events.append(Event("", name, instance(schema_of_event(protocol, name), rng)))
    for number, event in enumerate(events):
        event.id = str(number)
    return events


def _spoil_events(events: list[Event], protocol: str, rng: Random, done: list[str]) -> None:
    """Change the set and order of events."""
    place = rng.randrange(len(events))
    event = events[place]
    way = rng.choice(("swap", "twice", "drop", "end", "name", "unknown", "id", "id", "other data", "whole data", "all"))
    if way == "swap":
        other = rng.randrange(len(events))
        events[place], events[other] = events[other], event
    elif way == "twice":
        events[place:place] = [event] * rng.choice((1, 1, 20))
    elif way == "drop":
        del events[place]
    elif way == "end":
        del events[place + 1 :]
    elif way == "name":
        names = list(streams()[protocol]["events"])
        event.name = rng.choice((*names, None, "", "message", "Done ", "done", "ERROR", "é", "\x00", "x" * 5000))
    elif way == "unknown":
        events.insert(place, Event(None, rng.choice(("new.event", "conversation.chat.new", "New")), {"a": [1]}))
    elif way == "id":
        event.id = rng.choice(
            (None, "", "-1", "0", "1", "x", "1e9", "9" * 40, "9" * 5000, "\x00", "²", "٣", "1.0", " 1")
        )
    elif way == "other data":
        event.data = rng.choice(events).data
    elif way == "whole data":
        name, event.data = hostile(rng)
        way = f"data = {name}"
    else:
        rng.shuffle(events)
    done.append(f"event {place}: {way} {event.name if way == 'name' else event.id if way == 'id' else ''}"[:100])


def _spoil_values(events: list[Event], rng: Random, done: list[str]) -> None:
    """Change fields in the data of events."""
    with_data = [event for event in events if isinstance(event.data, dict | list)]
    for _ in range(rng.choice((1, 1, 2, 4))):
        if not with_data:
            return
        event = rng.choice(with_data)
        tree, changes = mutate(event.data, rng, rare=0.001)
        if isinstance(tree, dict) and isinstance(tree.get("data"), str) and rng.random() < 0.2:
            tree["data"] = dumps({"content": [1], "question": {"a": 1}})
        event.data = tree
        done.append(f"{event.name}: {', '.join(changes)}")


def _encode(event: Event, rng: Random, end: str, odd: bool) -> bytes:
    lines = []
    text = (
        event.data if isinstance(event.data, str) and (event.data == "[DONE]" or not event.data) else dumps(event.data)
    )
    space = "" if odd and rng.random() < 0.5 else " "
    if event.id is not None:
        lines.append(f"id:{space}{event.id}")
    if event.name is not None:
        lines.append(f"event:{space}{event.name}")
    if odd and rng.random() < 0.3 and len(text) < 5000:
        text = json.dumps(json.loads(text), indent=1) if _is_json(text) else text
    lines += [f"data:{space}{line}" for line in text.split("\n")]
    if odd:
        for more in (
            ": comment",
            "retry: 5",
            "retry: x",
            "data",
            "id",
            "event",
            "unknown: x",
            ":",
            "\x00",
            "data:\x00",
            " data: x",
        ):
            if rng.random() < 0.1:
                lines.insert(rng.randrange(len(lines) + 1), more)
        if rng.random() < 0.3:
            rng.shuffle(lines)
    return (end.join(lines) + end * 2).encode("utf-8", "surrogatepass")


def _is_json(text: str) -> bool:
    try:
        json.dumps(json.loads(text))
    except (ValueError, RecursionError):
        return False
    return True


_BARE: tuple[bytes, ...] = (
    b'{"code":4100,"msg":"token expired"}\n',
    b'{"code":4013,"msg":"rate limit","detail":{"logid":[]}}',
    b'{"code":"x","msg":[]}\n\n',
    b'{"code":0}\n',
    b'{"error":{"message":"x"}}\n\n',
    b'{"error_code":700012006,"error_message":{}}\n\n',
    b"[1]\n",
    b'{"code":' + b"[" * 3000 + b"]" * 3000 + b"}\n\n",
    b'{"code":1e999,"msg":null,"detail":7}\n\n',
    b"<html><body>502 Bad Gateway</body></html>\n",
    b"upstream timed out\n\n",
    b"\xef\xbb\xbf",
    b"\x00",
    b"\xff\xfe\xfd",
    b"\n" * 5000,
    b"\r" * 5000,
    b"\r\n\r\n",
    b":\n" * 2000,
    b"data:\n" * 2000,
    b"data: " + b"x" * 100_000 + b"\n\n",
    b"event: done\ndata: [DONE]\n\n",
    b"event: error\ndata: \n\n",
    b"event: Error\ndata: {\n\n",
    b"event: error\n\n",
    b"data: {\n\n",
    b"event: conversation.message.delta\ndata: null\n\n",
    b"\xc2",
    "\u2028\x85".encode(),
)


def _spoil_bytes(pieces: list[bytes], rng: Random, done: list[str]) -> None:
    place = rng.randrange(len(pieces) + 1)
    way = rng.choice(("insert", "insert", "insert", "cut", "cut", "flip", "delete"))
    if way == "insert":
        what = rng.choice(_BARE)
        if rng.random() < 0.5 and place:
            pieces[place - 1] = pieces[place - 1].rstrip(b"\r\n") + b"\n" * rng.randrange(2)
        pieces.insert(place, what)
        done.append(f"{what[:50]!r} put in before event {place}")
        return
    body = b"".join(pieces)
    if not body:
        return
    at = rng.randrange(len(body))
    if way == "cut":
        body = body[:at]
    elif way == "flip":
        body = body[:at] + bytes([rng.randrange(256)]) + body[at + 1 :]
    else:
        body = body[:at] + body[at + rng.randrange(40) :]
    pieces[:] = [body]
    done.append(f"bytes: {way} at {at}")


def _chunked(body: bytes, rng: Random) -> list[bytes]:
    way = rng.randrange(5)
    if way == 0 and len(body) < 20_000:
        return [body[n : n + 1] for n in range(len(body))]
    if way == 1:
        places = sorted(rng.randrange(len(body) + 1) for _ in range(rng.randrange(1, 30)))
        return [body[a:b] for a, b in zip([0, *places], [*places, len(body)], strict=True)]
    if way == 2:
        return body.splitlines(keepends=True) if len(body) < 50_000 else [body]
    return [body]


def _reply(protocol: str, rng: Random) -> Reply:
    """Create a stream and mutate it in one or more ways."""
    events = _chat(rng) if protocol == "ChatStream" else _run(rng)
    done: list[str] = []
    ways = "".join(rng.sample("vvvvvvooobbbxh", rng.choice((1, 1, 1, 2, 2, 3))))
    if "v" in ways:
        for _ in range(ways.count("v")):
            _spoil_values(events, rng, done)
    for _ in range(ways.count("o")):
        if events:
            _spoil_events(events, protocol, rng, done)
    end, odd = rng.choice(("\n", "\n", "\n", "\r\n", "\r")), rng.random() < 0.15
    pieces = [_encode(event, rng, end, odd) for event in events]
    if odd or end != "\n":
        done.append(f"lines end with {end!r}{', odd fields' if odd else ''}")
    for _ in range(ways.count("b")):
        _spoil_bytes(pieces, rng, done)
    reply = Reply(200, [(b"content-type", b"text/event-stream"), (b"x-tt-logid", b"2024121015")])
    reply.pieces = _chunked(b"".join(pieces), rng)
    if "x" in ways:
        if rng.random() < 0.5:
            del reply.pieces[rng.randrange(len(reply.pieces) + 1) :]
        reply.breaks = rng.choice(BREAKS)
        done.append(f"{reply.breaks.__name__} after {len(reply.pieces)} pieces")
    if "h" in ways:
        spoil(reply, rng.choice("hsc"), rng, done)
    reply.done = done
    return reply


class _Service:
    """Responds to stream requests with mutated streams, and to others with responses that are sometimes mutated."""

    def __init__(self, rng: Random, done: list[str]) -> None:
        self._rng = rng
        self._done = done
        self._requests = 0

    def __call__(self, request: httpx.Request) -> httpx.Response:
        """Respond to a request.

        Raises:
            httpx.HTTPError: There is no response.
        """
        self._requests += 1
        if self._requests > _MOST_REQUESTS:
            raise httpx.ConnectError("enough")
        requested = next(
            (
                candidate
                for candidate in operations()
                if candidate.verb == request.method and candidate.path.fullmatch(request.url.path)
            ),
            None,
        )
        if requested is None:
            return httpx.Response(404)
        if requested.protocol and b'"stream":false' not in request.content:
            reply = _reply(requested.protocol, self._rng)
            self._done += reply.done
            return reply.response()
        if self._rng.random() < 0.4:
            reply = mutated(requested, self._rng)
            self._done.append(f"{requested.id}: {', '.join(reply.done)}")
            return reply.response()
        tree, _ = valid(requested, self._rng)
        if requested.id == "chat.retrieve" and isinstance(tree.get("data"), dict):
            tree["data"]["status"] = self._rng.choice(("completed", "failed", "in_progress", "canceled"))
        return httpx.Response(200, json=tree)


Reader = Callable[[Any, Case, Secrets], Coroutine[Any, Any, None]]


async def _events(stream: Any, case: Case, secrets: Secrets) -> None:
    await each(stream, _PIECES)


async def _one_by_one(stream: Any, case: Case, secrets: Secrets) -> None:
    """Read properties after each event, as programs with a progress display do, and answer questions."""
    count = answered = 0
    steps = stream.__aiter__() if hasattr(stream, "__aiter__") else iter(stream)
    while count < _PIECES:
        try:
            event = await settled(steps.__anext__() if hasattr(steps, "__anext__") else next(steps, None))
        except StopAsyncIteration:
            break
        if event is None:
            break
        count += 1
        if count < 4 or count % 5 == 0:
            look(stream, secrets)
        repr(event)
        if getattr(stream, "interrupt", None) is not None and hasattr(stream, "resume"):
            _ = stream.question
            answered += 1
            if answered < 3:
                stream.resume("yes" if answered == 1 else {"answer": "yes"})
    if answered:
        await each(stream, _PIECES)


async def _entered(stream: Any, case: Case, secrets: Secrets) -> None:
    """Enter, read some events, and exit early."""
    if hasattr(stream, "__aenter__"):
        async with stream:
            await each(stream, 3)
    else:
        with stream:
            await each(stream, 3)


async def _done(stream: Any, case: Case, secrets: Secrets) -> None:
    until = getattr(stream, "until_done", None)
    await (settled(until()) if until is not None else each(stream, _PIECES))


def _view(name: str) -> Reader:
    async def read(stream: Any, case: Case, secrets: Secrets) -> None:
        await each(getattr(stream, name, stream), _PIECES)

    return read


_READERS: dict[str, Reader] = {
    "events": _events,
    "one by one": _one_by_one,
    "entered and left": _entered,
    "until_done": _done,
    "text": _view("text"),
    "reasoning": _view("reasoning"),
    "audio": _view("audio"),
    "completed_messages": _view("completed_messages"),
}


def streaming(case: Case) -> None:
    """Open a mutated stream, read it in some way, and use it as callers do."""
    rng = case.rng()
    operation_id, name = _ENTRIES[case.number % len(_ENTRIES)]
    called = operation(operation_id)
    arguments: dict[str, Any] = dict(called.arguments)
    if name == "chat.run_stream":
        arguments["tools"] = [get_weather]
    if name.startswith("chat.") and name != "chat.run_stream" and rng.random() < 0.2:
        arguments["cancel_on_exit"] = True
    wait = rng.random() < 0.5
    options: dict[str, Any] = {"retry": 0, "on_gap": rng.choice(("raise", "warn", "ignore"))}
    if rng.random() < 0.05:
        options["max_event_bytes"] = rng.choice((1, 100, 1000))
    if rng.random() < 0.1:
        del options["retry"]
    way = rng.choice(list(_READERS))
    case.operation = name
    case.done.append(f"[{'async' if wait else 'sync'}, {way}, {options}]")
    client = make_client(_Service(rng, case.done), wait=wait, **options)
    coroutine = _read(case, client, name, arguments, way, rng)
    on_loop(coroutine) if wait else drive(coroutine)


async def _read(
    case: Case, client: Coze | AsyncCoze, name: str, arguments: dict[str, Any], way: str, rng: Random
) -> None:
    secrets = secrets_of()
    recovers, again = rng.random() < 0.4, rng.random() < 0.3
    with_locals = rng.random() < 0.03
    try:
        stream: Any = method(client, name)(**arguments)
        try:
            for attempt in range(4):
                case.step = f"reading by {way}"
                try:
                    await _READERS[way](stream, case, secrets)
                except StreamGap as error:
                    end_by(error, case, secrets, variables=False)
                    continue  # the stream can be read further
                except CozeError as error:
                    end_by(error, case, secrets, variables=with_locals)
                if attempt or not again:
                    break
            case.step = "use of the stream"
            await _use_stream(stream, secrets)
            if recovers and hasattr(stream, "recover"):
                case.step = "recover"
                await _recover(stream, case, secrets)
        finally:
            await settled(stream.close())
        case.step = "use of the closed stream"
        await _use_stream(stream, secrets)
    finally:
        await settled(client.close())


async def _use_stream(stream: Any, secrets: Secrets) -> None:
    look(stream, secrets)
    for name in ("nodes", "messages", "follow_ups", "gaps", "tool_runs"):
        for item in list(getattr(stream, name, ()))[:5]:
            repr(item)


async def _recover(stream: Any, case: Case, secrets: Secrets) -> None:
    try:
        await each(stream.recover(), _PIECES)
        await each(stream, _PIECES)
    except CozeError as error:
        case.outcome = f"{case.outcome} {type(error).__name__}".strip()
        use_error(error, secrets)
    await _use_stream(stream, secrets)
