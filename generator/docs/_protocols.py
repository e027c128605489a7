"""Lists the events and messages of streams, WebSockets and RTC rooms."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import attrs

from ..spec.bundler import Bundle
from ._markdown import cell, code, table

__all__ = ["SIDES", "Message", "events", "events_table", "messages", "messages_table", "rooms", "users"]

#: The sides of a WebSocket, and what each is to a reader.
SIDES = {"uplink": "sent", "downlink": "received"}
_ENDS = {"always": "Ends it.", "maybe": "May end it."}


@attrs.frozen
class Message:
    """A message of a socket, or an event of a stream.

    Attributes:
        name: The event type on the wire.
        side: `sent` or `received`.
        meaning: Its description, and whether it ends the exchange or reports a failure.
    """

    name: str
    side: str
    meaning: str


def messages(protocol: Mapping[str, Any]) -> list[Message]:
    """List the messages of a WebSocket or an RTC room, sent ones first."""
    return [
        _message(name, word, item) for side, word in SIDES.items() for name, item in protocol[side]["messages"].items()
    ]


def events(protocol: Mapping[str, Any]) -> list[Message]:
    """List the events of a stream."""
    return [_message(name, "received", item) for name, item in protocol["events"].items()]


def messages_table(protocol: Mapping[str, Any]) -> str:
    """Write all messages of a WebSocket or an RTC room."""
    rows = ([code(message.name), message.side, cell(message.meaning)] for message in messages(protocol))
    return table(["Message", "Direction", "Meaning"], rows)


def events_table(protocol: Mapping[str, Any]) -> str:
    """Write all events of a stream."""
    return table(["Event", "Meaning"], ([code(event.name), cell(event.meaning)] for event in events(protocol)))


def users(bundled: Bundle, key: str) -> dict[str, list[str]]:
    """Map each protocol that operations speak to their ids.

    Args:
        bundled: The description.
        key: `x-coze-stream` or `x-coze-websocket`.
    """
    users_by_protocol: dict[str, list[str]] = {}
    for name, (_, _, operation) in sorted(bundled.operations().items()):
        if key in operation:
            users_by_protocol.setdefault(operation[key]["protocol"]["$ref"].rpartition("/")[2], []).append(name)
    return users_by_protocol


def rooms(bundled: Bundle) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Yield name and protocol of the messages that no operation carries: those of RTC rooms."""
    spoken = users(bundled, "x-coze-websocket")
    for name, protocol in bundled.document["components"].get("x-coze-websockets", {}).items():
        if name not in spoken:
            yield name, protocol


def _message(name: str, side: str, message: Mapping[str, Any]) -> Message:
    parts = [
        message["description"],
        _ENDS.get(message.get("ends", ""), ""),
        "Reports a failure." if message.get("fails") else "",
    ]
    return Message(name, side, " ".join(part for part in parts if part))
