"""Messages over WebSockets with values of wrong types: nothing but a `CozeError` comes of them."""

from __future__ import annotations

import asyncio
import os
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterable
from functools import cache
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cozekit import AsyncCoze, Coze, audio
from cozekit._websockets import session as _session
from cozekit._websockets import session_async
from cozekit._websockets.session_state import ConnectionClosed
from cozekit.errors import CozeError
from tests.contract._calls import document, resolve
from tests.contract._filled import filled
from tests.contract._hostile import as_json, damaged

EXAMPLES = max(int(os.environ.get("COZEKIT_MAX_EXAMPLES", "200")) // 10, 5)
PCM = audio.PCM(24000)
_NOWHERE = httpx.MockTransport(lambda _: httpx.Response(404))  # to make TLS settings for each client takes long
SOUND = b"\0\0" * 800
CONFIRMED = {
    "SpeechSocket": "speech.updated",
    "TranscriptionSocket": "transcriptions.updated",
    "InterpretationSocket": "simult_interpretation.updated",
    "ChatSocket": "chat.updated",
}


def get_weather(city: str = "") -> str:
    """Return what a tool may."""
    return city


def _speech(coze: Any) -> Any:
    return coze.websockets.audio.speech.connect(output_audio=PCM)


def _transcriptions(coze: Any) -> Any:
    return coze.websockets.audio.transcriptions.connect(input_audio=PCM)


def _interpretation(coze: Any) -> Any:
    return coze.websockets.audio.simult_interpretation.connect(input_audio=PCM, output_audio=PCM)


def _chat(coze: Any) -> Any:
    return coze.websockets.chat.connect(bot_id="1", input_audio=PCM, output_audio=PCM)


# Protocol, how its session is made, and what is read of it.
WAYS: dict[str, tuple[str, Callable[[Any], Any], Callable[[Any], Any]]] = {
    "speech": ("SpeechSocket", _speech, lambda session: session.say("Hello")),
    "speech messages": ("SpeechSocket", _speech, lambda session: session),
    "transcriptions": ("TranscriptionSocket", _transcriptions, lambda session: session.listen(SOUND)),
    "interpretation": ("InterpretationSocket", _interpretation, lambda session: session.interpret(SOUND)),
    "interpretation text": ("InterpretationSocket", _interpretation, lambda session: session.interpret(SOUND).text),
    "interpretation audio": ("InterpretationSocket", _interpretation, lambda session: session.interpret(SOUND).audio),
    "turn": ("ChatSocket", _chat, lambda session: session.talk("Hello")),
    "turn text": ("ChatSocket", _chat, lambda session: session.talk("Hello").text),
    "turn audio": ("ChatSocket", _chat, lambda session: session.talk(SOUND).audio),
    "turn with tools": ("ChatSocket", _chat, lambda session: session.talk("Hello", tools=[get_weather])),
    "speak": ("ChatSocket", _chat, lambda session: session.speak("Hello")),
    "converse": ("ChatSocket", _chat, lambda session: session.converse([SOUND])),
}


class Wire:
    """A connection over which frames come that were made before, and then its end."""

    def __init__(self, frames: Iterable[bytes]) -> None:
        self._frames = deque(frames)

    def _next(self) -> bytes:
        if not self._frames:
            raise ConnectionClosed(1000, "", clean=True, locally=False)
        return self._frames.popleft()

    def send(self, text: str) -> None:
        """Take a text."""

    def received(self) -> None:
        """No frame was read ahead."""

    def receive(self, timeout: float) -> bytes:
        """Give the next frame."""
        return self._next()

    unanswered_ping = None

    def start_heartbeat(self, interval: float) -> None:
        """Send no pings."""

    def close(self, code: int, reason: str, timeout: float | None) -> None:
        """Close."""

    def abort(self) -> None:
        """Close at once."""


class AsyncWire(Wire):
    """The same, awaited."""

    async def send(self, text: str) -> None:  # type: ignore[override]  # the async twin
        """Take a text."""

    async def receive(self, timeout: float | None) -> bytes:  # type: ignore[override]  # noqa: ASYNC109  (the async twin)
        """Give the next frame."""
        await asyncio.sleep(0)
        return self._next()

    async def close(self, code: int, reason: str, timeout: float | None) -> None:  # type: ignore[override]  # noqa: ASYNC109  (the async twin)
        """Close."""

    async def abort(self) -> None:  # type: ignore[override]  # the async twin
        """Close at once."""


@cache
def _downlink(protocol: str) -> dict[str, Any]:
    """Make each kind of message that comes."""
    described = document()["components"]["x-coze-websockets"][protocol]["downlink"]
    detail = filled(resolve(described["detail"]))
    return {
        kind: {
            "event_type": kind,
            "id": "1",
            **({"data": filled(resolve(message["data"]))} if "data" in message else {}),
            "detail": detail,
        }
        for kind, message in described["messages"].items()
    }


@st.composite
def frames(draw: st.DrawFn, protocol: str) -> list[bytes]:
    """Draw messages in any order, damaged, and frames that are none."""
    kinds = _downlink(protocol)
    result = [as_json(kinds[CONFIRMED[protocol]]).encode()]
    for _ in range(draw(st.integers(0, 8))):
        if draw(st.integers(0, 9)) == 0:
            result.append(draw(st.sampled_from([b"", b"\xff\xfe", b"null", b"[]", b"{", b"\0" * 10, b"[" * 3000])))
        else:
            result.append(as_json(draw(damaged(kinds[draw(st.sampled_from(sorted(kinds)))]))).encode())
    return result


def look_at(thing: Any) -> None:
    """Read what has accumulated."""
    for name in ("answer", "transcript", "original", "translation", "logid"):
        assert isinstance(getattr(thing, name, ""), str)
    for name in ("messages", "follow_ups", "usage", "chat", "tool_runs", "received"):
        assert isinstance(repr(getattr(thing, name, None)), str)


def take(session: Any, source: Any, item: Any) -> None:
    """Look at what came, and at all that has accumulated."""
    assert isinstance(repr(item), str)
    for thing in (session, source, getattr(session, "_turn", None)):
        look_at(thing)


def read(coze: Coze, connect: Callable[[Any], Any], begin: Callable[[Any], Any]) -> None:
    """Read what a way of using a session gives."""
    with connect(coze) as session:
        source = begin(session)
        for item in source:
            take(session, source, item)


async def aread(coze: AsyncCoze, connect: Callable[[Any], Any], begin: Callable[[Any], Any]) -> None:
    """Read it, awaited."""
    async with connect(coze) as session:
        source: AsyncIterator[Any] = begin(session)
        async for item in source:
            take(session, source, item)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("mode", ["sync", "async"])
@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_messages(way: str, mode: str, monkeypatch: pytest.MonkeyPatch, data: st.DataObject) -> None:
    """Whatever the members of messages are, reading raises a `CozeError` or nothing, and what accumulates has its type."""
    protocol, connect, begin = WAYS[way]
    received_frames = data.draw(frames(protocol), label="frames")

    async def aopen(*_: Any) -> tuple[AsyncWire, str]:
        return AsyncWire(received_frames), "log"

    async def run() -> None:
        async with AsyncCoze("t", http_client=httpx.AsyncClient(transport=_NOWHERE)) as coze:
            await aread(coze, connect, begin)

    monkeypatch.setattr(_session, "open_connection", lambda *_: (Wire(received_frames), "log"))
    monkeypatch.setattr(session_async, "open_connection", aopen)
    try:
        if mode == "async":
            asyncio.run(run())
        else:
            with Coze("t", http_client=httpx.Client(transport=_NOWHERE)) as coze:
                read(coze, connect, begin)
    except CozeError as error:
        assert isinstance(str(error), str)
        assert isinstance(repr(error), str)


@pytest.mark.parametrize("protocol", CONFIRMED)
def test_every_protocol_knows_errors(protocol: str) -> None:
    """Every WebSocket describes a message of type `error` as a failure, also as the response to settings."""
    described = document()["components"]["x-coze-websockets"][protocol]
    assert described["downlink"]["messages"]["error"]["fails"] is True
    updates = [message for kind, message in described["uplink"]["messages"].items() if kind.endswith(".update")]
    assert [update["answers"][-1] for update in updates] == ["error"]
