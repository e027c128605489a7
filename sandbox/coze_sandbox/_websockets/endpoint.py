"""The handshake of WebSockets: routing, authorization and validation."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl, urlencode

import attrs
from starlette.requests import HTTPConnection
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from .._common.errors import INVALID_PARAMETER, CallError
from .._faults.faults import Fault, Faults, select_fault
from .._faults.injector import delay, drop_connection, replacement_response
from .._http.auth import authorize, check_token_scope, parse_bearer
from .._http.context import Call
from .._http.request_log import RequestLog, RequestRecord, redact_headers
from .._http.request_parser import RequestParser
from .._http.responses import ResponseBuilder
from .._http.router import RouteMatch, Router, sent_path
from .._spec.spec import Spec
from .._spec.validators import SchemaValidators
from .._state.state import SandboxState
from .connection import Connection
from .frames import Frames
from .protocols import PROTOCOLS, ProtocolHandler
from .session import Session

__all__ = ["WebSocketEndpoint", "EndpointParts"]

_SWITCHING_PROTOCOLS = 101
_TOKEN = "authorization"  # noqa: S105 - the name of a header and of a query parameter
_DENIAL = "websocket.http.response"
_POLICY_VIOLATION = 1008


@attrs.frozen
class EndpointParts:
    """Components that WebSockets share with HTTP operations."""

    spec: Spec
    schemas: SchemaValidators
    state: SandboxState
    log: RequestLog
    faults: Faults
    router: Router
    parser: RequestParser
    responses: ResponseBuilder


class WebSocketEndpoint:
    """Accepts WebSockets, or rejects them with an HTTP response.

    Args:
        parts: The components shared with HTTP operations.
    """

    def __init__(self, parts: EndpointParts) -> None:
        self._parts = parts

    async def __call__(self, scope: Scope, receive: Receive, send: Send, refusal: CallError | None = None) -> None:
        """Handle one WebSocket until it is closed.

        Args:
            scope: ASGI scope of type `websocket`.
            receive: ASGI `receive`.
            send: ASGI `send`.
            refusal: An error with which to reject it, or None.
        """
        parts, connection, path = self._parts, HTTPConnection(scope), sent_path(scope)
        target = parts.router.find("GET", path)
        token, query = _token(connection)
        record = parts.log.add(
            method="GET",
            path=path,
            query=query,
            operation=target.operation and target.operation.id,
            headers=redact_headers(connection.headers),
            logid=parts.state.logids.next(),
        )
        with parts.log.timed(record):
            await self._serve(connection, target, token, record, receive, send, refusal)

    async def _serve(
        self,
        connection: HTTPConnection,
        target: RouteMatch,
        token: str,
        record: RequestRecord,
        receive: Receive,
        send: Send,
        refusal: CallError | None,
    ) -> None:
        parts = self._parts
        await receive()  # websocket.connect
        fault: Fault | None = None
        try:
            if refusal is not None:
                raise refusal
            fault = select_fault(parts.faults, connection.headers, record.operation)
            opened = await self._open(connection, target, token, record, fault, receive)
        except Exception as error:
            opened = parts.responses.from_exception(error, target.operation, record)
        if fault is not None:
            record.verdict, record.reason = "fault", fault.kind
        if isinstance(opened, ProtocolHandler):
            await self._run_session(opened, record, fault, receive, send)
        elif opened is None:
            await drop_connection(send)
        else:
            record.status = opened.status_code
            await _deny(opened, connection.scope, receive, send)

    async def _open(
        self,
        connection: HTTPConnection,
        target: RouteMatch,
        token: str,
        record: RequestRecord,
        fault: Fault | None,
        receive: Receive,
    ) -> ProtocolHandler | Response | None:
        if fault is not None and fault.kind == "delay" and not fault.in_body:
            await delay(self._parts.state, self._parts.state.epoch, fault, receive)
        elif fault is not None and fault.kind == "drop":
            return None
        elif fault is not None and not fault.in_body:
            return replacement_response(self._parts.responses, target.operation, fault, record)
        parts, operation = self._parts, target.operation
        if operation is None:
            raise target.refusal(record.method, record.path)
        if operation.socket is None:
            raise CallError(INVALID_PARAMETER, f"{record.path} is not a WebSocket", status=400)
        user_id = authorize(operation, token, parts.state)
        call = Call(
            operation=operation,
            state=parts.state,
            path=target.path,
            query=parts.parser.parse_parameters(connection, target, operation, record),
            body={},
            files={},
            user_id=user_id,
            bearer=parse_bearer(token),
            logid=record.logid,
            base_url=str(connection.base_url).rstrip("/"),
        )
        check_token_scope(call)
        record.code = 0
        with parts.state.acting_as(user_id):
            return PROTOCOLS[operation.id](call, parts.spec)

    async def _run_session(
        self, handler: ProtocolHandler, record: RequestRecord, fault: Fault | None, receive: Receive, send: Send
    ) -> None:
        parts, operation = self._parts, handler.call.operation
        headers = [(b"x-tt-logid", record.logid.encode())]
        await send({"type": "websocket.accept", "headers": headers})
        record.status = _SWITCHING_PROTOCOLS
        channel = Connection(send, fault if fault is not None and fault.in_body else None)
        frames = Frames(parts.spec, parts.schemas, operation, lenient=parts.state.options.lenient)
        session = Session(handler, frames, channel, record, parts.responses)
        await session.run(receive)


def _token(connection: HTTPConnection) -> tuple[str, str]:
    """Return the Authorization header or the query parameter that replaces it, and the query without the token."""
    text = connection.scope.get("query_string", b"").decode("latin-1")
    header = connection.headers.get(_TOKEN, "")
    pairs = parse_qsl(text, keep_blank_values=True, errors="replace")
    if all(name != _TOKEN for name, _ in pairs):
        return header, text
    in_query = dict(pairs)[_TOKEN]
    return header or in_query, urlencode([(name, "***" if name == _TOKEN else value) for name, value in pairs])


async def _deny(response: Response, scope: Mapping[str, Any], receive: Receive, send: Send) -> None:
    if _DENIAL in scope.get("extensions", {}):
        await response(dict(scope), receive, send)
    else:  # a server that cannot send an HTTP response
        await send({"type": "websocket.close", "code": _POLICY_VIOLATION})
