"""A bare HTTP server for very many simultaneous connections: `python _paced_server.py STREAMS`.

It prints its port, and ends when its standard input does. The stream of a chat gets an event every fifth of a second,
and ends once STREAMS of them were open at the same time. Every other call gets its response at once.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys

CHAT = {"id": "1", "conversation_id": "2", "bot_id": "3", "status": "in_progress"}
COMPLETED = {**CHAT, "status": "completed"}
MESSAGE = {"id": "4", "conversation_id": "2", "role": "assistant", "type": "answer", "content": "x"}
ANSWERS = {
    "/v3/chat/retrieve": COMPLETED,
    "/v3/chat/message/list": [MESSAGE],
    "/v3/chat": CHAT,
    "/v1/users/me": {"user_id": "1"},
}
PACE = 0.2


class Server:
    """Handles connections.

    Args:
        streams: How many streams must be open before one of them ends.
    """

    def __init__(self, streams: int) -> None:
        self._missing = streams
        self._all_open = asyncio.Event()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower()
                length = head.partition("\r\ncontent-length:")[2].partition("\r\n")[0]
                body = await reader.readexactly(int(length or 0))
                if b'"stream":true' in body.replace(b" ", b""):
                    await self._stream(writer)
                else:
                    data = json.dumps({"code": 0, "data": ANSWERS[head.split()[1].partition("?")[0]]}).encode()
                    writer.write(_head("application/json", f"content-length: {len(data)}") + data)
                await writer.drain()
        except (asyncio.IncompleteReadError, OSError):
            pass
        finally:
            writer.close()

    async def _stream(self, writer: asyncio.StreamWriter) -> None:
        writer.write(_head("text/event-stream", "transfer-encoding: chunked"))
        _send(writer, "conversation.chat.created", CHAT)
        self._missing -= 1
        if self._missing == 0:
            self._all_open.set()
        sent = 0
        while not sent or not self._all_open.is_set():
            _send(writer, "conversation.message.delta", MESSAGE)
            await writer.drain()
            await asyncio.sleep(PACE)
            sent += 1
        _send(writer, "conversation.message.completed", {**MESSAGE, "content": "x" * sent})
        _send(writer, "conversation.chat.completed", COMPLETED)
        _send(writer, "done", "[DONE]")
        writer.write(b"0\r\n\r\n")


def _head(content_type: str, framing: str) -> bytes:
    return f"HTTP/1.1 200 OK\r\ncontent-type: {content_type}\r\n{framing}\r\n\r\n".encode()


def _send(writer: asyncio.StreamWriter, event: str, data: object) -> None:
    content = f"event: {event}\ndata: {json.dumps(data)}\n\n".encode()
    writer.write(b"%x\r\n%s\r\n" % (len(content), content))


async def _main() -> None:
    answering = await asyncio.start_server(Server(int(sys.argv[1])).serve, "127.0.0.1", 0, backlog=4096)
    print(answering.sockets[0].getsockname()[1], flush=True)
    await asyncio.to_thread(sys.stdin.read)
    os._exit(0)  # do not wait for open connections


if __name__ == "__main__":
    asyncio.run(_main())
