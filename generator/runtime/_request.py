"""From arguments to a request that is ready to be sent."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import quote, urlencode

import attrs

from . import _json
from ._argument_types import NO_UTF8, InvalidValue, is_utf8
from ._errors import InvalidArgumentError
from ._operation import Operation, Options, Timeout

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
        extensions: What the HTTP client does besides, by its extensions of requests.
    """

    operation: Operation[Any]
    method: str
    target: str
    headers: dict[str, str] = attrs.field(repr=False)
    content: bytes | None = attrs.field(default=None, repr=False)
    files: dict[str, Any] | None = attrs.field(default=None, repr=False)
    timeout: Timeout = None
    extensions: dict[str, Any] = attrs.field(factory=dict, repr=False)


def prepare(operation: Operation[Any], arguments: Mapping[str, Any], options: Options) -> Request:
    """Check the arguments and put each where it belongs.

    Args:
        operation: The operation.
        arguments: Arguments by their Python names; None stands for "not given".
        options: What the caller adds, unchecked.

    Raises:
        InvalidArgumentError: An argument is missing or does not fit; the message names operation and argument.
    """
    try:
        return _prepare(operation, arguments, options)
    except InvalidValue as invalid:
        problem = str(invalid)
    except RecursionError:
        problem = "an argument is nested too deeply"
    except UnicodeEncodeError as error:
        problem = f"an argument is not text that can be sent: {error.reason}"
    raise InvalidArgumentError(f"{operation.id}: {problem}")


def _prepare(operation: Operation[Any], arguments: Mapping[str, Any], options: Options) -> Request:
    places: dict[str, dict[str, Any]] = {"path": {}, "query": {}, "header": {}, "body": {}, "part": {}}
    for name, argument in operation.arguments.items():
        value = arguments.get(name)
        if value is not None:
            places[argument.place][argument.wire] = encoded = argument.value.encode(value, name)
            if argument.place == "query" and isinstance(encoded, list):
                _refuse_commas(encoded, name)
        elif argument.value.required:
            raise InvalidValue(f"{name} is required")
    more: tuple[tuple[str, object], ...] = (
        ("headers", options.headers),
        ("query", options.query),
        ("body", options.body),
    )
    for name, mapping in more:
        if mapping is not None and not isinstance(mapping, Mapping):
            raise InvalidValue(f"extra_{name} must be a dict, not {type(mapping).__name__}")
    body = {**places["body"], **operation.constants, **(options.body or {})}
    headers: dict[str, str] = {}
    add_headers(headers, operation.headers, operation.id)
    add_headers(headers, {key: str(value) for key, value in places["header"].items()}, operation.id)
    add_headers(headers, options.headers, f"{operation.id}: extra_headers")
    target = _target(operation, places["path"], {**places["query"], **(options.query or {})})
    request = Request(operation, operation.method, target, headers, timeout=options.timeout)
    if any(argument.place == "part" for argument in operation.arguments.values()):
        # Parts without a file name, since httpx would send a form of another kind where no file is given.
        fields = {
            _utf8(str(key), "the name of a field").decode(): (None, _utf8(_form_value(value), str(key)))
            for key, value in body.items()
            if value is not None
        }
        request.files = {**fields, **places["part"]}
    elif body or operation.method in {"POST", "PUT", "PATCH"}:
        request.content = _serialize(body)
        request.headers.setdefault("content-type", "application/json")
    return request


def add_headers(headers: dict[str, str], more: Mapping[str, Any] | None, where: str) -> None:
    """Set headers, replacing those of the same name in whatever spelling.

    Raises:
        InvalidArgumentError: A value cannot be sent. The message does not show it: it may be a secret, and the HTTP
            library's own message would.
    """
    added: Mapping[Any, Any] = more or {}
    for name, value in added.items():
        if not isinstance(name, str) or not _HEADER.fullmatch(name):
            raise InvalidArgumentError(f"{where} have the name {name!r:.40}, which no header can have")
        if not isinstance(value, str) or not value.isascii() or not value.isprintable() or value != value.strip():
            raise InvalidArgumentError(f"{where} hold a value for {name} that is not printable ASCII text")
        headers[name.lower()] = value


def _target(operation: Operation[Any], path: Mapping[str, Any], query: Mapping[str, Any]) -> str:
    target = operation.path
    for name, value in path.items():
        if (text := _text(value, name)) in {"", ".", ".."}:
            # Such a segment would address another operation: DELETE /datasets/ for DELETE /datasets/{id}.
            # Quoting the dots would not help: to servers, %2E%2E is the same as two dots.
            raise InvalidValue(f"{name} must not be {f'{text!r}' if text else 'empty'}")
        target = target.replace("{" + name + "}", quote(_utf8(text, name), safe=""))
    pairs = [(key, _utf8(_query_value(value, key), key)) for key, value in query.items() if value is not None]
    return f"{target}?{urlencode(pairs)}" if pairs else target


def _utf8(text: str, name: str) -> bytes:
    try:
        return text.encode()
    except UnicodeEncodeError:
        raise InvalidValue(f"{name} {text!r:.60} {NO_UTF8}") from None


def _refuse_commas(items: list[Any], name: str) -> None:
    for number, item in enumerate(items):
        if isinstance(item, str) and "," in item:
            raise InvalidValue(f"{name}[{number}] must not contain a comma, as Coze would read two items: {item!r:.60}")


def _query_value(value: Any, name: str) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list | tuple):
        return ",".join(_query_value(item, name) for item in value)  # Coze joins ids by commas: facts on plugins/mget
    return _text(value, name)


def _text(value: object, name: str) -> str:
    try:
        return str(value)
    except ValueError:
        raise InvalidValue(f"{name} is a number with more digits than can be written") from None


def _form_value(value: Any) -> str:
    return _serialize(value).decode() if isinstance(value, dict | list) else _query_value(value, "a field")


def _serialize(body: Any) -> bytes:
    try:
        return _json.dumps(body)
    except UnicodeEncodeError:
        where, text = next(_not_utf8(body, ""), ("it", ""))
        raise InvalidValue(f"the body cannot be written as JSON: {where} {text!r:.60} {NO_UTF8}") from None
    except (TypeError, ValueError) as error:
        raise InvalidValue(f"the body cannot be written as JSON: {error}") from None


def _not_utf8(value: Any, where: str) -> Iterator[tuple[str, str]]:
    """Find the texts in a body that cannot be sent."""
    if isinstance(value, str):
        if not is_utf8(value):
            yield where, value
    elif isinstance(value, list | tuple):
        for number, item in enumerate(value):
            yield from _not_utf8(item, f"{where}[{number}]")
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from _not_utf8(key, f"the name in {where or 'it'}")
            yield from _not_utf8(item, f"{where}.{key}" if where else str(key))
