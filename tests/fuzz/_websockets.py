"""Mutated WebSocket messages, to sessions of each protocol, used in every public way."""

from __future__ import annotations

import logging
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from random import Random
from typing import Any

from websockets.exceptions import ConnectionClosed
from websockets.sync.server import ServerConnection, serve

from cozekit import AsyncCoze, Coze, SocketOptions, audio
from cozekit.errors import CozeError
from tests.fuzz._answers import TOKEN, get_weather, method, secrets_of
from tests.fuzz._cases import Case, drive, on_loop
from tests.fuzz._description import instance, sockets
from tests.fuzz._use import Secrets, each, end_by, look, settled, use_error
from tests.fuzz._values import dumps, hostile, mutate

__all__ = ["websockets"]

_SILENT = logging.Logger("tests.fuzz")  # broken connections are expected
_SILENT.addHandler(logging.NullHandler())
logging.getLogger("websockets").addHandler(logging.NullHandler())
_QUIET = 0.3  # idle timeout of the client in seconds
_BOT = "7496347519799787557"
_ENTRIES = (
    ("websockets.audio.speech", "SpeechSocket"),
    ("websockets.audio.transcriptions", "TranscriptionSocket"),
    ("websockets.audio.simult_interpretation", "InterpretationSocket"),
    ("websockets.chat", "ChatSocket"),
    ("websockets.chat", "ChatSocket"),
)
_FRAMES: tuple[str | bytes, ...] = (
    "", "{", "[]", "null", "1", '"x"', "{}", '{"event_type": null}', '{"event_type": []}', '{"event_type": "error"}', b"{}", b"\xff\xfe",
    '{"event_type": "error", "data": []}', '{"event_type": "error", "data": {"code": [], "msg": {}}}', '{"event_type": "new.event", "data": 1}',
    '{"event_type": "error", "data": {"code": 1e999, "msg": 1}, "detail": {"logid": []}}', "[" * 3000 + "]" * 3000, "[" * 100_000,
    '{"data":' * 3000 + "1" + "}" * 3000, '{"event_type": "error", "detail": 7}', "\ufeff{}", "NaN", '{"event_type": "' + "x" * 100_000 + '"}',
    '{"code": 4100, "msg": "token expired"}', '{"id": {}, "event_type": "conversation.audio.delta", "data": {"content": 1}}', "\x00",
)  # fmt: skip
_CODES = (1000, 1001, 1002, 1003, 1007, 1008, 1009, 1011, 1012, 1013, 3000, 4000, 4999)


def _frames(protocol: str, rng: Random, done: list[str]) -> list[str | bytes]:
    """Create the messages that follow the first two, and mutate some."""
    downlink = sockets()[protocol]["downlink"]
    messages: dict[str, Any] = downlink["messages"]
    ends = [name for name, described in messages.items() if described.get("ends") or "completed" in name]
    names = rng.choices(list(messages), k=rng.randrange(1, 8)) + rng.sample(ends, min(2, len(ends)))
    if rng.random() < 0.5:
        names = [
            name for name in messages if not messages[name].get("fails") and not name.endswith(("created", "updated"))
        ]
    frames: list[str | bytes] = []
    spoilt = rng.sample(range(len(names)), min(len(names), rng.choice((1, 1, 2, 3))))
    for number, name in enumerate(names):
        frame: Any = {"id": str(number), "event_type": name, "detail": {"logid": "2024121015"}}
        if "data" in messages[name]:
            frame["data"] = instance(messages[name]["data"], rng)
        if number in spoilt:
            way = rng.random()
            if way < 0.8:
                frame, changes = mutate(frame, rng, rare=0.001)
                done.append(f"{name}: {', '.join(changes)}")
            elif way < 0.9:
                frames.append(rng.choice(_FRAMES))
                done.append(f"before {name}: {frames[-1][:60]!r}")
            else:
                change, value = hostile(rng, rare=0.001)
                frame["data"] = value
                done.append(f"{name}: data = {change}")
        text = dumps(frame)
        frames.append(text.encode() if rng.random() < 0.03 else text)
    return frames


def _hello(protocol: str, rng: Random, done: list[str]) -> tuple[list[str], list[str]]:
    """Create the messages that are sent on opening and after settings, sometimes mutated."""
    names = list(sockets()[protocol]["downlink"]["messages"])
    frames: list[str] = []
    for kind in ("created", "updated"):
        name = next(
            name for name in names if (name.endswith(kind) and name.count(".") == 1) or name.endswith(f".{kind}")
        )
        frame: Any = {"id": "1", "event_type": name, "detail": {"logid": "2024121015"}}
        schema = sockets()[protocol]["downlink"]["messages"][name].get("data")
        if schema:
            frame["data"] = instance(schema, rng)
        if rng.random() < 0.15:
            frame, changes = mutate(frame, rng, rare=0)
            done.append(f"{name}: {', '.join(changes)}")
        frames.append(dumps(frame))
    return [frames[0]], [frames[1]]


class _Handler:
    """What the server does with a connection."""

    def __init__(self, protocol: str, rng: Random, done: list[str]) -> None:
        self._hello, self._settled = _hello(protocol, rng, done)
        self._frames = _frames(protocol, rng, done)
        self._end = rng.choice(("close", "close", "abort", "wait"))
        self._code = rng.choice(_CODES)
        self._reason = rng.choice(("", "bye", "\u4e16" * 20, "x" * 120, "{}"))
        done.append(f"then {self._end} {self._code}")

    def __call__(self, connection: ServerConnection) -> None:
        with suppress(ConnectionClosed, OSError, TimeoutError):
            for frame in self._hello:
                connection.send(frame)
            played = False
            while True:
                text = connection.recv(timeout=5)
                if b".update" in (text.encode() if isinstance(text, str) else text):
                    for frame in self._settled:
                        connection.send(frame)
                elif not played:
                    played = True
                    for piece in self._frames:
                        connection.send(piece)
                    if self._end == "abort":
                        connection.socket.shutdown(socket.SHUT_RDWR)
                        return
                    if self._end == "close":
                        connection.close(self._code, self._reason)
                        return


@contextmanager
def _server(handler: _Handler) -> Iterator[int]:
    with serve(handler, "127.0.0.1", 0, compression=None, logger=_SILENT) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield server.socket.getsockname()[1]
        finally:
            server.shutdown()
            thread.join(10)


async def _speech(session: Any, way: int) -> Any:
    if way == 0:
        return await each(session, 50)
    return await each(session.say("Nice weather." if way == 1 else ["Nice ", "weather."]), 100)


async def _transcriptions(session: Any, way: int) -> Any:
    if way == 0:
        return await each(session, 50)
    return await each(session.listen([b"\0\0" * 800] * 3), 100)


async def _turned(turn: Any, way: int) -> Any:
    try:
        if way == 0:
            await each(turn, 100)
        elif way == 1:
            await each(turn.text, 100)
        elif way == 2:
            await each(turn.audio, 100)
        else:
            await settled(turn.until_done())
    finally:
        await settled(turn.close())
    return turn


async def _interpretation(session: Any, way: int) -> Any:
    return await _turned(session.interpret([b"\0\0" * 800] * 3), way)


async def _chat(session: Any, way: int) -> Any:
    if way == 4:
        return await each(session.converse([b"\0\0" * 800] * 3), 50)
    if way == 5:
        return await each(session.speak("Are you there?"), 50)
    if way == 6:
        return await _turned(session.talk("What time is it?", tools=[get_weather]), 1)
    return await _turned(session.talk("What time is it?" if way % 2 else [b"\0\0" * 800] * 2), way)


_USES = {
    "SpeechSocket": (_speech, 3),
    "TranscriptionSocket": (_transcriptions, 2),
    "InterpretationSocket": (_interpretation, 4),
    "ChatSocket": (_chat, 7),
}


def websockets(case: Case) -> None:
    """Open a session, use it in some way, and read the results."""
    rng = case.rng()
    name, protocol = _ENTRIES[case.number % len(_ENTRIES)]
    use, ways = _USES[protocol]
    way, wait = rng.randrange(ways), rng.random() < 0.5
    case.operation = name
    case.done.append(f"[{'async' if wait else 'sync'}, way {way}]")
    handler = _Handler(protocol, rng, case.done)
    with _server(handler) as port:
        options = SocketOptions(
            base_url=f"ws://127.0.0.1:{port}",
            proxy=None,
            open_timeout=5,
            close_timeout=_QUIET,
            idle_timeout=_QUIET,
            ping_interval=None,
        )
        client = (AsyncCoze if wait else Coze)(TOKEN, base_url="https://api.coze.com", sockets=options, retry=0)
        coroutine = _talk(case, client, name, use, way)
        on_loop(coroutine) if wait else drive(coroutine)


async def _talk(case: Case, client: Coze | AsyncCoze, name: str, use: Any, way: int) -> None:
    secrets: Secrets = secrets_of()
    pcm = audio.PCM(16000)
    arguments: dict[str, Any] = {"input_audio": pcm, "output_audio": audio.PCM(24000), "bot_id": _BOT}
    if name.endswith("speech"):
        arguments = {"output_audio": pcm}
    elif name.endswith("transcriptions"):
        arguments = {"input_audio": pcm}
    elif name.endswith("interpretation"):
        del arguments["bot_id"]
    try:
        session = method(client, f"{name}.connect")(**arguments)
        try:
            await settled(session.open())
            case.step = f"use by way {way}"
            result = await use(session, way)
            case.step = "use of the result"
            look(result, secrets)
            repr(result)
        except CozeError as error:
            end_by(error, case, secrets, variables=True)
        finally:
            await settled(session.close())
        case.step = "use of the session"
        repr(session)
        look(session, secrets)
    except CozeError as error:
        case.outcome = type(error).__name__
        use_error(error, secrets)
    finally:
        await settled(client.close())
