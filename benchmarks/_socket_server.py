"""A WebSocket server in a separate process: it costs the measured process only the socket.

It sends frames that were prepared before, and decodes the audio that it receives.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import json
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from websockets.asyncio import server as websockets_server
from websockets.asyncio.server import ServerConnection
from websockets.exceptions import ConnectionClosed
from websockets.frames import Frame, Opcode

from ._process import serve, server_process
from ._socket_traffic import CHUNKS, chat, chat_audio, encode, speech_audio

__all__ = ["socket_server"]


def _frames(*messages: bytes) -> bytes:
    return b"".join(Frame(Opcode.TEXT, message).serialize(mask=False) for message in messages)


def _prepared() -> dict[str, bytes]:
    """Return the frames that follow each kind of message."""
    pcm = {"format": "pcm", "codec": "pcm", "sample_rate": 24000, "channel": 1, "bit_depth": 16}
    settings = {"input_audio": pcm, "output_audio": {"codec": "pcm", "pcm_config": {"sample_rate": 24000}}}
    return {
        "speech.update": _frames(encode("speech.updated", settings)),
        "transcriptions.update": _frames(encode("transcriptions.updated", settings)),
        "chat.update": _frames(encode("chat.updated", settings)),
        "input_text_buffer.complete": _frames(
            encode("input_text_buffer.completed"), *map(speech_audio, CHUNKS), encode("speech.audio.completed")
        ),
        "conversation.message.create": _frames(
            chat("created"), chat("in_progress"), *map(chat_audio, CHUNKS), chat("completed")
        ),
    }


def _transcript(text: str) -> bytes:
    return _frames(
        encode("transcriptions.message.update", {"content": text}), encode("transcriptions.message.completed")
    )


async def _serve_connection(connection: ServerConnection, prepared: dict[str, bytes]) -> None:
    digest, echo = hashlib.sha256(), _frames(chat_audio(CHUNKS[0]))
    is_call = connection.request is not None and connection.request.path.startswith("/v1/chat")
    with suppress(ConnectionClosed):
        while True:
            message = json.loads(await connection.recv())
            kind = message["event_type"]
            if kind == "input_audio_buffer.append":
                digest.update(base64.b64decode(message["data"]["delta"]))
                if is_call:
                    connection.transport.write(echo)
            elif kind == "input_audio_buffer.complete":
                connection.transport.write(_transcript(digest.hexdigest()))
                digest = hashlib.sha256()
            elif kind in prepared:
                connection.transport.write(prepared[kind])


async def _main() -> None:
    prepared = _prepared()
    server = await websockets_server.serve(
        lambda connection: _serve_connection(connection, prepared), "127.0.0.1", 0, compression=None, close_timeout=1
    )
    await serve(next(iter(server.sockets)).getsockname()[1])


@contextmanager
def socket_server() -> Iterator[str]:
    """Run the server and yield its URL."""
    with server_process("_socket_server") as server:
        yield f"ws://127.0.0.1:{server.port}"


if __name__ == "__main__":
    asyncio.run(_main())
