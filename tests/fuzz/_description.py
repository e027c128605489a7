"""The description as data: operations, arguments from its examples, and valid responses generated from its schemas."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from random import Random
from typing import Any

__all__ = ["Operation", "example", "instance", "operation", "operations", "schema_of_event", "sockets", "streams"]

_FILE = Path(__file__).parents[2] / "generated" / "coze_api" / "coze.openapi.json"
_METHODS = {"get", "put", "post", "delete", "patch"}
_DEEPEST = 8


@cache
def _document() -> dict[str, Any]:
    document: dict[str, Any] = json.loads(_FILE.read_bytes())
    return document


def _resolved(node: Any) -> Any:
    while isinstance(node, dict) and "$ref" in node:
        target: Any = _document()
        for part in node["$ref"].removeprefix("#/").split("/"):
            target = target[part.replace("~1", "/").replace("~0", "~")]
        node = {**target, **{key: value for key, value in node.items() if key != "$ref"}}
    return node


@dataclass(frozen=True)
class Operation:
    """One HTTP operation.

    Attributes:
        id: Operation id, which is the path of its method on a client.
        verb: HTTP method.
        path: Pattern of its path.
        arguments: Values of all parameters and body members from the description's examples.
        media_type: Type of its answer; "" where it redirects or answers with nothing but an envelope.
        schema: Schema of its JSON response.
        sample: Example of its JSON response.
        paging: Its `x-coze-pagination`.
        protocol: Name of its stream's protocol; "" where it has none.
        stream_method: The method that opens the stream.
        files: Names of the body members that are files.
    """

    id: str
    verb: str
    path: re.Pattern[str]
    arguments: dict[str, Any]
    media_type: str
    schema: Any
    sample: Any
    paging: dict[str, Any] | None = None
    protocol: str = ""
    stream_method: str = ""
    redirects: bool = False
    files: tuple[str, ...] = field(default=())

    @property
    def returns_file(self) -> bool:
        """Return whether its response is a file."""
        return self.media_type not in {"", "application/json", "text/event-stream"}

    @property
    def gives_tokens(self) -> bool:
        """Return whether its responses contain secrets."""
        return self.id.startswith("oauth.") and not self.redirects


@cache
def operations() -> tuple[Operation, ...]:
    """Return the HTTP operations, without those that open WebSockets."""
    return tuple(
        _operation(verb, path, described)
        for path, members in _document()["paths"].items()
        for verb, described in members.items()
        if verb in _METHODS and "x-coze-websocket" not in described
    )


@cache
def operation(name: str) -> Operation:
    """Return the operation named *name*."""
    return next(candidate for candidate in operations() if candidate.id == name)


def _operation(verb: str, path: str, described: dict[str, Any]) -> Operation:
    arguments: dict[str, Any] = {}
    for parameter in map(_resolved, described.get("parameters", ())):
        if "const" in _resolved(parameter["schema"]):
            continue  # the client sends it by itself
        value = parameter.get("example", _resolved(parameter["schema"]).get("default"))
        name = parameter["name"]
        if parameter["in"] == "header":
            name = re.sub(r"-|(?<=[a-z])(?=[A-Z])", "_", name).lower()
        arguments[name] = value
    files = []
    for media, body in described.get("requestBody", {}).get("content", {}).items():
        members = dict(body.get("example") or {})
        if media == "multipart/form-data":
            for name, schema_or_response in _resolved(body["schema"])["properties"].items():
                if _resolved(schema_or_response).get("format") == "binary":
                    members[name] = (str(members.get(name) or "a.png"), b"content")
                    files.append(name)
        arguments.update(members)
    stream = described.get("x-coze-stream") or {}
    arguments.pop(stream.get("flag", ""), None)
    answers = {status: _resolved(schema_or_response) for status, schema_or_response in described["responses"].items()}
    content = answers.get("200", {}).get("content", {})
    json_answer = content.get("application/json") or {}
    return Operation(
        id=described["operationId"],
        verb=verb.upper(),
        path=re.compile(re.sub(r"\\{[^}]+\\}", "[^/]*", re.escape(path))),
        arguments=arguments,
        media_type="application/json" if json_answer else next(iter(content), ""),
        schema=json_answer.get("schema"),
        sample=json_answer.get("example"),
        paging=described.get("x-coze-pagination"),
        protocol=stream.get("protocol", {}).get("$ref", "").rpartition("/")[2],
        stream_method=(
            described["operationId"].rpartition(".")[0] + "." + stream["method"]
            if "method" in stream
            else described["operationId"]
        ),
        redirects="302" in answers,
        files=tuple(files),
    )


def streams() -> dict[str, Any]:
    """Return the protocols of streams."""
    protocols: dict[str, Any] = _document()["components"]["x-coze-streams"]
    return protocols


def sockets() -> dict[str, Any]:
    """Return the protocols of WebSockets."""
    protocols: dict[str, Any] = _document()["components"]["x-coze-websockets"]
    return protocols


def schema_of_event(protocol: str, event: str) -> Any:
    """Return the schema of an event's data, or None."""
    return streams()[protocol]["events"][event].get("data")


def example(described: Operation) -> Any:
    """Return the example response of an operation, or an empty envelope."""
    return (
        described.sample
        if described.sample is not None
        else {"code": 0, "msg": "", "detail": {"logid": "20241210152726AB"}}
    )


def instance(schema: Any, rng: Random, depth: int = 0) -> Any:
    """Create a value that matches *schema*, with random optional fields."""
    schema = _resolved(schema)
    if not isinstance(schema, dict):
        return None
    if "const" in schema:
        return schema["const"]
    if schema.get("enum"):
        return rng.choice(schema["enum"])
    for key in ("anyOf", "oneOf"):
        if key in schema:
            return instance(rng.choice(schema[key]), rng, depth + 1)
    kind = schema.get("type")
    if isinstance(kind, list):
        kind = rng.choice(kind)
    if kind == "object" or "properties" in schema:
        return _object(schema, rng, depth)
    if kind == "array":
        return (
            [] if depth > _DEEPEST else [instance(schema.get("items"), rng, depth + 1) for _ in range(rng.randrange(4))]
        )
    if schema.get("examples") and rng.random() < 0.9:
        return rng.choice(schema["examples"])
    return {
        "string": f"text {rng.randrange(1000)}",
        "integer": rng.randrange(10**10),
        "number": rng.random() * 100,
        "boolean": rng.random() < 0.5,
    }.get(str(kind))


def _object(schema: Any, rng: Random, depth: int) -> dict[str, Any]:
    required = set(schema.get("required", ()))
    value = {
        name: instance(member, rng, depth + 1)
        for name, member in schema.get("properties", {}).items()
        if name in required or (depth < _DEEPEST and rng.random() < 0.7)
    }
    extra = schema.get("additionalProperties")
    if isinstance(extra, dict) and depth < _DEEPEST:
        value.update({f"key{n}": instance(extra, rng, depth + 1) for n in range(rng.randrange(3))})
    return value
