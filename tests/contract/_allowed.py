"""Whether the description allows a request: a second opinion, which shares nothing with the sandbox or the client."""

from __future__ import annotations

import email
import email.policy
import json
import re
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

import attrs

from tests.contract._calls import document, resolve
from tests.contract._filled import violations

__all__ = ["Sent", "objections", "operation_of"]

_JSON, _FORM = "application/json", "multipart/form-data"
_LIMIT = 2**63


@attrs.frozen
class Sent:
    """A request as it went over the wire.

    Attributes:
        verb: HTTP verb.
        url: Address with the query.
        headers: Headers, their names in lower case.
        content: The body.
    """

    verb: str
    url: str
    headers: Mapping[str, str]
    content: bytes


@attrs.frozen
class _Operation:
    described: Mapping[str, Any]
    path: dict[str, str]

    def parameters(self, place: str) -> list[dict[str, Any]]:
        every = [resolve(parameter) for parameter in self.described.get("parameters", ())]
        return [parameter for parameter in every if parameter["in"] == place]

    @property
    def needs_token(self) -> bool:
        security = self.described.get("security", document()["security"])
        return security != [] and {} not in security

    @property
    def body(self) -> dict[str, Any]:
        return resolve(self.described.get("requestBody", {}))


def operation_of(sent: Sent) -> str | None:
    """Return the id of the operation that a request is for."""
    operation = _find(sent)
    return None if operation is None else str(operation.described["operationId"])


def objections(sent: Sent) -> list[str]:
    """Return all that the description has against a request."""
    operation = _find(sent)
    if operation is None:
        return [f"no operation is {sent.verb} {urlsplit(sent.url).path}"]
    query: dict[str, list[str]] = {}
    for name, value in parse_qsl(urlsplit(sent.url).query, keep_blank_values=True, errors="replace"):
        query.setdefault(name, []).append(value)
    arguments = {
        "path": {name: [value] for name, value in operation.path.items()},
        "query": query,
        "header": {name: [value] for name, value in sent.headers.items()},
    }
    against = [
        _of_parameter
        for place, values in arguments.items()
        for _of_parameter in _of_parameters(operation, place, values)
    ]
    if operation.needs_token and not sent.headers.get("authorization", "").startswith("Bearer "):
        against.append("header.authorization has no token")
    return [*against, *_of_body(operation, sent)]


def _find(sent: Sent) -> _Operation | None:
    steps = urlsplit(sent.url).path.split("/")
    for path, item in sorted(document()["paths"].items(), key=lambda pair: "{" in pair[0]):
        expected = path.split("/")
        if sent.verb.lower() in item and len(expected) == len(steps):
            fits = zip(expected, steps, strict=True)
            if all(segment if name.startswith("{") else name == segment for name, segment in fits):
                pairs = zip(expected, steps, strict=True)
                values = {name[1:-1]: unquote(segment) for name, segment in pairs if name.startswith("{")}
                return _Operation(item[sent.verb.lower()], values)
    return None


def _of_parameters(operation: _Operation, place: str, values: Mapping[str, list[str]]) -> Iterator[str]:
    for parameter in operation.parameters(place):
        name = parameter["name"].lower() if place == "header" else parameter["name"]
        if name in values:
            value = _typed(values[name], resolve(parameter["schema"]))
            yield from (f"{place}.{name}{text}" for text in _against(parameter["schema"], value))
        elif parameter.get("required"):
            yield f"{place}.{name} is missing"


def _typed(texts: list[str], schema: Mapping[str, Any]) -> Any:
    if schema.get("type") == "array":
        joined = texts[0].split(",") if texts[0] else []
        parts = texts if len(texts) > 1 else joined
        return [_typed([part], resolve(schema["items"])) for part in parts]
    return _scalar(texts[-1], schema)


def _scalar(text: str, schema: Mapping[str, Any]) -> Any:
    kind = schema.get("type")
    if kind == "integer" and re.fullmatch(r"-?[0-9]+", text):
        return int(text)
    if kind == "number" and re.fullmatch(r"-?[0-9]+(\.[0-9]+)?([eE][-+]?[0-9]+)?", text):
        return float(text)
    if kind == "boolean" and text.lower() in {"true", "false"}:
        return text.lower() == "true"
    return text


def _against(schema: dict[str, Any], value: Any) -> list[str]:
    return [f" {error}" for error in [*violations(schema, value), *_too_large(schema, value)]]


def _too_large(schema: dict[str, Any], value: Any) -> Iterator[str]:
    """Find whole numbers that do not fit into the 64 bits of their format."""
    schema = resolve(schema)
    if isinstance(value, dict):
        for name, part in schema.get("properties", {}).items():
            if name in value:
                yield from _too_large(part, value[name])
    elif isinstance(value, list) and "items" in schema:
        for item in value:
            yield from _too_large(schema["items"], item)
    elif schema.get("format") == "int64" and isinstance(value, int | float) and not -_LIMIT <= value < _LIMIT:
        yield f"{value} has more than 64 bits"


def _of_body(operation: _Operation, sent: Sent) -> Iterator[str]:
    content = operation.body.get("content", {})
    if not content or not (sent.content or operation.body.get("required")):
        return
    kind = sent.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind not in content:
        yield f"header.content-type is {kind!r}"
    elif kind == _JSON:
        yield from _of_json(content[kind]["schema"], sent.content)
    else:
        yield from _of_form(content[kind]["schema"], sent)


def _of_json(schema: dict[str, Any], content: bytes) -> Iterator[str]:
    try:
        value = json.loads(content, parse_constant=_refuse)
    except (ValueError, RecursionError) as error:
        yield f"body is not JSON: {error}"
        return
    yield from (f"body{text}" for text in _against(schema, value))


def _refuse(name: str) -> Any:
    raise ValueError(name)


def _of_form(schema: dict[str, Any], sent: Sent) -> Iterator[str]:
    described = resolve(schema)["properties"]
    text = b"Content-Type: " + sent.headers["content-type"].encode("latin-1") + b"\r\n\r\n" + sent.content
    form = email.message_from_bytes(text, policy=email.policy.HTTP)
    is_empty = sent.content.strip() == f"--{form.get_boundary()}--".encode()
    if not is_empty and (not form.is_multipart() or form.defects):
        yield "body is not a form"
        return
    value: dict[str, Any] = {}
    for part in [] if is_empty else form.iter_parts():  # type: ignore[attr-defined]  # the policy makes an EmailMessage
        name = str(part.get_param("name", header="content-disposition"))
        inside, wants_file = (
            resolve(described.get(name, {})),
            resolve(described.get(name, {})).get("format") == "binary",
        )
        if wants_file != (part.get_filename() is not None) and inside:
            yield f"body.{name} must{'' if wants_file else ' not'} be a file"
        value[name] = "" if wants_file else _scalar(part.get_payload(decode=True).decode(errors="replace"), inside)
    yield from (f"body{text}" for text in _against(schema, value))
