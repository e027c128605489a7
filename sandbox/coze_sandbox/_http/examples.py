"""Responses from the examples of the spec."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from .._spec.spec import Media, Operation, Spec
from .context import Call, FileResponse, Redirect, ResponseFields, Stream, StreamEvent

__all__ = ["dialect_of", "example_result", "has_property"]

_JSON = "application/json"
_EVENTS = "text/event-stream"


def example_result(
    operation: Operation, call: Call, spec: Spec
) -> ResponseFields | Stream | FileResponse | Redirect | None:
    """Return the example response of an operation.

    Args:
        operation: The operation.
        call: The call, which may request a stream.
        spec: The spec.

    Returns:
        The result, or None without an example.
    """
    if operation.location is not None:
        return Redirect(operation.location)
    media = operation.success.get(_JSON)
    if _EVENTS in operation.success and (media is None or call.body.get(operation.stream_flag or "")):
        return _stream(operation, operation.success[_EVENTS], spec)
    if media is not None:
        return _members(media, spec)
    files = [media for media in operation.success.values() if isinstance(media.example, str)]
    return FileResponse(files[0].example.encode(), files[0].type) if files else None


def dialect_of(operation: Operation) -> str:
    """Return the SSE format of an operation, derived from its example."""
    if "id" in operation.success[_EVENTS].example:
        return "workflow"
    # Of those without ids only chatflows always stream.
    return "chatflow" if operation.stream_flag is None else "chat"


def has_property(schema: Mapping[str, Any], name: str, spec: Spec) -> bool:
    """Return whether a schema has a property."""
    schema, _ = spec.follow(schema, "")
    if name in schema.get("properties", {}):
        return True
    parts = [*schema.get("allOf", ()), *schema.get("anyOf", ()), *schema.get("oneOf", ())]
    return any(has_property(part, name, spec) for part in parts)


def _members(media: Media, spec: Spec) -> ResponseFields:
    members = dict(media.example) if isinstance(media.example, Mapping) else {}
    for name in ("code", "msg", "detail"):
        if has_property(media.schema, name, spec):
            members.pop(name, None)
    return members


def _stream(operation: Operation, media: Media, spec: Spec) -> Stream:
    return Stream(_events(operation, media.example, spec), dialect_of(operation))


def _events(operation: Operation, described: Mapping[str, Any], spec: Spec) -> Iterator[StreamEvent]:
    """Yield the example event, and the final event, without which clients would report a truncated stream."""
    yield StreamEvent(described["event"], json.loads(described["data"]))
    end = operation.stream_end
    if end is not None and described["event"] != end:
        pointer = operation.events[end]
        yield StreamEvent(end, "[DONE]" if pointer is None else _sample({"$ref": pointer}, spec))


def _sample(schema: Mapping[str, Any], spec: Spec) -> Any:
    schema, _ = spec.follow(schema, "")
    if schema.get("examples"):
        return schema["examples"][0]
    properties = schema.get("properties", {})
    return {name: _sample(properties[name], spec) for name in schema.get("required", properties)}
