"""Holding server-sent events to the protocol of their stream."""

from __future__ import annotations

import json

from ..spec.yaml_loader import LocatedMapping
from ._context import mapping
from ._values import Values

__all__ = ["broken_event"]


def broken_event(values: Values, stream: str, protocol: LocatedMapping, event: object, data: object) -> str | None:
    """Return what is wrong with one event of a stream.

    Args:
        values: Checks the data.
        stream: Name of the protocol in `components/x-coze-streams`.
        protocol: The protocol.
        event: Text of the `event:` line.
        data: Text of the `data:` line.

    Returns:
        What is wrong, or None. Data that the protocol does not fix is not looked at.
    """
    events = mapping(protocol.get("events"))
    if not isinstance(event, str) or event not in events:
        return f"the stream {stream} has no event {event}"
    if "data" not in mapping(events[event]):
        return None
    try:
        content = json.loads(str(data))
    except ValueError:
        return f"the data of {event} is not JSON"
    place = ("components", "x-coze-streams", stream, "events", event, "data")
    wrong = next(values.errors(place, content), None)
    if wrong is None:
        return None
    return f"correct the data of {event} at {'.'.join(map(str, wrong.path))}: {wrong.message}"
