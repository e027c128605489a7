"""From arguments to a request that is ready to be sent."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote, urlencode

import attrs

from . import _json
from ._errors import InvalidArgumentError
from ._operation import Operation, Options, Timeout
from ._values import Wrong

__all__ = ["Request", "prepare"]


@attrs.define
class Request:
    """A request, with everything but the server's address and the token.

    Attributes:
        operation: The operation it is for.
        method: HTTP verb.
        target: Path and query.
        headers: Headers of this request alone.
        content: JSON body, or None.
        data: Fields of a multipart body that are not files.
        files: Files of a multipart body, or None.
        timeout: Seconds for this request, or None for the client's.
    """

    operation: Operation[Any]
    method: str
    target: str
    headers: dict[str, str]
    content: bytes | None = None
    data: dict[str, Any] | None = None
    files: dict[str, Any] | None = None
    timeout: Timeout = None


def prepare(operation: Operation[Any], given: Mapping[str, Any], options: Options) -> Request:
    """Check the arguments and put each where it belongs.

    Args:
        operation: The operation.
        given: Arguments by their Python names; None stands for "not given".
        options: What the caller adds, unchecked.

    Raises:
        InvalidArgumentError: An argument is missing or does not fit; the message names operation and argument.
    """
    places: dict[str, dict[str, Any]] = {"path": {}, "query": {}, "header": {}, "body": {}, "part": {}}
    try:
        for name, argument in operation.arguments.items():
            value = given.get(name)
            if value is not None:
                places[argument.place][argument.wire] = argument.value.encode(value, name)
            elif argument.value.required:
                raise Wrong(f"{name} is required")
    except Wrong as wrong:
        raise InvalidArgumentError(f"{operation.id}: {wrong}") from None
    body = {**places["body"], **operation.constants, **(options.body or {})}
    request = Request(
        operation,
        operation.method,
        _target(operation, places["path"], {**places["query"], **(options.query or {})}),
        {**{key: str(value) for key, value in places["header"].items()}, **(options.headers or {})},
        timeout=options.timeout,
    )
    if any(argument.place == "part" for argument in operation.arguments.values()):
        request.files = places["part"]
        request.data = {key: _form_value(value) for key, value in body.items()}
    elif body or operation.method in {"POST", "PUT", "PATCH"}:
        request.content = _serialise(operation, body)
        request.headers.setdefault("Content-Type", "application/json")
    return request


def _target(operation: Operation[Any], path: Mapping[str, Any], query: Mapping[str, Any]) -> str:
    target = operation.path
    for name, value in path.items():
        if not (text := str(value)):
            # An empty segment would address another operation: DELETE /datasets/ for DELETE /datasets/{id}.
            raise InvalidArgumentError(f"{operation.id}: {name} must not be empty")
        target = target.replace("{" + name + "}", "%2E%2E" if text == ".." else quote(text, safe=""))
    pairs = [(key, _query_value(value)) for key, value in query.items() if value is not None]
    return f"{target}?{urlencode(pairs)}" if pairs else target


def _query_value(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list | tuple):
        return ",".join(map(_query_value, value))  # Coze joins ids by commas; see facts on plugins/mget
    return str(value)


def _form_value(value: Any) -> str:
    return _json.dumps(value).decode() if isinstance(value, dict | list) else _query_value(value)


def _serialise(operation: Operation[Any], body: Mapping[str, Any]) -> bytes:
    try:
        return _json.dumps(body)
    except (TypeError, ValueError) as error:
        raise InvalidArgumentError(f"{operation.id}: the body cannot be written as JSON: {error}") from error
