"""Faults in what is sent: answers that are replaced, and events that are spoiled."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from http import HTTPStatus

from starlette.responses import Response
from starlette.types import Message, Receive, Send

from .._common.errors import CLIENT_LEFT, INTERNAL, RATE_LIMITED, CallError
from .._http.request_log import RequestRecord
from .._http.responses import ResponseBuilder, add_logid
from .._http.waits import sleep_until_reset
from .._spec.spec import Operation
from .._state.state import SandboxState
from .faults import Fault
from .transformer import FaultTransformer

__all__ = [
    "ConnectionDroppedError",
    "FaultInjectingSend",
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


class ConnectionDroppedError(ConnectionError):
    """Raised to a server whose connection cannot be reached, in place of closing it."""


def replacement_response(
    answers: ResponseBuilder, operation: Operation | None, fault: Fault, record: RequestRecord
) -> Response:
    """Make the answer that takes the place of the right one.

    Args:
        answers: Makes envelopes.
        operation: What was called.
        fault: The fault.
        record: Where the code is noted.
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
                fault.code or RATE_LIMITED,
                fault.msg,
                status=fault.status or 429,
                headers={"Retry-After": after},
            )
        case "status":
            failure = CallError(fault.code or INTERNAL, fault.msg, status=fault.status or 500)
        case _:
            failure = CallError(fault.code or INTERNAL, fault.msg, status=fault.status)
    record.code = failure.code
    return answers.error(operation, failure, record.logid)


async def delay(state: SandboxState, session: str, fault: Fault, receive: Receive | None) -> None:
    """Let a call wait.

    Args:
        state: The state.
        session: That of the state in which the call began.
        fault: Says how long.
        receive: The server's own, which tells when the client leaves, if that is to be noticed. The body was read.

    Raises:
        CallError: The client left meanwhile, or the state was reset, so that the call would change another one.
    """
    if await sleep_until_reset(state, session, fault.seconds or 0, receive):
        raise CallError(INTERNAL, "the client left while this call was delayed", status=CLIENT_LEFT)
    if state.epoch != session:
        raise CallError(INTERNAL, "the sandbox was reset while this call was delayed", status=503)


@asynccontextmanager
async def delay_after(state: SandboxState, fault: Fault, receive: Receive) -> AsyncIterator[None]:
    """Delay what comes after the block. A refusal inside comes late as well.

    Raises:
        CallError: As `delay` says. A call that took effect inside does not mind that its client left.
    """
    session, watched = state.epoch, None if fault.handled else receive
    try:
        yield
    except CallError:
        await delay(state, session, fault, watched)
        raise
    await delay(state, session, fault, watched)


async def drop_connection(send: Send, last: bytes = b"") -> None:
    """End the connection under an answer.

    Args:
        send: The server's own.
        last: What is written to the connection before.

    Raises:
        ConnectionDroppedError: The server shows no transport, which is so when the app is called in
            process.
    """
    transport = getattr(getattr(send, "__self__", None), "transport", None)
    if transport is None:
        raise ConnectionDroppedError("the sandbox dropped this connection because a fault was ordered")
    if last:
        transport.write(last)
    # close() lets what was already sent through, abort() would not; the pauses let the server see
    # the end before the app returns, so that it neither writes a 500 nor complains.
    transport.close()
    for _ in range(3):
        await asyncio.sleep(0)


class FaultInjectingSend:
    """An ASGI `send` that spoils the body as ordered. Every body message of a stream is one event.

    Answers that are no streams can only be cut, delayed and stalled: they carry a length, which extra bytes
    would break.

    Args:
        send: The server's own.
        receive: The server's own, which tells when the client leaves.
        fault: The fault.
        state: The state, whose reset ends all waiting.
    """

    def __init__(self, send: Send, receive: Receive, fault: Fault, state: SandboxState) -> None:
        self._state, self._session = state, state.epoch
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
            await self._end()  # an answer shorter than the cut still must not end well
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
            self._state, self._session, seconds, self._receive if seconds is None else None
        )

    async def _end(self) -> None:
        self.dropped = True
        await drop_connection(self._send)


def _with_garbage(content: bytes) -> tuple[bytes, ...]:
    return (_GARBAGE + content,)


def _padded(content: bytes, size: int) -> bytes:
    # Spaces behind the JSON of the data are no part of its meaning.
    event = content.removesuffix(_EVENT_END)
    return event.ljust(size - len(_EVENT_END)) + _EVENT_END
