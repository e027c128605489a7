"""The messages of a WebSocket as texts."""

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
    """A message from the client, as described.

    Attributes:
        event: Its event type.
        data: Its data; empty where it has none.
    """

    event: str
    data: dict[str, Any]


class Frames:
    """Reads what clients send, and refuses what the description does not allow.

    Args:
        spec: The description.
        schemas: Its validators.
        operation: The operation that opened the WebSocket.
        lenient: Whether to take null for "not given".
    """

    def __init__(self, spec: Spec, schemas: SchemaValidators, operation: Operation, *, lenient: bool) -> None:
        if operation.socket is None:
            raise ValueError(f"{operation.id} opens no WebSocket")
        self.protocol: SocketProtocol = operation.socket
        self._schemas = schemas
        self._leniency = Leniency(spec, nulls=lenient)

    def parse(self, text: str | None) -> dict[str, Any]:
        """Read a frame as a JSON object that names its event type.

        Args:
            text: The text; None where the frame was binary.

        Raises:
            CallError: It is none.
        """
        if text is None:
            raise CallError(INVALID_PARAMETER, "message: must be a text frame, not a binary one")
        frame = parse_json(text, "message")
        if not isinstance(frame, dict):
            raise CallError(INVALID_PARAMETER, "message: must be a JSON object")
        if not isinstance(frame.get("event_type"), str):
            raise CallError(INVALID_PARAMETER, "event_type: is required, as a text")
        return frame

    def check(self, frame: dict[str, Any], note: Callable[[str], None]) -> Uplink:
        """Hold a frame to the description.

        Args:
            frame: The frame.
            note: Called with what is not as described and taken nevertheless.

        Raises:
            CallError: The event type is unknown, or a member is not as described.
        """
        event, data = frame["event_type"], frame.get("data")
        described = self.protocol.uplink.get(event)
        if described is None:
            known = ", ".join(self.protocol.uplink)
            raise CallError(INVALID_PARAMETER, f"event_type: {event!r} is unknown here, only {known}")
        if frame.get("id") is not None and not isinstance(frame["id"], str):
            raise CallError(INVALID_PARAMETER, f"{event}: id: must be a text")
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
    """Write a frame as it is sent."""
    return json.dumps(frame, ensure_ascii=False, separators=(",", ":")).encode()
