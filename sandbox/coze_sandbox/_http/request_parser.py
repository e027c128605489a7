"""Parsing and validation of HTTP requests."""

from __future__ import annotations

import hashlib
import json
from collections.abc import AsyncGenerator, Mapping
from typing import Any
from urllib.parse import parse_qsl

import attrs
from starlette.datastructures import UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import ClientDisconnect, HTTPConnection, Request

from .._common.errors import (
    CLIENT_LEFT,
    FILE_EMPTY,
    FILE_TOO_LARGE,
    INVALID_PARAMETER,
    META_DATA_LIMIT,
    SPEECH_TOO_LONG,
    TOO_MANY_FILES,
    TOO_MANY_MESSAGES,
    CallError,
)
from .._common.json_body import parse_json
from .._spec.spec import Media, Operation, Parameter, Spec
from .._spec.validators import SchemaValidators, SchemaViolation
from .._state.state import SandboxState
from .auth import parse_bearer
from .body_limit import MAX_JSON_BYTES, limit_body
from .coercion import Leniency, from_part, from_texts, types_of
from .context import KEPT_BYTES, Call, Upload
from .request_log import RequestRecord
from .router import RouteMatch

__all__ = ["RequestParser"]

_JSON = "application/json"
_FORM = "multipart/form-data"
_PART_OVERHEAD = 1 << 20  # room for the headers and the other fields of a form
_MAX_TEXT_PART = 1 << 20
_MAX_TEXT_PARTS = 100
_CHUNK = 1 << 20
_IDS_AS_TEXTS = "Agw-Js-Conv"  # the header that requests ids as strings instead of numbers
_AUTHORIZATION = "authorization"  # also a query parameter of WebSockets: browsers cannot set headers
_SIZES = ("maxProperties", "maxLength")

# Names that clients use instead of the documented ones.
_PARAMETER_ALIASES = {
    # The official Python SDK sends page_index, as for the older list of bots.
    "bots.list": {"page_index": "page_num"}
}

# Required members that official SDKs omit or send as null, and the values that Coze assumes.
_MAY_BE_ABSENT: Mapping[str, Mapping[str, Any]] = {
    # Optional in the official Python, JavaScript and Go SDKs.
    "datasets.documents.create": {"chunk_strategy": {"chunk_type": 0}}
}

# Parameters for which an empty value is not an omitted one.
_MAY_BE_BLANK = {"oauth.authorize": ("state",), "oauth.authorize_workspace": ("state",)}


@attrs.define
class _Parts:
    body: Any = attrs.Factory(dict)
    files: dict[str, Upload] = attrs.Factory(dict)


class RequestParser:
    """Parses requests and validates them against the spec.

    Args:
        spec: The description.
        schemas: Its validators.
        lenient: Whether to accept null, blank values, other names of parameters and numbers for ids, as Coze does.
    """

    def __init__(self, spec: Spec, schemas: SchemaValidators, *, lenient: bool) -> None:
        self._spec = spec
        self._schemas = schemas
        self._lenient = lenient

    async def parse(
        self,
        request: Request,
        target: RouteMatch,
        operation: Operation,
        state: SandboxState,
        user_id: str,
        record: RequestRecord,
    ) -> Call:
        """Parse and validate a request.

        Args:
            request: The request.
            target: Result of the router.
            operation: Its operation.
            state: The state, for the call.
            user_id: The account, for the call.
            record: The record of the request, which gets the body even if the request is invalid.

        Raises:
            CallError: A parameter or the body is missing, malformed or too large.
        """
        query = self.parse_parameters(request, target, operation, record)
        parts = await self._body(request, operation, record)
        return Call(
            operation=operation,
            state=state,
            path=target.path,
            query=query,
            body=parts.body if isinstance(parts.body, dict) else {},
            files=parts.files,
            user_id=user_id,
            bearer=parse_bearer(request.headers.get("authorization")),
            logid=record.logid,
            base_url=str(request.base_url).rstrip("/"),
        )

    def parse_parameters(
        self, request: HTTPConnection, target: RouteMatch, operation: Operation, record: RequestRecord
    ) -> dict[str, Any]:
        """Parse and validate path, query and headers, and return the query.

        Raises:
            CallError: A parameter is missing or malformed.
        """
        if target.operation is not None and record.method != operation.method:
            record.tolerate(f"{record.method}: accepted as {operation.method}")
        self._check(operation, "path", self._convert(operation, "path", _lists(target.path)))
        query = self._query(request, operation, record)
        self._check(operation, "query", query)
        sent = {name: [value] for name, value in request.headers.items()}
        headers = self._convert(operation, "header", sent)
        if self._lenient:
            _add_fixed(operation, headers, record)
        self._check(operation, "header", headers)
        return query

    def _query(self, request: HTTPConnection, operation: Operation, record: RequestRecord) -> dict[str, Any]:
        text = request.scope["query_string"].decode("latin-1")
        blank = _MAY_BE_BLANK.get(operation.id, ())
        renamed = _PARAMETER_ALIASES.get(operation.id, {}) if self._lenient else {}
        known = {parameter.name: parameter for parameter in operation.parameters if parameter.location == "query"}
        texts: dict[str, list[str]] = {}
        # Blank values are omitted ones: the official Python SDK sends `conversation_id=` for None.
        for name, value in parse_qsl(text, keep_blank_values=True, errors="replace"):
            meant = renamed.get(name, name)
            if operation.socket is not None and name == _AUTHORIZATION:
                continue
            if meant not in known:
                record.tolerate(f"query.{name}: not described")
            elif not value and self._lenient and name not in blank:
                record.tolerate(f"query.{name}: blank, accepted as omitted")
            else:
                if meant != name:
                    record.tolerate(f"query.{name}: not described, accepted as {meant}")
                texts.setdefault(meant, []).append(value)
        for name, values in texts.items():
            _note_form(known[name], values, record)
        return self._convert(operation, "query", texts)

    def _convert(self, operation: Operation, place: str, texts: Mapping[str, list[str]]) -> dict[str, Any]:
        values = {}
        for parameter in operation.parameters:
            name = parameter.name.lower() if place == "header" else parameter.name
            if parameter.location == place and texts.get(name):
                values[parameter.name] = from_texts(texts[name], parameter.schema, self._spec)
        return values

    def _check(self, operation: Operation, place: str, values: Mapping[str, Any]) -> None:
        parameters = [parameter for parameter in operation.parameters if parameter.location == place]
        if parameters:
            key = f"{operation.id} {place}"
            violation = self._schemas.check_parameters(key, parameters, values, place)
            if violation is not None:
                raise _to_call_error(operation, violation)

    async def _body(self, request: Request, operation: Operation, record: RequestRecord) -> _Parts:
        if not operation.bodies:
            await _drain(request, operation)
            return _Parts()
        if _FORM in operation.bodies and _content_type(request) != _JSON:
            return await self._form(request, operation, operation.bodies[_FORM], record)
        media = operation.bodies.get(_JSON)
        if media is None:
            raise CallError(FILE_EMPTY, f"the request must be {_FORM}")
        content = b"".join([chunk async for chunk in _limited(request, operation.max_body_bytes or MAX_JSON_BYTES)])
        if not content and not operation.body_required:
            return _Parts()
        if not content:
            raise CallError(INVALID_PARAMETER, "body: a JSON body is required")
        if _content_type(request) != _JSON:
            raise CallError(INVALID_PARAMETER, f"header.content-type: must be {_JSON}")
        value = record.body = parse_json(content, "body")
        value = self._as_described(operation, media, value, record)
        self._check_body(operation, media, value)
        return _Parts(value)

    def _as_described(self, operation: Operation, media: Media, value: Any, record: RequestRecord) -> Any:
        numeric_ids = self._lenient and any(parameter.name == _IDS_AS_TEXTS for parameter in operation.parameters)
        leniency = Leniency(self._spec, nulls=self._lenient, numeric_ids=numeric_ids)
        body = leniency.read(value, media.schema, "body", record.tolerate)
        if self._lenient and isinstance(body, dict):
            for name, meant in _MAY_BE_ABSENT.get(operation.id, {}).items():
                if body.get(name) is None and name in media.schema.get("required", ()):
                    record.tolerate(f"body.{name}: is required, accepted as {json.dumps(meant)}")
                    body[name] = meant
        return body

    def _check_body(self, operation: Operation, media: Media, value: Any) -> None:
        if media.pointer is not None:
            violation = self._schemas.check(media.pointer, value, "body")
            if violation is not None:
                raise _to_call_error(operation, violation)

    async def _form(self, request: Request, operation: Operation, media: Media, record: RequestRecord) -> _Parts:
        if _content_type(request) != _FORM:
            raise CallError(FILE_EMPTY, f"the request must be {_FORM}")
        properties: Mapping[str, Any] = media.schema.get("properties", {})
        limits = {name: schema.get("x-coze-max-bytes") for name, schema in properties.items() if _is_file(schema)}
        known = [limit for limit in limits.values() if limit is not None]
        ceiling = sum(known) + _PART_OVERHEAD if len(known) == len(limits) else None
        stream = _limited(request, operation.max_body_bytes or ceiling, FILE_TOO_LARGE)
        parser = MultiPartParser(request.headers, stream, max_fields=_MAX_TEXT_PARTS, max_part_size=_MAX_TEXT_PART)
        try:
            form = await parser.parse()
        except MultiPartException as error:
            raise CallError(INVALID_PARAMETER, f"body: {error.message}") from error
        except (ValueError, LookupError) as error:  # not caught by the parser
            raise CallError(INVALID_PARAMETER, f"body: malformed form: {error}") from error
        parts = _Parts()
        try:
            for name, value in form.multi_items():
                schema, _ = self._spec.follow(properties.get(name, {}), "")
                if not isinstance(value, UploadFile):
                    parts.body[name] = from_part(value, schema)
                elif name in parts.files:
                    raise CallError(TOO_MANY_FILES, f"body.{name}: only one file is allowed")
                else:
                    parts.files[name] = await _upload(value, limits.get(name))
        finally:
            await form.close()
        record.body = {**parts.body, **{name: file.name for name, file in parts.files.items()}}
        shape = self._as_described(operation, media, {**parts.body, **dict.fromkeys(parts.files, "")}, record)
        self._check_body(operation, media, shape)
        for name in limits:
            if name in parts.body:
                raise CallError(INVALID_PARAMETER, f"body.{name}: must be a file, not a field")
        return parts


def _note_form(parameter: Parameter, texts: list[str], record: RequestRecord) -> None:
    """Note values of a query parameter that are not serialized as described."""
    types = types_of(parameter.schema)
    if len(texts) > 1 and "array" in types:
        record.tolerate(f"query.{parameter.name}: repeated, instead of joined by commas")
    elif len(texts) > 1:
        record.tolerate(f"query.{parameter.name}: repeated, the last value is used")
    if types == {"boolean"} and texts[-1] != texts[-1].lower() in {"true", "false"}:
        record.tolerate(f"query.{parameter.name}: {texts[-1]}, accepted as {texts[-1].lower()}")


def _add_fixed(operation: Operation, headers: dict[str, Any], record: RequestRecord) -> None:
    """Add missing required headers that have a single allowed value: older clients do not send them."""
    for parameter in operation.parameters:
        if (
            parameter.location == "header"
            and parameter.required
            and "const" in parameter.schema
            and parameter.name not in headers
        ):
            headers[parameter.name] = parameter.schema["const"]
            record.tolerate(f"header.{parameter.name}: is required")


def _is_file(schema: Mapping[str, Any]) -> bool:
    return schema.get("format") == "binary" or "x-coze-max-bytes" in schema


async def _upload(file: UploadFile, limit: int | None) -> Upload:
    size, digest, content = 0, hashlib.sha256(), b""
    while chunk := await file.read(_CHUNK):
        size += len(chunk)
        content = chunk if size == len(chunk) <= KEPT_BYTES else b""
        digest.update(chunk)
    if limit is not None and size > limit:
        raise CallError(FILE_TOO_LARGE, f"body: the file has more than {limit} bytes")
    return Upload(
        file.filename or "",
        file.content_type or "",
        size,
        digest.hexdigest(),
        content if size == len(content) else None,
    )


def _lists(path: Mapping[str, str]) -> dict[str, list[str]]:
    return {name: [value] for name, value in path.items()}


def _content_type(request: Request) -> str:
    return request.headers.get("content-type", "").partition(";")[0].strip().lower()


async def _limited(request: Request, limit: int | None, code: int = INVALID_PARAMETER) -> AsyncGenerator[bytes, None]:
    if limit is not None:
        request = Request(request.scope, limit_body(request.receive, limit, code))
    try:
        async for chunk in request.stream():
            yield chunk
    except ClientDisconnect as error:
        raise CallError(INVALID_PARAMETER, "body: the client disconnected", status=CLIENT_LEFT) from error


async def _drain(request: Request, operation: Operation) -> None:
    async for _ in _limited(request, operation.max_body_bytes):
        pass


def _to_call_error(operation: Operation, violation: SchemaViolation) -> CallError:
    code, keyword = INVALID_PARAMETER, violation.keyword
    if "meta_data" in violation.path.split(".") and keyword in _SIZES:
        code = META_DATA_LIMIT
    elif (keyword, violation.path) == ("maxItems", "body.additional_messages"):
        code = TOO_MANY_MESSAGES
    elif (keyword, violation.path, operation.id) == ("maxLength", "body.input", "audio.speech.create"):
        code = SPEECH_TOO_LONG
    return CallError(code, str(violation))
