"""Parsing and serialization of WebSocket messages."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import attrs

from .._common.errors import INVALID_PARAMETER, CallError
from .._common.json_body import parse_json
from .._http.coercion import Leniency
from .._spec.spec import Operation, SocketProtocol, Spec
from .._spec.validators import SchemaValidators

__all__ = ["Frames", "Uplink", "write_frame"]


@attrs.frozen
class Uplink:
    """A valid message of the client.

    Attributes:
        event: Its event type.
        data: Its data; empty for none.
    """

    event: str
    data: dict[str, Any]


class Frames:
    """Parses messages of clients and validates them against the spec.

    Args:
        spec: The description.
        schemas: Its validators.
        operation: The operation that opened the WebSocket.
        lenient: Whether to accept null for omitted members.
    """

    def __init__(self, spec: Spec, schemas: SchemaValidators, operation: Operation, *, lenient: bool) -> None:
        if operation.socket is None:
            raise ValueError(f"{operation.id} is not a WebSocket")
        self.protocol: SocketProtocol = operation.socket
        self._schemas = schemas
        self._leniency = Leniency(spec, nulls=lenient)

    def parse(self, text: str | None) -> dict[str, Any]:
        """Parse a frame as a JSON object with an event type.

        Args:
            text: The text; None for a binary frame.

        Raises:
            CallError: The frame is invalid.
        """
        if text is None:
            raise CallError(INVALID_PARAMETER, "message: must be a text frame, not a binary one")
        frame = parse_json(text, "message")
        if not isinstance(frame, dict):
            raise CallError(INVALID_PARAMETER, "message: must be a JSON object")
        if not isinstance(frame.get("event_type"), str):
            raise CallError(INVALID_PARAMETER, "event_type: is required and must be a string")
        return frame

    def check(self, frame: dict[str, Any], note: Callable[[str], None]) -> Uplink:
        """Validate a frame against the spec.

        Args:
            frame: The frame.
            note: Called with a note for every value that is not as described but accepted.

        Raises:
            CallError: The event type is unknown, or a member is invalid.
        """
        event, data = frame["event_type"], frame.get("data")
        described = self.protocol.uplink.get(event)
        if described is None:
            known = ", ".join(self.protocol.uplink)
            raise CallError(INVALID_PARAMETER, f"event_type: {event!r} is unknown, use one of {known}")
        if frame.get("id") is not None and not isinstance(frame["id"], str):
            raise CallError(INVALID_PARAMETER, f"{event}: id: must be a string")
        if data is None and described.data_required:
            raise CallError(INVALID_PARAMETER, f"{event}: data: is required")
        if data is None or described.pointer is None:
            return Uplink(event, {})
        data = self._leniency.read(data, described.schema, f"{event}: data", note)
        violation = self._schemas.check(described.pointer, data, "data")
        if violation is not None:
            raise CallError(INVALID_PARAMETER, f"{event}: {violation}")
        return Uplink(event, data)


def write_frame(frame: dict[str, Any]) -> bytes:
    """Serialize a frame."""
    return json.dumps(frame, ensure_ascii=False, separators=(",", ":")).encode()
