"""Writes a request as a curl command, from the examples of the description."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import quote, urlencode

__all__ = ["curl"]

_BEARER = '-H "Authorization: Bearer $COZE_API_TOKEN"'


def curl(document: Mapping[str, Any], path: str, method: str, operation: Mapping[str, Any]) -> str:
    """Write the command with the required parameters and the example body.

    Args:
        document: The whole description.
        path: Path with its placeholders.
        method: HTTP method.
        operation: The operation.
    """
    parameters = [
        parameter
        for parameter in operation.get("parameters", [])
        if parameter["in"] == "path" or parameter.get("required")
    ]
    values = {place: dict(_values(parameters, place)) for place in ("path", "query", "header")}
    for name, value in values["path"].items():
        path = path.replace(f"{{{name}}}", quote(value))
    server = operation.get("servers", document.get("servers", [{"url": ""}]))[0]["url"]
    query = f"?{urlencode(values['query'], safe=',')}" if values["query"] else ""
    verb = [] if method in {"get", "post"} and (method == "get" or "requestBody" in operation) else [method.upper()]
    words = [*(f"-X {word}" for word in verb), shlex.quote(server + path + query)]
    parts = [f"curl {' '.join(words)}"]
    if {"bearer": []} in operation.get("security", document.get("security", [])):
        parts.append(_BEARER)
    parts += [f"-H {shlex.quote(f'{name}: {value}')}" for name, value in values["header"].items()]
    for kind, media in operation.get("requestBody", {}).get("content", {}).items():
        parts += _body(document, kind, media)
    return " \\\n  ".join(parts)


def _values(parameters: list[Any], place: str) -> Iterator[tuple[str, str]]:
    for parameter in parameters:
        if parameter["in"] == place:
            value = parameter["schema"].get("const", parameter.get("example"))
            yield parameter["name"], ",".join(map(_text, value)) if isinstance(value, list) else _text(value)


def _body(document: Mapping[str, Any], kind: str, media: Mapping[str, Any]) -> Iterator[str]:
    example = media.get("example")
    if kind != "multipart/form-data":
        yield f"-H 'Content-Type: {kind}'"
        yield f"-d {shlex.quote(json.dumps(example, ensure_ascii=False, indent=2))}"
        return
    schema = media["schema"]
    if "$ref" in schema:
        schema = document["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    for name, value in (example or {}).items():
        at = "@" if schema["properties"].get(name, {}).get("format") == "binary" else ""
        yield f"-F {shlex.quote(f'{name}={at}{_text(value)}')}"


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
