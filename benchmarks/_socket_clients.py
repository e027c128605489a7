"""The clients of WebSockets under test. Each does the four kinds of work of `Client` and returns what it received.

The bare client is the library websockets with a JSON parser and `base64`: the least that a program has to do.
"""

from __future__ import annotations

import asyncio
import base64
import json
import threading
import time
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import cozepy
import orjson
from cozepy.websockets.audio.speech import (
    AsyncWebsocketsAudioSpeechBuildClient,
    InputTextBufferAppendEvent,
    WebsocketsAudioSpeechBuildClient,
)
from cozepy.websockets.audio.transcriptions import (
    AsyncWebsocketsAudioTranscriptionsBuildClient,
    InputAudioBufferAppendEvent,
    WebsocketsAudioTranscriptionsBuildClient,
)
from cozepy.websockets.chat import (
    AsyncWebsocketsChatBuildClient,
    ConversationMessageCreateEvent,
    WebsocketsChatBuildClient,
)
from cozepy.websockets.ws import WebsocketsEventType as Kind
from websockets.asyncio.client import connect as connect_async
from websockets.sync.client import connect

from ._socket_traffic import CHUNKS, ROUND_TRIPS
from ._traffic import BOT_ID, TOKEN

__all__ = ["WORK", "Client", "Stopwatch", "bare", "bare_async", "ours", "ours_async", "vendor", "vendor_async"]


class Stopwatch:
    """Measures the processor time and the wall time of a `with` block, in seconds."""

    cpu = wall = 0.0

    def __enter__(self) -> None:
        self._wall, self._cpu = time.perf_counter(), time.process_time()

    def __exit__(self, *_: object) -> None:
        self.cpu, self.wall = time.process_time() - self._cpu, time.perf_counter() - self._wall


Work = Callable[[Stopwatch], Any]
"""Opens a connection, works while the stopwatch runs, closes the connection, and returns what it received."""
Client = Mapping[str, Work]
"""The work of a client: ``send`` audio, receive audio as ``speech`` or from a ``chat``, or exchange both (``call``)."""
WORK = ("send", "speech", "chat", "call")


@dataclass(frozen=True)
class _Codec:
    """JSON as a program without a client would use it."""

    dumps: Callable[[Any], str | bytes]
    loads: Callable[[Any], Any]
    decode: bool | None


_CODECS = {"json": _Codec(json.dumps, json.loads, None), "orjson": _Codec(orjson.dumps, orjson.loads, False)}


def _message(kind: str, data: Any = None) -> dict[str, Any]:
    return {"id": str(uuid.uuid4()), "event_type": kind, **({} if data is None else {"data": data})}


def _append(chunk: bytes) -> dict[str, Any]:
    return _message("input_audio_buffer.append", {"delta": base64.b64encode(chunk).decode()})


_QUESTION = {"role": "user", "content_type": "text", "content": "你好"}


def bare(url: str, parser: str) -> Client:
    """Return the bare client for threads."""
    codec = _CODECS[parser]

    def transcribe(watch: Stopwatch) -> str:
        with connect(f"{url}/v1/audio/transcriptions", compression=None) as websocket, watch:
            for chunk in CHUNKS:
                websocket.send(codec.dumps(_append(chunk)), text=True)
            websocket.send(codec.dumps(_message("input_audio_buffer.complete")), text=True)
            text = ""
            while True:
                message = codec.loads(websocket.recv(decode=codec.decode))
                if message["event_type"] == "transcriptions.message.update":
                    text = message["data"]["content"]
                elif message["event_type"] == "transcriptions.message.completed":
                    return text

    def receive(watch: Stopwatch, path: str, begin: list[Any], delta: str, member: str, end: str) -> bytes:
        sounds = []
        with connect(f"{url}{path}", compression=None) as websocket, watch:
            for message in begin:
                websocket.send(codec.dumps(message), text=True)
            while True:
                message = codec.loads(websocket.recv(decode=codec.decode))
                if message["event_type"] == delta:
                    sounds.append(base64.b64decode(message["data"][member]))
                elif message["event_type"] == end:
                    break
        return b"".join(sounds)

    def call(watch: Stopwatch) -> bytes:
        sounds = []
        with connect(f"{url}/v1/chat?bot_id={BOT_ID}", compression=None) as websocket, watch:
            for chunk in CHUNKS[:ROUND_TRIPS]:
                websocket.send(codec.dumps(_append(chunk)), text=True)
                message = codec.loads(websocket.recv(decode=codec.decode))
                if message["event_type"] == "conversation.audio.delta":
                    sounds.append(base64.b64decode(message["data"]["content"]))
        return b"".join(sounds)

    return {
        "send": transcribe,
        "speech": lambda watch: receive(watch, *_speech()),
        "chat": lambda watch: receive(watch, *_chat()),
        "call": call,
    }


def _speech() -> tuple[str, list[Any], str, str, str]:
    begin = [_message("input_text_buffer.append", {"delta": "你好"}), _message("input_text_buffer.complete")]
    return "/v1/audio/speech", begin, "speech.audio.update", "delta", "speech.audio.completed"


def _chat() -> tuple[str, list[Any], str, str, str]:
    begin = [_message("conversation.message.create", _QUESTION)]
    path = f"/v1/chat?bot_id={BOT_ID}"
    return path, begin, "conversation.audio.delta", "content", "conversation.chat.completed"


def bare_async(url: str, parser: str) -> Client:
    """Return the bare client for asyncio."""
    codec, loop = _CODECS[parser], asyncio.Runner()

    async def transcribe(watch: Stopwatch) -> str:
        async with connect_async(f"{url}/v1/audio/transcriptions", compression=None) as websocket:
            with watch:
                for chunk in CHUNKS:
                    await websocket.send(codec.dumps(_append(chunk)), text=True)
                await websocket.send(codec.dumps(_message("input_audio_buffer.complete")), text=True)
                text = ""
                while True:
                    message = codec.loads(await websocket.recv(decode=codec.decode))
                    if message["event_type"] == "transcriptions.message.update":
                        text = message["data"]["content"]
                    elif message["event_type"] == "transcriptions.message.completed":
                        return text

    async def receive(watch: Stopwatch, path: str, begin: list[Any], delta: str, member: str, end: str) -> bytes:
        sounds = []
        async with connect_async(f"{url}{path}", compression=None) as websocket:
            with watch:
                for message in begin:
                    await websocket.send(codec.dumps(message), text=True)
                while True:
                    message = codec.loads(await websocket.recv(decode=codec.decode))
                    if message["event_type"] == delta:
                        sounds.append(base64.b64decode(message["data"][member]))
                    elif message["event_type"] == end:
                        break
        return b"".join(sounds)

    async def call(watch: Stopwatch) -> bytes:
        sounds = []
        async with connect_async(f"{url}/v1/chat?bot_id={BOT_ID}", compression=None) as websocket:
            with watch:
                for chunk in CHUNKS[:ROUND_TRIPS]:
                    await websocket.send(codec.dumps(_append(chunk)), text=True)
                    message = codec.loads(await websocket.recv(decode=codec.decode))
                    if message["event_type"] == "conversation.audio.delta":
                        sounds.append(base64.b64decode(message["data"]["content"]))
        return b"".join(sounds)

    return {
        "send": lambda watch: loop.run(transcribe(watch)),
        "speech": lambda watch: loop.run(receive(watch, *_speech())),
        "chat": lambda watch: loop.run(receive(watch, *_chat())),
        "call": lambda watch: loop.run(call(watch)),
    }


def ours(url: str, parser: str) -> Client:
    """Return the client of cozekit for threads."""
    from coze_api._core import _json
    from coze_api.models import ChatSocketAudioDelta, ChatSocketInputAudioAppend, SocketAudio
    from cozekit import Coze, SocketOptions
    from cozekit.audio import PCM

    pcm = PCM(24000)
    sockets = Coze(TOKEN, sockets=SocketOptions(base_url=url)).websockets

    def transcribe(watch: Stopwatch) -> str:
        _json.use(parser)
        with sockets.audio.transcriptions.connect(input_audio=pcm) as session, watch:
            *_, text = session.listen(CHUNKS)
            return text

    def speech(watch: Stopwatch) -> bytes:
        _json.use(parser)
        with sockets.audio.speech.connect(output_audio=pcm) as session, watch:
            sounds = [*session.say("你好")]
        return b"".join(sounds)

    def chat(watch: Stopwatch) -> bytes:
        _json.use(parser)
        with sockets.chat.connect(bot_id=BOT_ID, output_audio=pcm) as session, watch:
            sounds = [*session.talk("你好").audio]
        return b"".join(sounds)

    def call(watch: Stopwatch) -> bytes:
        _json.use(parser)
        sounds = []
        with sockets.chat.connect(bot_id=BOT_ID, input_audio=pcm, output_audio=pcm) as session, watch:
            for chunk in CHUNKS[:ROUND_TRIPS]:
                delta = base64.b64encode(chunk).decode()
                session.send(ChatSocketInputAudioAppend(data=SocketAudio(delta=delta)))
                message = session.recv()
                if isinstance(message, ChatSocketAudioDelta):
                    sounds.append(base64.b64decode(message.data.content))
        return b"".join(sounds)

    return {"send": transcribe, "speech": speech, "chat": chat, "call": call}


def ours_async(url: str, parser: str) -> Client:
    """Return the client of cozekit for asyncio."""
    from coze_api._core import _json
    from coze_api.models import ChatSocketAudioDelta, ChatSocketInputAudioAppend, SocketAudio
    from cozekit import AsyncCoze, SocketOptions
    from cozekit.audio import PCM

    pcm, loop = PCM(24000), asyncio.Runner()
    sockets = AsyncCoze(TOKEN, sockets=SocketOptions(base_url=url)).websockets

    async def transcribe(watch: Stopwatch) -> str:
        async with sockets.audio.transcriptions.connect(input_audio=pcm) as session:
            with watch:
                *_, text = [text async for text in session.listen(CHUNKS)]
                return text

    async def speech(watch: Stopwatch) -> bytes:
        async with sockets.audio.speech.connect(output_audio=pcm) as session:
            with watch:
                sounds = [sound async for sound in session.say("你好")]
        return b"".join(sounds)

    async def chat(watch: Stopwatch) -> bytes:
        async with sockets.chat.connect(bot_id=BOT_ID, output_audio=pcm) as session:
            with watch:
                sounds = [sound async for sound in session.talk("你好").audio]
        return b"".join(sounds)

    async def call(watch: Stopwatch) -> bytes:
        sounds = []
        async with sockets.chat.connect(bot_id=BOT_ID, input_audio=pcm, output_audio=pcm) as session:
            with watch:
                for chunk in CHUNKS[:ROUND_TRIPS]:
                    delta = base64.b64encode(chunk).decode()
                    await session.send(ChatSocketInputAudioAppend(data=SocketAudio(delta=delta)))
                    message = await session.recv()
                    if isinstance(message, ChatSocketAudioDelta):
                        sounds.append(base64.b64decode(message.data.content))
        return b"".join(sounds)

    def run(work: Callable[[Stopwatch], Any], watch: Stopwatch) -> Any:
        _json.use(parser)
        return loop.run(work(watch))

    return {
        "send": lambda watch: run(transcribe, watch),
        "speech": lambda watch: run(speech, watch),
        "chat": lambda watch: run(chat, watch),
        "call": lambda watch: run(call, watch),
    }


def vendor(url: str) -> Client:
    """Return the client of cozepy for threads. It needs `wss://`, unless it is made without its `Coze`."""
    requester = cozepy.Coze(auth=cozepy.TokenAuth(TOKEN))._requester

    def transcribe(watch: Stopwatch) -> str:
        texts, ended = [""], threading.Event()
        handlers = {
            Kind.TRANSCRIPTIONS_MESSAGE_UPDATE: lambda _, event: texts.append(event.data.content),
            Kind.TRANSCRIPTIONS_MESSAGE_COMPLETED: lambda _, __: ended.set(),
        }
        client = WebsocketsAudioTranscriptionsBuildClient(url, requester).create(on_event=handlers)
        with client(), watch:
            for chunk in CHUNKS:
                client.input_audio_buffer_append(InputAudioBufferAppendEvent.Data(delta=chunk))
            client.input_audio_buffer_complete()
            ended.wait()
        return texts[-1]

    def speech(watch: Stopwatch) -> bytes:
        sounds: list[bytes] = []
        ended = threading.Event()
        handlers = {
            Kind.SPEECH_AUDIO_UPDATE: lambda _, event: sounds.append(event.data.delta),
            Kind.SPEECH_AUDIO_COMPLETED: lambda _, __: ended.set(),
        }
        client = WebsocketsAudioSpeechBuildClient(url, requester).create(on_event=handlers)
        with client(), watch:
            client.input_text_buffer_append(InputTextBufferAppendEvent.Data(delta="你好"))
            client.input_text_buffer_complete()
            ended.wait()
        return b"".join(sounds)

    def chat(watch: Stopwatch) -> bytes:
        sounds: list[bytes] = []
        ended = threading.Event()
        handlers = {
            Kind.CONVERSATION_AUDIO_DELTA: lambda _, event: sounds.append(base64.b64decode(event.data.content)),
            Kind.CONVERSATION_CHAT_COMPLETED: lambda _, __: ended.set(),
        }
        client = WebsocketsChatBuildClient(url, requester).create(bot_id=BOT_ID, on_event=handlers)
        with client(), watch:
            client.conversation_message_create(ConversationMessageCreateEvent.Data.model_validate(_QUESTION))
            ended.wait()
        return b"".join(sounds)

    def call(watch: Stopwatch) -> bytes:
        sounds: list[bytes] = []
        ended = threading.Event()

        def on_delta(_: Any, event: Any) -> None:
            sounds.append(base64.b64decode(event.data.content))
            if len(sounds) < ROUND_TRIPS:
                client.input_audio_buffer_append(InputAudioBufferAppendEvent.Data(delta=CHUNKS[len(sounds)]))
            else:
                ended.set()

        handlers = {Kind.CONVERSATION_AUDIO_DELTA: on_delta}
        client = WebsocketsChatBuildClient(url, requester).create(bot_id=BOT_ID, on_event=handlers)
        with client(), watch:
            client.input_audio_buffer_append(InputAudioBufferAppendEvent.Data(delta=CHUNKS[0]))
            ended.wait()
        return b"".join(sounds)

    return {"send": transcribe, "speech": speech, "chat": chat, "call": call}


def vendor_async(url: str) -> Client:
    """Return the client of cozepy for asyncio. It needs `wss://`, unless it is made without its `AsyncCoze`."""
    requester, loop = cozepy.AsyncCoze(auth=cozepy.AsyncTokenAuth(TOKEN))._requester, asyncio.Runner()

    async def transcribe(watch: Stopwatch) -> str:
        texts, ended = [""], asyncio.Event()

        async def on_update(_: Any, event: Any) -> None:
            texts.append(event.data.content)

        async def on_completed(_: Any, __: Any) -> None:
            ended.set()

        handlers = {
            Kind.TRANSCRIPTIONS_MESSAGE_UPDATE: on_update,
            Kind.TRANSCRIPTIONS_MESSAGE_COMPLETED: on_completed,
        }
        client = AsyncWebsocketsAudioTranscriptionsBuildClient(url, requester).create(on_event=handlers)
        async with client():
            with watch:
                for chunk in CHUNKS:
                    await client.input_audio_buffer_append(InputAudioBufferAppendEvent.Data(delta=chunk))
                await client.input_audio_buffer_complete()
                await ended.wait()
        return texts[-1]

    async def speech(watch: Stopwatch) -> bytes:
        sounds: list[bytes] = []
        ended = asyncio.Event()

        async def on_update(_: Any, event: Any) -> None:
            sounds.append(event.data.delta)

        async def on_completed(_: Any, __: Any) -> None:
            ended.set()

        handlers = {Kind.SPEECH_AUDIO_UPDATE: on_update, Kind.SPEECH_AUDIO_COMPLETED: on_completed}
        client = AsyncWebsocketsAudioSpeechBuildClient(url, requester).create(on_event=handlers)
        async with client():
            with watch:
                await client.input_text_buffer_append(InputTextBufferAppendEvent.Data(delta="你好"))
                await client.input_text_buffer_complete()
                await ended.wait()
        return b"".join(sounds)

    async def chat(watch: Stopwatch) -> bytes:
        sounds: list[bytes] = []
        ended = asyncio.Event()

        async def on_delta(_: Any, event: Any) -> None:
            sounds.append(base64.b64decode(event.data.content))

        async def on_completed(_: Any, __: Any) -> None:
            ended.set()

        handlers = {Kind.CONVERSATION_AUDIO_DELTA: on_delta, Kind.CONVERSATION_CHAT_COMPLETED: on_completed}
        client = AsyncWebsocketsChatBuildClient(url, requester).create(bot_id=BOT_ID, on_event=handlers)
        async with client():
            with watch:
                await client.conversation_message_create(ConversationMessageCreateEvent.Data.model_validate(_QUESTION))
                await ended.wait()
        return b"".join(sounds)

    async def call(watch: Stopwatch) -> bytes:
        sounds: list[bytes] = []
        ended = asyncio.Event()

        async def on_delta(_: Any, event: Any) -> None:
            sounds.append(base64.b64decode(event.data.content))
            if len(sounds) < ROUND_TRIPS:
                await client.input_audio_buffer_append(InputAudioBufferAppendEvent.Data(delta=CHUNKS[len(sounds)]))
            else:
                ended.set()

        handlers = {Kind.CONVERSATION_AUDIO_DELTA: on_delta}
        client = AsyncWebsocketsChatBuildClient(url, requester).create(bot_id=BOT_ID, on_event=handlers)
        async with client():
            with watch:
                await client.input_audio_buffer_append(InputAudioBufferAppendEvent.Data(delta=CHUNKS[0]))
                await ended.wait()
        return b"".join(sounds)

    return {
        "send": lambda watch: loop.run(transcribe(watch)),
        "speech": lambda watch: loop.run(speech(watch)),
        "chat": lambda watch: loop.run(chat(watch)),
        "call": lambda watch: loop.run(call(watch)),
    }
