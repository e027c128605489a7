"""From arguments to a request that is ready to be sent."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote, urlencode

import attrs

from . import _json
from ._errors import InvalidArgumentError
from ._operation import Operation, Options, Timeout
from ._values import Wrong

__all__ = ["Request", "add_headers", "prepare"]

_HEADER = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")


@attrs.define
class Request:
    """A request, with everything but the server's address and the token. `repr` shows no secrets.

    Attributes:
        operation: The operation it is for.
        method: HTTP verb.
        target: Path and query.
        headers: Headers of this request alone, by their names in lower case.
        content: JSON body, or None.
        files: Parts of a multipart body, or None.
        timeout: Seconds for this request, or None for the client's.
    """

    operation: Operation[Any]
    method: str
    target: str
    headers: dict[str, str] = attrs.field(repr=False)
    content: bytes | None = attrs.field(default=None, repr=False)
    files: dict[str, Any] | None = attrs.field(default=None, repr=False)
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
                places[argument.place][argument.wire] = encoded = argument.value.encode(value, name)
                if argument.place == "query" and isinstance(encoded, list):
                    _refuse_commas(encoded, name)
            elif argument.value.required:
                raise Wrong(f"{name} is required")
    except Wrong as wrong:
        raise InvalidArgumentError(f"{operation.id}: {wrong}") from None
    body = {**places["body"], **operation.constants, **(options.body or {})}
    headers: dict[str, str] = {}
    add_headers(headers, operation.headers, operation.id)
    add_headers(headers, {key: str(value) for key, value in places["header"].items()}, operation.id)
    add_headers(headers, options.headers, f"{operation.id}: extra_headers")
    try:
        target = _target(operation, places["path"], {**places["query"], **(options.query or {})})
    except UnicodeEncodeError as error:
        raise InvalidArgumentError(f"{operation.id}: an argument is no text that can be sent: {error}") from None
    request = Request(operation, operation.method, target, headers, timeout=options.timeout)
    if any(argument.place == "part" for argument in operation.arguments.values()):
        # Parts without a file name, since httpx would send a form of another kind where no file is given.
        fields = {key: (None, _form_value(value).encode()) for key, value in body.items() if value is not None}
        request.files = {**fields, **places["part"]}
    elif body or operation.method in {"POST", "PUT", "PATCH"}:
        request.content = _serialise(operation, body)
        request.headers.setdefault("content-type", "application/json")
    return request


def add_headers(headers: dict[str, str], more: Mapping[str, Any] | None, where: str) -> None:
    """Set headers, replacing those of the same name in whatever spelling.

    Raises:
        InvalidArgumentError: A value cannot be sent. The message does not show it: it may be a secret, and the HTTP
            library's own message would.
    """
    for name, value in (more or {}).items():
        if not _HEADER.fullmatch(name):
            raise InvalidArgumentError(f"{where} have the name {name!r:.40}, which no header can have")
        if not isinstance(value, str) or not value.isascii() or not value.isprintable() or value != value.strip():
            raise InvalidArgumentError(f"{where} hold a value for {name} that is no printable ASCII text")
        headers[name.lower()] = value


def _target(operation: Operation[Any], path: Mapping[str, Any], query: Mapping[str, Any]) -> str:
    target = operation.path
    for name, value in path.items():
        if (text := str(value)) in {"", ".", ".."}:
            # Such a segment would address another operation: DELETE /datasets/ for DELETE /datasets/{id}.
            # Quoting the dots would not help: to servers, %2E%2E is the same as two dots.
            raise InvalidArgumentError(f"{operation.id}: {name} must not be {f'{text!r}' if text else 'empty'}")
        target = target.replace("{" + name + "}", quote(text, safe=""))
    pairs = [(key, _query_value(value)) for key, value in query.items() if value is not None]
    return f"{target}?{urlencode(pairs)}" if pairs else target


def _refuse_commas(items: list[Any], name: str) -> None:
    for number, item in enumerate(items):
        if isinstance(item, str) and "," in item:
            raise Wrong(f"{name}[{number}] must not contain a comma, as Coze would read two items: {item!r:.60}")


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
