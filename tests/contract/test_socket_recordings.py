"""Every recorded WebSocket session, replayed through a real socket, gives the documented messages."""

from __future__ import annotations

import asyncio
import base64
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

import pytest
from websockets.sync.server import ServerConnection, serve

from cozekit import AsyncCoze, Coze, audio
from tests.contract._facts import FACTS, skip_without_samples

skip_without_samples()
STREAMS = FACTS / "examples" / "streams"
NAMES = (
    "coze-go.websocket_chat",
    "coze-go.websocket_chat_generate_audio",
    "coze-go.websocket_speech",
    "coze-go.websocket_transcriptions",
)
CUTS = (0, 1, 7, 100)
WAV = audio.PCM(16000).to_wav(bytes(3200))
PCM = {"codec": "pcm", "pcm_config": {"sample_rate": 24000}}
UPDATES = {
    "chat.update": "chat.updated",
    "speech.update": "speech.updated",
    "transcriptions.update": "transcriptions.updated",
}


@cache
def recording(name: str) -> list[dict[str, Any]]:
    lines = (STREAMS / f"{name}.ndjson").read_text(encoding="utf-8").splitlines()
    return [json.loads(line) for line in lines if line]


def frames(name: str, side: str) -> list[dict[str, Any]]:
    return [line["frame"] for line in recording(name) if line["from"] == side]


@contextmanager
def replay(name: str, cut: int) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """Answer as it was recorded, once all that the client had sent has come; settings are confirmed before.

    Args:
        name: The recording.
        cut: Size of the fragments of each message; 0 for whole messages.
    """
    received: list[dict[str, Any]] = []
    last = frames(name, "client")[-1]["event_type"]

    def handle(connection: ServerConnection) -> None:
        for text in connection:
            received.append(json.loads(text))
            kind = received[-1]["event_type"]
            if kind in UPDATES:
                connection.send(json.dumps({"event_type": UPDATES[kind], "id": "s", "data": {}}))
            elif kind == last:
                for frame in frames(name, "server"):
                    expected = json.dumps(frame, ensure_ascii=False)
                    connection.send(
                        (expected[at : at + cut] for at in range(0, len(expected), cut)) if cut else expected  # type: ignore[arg-type]  # a generator is iterable
                    )

    with serve(handle, "127.0.0.1", 0, close_timeout=2) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.socket.getsockname()[1]}", received
        finally:
            server.shutdown()
            thread.join()


def plain(base_url: str, name: str) -> list[dict[str, Any]]:
    """Send what was sent and receive all, by bare messages."""
    with (
        Coze("pat_x", base_url=base_url).websockets.chat.connect(bot_id="1")
        if "chat" in name
        else (getattr(Coze("pat_x", base_url=base_url).websockets.audio, name.rpartition("_")[2]).connect()) as session
    ):
        for frame in frames(name, "client"):
            session.send(frame)
        return [session.recv().to_dict() for _ in frames(name, "server")]


async def awaited(base_url: str, name: str) -> list[dict[str, Any]]:
    """Do the same with the async client."""
    async with AsyncCoze("pat_x", base_url=base_url) as coze:
        sockets = coze.websockets
        pending: Any = (
            sockets.chat.connect(bot_id="1")
            if "chat" in name
            else getattr(sockets.audio, name.rpartition("_")[2]).connect()
        )
        async with pending as session:
            for frame in frames(name, "client"):
                await session.send(frame)
            return [(await session.recv()).to_dict() for _ in frames(name, "server")]


@pytest.mark.parametrize("cut", CUTS)
@pytest.mark.parametrize("mode", ["sync", "async"])
@pytest.mark.parametrize("name", NAMES)
def test_recorded_messages_arrive_as_they_were(name: str, mode: str, cut: int) -> None:
    """All messages arrive, in order, typed, and encode to what was sent, however they were cut."""
    with replay(name, cut) as (base_url, received):
        arrived = plain(base_url, name) if mode == "sync" else asyncio.run(awaited(base_url, name))
    assert arrived == frames(name, "server")
    assert [{key: value for key, value in frame.items() if key != "id"} for frame in received] == frames(name, "client")


def sounds(name: str, kind: str, member: str) -> list[bytes]:
    return [base64.b64decode(frame["data"][member]) for frame in frames(name, "server") if frame["event_type"] == kind]


@pytest.mark.parametrize("cut", CUTS)
@pytest.mark.parametrize("mode", ["sync", "async"])
class TestCommonMethods:
    """The methods for the common session give what the recordings hold."""

    def test_speech_yields_the_recorded_sound(self, mode: str, cut: int) -> None:
        """The sound of the recorded speech."""
        name = NAMES[2]
        [text] = [frame["data"]["delta"] for frame in frames(name, "client") if "data" in frame]
        with replay(name, cut) as (base_url, received):
            if mode == "sync":
                with Coze("pat_x", base_url=base_url).websockets.audio.speech.connect(output_audio=PCM) as session:
                    sound = list(session.say(text))
            else:

                async def main() -> list[bytes]:
                    async with AsyncCoze("pat_x", base_url=base_url) as coze:
                        async with coze.websockets.audio.speech.connect(output_audio=PCM) as session:
                            return [piece async for piece in session.say(text)]

                sound = asyncio.run(main())
        assert sound == sounds(name, "speech.audio.update", "delta")
        assert len(sound) == 10
        assert received[1]["data"] == {"delta": text}

    def test_listen(self, mode: str, cut: int) -> None:
        """The text of the recorded transcription."""
        name = NAMES[3]
        with replay(name, cut) as (base_url, _):
            if mode == "sync":
                resource = Coze("pat_x", base_url=base_url).websockets.audio.transcriptions
                with resource.connect(input_audio={"format": "wav"}) as session:
                    texts = list(session.listen(WAV))
            else:

                async def main() -> list[str]:
                    async with AsyncCoze("pat_x", base_url=base_url) as coze:
                        resource = coze.websockets.audio.transcriptions
                        async with resource.connect(input_audio={"format": "wav"}) as session:
                            return [text async for text in session.listen(WAV)]

                texts = asyncio.run(main())
        expected = [
            frame["data"]["content"]
            for frame in frames(name, "server")
            if frame["event_type"].endswith("message.update")
        ]
        assert texts == expected
        assert texts[-1]

    def test_talk(self, mode: str, cut: int) -> None:
        """The answer of the recorded chat, as text and as sound."""
        name = NAMES[0]
        [question] = [frame["data"]["content"] for frame in frames(name, "client")]
        with replay(name, cut) as (base_url, _):
            if mode == "sync":
                resource = Coze("pat_x", base_url=base_url).websockets.chat
                with resource.connect(bot_id="1", output_audio=PCM) as session:
                    turn: Any = session.talk(question)
                    sound = list(turn.audio)
            else:

                async def main() -> tuple[Any, list[bytes]]:
                    async with AsyncCoze("pat_x", base_url=base_url) as coze:
                        async with coze.websockets.chat.connect(bot_id="1", output_audio=PCM) as session:
                            turn = session.talk(question)
                            return turn, [piece async for piece in turn.audio]

                turn, sound = asyncio.run(main())
        answers = [
            frame["data"] for frame in frames(name, "server") if frame["event_type"] == "conversation.message.completed"
        ]
        assert turn.answer == next(answer["content"] for answer in answers if answer["type"] == "answer")
        assert sound == [piece for piece in sounds(name, "conversation.audio.delta", "content") if piece]
        assert turn.ended
        assert turn.chat.status == "completed"
        assert turn.usage.token_count > 0

    def test_speak(self, mode: str, cut: int) -> None:
        """The sound of the text that was recorded to be spoken as it is."""
        name = NAMES[1]
        [text] = [frame["data"]["text"] for frame in frames(name, "client")]
        with replay(name, cut) as (base_url, _):
            if mode == "sync":
                resource = Coze("pat_x", base_url=base_url).websockets.chat
                with resource.connect(bot_id="1", output_audio=PCM) as session:
                    sound = list(session.speak(text))
            else:

                async def main() -> list[bytes]:
                    async with AsyncCoze("pat_x", base_url=base_url) as coze:
                        async with coze.websockets.chat.connect(bot_id="1", output_audio=PCM) as session:
                            return [piece async for piece in session.speak(text)]

                sound = asyncio.run(main())
        assert sound == sounds(name, "conversation.audio.delta", "content")
        assert len(sound) == 12
