"""Injection of faults into responses and their bodies."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from http import HTTPStatus
from typing import Literal

import attrs
from starlette.responses import Response
from starlette.types import Message, Receive, Send

from .._common.errors import CLIENT_LEFT, INTERNAL, RATE_LIMITED, CallError
from .._http.request_log import RequestRecord
from .._http.responses import ResponseBuilder, add_logid
from .._http.waits import sleep_until_reset
from .._spec.spec import Operation
from .._state.state import SandboxState
from .faults import Fault

__all__ = [
    "ConnectionDroppedError",
    "FaultInjectingSend",
    "FaultTransformer",
    "SendAction",
    "delay",
    "delay_after",
    "drop_connection",
    "replacement_response",
]

_GATEWAY_PAGE = (
    "<html>\r\n<head><title>{0} {1}</title></head>\r\n"
    "<body>\r\n<center><h1>{0} {1}</h1></center>\r\n</body>\r\n</html>\r\n"
)
_GARBAGE = b"%%% this is not a field of an event\n"
_EVENT_END = b"\n\n"
# More than the usual limit of clients, 1 MiB.
_HUGE_BYTES = 4 << 20


class ConnectionDroppedError(ConnectionError):
    """Raised to an ASGI server that does not expose its transport, instead of closing the connection."""


def replacement_response(
    answers: ResponseBuilder, operation: Operation | None, fault: Fault, record: RequestRecord
) -> Response:
    """Return the response that replaces the regular one.

    Args:
        answers: Builds error responses.
        operation: The operation.
        fault: The fault.
        record: The record of the request, which gets the code.
    """
    match fault.kind:
        case "html":
            status = fault.status or 502
            page = _GATEWAY_PAGE.format(status, HTTPStatus(status).phrase)
            response = Response(page, status, media_type="text/html")
            add_logid(response, record.logid)
            return response
        case "rate_limit":
            after = f"{fault.seconds if fault.seconds is not None else 1:g}"
            failure = CallError(
                fault.code or RATE_LIMITED, fault.msg, status=fault.status or 429, headers={"Retry-After": after}
            )
        case "status":
            failure = CallError(fault.code or INTERNAL, fault.msg, status=fault.status or 500)
        case _:
            failure = CallError(fault.code or INTERNAL, fault.msg, status=fault.status)
    record.code = failure.code
    return answers.error(operation, failure, record.logid)


async def delay(state: SandboxState, epoch: str, fault: Fault, receive: Receive | None) -> None:
    """Delay a call.

    Args:
        state: The state.
        epoch: The state's epoch at the start of the call.
        fault: The fault, which has the duration.
        receive: ASGI `receive` of a request whose body was read, to detect a disconnect; None to ignore it.

    Raises:
        CallError: The client disconnected, or the state was reset.
    """
    if await sleep_until_reset(state, epoch, fault.seconds or 0, receive):
        raise CallError(INTERNAL, "the client disconnected while this call was delayed", status=CLIENT_LEFT)
    if state.epoch != epoch:
        raise CallError(INTERNAL, "the sandbox was reset while this call was delayed", status=503)


@asynccontextmanager
async def delay_after(state: SandboxState, fault: Fault, receive: Receive) -> AsyncIterator[None]:
    """Delay after the block, also when it raises a `CallError`.

    Raises:
        CallError: As for `delay`. If the call took effect inside, a disconnect is ignored.
    """
    epoch, watched = state.epoch, None if fault.handled else receive
    try:
        yield
    except CallError:
        await delay(state, epoch, fault, watched)
        raise
    await delay(state, epoch, fault, watched)


async def drop_connection(send: Send, last: bytes = b"") -> None:
    """Close the connection without completing the response.

    Args:
        send: ASGI `send` of the server.
        last: Bytes to write before.

    Raises:
        ConnectionDroppedError: The server does not expose its transport, for example an in-process client.
    """
    transport = getattr(getattr(send, "__self__", None), "transport", None)
    if transport is None:
        raise ConnectionDroppedError("the sandbox dropped this connection: a fault was injected")
    if last:
        transport.write(last)
    # close() flushes what was already sent, abort() would not; the sleeps let the server notice the end
    # before the app returns, so that it neither writes a 500 nor logs an error.
    transport.close()
    for _ in range(3):
        await asyncio.sleep(0)


class FaultInjectingSend:
    """An ASGI `send` that injects a fault into the body. Every body message of a stream is one event.

    Other responses can only be cut, delayed and stalled: they have a `Content-Length`.

    Args:
        send: ASGI `send` of the server.
        receive: ASGI `receive` of the server, to detect a disconnect.
        fault: The fault.
        state: The state, whose reset ends all waits.
    """

    def __init__(self, send: Send, receive: Receive, fault: Fault, state: SandboxState) -> None:
        self._state, self._epoch = state, state.epoch
        self._send = send
        self._receive = receive
        self._fault = fault
        self._transformer = FaultTransformer(fault, garbage=_with_garbage, padded=_padded)
        self._idle = False
        self.dropped = False

    async def __call__(self, message: Message) -> None:
        if self.dropped:
            return
        if message["type"] == "http.response.start":
            kinds = [value for name, value in message["headers"] if name.lower() == b"content-type"]
            streaming = any(kind.startswith(b"text/event-stream") for kind in kinds)
            self._idle = not streaming and self._fault.kind not in {"cut", "delay", "stall"}
        if self._idle:
            await self._send(message)
        elif message["type"] == "http.response.body" and message.get("body"):
            await self._body(message)
        elif self._fault.kind == "cut" and message["type"] == "http.response.body":
            await self._end()  # a response shorter than the cut must not be complete either
        else:
            await self._send(message)

    async def _body(self, message: Message) -> None:
        body, more = message["body"], message.get("more_body", False)
        for step in self._transformer.transform(body):
            match step.kind:
                case "send":
                    await self._send({**message, "body": step.content, "more_body": True})
                case "wait":
                    await self._wait(step.seconds)
                case "cut":
                    if step.content:
                        await self._send({**message, "body": step.content, "more_body": True})
                    await self._end()
                case "close":
                    await self._send({**message, "body": b"", "more_body": False})
                    self.dropped = True
            if self.dropped:
                return
        if more:
            return
        if self._fault.kind == "cut":
            await self._end()
        else:
            await self._send({**message, "body": b"", "more_body": False})

    async def _wait(self, seconds: float | None) -> None:
        self.dropped = await sleep_until_reset(
            self._state, self._epoch, seconds, self._receive if seconds is None else None
        )

    async def _end(self) -> None:
        self.dropped = True
        await drop_connection(self._send)


def _with_garbage(content: bytes) -> tuple[bytes, ...]:
    return (_GARBAGE + content,)


def _padded(content: bytes, size: int) -> bytes:
    # Trailing spaces do not change the JSON of the data.
    event = content.removesuffix(_EVENT_END)
    return event.ljust(size - len(_EVENT_END)) + _EVENT_END


@attrs.frozen
class SendAction:
    """An action for the sender.

    Attributes:
        kind: `send` the content, `wait`, `cut` the connection after the content, or `close` it cleanly.
        content: The bytes to send.
        seconds: Duration of a wait; None until the client disconnects.
        faulty: Whether this action is part of the fault.
    """

    kind: Literal["send", "wait", "cut", "close"]
    content: bytes = b""
    seconds: float | None = None
    faulty: bool = False


class FaultTransformer:
    """Applies one fault to a stream of events.

    Args:
        fault: The fault.
        garbage: Returns an event preceded by garbage, in parts.
        padded: Returns an event padded to a size.
    """

    def __init__(
        self, fault: Fault, *, garbage: Callable[[bytes], tuple[bytes, ...]], padded: Callable[[bytes, int], bytes]
    ) -> None:
        self._fault = fault
        self._garbage = garbage
        self._padded = padded
        self._events = 0
        self._room = fault.bytes or 0

    def transform(self, content: bytes) -> list[SendAction]:
        """Return the actions for the next event."""
        number, start = self._events, self._fault.events or 0
        self._events += 1
        whole = [SendAction("send", content)]
        if self._fault.kind == "cut":
            return whole if number < start else self._cut(content)
        return self._apply(content) if number == start else whole

    def _cut(self, content: bytes) -> list[SendAction]:
        if len(content) <= self._room:
            self._room -= len(content)
            return [SendAction("send", content)]
        return [SendAction("cut", content[: self._room], faulty=True)]

    def _apply(self, content: bytes) -> list[SendAction]:
        fault, whole = self._fault, SendAction("send", content)
        match fault.kind:
            case "close":
                return [SendAction("close", faulty=True)]
            case "delay":
                return [SendAction("wait", seconds=fault.seconds or 0.0, faulty=True), whole]
            case "duplicate":
                return [whole, SendAction("send", content, faulty=True)]
            case "garbage":
                return [SendAction("send", part, faulty=True) for part in self._garbage(content)]
            case "huge":
                size = _HUGE_BYTES if fault.bytes is None else fault.bytes
                return [SendAction("send", self._padded(content, size), faulty=True)]
            case "lost":
                return []
            case "stall":
                return [SendAction("wait", seconds=fault.seconds, faulty=True), whole]
            case _:
                return [whole]
