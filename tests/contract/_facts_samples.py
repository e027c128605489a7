"""Holding the published samples to the description."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import attrs

from generator.lint._values import Values
from tests.contract._facts import FACTS, Difference, description, records

__all__ = ["Sample", "broken", "sample_differences", "samples"]

_EXAMPLES = FACTS / "examples"
_UNEXPECTED = re.compile(r"'([^']+)'")
_STREAMS = {
    "cozepy.chat": "chat_v3",
    "get_chat_response": "chat_v3",
    "cozepy.workflow_run_stream": "workflow_stream_run",
    "cozepy.workflows_chat_stream": "workflow_chat",
}


@attrs.frozen
class Sample:
    """A published sample of an operation that is described.

    Attributes:
        operation: Id of the operation.
        path: The file.
    """

    operation: str
    path: Path

    @property
    def file(self) -> str:
        """The file's name as exceptions have it: relative to the folder of examples."""
        return f"{self.path.parent.name}/{self.path.name}"


@cache
def samples() -> tuple[Sample, ...]:
    """Return the samples of all operations that are described. A page may belong to more than one."""
    pages: dict[str, list[str]] = {}
    for name in description().operations():
        record = records().get(name, {"doc": None})
        for page in {record["doc"], *(record.get("docs") or ())}:
            pages.setdefault(page, []).append(name)
    result = []
    for path in sorted(_EXAMPLES.glob("*/*.*")):
        if path.suffix not in {".json", ".sse"} or path.name == "index.json":
            continue
        page = path.name.partition(".")[0]
        if path.parent.name == "streams":
            page = next((doc for start, doc in _STREAMS.items() if path.name.startswith(start)), page)
        result += [Sample(name, path) for name in pages.get(page, ())]
    return tuple(result)


def sample_differences(sample: Sample) -> list[Difference]:
    """Return in which ways a sample breaks the description of its operation."""
    _, _, operation = description().operations()[sample.operation]
    text = sample.path.read_text(encoding="utf-8")
    if sample.path.suffix == ".sse":
        faults = _stream(operation, text)
    elif sample.path.name.endswith(".query.json"):
        faults = _query(operation, json.loads(text))
    elif sample.path.parent.name == "requests":
        faults = _body(operation, json.loads(text))
    else:
        faults = _answer(operation, json.loads(text))
    return [
        Difference(
            pointer=f"{sample.operation} {place}",
            message=f"{sample.file}: {message}",
            parent=f"{sample.operation} {parent}",
            sample=f"{sample.operation} sample {sample.file}",
        )
        for place, parent, message in faults
    ]


_Found = Iterator[tuple[str, str, str]]


def _body(operation: dict[str, Any], value: Any) -> _Found:
    content = _resolve(operation.get("requestBody", {})).get("content", {})
    if not content:
        yield "request", "", "has a body; none is described"
    for media in content.values():
        yield from broken(media["schema"], value, "request")


def _answer(operation: dict[str, Any], value: Any) -> _Found:
    content = _resolve(operation["responses"].get("200", {})).get("content", {})
    if "application/json" not in content:
        yield "response", "", "is JSON; no JSON is described"
    else:
        yield from broken(content["application/json"]["schema"], value, "response")


def _query(operation: dict[str, Any], value: dict[str, Any]) -> _Found:
    described = {item["name"]: item for item in map(_resolve, operation.get("parameters", ()))}
    for name, text in value.items():
        parameter = described.get(name)
        if parameter is None or parameter["in"] != "query":
            yield f"request.{name}", "request", f"has the parameter {name}; it is not described"
        else:
            yield from broken(parameter["schema"], _read(text, _resolve(parameter["schema"])), f"request.{name}")


def _stream(operation: dict[str, Any], text: str) -> _Found:
    reference = operation.get("x-coze-stream", {}).get("protocol")
    if reference is None:
        yield "response", "", "is a stream; none is described"
        return
    events = _resolve(reference)["events"]
    for block in re.split(r"\n(?=event:)|\n\n", text):
        lines = [line.partition(":") for line in block.splitlines()]
        event = "".join(value.strip() for name, _, value in lines if name == "event")
        data = "\n".join(value.removeprefix(" ") for name, _, value in lines if name == "data")
        if event and event not in events:
            yield f"stream.{event}", "", f"has the event {event}; it is not described"
        elif event and "data" in events[event]:
            value = data if data == "[DONE]" else json.loads(data)  # which some pages show without quotes
            yield from broken(events[event]["data"], value, f"stream.{event}")


def _read(text: Any, schema: dict[str, Any]) -> Any:
    """Read a value of a query string as the type that the parameter has."""
    if not isinstance(text, str):
        return text
    if schema.get("type") == "array":
        return text.split(",")
    if schema.get("type") in {"integer", "boolean"}:
        try:
            return json.loads(text)
        except ValueError:
            return text
    return text


def broken(schema: dict[str, Any], value: Any, place: str) -> _Found:
    """Return what is wrong with a value, if no members are allowed but those that the schema lists."""
    for error in _strict().errors(schema, value):
        steps = "".join("[]" if isinstance(step, int) else f".{step}" for step in error.path)
        if error.message.startswith("Additional properties"):
            for name in _UNEXPECTED.findall(error.message):
                yield f"{place}{steps}.{name}", f"{place}{steps}", f"has {name}; it is not described"
        else:
            yield f"{place}{steps}", "", error.message


@cache
def _strict() -> _Strict:
    return _Strict(description().document)


class _Strict:
    """Checks values against schemas that allow no members but those they list."""

    def __init__(self, document: dict[str, Any]) -> None:
        schemas = {name: self._closed(schema) for name, schema in document["components"]["schemas"].items()}
        self._document = {"components": {"schemas": schemas}}

    def errors(self, schema: dict[str, Any], value: Any) -> Iterator[Any]:
        """Return what is wrong with a value."""
        return Values({**self._document, "root": self._closed(schema)}).errors(("root",), value)

    def _closed(self, schema: Any) -> Any:
        if isinstance(schema, list):
            return [self._closed(item) for item in schema]
        if not isinstance(schema, dict):
            return schema
        closed = {key: self._closed(value) for key, value in schema.items() if key not in {"examples", "default"}}
        if isinstance(schema.get("properties"), dict) and "additionalProperties" not in schema:
            closed["additionalProperties"] = False
        if str(schema.get("format")).startswith("unix-time"):
            closed["pattern"] = "^[0-9]+$"  # a moment that is text is a number nevertheless
        return closed


def _resolve(value: dict[str, Any]) -> dict[str, Any]:
    while "$ref" in value:
        _, _, kind, name = value["$ref"].split("/")
        value = description().document["components"][kind][name]
    return value
