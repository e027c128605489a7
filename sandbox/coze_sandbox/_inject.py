"""Faults in what is sent: cut, garbled, doubled and lost."""

from __future__ import annotations

import asyncio

from starlette.types import Message, Send

from ._faults import Fault

__all__ = ["ConnectionDroppedError", "FaultySend", "drop"]

GARBAGE = b"%%% this is not a field of an event\n"


class ConnectionDroppedError(ConnectionError):
    """Raised to a server whose connection cannot be reached, in place of closing it."""


async def drop(send: Send) -> None:
    """End the connection under an answer.

    Raises:
        ConnectionDroppedError: The server shows no transport, which is so when the app is called in
            process.
    """
    transport = getattr(getattr(send, "__self__", None), "transport", None)
    if transport is None:
        raise ConnectionDroppedError("the sandbox dropped this connection because a fault was ordered")
    # close() lets what was already sent through, abort() would not; the pauses let the server see
    # the end before the app returns, so that it neither writes a 500 nor complains.
    transport.close()
    for _ in range(3):
        await asyncio.sleep(0)


class FaultySend:
    """An ASGI `send` that spoils the body as ordered. Every body message of a stream is one event.

    Answers that are no streams can only be cut or delayed: they carry a length, which extra bytes
    would break.

    Args:
        send: The server's own.
        fault: The fault.
    """

    def __init__(self, send: Send, fault: Fault) -> None:
        self._send = send
        self._fault = fault
        self._events = 0
        self._bytes = 0
        self._idle = False
        self.dropped = False

    async def __call__(self, message: Message) -> None:
        if self.dropped:
            return
        if message["type"] == "http.response.start":
            kinds = [value for name, value in message["headers"] if name.lower() == b"content-type"]
            streaming = any(kind.startswith(b"text/event-stream") for kind in kinds)
            self._idle = not streaming and self._fault.kind not in {"cut", "delay"}
        if self._idle:
            await self._send(message)
        elif message["type"] == "http.response.body" and message.get("body"):
            await self._body(message)
        elif self._fault.kind == "cut" and message["type"] == "http.response.body":
            await self._end()  # an answer shorter than the cut still must not end well
        else:
            await self._send(message)

    async def _body(self, message: Message) -> None:
        fault, body = self._fault, message["body"]
        here = self._events == (fault.events or 0)
        self._events += 1
        match fault.kind:
            case "cut":
                await self._cut(message, body)
            case "garbage" if here:
                await self._send({**message, "body": GARBAGE + body})
            case "lost" if here:
                if not message.get("more_body"):
                    await self._send({**message, "body": b""})
            case "duplicate" if here:
                await self._send({**message, "more_body": True})
                await self._send(message)
            case "delay" if here:
                await asyncio.sleep(fault.seconds or 0)
                await self._send(message)
            case _:
                await self._send(message)

    async def _cut(self, message: Message, body: bytes) -> None:
        fault = self._fault
        if fault.bytes is not None:
            room = fault.bytes - self._bytes
            self._bytes += len(body)
            if room >= len(body) and message.get("more_body"):
                await self._send(message)
                return
            body = body[: max(room, 0)]
        elif self._events <= (fault.events or 0) and message.get("more_body"):
            await self._send(message)
            return
        elif self._events > (fault.events or 0):
            body = b""
        if body:
            await self._send({**message, "body": body, "more_body": True})
        await self._end()

    async def _end(self) -> None:
        self.dropped = True
        await drop(self._send)
