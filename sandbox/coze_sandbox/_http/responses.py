"""Responses: envelope, headers, and the check against the spec."""

from __future__ import annotations

import json
import traceback
from typing import Any
from urllib.parse import quote

import attrs
from starlette.responses import Response

from .._common.errors import INTERNAL, CallError, status_of
from .._spec.spec import Media, Operation, Spec
from .._spec.validators import SchemaValidators, SchemaViolation
from .context import FileResponse, Redirect, ResponseFields
from .examples import has_property
from .oauth_errors import oauth_error_body
from .request_log import RequestRecord

__all__ = ["ResponseBuilder", "Violation", "add_logid"]

_JSON = "application/json"
_SERVER_ERROR = 500
_LOGID_HEADER = b"X-Tt-Logid"


@attrs.frozen
class Violation:
    """A response of the sandbox that violates the spec.

    Attributes:
        operation: Operation id.
        pointer: Position in the response.
        message: The error.
    """

    operation: str
    pointer: str
    message: str


class ResponseBuilder:
    """Builds HTTP responses.

    Args:
        spec: The description.
        schemas: Its validators.
        errors_as_200: Whether errors are returned with HTTP 200.
        check: Whether to check responses.

    Attributes:
        violations: The violations found so far.
    """

    def __init__(self, spec: Spec, schemas: SchemaValidators, *, errors_as_200: bool, check: bool) -> None:
        self._spec = spec
        self._schemas = schemas
        self._errors_as_200 = errors_as_200
        self._check = check
        self.violations: list[Violation] = []

    def success(
        self,
        operation: Operation,
        result: ResponseFields | FileResponse | Redirect | None,
        logid: str,
        *,
        checked: bool = True,
    ) -> Response:
        """Return the response for the result of a handler.

        Args:
            operation: The operation.
            result: Members of the response, a file, or a redirect.
            logid: Log id of the call.
            checked: Whether to check it against the spec.
        """
        if isinstance(result, Redirect):
            response = _bytes(b"", None, logid, operation.status)
            response.headers["location"] = result.location
            return response
        wrong = self.find_violation(operation, result, logid) if self._check and checked else None
        if wrong is not None:
            return self._violation(operation, wrong, logid)
        if isinstance(result, FileResponse):
            response = _bytes(result.content, result.type, logid)
            if result.name:
                name = quote(result.name, safe="", errors="replace")
                response.headers["content-disposition"] = f"attachment; filename*=UTF-8''{name}"
            return response
        return _json(self._envelope(operation.success.get(_JSON), result or {}, logid), 200, logid)

    def find_violation(
        self, operation: Operation, result: ResponseFields | FileResponse | None, logid: str = ""
    ) -> SchemaViolation | None:
        """Return the first violation in the result of a handler, or None."""
        if isinstance(result, FileResponse):
            if result.type in operation.success:
                return None
            return SchemaViolation("header.content-type", "enum", f"{result.type!r} is not described")
        media = operation.success.get(_JSON)
        if media is None or media.pointer is None:
            return None
        return self._schemas.check(media.pointer, self._envelope(media, result or {}, logid), "answer")

    def from_exception(self, error: Exception, operation: Operation | None, record: RequestRecord) -> Response:
        """Return the response for an exception, an error response or a defect of the sandbox, and record it."""
        if isinstance(error, CallError):
            record.code, record.verdict, record.reason = error.code, "refused", error.msg
            return self.error(operation, error, record.logid)
        record.code, record.verdict, record.reason = INTERNAL, "failed", repr(error)
        traceback.print_exception(error)
        return self.internal_error(f"defect of the sandbox: {error!r}", record.logid)

    def error(self, operation: Operation | None, failure: CallError, logid: str) -> Response:
        """Return the error response of a failure."""
        status = failure.status or status_of(failure.code, self._spec.errors)
        as_200 = self._errors_as_200
        body: dict[str, Any] = {"code": failure.code, "msg": failure.msg, "detail": {"logid": logid}, **failure.members}
        media = operation.failure if operation is not None else None
        if operation is not None and operation.issues_tokens and status < _SERVER_ERROR:
            # Clients recognize this error by its status only, so it is never 200.
            body, media, as_200 = oauth_error_body(failure), operation.client_failure, False
        if self._check and operation is not None and media is not None and media.pointer:
            violation = self._schemas.check(media.pointer, body, "answer")
            if violation is not None:
                return self._violation(operation, violation, logid)
        response = _json(body, 200 if as_200 else status, logid)
        response.headers.update(failure.headers)
        return response

    def internal_error(self, msg: str, logid: str) -> Response:
        """Return HTTP 500 for a defect of the sandbox; never HTTP 200, since it is not an error of Coze."""
        return _json({"code": INTERNAL, "msg": msg, "detail": {"logid": logid}}, 500, logid)

    def check_event(self, operation: Operation, event: str, data: Any) -> Violation | None:
        """Check the data of an event of a stream; record and return a violation."""
        return self._record(operation, self.find_event_violation(operation, event, data) if self._check else None)

    def check_message(self, operation: Operation, frame: dict[str, Any]) -> Violation | None:
        """Check a message of a WebSocket; record and return a violation."""
        socket, event, data = operation.socket, frame["event_type"], frame.get("data")
        if not self._check or socket is None:
            return None
        described = socket.downlink.get(event)
        violation: SchemaViolation | None = None
        if described is None:
            violation = SchemaViolation("event_type", "enum", f"{event!r} is not described")
        elif data is None:
            violation = SchemaViolation(f"{event}.data", "required", "is required") if described.data_required else None
        elif described.pointer is None:
            violation = SchemaViolation(f"{event}.data", "not", "no data is described")
        else:
            violation = self._schemas.check(described.pointer, data, f"{event}.data")
        if violation is None and socket.detail is not None:
            violation = self._schemas.check(socket.detail, frame["detail"], f"{event}.detail")
        return self._record(operation, violation)

    def _record(self, operation: Operation, mismatch: SchemaViolation | None) -> Violation | None:
        if mismatch is None:
            return None
        violation = Violation(operation.id, mismatch.path, mismatch.message)
        self.violations.append(violation)
        return violation

    def find_event_violation(self, operation: Operation, event: str, data: Any) -> SchemaViolation | None:
        """Return the first violation in an event of a stream, or None."""
        if not operation.events:
            return None
        if event not in operation.events:
            return SchemaViolation("event", "enum", f"{event!r} is not described")
        pointer = operation.events[event]
        return self._schemas.check(pointer, data, event) if pointer is not None else None

    def _violation(self, operation: Operation, violation: SchemaViolation, logid: str) -> Response:
        self._record(operation, violation)
        return self.internal_error(
            f"the sandbox's own response to {operation.id} is not as described: {violation}", logid
        )

    def _envelope(self, media: Media | None, members: ResponseFields, logid: str) -> dict[str, Any]:
        body: dict[str, Any] = {}
        if media is None or has_property(media.schema, "code", self._spec):
            body.update(code=0, msg="")
        body.update(members)
        if media is None or has_property(media.schema, "detail", self._spec):
            body["detail"] = {"logid": logid}
        return body


def _json(body: dict[str, Any], status: int, logid: str) -> Response:
    content = json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()
    return _bytes(content, _JSON, logid, status)


def _bytes(content: bytes, media_type: str | None, logid: str, status: int = 200) -> Response:
    response = Response(content, status, media_type=media_type)
    add_logid(response, logid)
    return response


def add_logid(response: Response, logid: str) -> None:
    """Add the log id header in the case that Coze uses.

    The JavaScript SDK looks it up by case, and Starlette would write it in lower case.
    """
    response.raw_headers.append((_LOGID_HEADER, logid.encode()))
