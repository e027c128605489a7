"""Dispatch of requests to the handlers of their operations."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.types import Message, Receive, Scope, Send

from ._common.errors import INVALID_PARAMETER, CallError
from ._faults.faults import Fault, Faults, select_fault
from ._faults.injector import FaultInjectingSend, delay_after, drop_connection, replacement_response
from ._handlers import HANDLERS
from ._http.auth import authorize, check_token_scope
from ._http.context import Call, Result, Stream
from ._http.cors import cors_headers
from ._http.event_source import ScopedEventIterator
from ._http.examples import example_result
from ._http.request_log import RequestLog, RequestRecord, redact_headers
from ._http.request_parser import RequestParser
from ._http.responses import ResponseBuilder, add_logid
from ._http.router import RouteMatch, Router, sent_path
from ._http.sse import encode_event
from ._http.waits import sleep_until_reset
from ._scenario.stub_responses import StubResponse
from ._spec.spec import Operation, Spec
from ._spec.validators import SchemaValidators
from ._state.state import SandboxState
from ._websockets.endpoint import EndpointParts, WebSocketEndpoint

__all__ = ["Dispatcher"]


class Dispatcher:
    """Handles requests for the operations of a spec.

    Args:
        spec: The spec.
        state: The state.
        log: The request log.
        faults: The faults to inject.

    Attributes:
        schemas: The validators of the spec.
        responses: Builds and checks the responses.
    """

    def __init__(self, spec: Spec, state: SandboxState, log: RequestLog, faults: Faults) -> None:
        options = state.options
        schemas = self.schemas = SchemaValidators(spec)
        self._spec = spec
        self._state = state
        self._log = log
        self._faults = faults
        self._router = Router(spec.operations.values(), aliases=options.lenient)
        self._parser = RequestParser(spec, schemas, lenient=options.lenient)
        self.responses = ResponseBuilder(
            spec, schemas, errors_as_200=options.errors_as_200, check=options.check_answers
        )
        self._sockets = WebSocketEndpoint(
            EndpointParts(spec, schemas, state, log, faults, self._router, self._parser, self.responses)
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send, refusal: CallError | None = None) -> None:
        """Handle a request or a WebSocket.

        Args:
            scope: ASGI scope of type `http` or `websocket`.
            receive: ASGI `receive`.
            send: ASGI `send`.
            refusal: An error with which to reject it, or None.
        """
        if scope["type"] == "websocket":
            await self._sockets(scope, receive, send, refusal)
            return
        request = Request(scope, receive)
        raw_path = sent_path(scope)
        target = self._router.find(scope["method"], raw_path)
        record = self._log.add(
            method=scope["method"],
            path=raw_path,
            query=scope["query_string"].decode("latin-1"),
            operation=target.operation and target.operation.id,
            headers=redact_headers(request.headers),
            logid=self._state.logids.next(),
        )
        with self._log.timed(record):
            await self._serve(request, target, record, send, refusal)

    async def _serve(
        self, request: Request, target: RouteMatch, record: RequestRecord, send: Send, refusal: CallError | None
    ) -> None:
        async def recording_send(message: Message) -> None:
            if message["type"] == "http.response.start":
                record.status = message["status"]
            await send(message)

        fault: Fault | None = None
        try:
            if refusal is not None:
                raise refusal
            fault = select_fault(self._faults, request.headers, record.operation)
            response = await self._respond(request, target, record, fault)
        except Exception as error:
            response = self.responses.from_exception(error, target.operation, record)
        response.headers["date"] = self._state.clock.http_date()
        response.headers.update(cors_headers(request.headers))
        if fault is not None:
            record.verdict, record.reason = "fault", fault.kind
            if fault.kind == "drop":
                record.code = None
                await drop_connection(send)
                return
            if fault.in_body:
                faulty_send = FaultInjectingSend(send, request.receive, fault, self._state)
                # Wraps the server's send, not the recording one: only it leads to the transport.
                record.status = response.status_code
                await response(request.scope, request.receive, faulty_send)
                return
        await response(request.scope, request.receive, recording_send)

    async def _respond(
        self, request: Request, target: RouteMatch, record: RequestRecord, fault: Fault | None
    ) -> Response:
        if fault is None or fault.in_body:
            return await self._answer(request, target, record)
        if fault.kind == "delay":
            answer = None
            try:
                async with delay_after(self._state, fault, request.receive):
                    call = await self._parse_and_authorize(request, target, record)
                    answer = self._execute(call, record) if fault.handled else None
            except BaseException:
                _close_unused(answer)
                raise
            return self._execute(call, record) if answer is None else answer
        if fault.handled:
            _close_unused(await self._answer(request, target, record))
        return replacement_response(self.responses, target.operation, fault, record)

    async def _answer(self, request: Request, target: RouteMatch, record: RequestRecord) -> Response:
        return self._execute(await self._parse_and_authorize(request, target, record), record)

    async def _parse_and_authorize(self, request: Request, target: RouteMatch, record: RequestRecord) -> Call:
        operation = target.operation
        if operation is None:
            raise target.refusal(record.method, record.path)
        if operation.socket is not None:
            msg = f"{record.path} is a WebSocket: connect to it with ws:// or wss://"
            raise CallError(INVALID_PARAMETER, msg, status=426, headers={"Upgrade": "websocket"})
        user_id = authorize(operation, request.headers.get("authorization"), self._state)
        call = await self._parser.parse(request, target, operation, self._state, user_id, record)
        check_token_scope(call)
        return call

    def _execute(self, call: Call, record: RequestRecord) -> Response:
        operation, user_id = call.operation, call.user_id
        handler = HANDLERS.get(operation.id)
        record.code = 0
        result: Result | CallError | None = None
        scripted: StubResponse | None = self._state.stubs.match("answer", operation.id)
        if scripted is not None:
            result = scripted.result(record)
        elif self._state.options.examples or handler is None:
            result = example_result(operation, call, self._spec)
        if result is None and handler is not None and scripted is None:
            with self._state.store.transaction(), self._state.acting_as(user_id):
                result = handler(call)
        if isinstance(result, CallError):
            raise result
        if isinstance(result, Stream):
            return self._stream(operation, result, user_id, record)
        return self.responses.success(operation, result, record.logid, checked=scripted is None or scripted.checked)

    def _stream(self, operation: Operation, stream: Stream, user_id: str, record: RequestRecord) -> Response:
        steps = ScopedEventIterator(self._state, user_id, stream.events)
        response = _EventStream(steps, self._frames(operation, stream, steps, record))
        add_logid(response, record.logid)
        return response

    async def _frames(
        self, operation: Operation, stream: Stream, steps: ScopedEventIterator, record: RequestRecord
    ) -> AsyncIterator[bytes]:
        epoch, every = self._state.epoch, self._state.options.event_seconds
        for number, event in enumerate(steps):
            violation = stream.checked and self.responses.check_event(operation, event.event, event.data)
            if violation:
                record.verdict, record.reason = "failed", violation.message
                raise RuntimeError(f"the sandbox's own event is not as described: {violation}")
            if every + event.pause:
                await sleep_until_reset(self._state, epoch, every + event.pause)
            else:
                await asyncio.sleep(0)  # lets other tasks run, and detects a disconnect
            yield encode_event(event, number, stream.dialect)


def _close_unused(answer: Response | None) -> None:
    """Close an unused streaming response, so that its cleanup runs."""
    if isinstance(answer, _EventStream):
        answer.steps.close()


class _EventStream(StreamingResponse):
    """Closes its event source as soon as the client disconnects, not at garbage collection."""

    def __init__(self, steps: ScopedEventIterator, frames: AsyncIterator[bytes]) -> None:
        super().__init__(frames, media_type="text/event-stream")
        self.steps = steps

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await super().__call__(scope, receive, send)
        finally:
            source: Any = self.body_iterator
            await source.aclose()
            self.steps.close()
