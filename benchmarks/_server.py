"""A raw HTTP server in a separate process: it costs the measured process only the socket.

It implements only the HTTP that the measured clients need, and sends prepared bytes.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

from ._process import serve, server_process
from ._traffic import chat_chunks, reply

__all__ = ["running"]

_HEAD = "HTTP/1.1 200 OK\r\nContent-Type: {type}\r\nX-Tt-Logid: 20241210152726467C48D89D6DB2A1B2C3\r\n{length}\r\n\r\n"


def _json_answer(path: str) -> bytes:
    body = reply(path)
    return _HEAD.format(type="application/json", length=f"Content-Length: {len(body)}").encode() + body


def _stream_answer() -> bytes:
    """Return the chat stream with one HTTP chunk per event, as the hosted service sends it."""
    body = b"".join(b"%x\r\n%b\r\n" % (len(event), event) for event in chat_chunks(whole_events=True))
    return _HEAD.format(type="text/event-stream", length="Transfer-Encoding: chunked").encode() + body + b"0\r\n\r\n"


async def _serve_connection(
    answers: dict[str, bytes], reader: asyncio.StreamReader, writer: asyncio.StreamWriter
) -> None:
    try:
        while True:
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
            for line in head.split("\r\n")[1:]:
                name, _, value = line.partition(":")
                if name.lower() == "content-length":
                    await reader.readexactly(int(value))
            writer.write(answers[head.split(" ", 2)[1].partition("?")[0]])
            await writer.drain()
    except (asyncio.IncompleteReadError, ConnectionError):
        writer.close()


async def _main() -> None:
    answers = {path: _json_answer(path) for path in ("/v1/files/retrieve", "/v3/chat/cancel")}
    answers["/v3/chat"] = _stream_answer()
    server = await asyncio.start_server(lambda r, w: _serve_connection(answers, r, w), "127.0.0.1", 0)
    await serve(server.sockets[0].getsockname()[1])


@contextmanager
def running() -> Iterator[str]:
    """Run the server and yield its base URL."""
    with server_process("_server") as server:
        yield f"http://127.0.0.1:{server.port}"


if __name__ == "__main__":
    asyncio.run(_main())
