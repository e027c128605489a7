"""Encoding of server-sent events."""

from __future__ import annotations

import json
from typing import Any

from .context import StreamEvent

__all__ = ["DIALECTS", "encode_event"]

# json.dumps creates an encoder for every call.
_ENCODE = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode

DIALECTS = ("chat", "chatflow", "workflow")


def encode_event(event: StreamEvent, number: int, dialect: str) -> bytes:
    """Encode one event.

    Chat events have no space after the colon and no `id:` line. Workflow events have both. Chatflow
    events have the space only. Every event has one `event:` and one `data:` line in this order,
    because the official SDKs parse no others.

    Args:
        event: The event.
        number: Its index in the stream, from 0.
        dialect: `chat`, `chatflow` or `workflow`.

    Raises:
        ValueError: The dialect is unknown.
    """
    data = _json(event.data)
    match dialect:
        case "chat":
            text = f"event:{event.event}\ndata:{data}\n\n"
        case "chatflow":
            text = f"event: {event.event}\ndata: {_without_markup(data)}\n\n"
        case "workflow":
            text = f"id: {number}\nevent: {event.event}\ndata: {_without_markup(data)}\n\n"
        case _:
            raise ValueError(f"unknown dialect {dialect!r}: one of {', '.join(DIALECTS)}")
    return text.encode()


def _json(value: Any) -> str:
    text = _ENCODE(value)
    # Go, which Coze uses, escapes the two separators that some clients treat as line ends.
    return text.replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")


def _without_markup(text: str) -> str:
    # Recordings of chatflows have & as \u0026, which is also Go's default; those of chats do not.
    return text.replace("&", "\\u0026").replace("<", "\\u003c").replace(">", "\\u003e")
