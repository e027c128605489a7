"""The sandbox's WebSocket faults, and how the client handles each."""

from __future__ import annotations

import asyncio
import queue
import re
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from coze_sandbox import Sandbox
from cozekit import SocketOptions, audio
from cozekit.errors import (
    APIConnectionError,
    APITimeoutError,
    CozeError,
    GatewayError,
    PermissionDeniedError,
    RateLimitError,
    ServerError,
    SocketClosed,
)
from tests.overlay._clients import Connect, at_once

pytestmark = pytest.mark.needs_asyncio

SPEECH = "websockets.audio.speech"
PCM = audio.PCM(24000)
TEXT = "Nice weather today."
OURS = re.compile(r"cozekit|recv_events")
BEFORE = 5  # the messages before the second audio piece: four without audio, and the first piece


@pytest.fixture
def ended(coze_sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> Callable[[Any], None]:
    """Wait until the sandbox has noticed the end of a session."""
    seen: queue.SimpleQueue[Any] = queue.SimpleQueue()
    monkeypatch.setattr(coze_sandbox.requests, "watcher", seen.put)

    def wait(session: Any) -> None:
        assert session.logid
        while seen.get(timeout=60).logid != session.logid:
            pass

    return wait


async def tasks() -> set[Any]:
    """Return the other tasks of the event loop."""
    return asyncio.all_tasks() - {asyncio.current_task()}


@pytest.fixture(autouse=True)
def _nothing_left(connect: Connect) -> Iterator[None]:
    """Check that no thread or task of a session remains."""
    threads = set(threading.enumerate())
    waiting = connect.run(tasks) if connect.is_async else set()
    yield
    assert not {thread.name for thread in set(threading.enumerate()) - threads if OURS.search(thread.name)}
    assert not connect.is_async or not connect.run(tasks) - waiting


def client(connect: Connect, sandbox: Sandbox, retry: Any = 0, **options: Any) -> Any:
    return connect(sandbox.token, base_url=sandbox.base_url, retry=retry, sockets=SocketOptions(**options))


def speak(coze: Any) -> tuple[list[bytes], CozeError | None, Any]:
    """Synthesize a text; return the audio pieces, the error that ended it, and the session."""
    sound: list[bytes] = []
    with coze.websockets.audio.speech.connect(output_audio=PCM) as session:
        try:
            for piece in session.say(TEXT):
                sound.append(piece)
        except CozeError as error:
            return sound, error, session
    return sound, None, session


@pytest.fixture
def whole(connect: Connect, coze_sandbox: Sandbox) -> list[bytes]:
    """Return the audio of a session without a fault."""
    sound, error, _ = speak(client(connect, coze_sandbox))
    assert error is None
    assert len(sound) > 3
    return sound


@pytest.mark.parametrize(
    ("settings", "code"),
    [
        ({"kind": "cut"}, 1006),
        ({"kind": "cut", "bytes": 1}, 1006),
        ({"kind": "cut", "bytes": 300}, 1006),
        ({"kind": "close"}, 1011),
        ({"kind": "close", "code": 1001}, 1001),
        ({"kind": "close", "code": 4000}, 4000),
    ],
    ids=lambda value: "-".join(map(str, value.values())) if isinstance(value, dict) else str(value),
)
def test_early_end_is_raised_with_the_audio_so_far(
    connect: Connect, coze_sandbox: Sandbox, whole: list[bytes], ended: Any, settings: dict[str, Any], code: int
) -> None:
    """If a connection ends before the audio does, its error is raised, and the audio so far is available."""
    coze_sandbox.faults.add(operation=SPEECH, events=BEFORE, **settings)
    sound, error, session = speak(client(connect, coze_sandbox))
    assert isinstance(error, SocketClosed)
    assert (error.code, error.messages, error.operation) == (code, BEFORE, SPEECH)
    assert error.logid == session.logid
    assert sound == whole[:1]
    assert not session.is_open
    ended(session)


@pytest.mark.parametrize("kind", ["stall", "lost"])
def test_silent_server_times_out(
    connect: Connect, coze_sandbox: Sandbox, whole: list[bytes], ended: Any, kind: str
) -> None:
    """If a server stops sending, or its last message is lost, the session times out and is closed."""
    before_end = BEFORE + len(whole) - 1
    coze_sandbox.faults.add(kind, SPEECH, events=BEFORE if kind == "stall" else before_end)
    sound, error, session = speak(client(connect, coze_sandbox, idle_timeout=2))
    assert isinstance(error, APITimeoutError)
    assert sound == (whole[:1] if kind == "stall" else whole)
    assert not session.is_open
    ended(session)


def test_huge_message_ends_the_session(connect: Connect, coze_sandbox: Sandbox, whole: list[bytes], ended: Any) -> None:
    """A message above the size limit ends the session; below the limit it is received like any other."""
    coze_sandbox.faults.add("huge", SPEECH, events=BEFORE)
    sound, error, session = speak(client(connect, coze_sandbox, max_message_bytes=1 << 20))
    assert isinstance(error, SocketClosed)
    assert error.code == 1009
    assert "max_message_bytes" in str(error)
    assert sound == whole[:1]
    assert not session.is_open
    ended(session)


@pytest.mark.parametrize(
    ("settings", "left_out", "twice"),
    [
        ({"kind": "huge"}, 0, 0),
        ({"kind": "garbage"}, 0, 0),
        ({"kind": "delay", "seconds": 0.01}, 0, 0),
        ({"kind": "stall", "seconds": 0.01}, 0, 0),
        ({"kind": "lost"}, 1, 0),
        ({"kind": "duplicate"}, 0, 1),
    ],
    ids=lambda value: value["kind"] if isinstance(value, dict) else "",
)
def test_harmless_faults_are_ignored(
    connect: Connect,
    coze_sandbox: Sandbox,
    whole: list[bytes],
    ended: Any,
    settings: dict[str, Any],
    left_out: int,
    twice: int,
) -> None:
    """Faults that end neither the session nor its audio are ignored: messages have no sequence numbers."""
    coze_sandbox.faults.add(operation=SPEECH, events=BEFORE, **settings)
    sound, error, session = speak(client(connect, coze_sandbox))
    assert error is None
    assert sound == [whole[0], *whole[1:2] * twice, *whole[1 + left_out :]]
    assert not session.is_open
    ended(session)


REFUSALS: list[tuple[dict[str, Any], type[CozeError]]] = [
    ({"kind": "status", "status": 503}, ServerError),
    ({"kind": "code", "code": 4101}, PermissionDeniedError),
    ({"kind": "rate_limit", "seconds": 0}, RateLimitError),
    ({"kind": "html"}, GatewayError),
    ({"kind": "drop"}, APIConnectionError),
]


@pytest.mark.parametrize(("settings", "expected"), REFUSALS, ids=[settings["kind"] for settings, _ in REFUSALS])
def test_rejected_handshake_raises_like_a_call(
    connect: Connect, coze_sandbox: Sandbox, settings: dict[str, Any], expected: type[CozeError]
) -> None:
    """A rejected handshake raises the errors of calls, and the next session works."""
    coze_sandbox.faults.add(operation=SPEECH, **settings)
    coze = client(connect, coze_sandbox)
    with pytest.raises(expected):
        speak(coze)
    assert len(coze_sandbox.requests) == 1
    assert speak(coze)[1] is None


SETTINGS: dict[str, dict[str, Any]] = {"status": {"status": 503}, "rate_limit": {"seconds": 0}}


@pytest.mark.parametrize("kind", ["status", "rate_limit", "html", "drop"])
def test_temporary_handshake_failure_is_retried(
    connect: Connect, coze_sandbox: Sandbox, whole: list[bytes], kind: str
) -> None:
    """A temporary rejection of the handshake is retried by the client's retry policy."""
    coze_sandbox.faults.add(kind, SPEECH, **SETTINGS.get(kind, {}))
    before = len(coze_sandbox.requests)
    sound, error, _ = speak(client(connect, coze_sandbox, at_once()))
    assert (sound, error) == (whole, None)
    assert len(coze_sandbox.requests) == before + 2
