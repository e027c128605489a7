"""A client of the sandbox's WebSockets that knows nothing but frames."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlencode

from websockets.sync.client import ClientConnection, connect

from coze_sandbox import BOT_ID, Sandbox

__all__ = ["CHAT", "INTERPRETATION", "SPEECH", "TRANSCRIPTIONS", "Talk", "address", "sound", "talk"]

SPEECH = "/v1/audio/speech"
TRANSCRIPTIONS = "/v1/audio/transcriptions"
CHAT = f"/v1/chat?bot_id={BOT_ID}"
INTERPRETATION = "/v1/audio/simult_interpretation"

_SECONDS = 10


class Talk:
    """One open WebSocket."""

    def __init__(self, connection: ClientConnection) -> None:
        self.connection = connection

    def send(self, event: str, data: Any = None, **members: Any) -> None:
        """Send a message."""
        frame = {"event_type": event, **members}
        if data is not None:
            frame["data"] = data
        self.connection.send(json.dumps(frame))

    def send_text(self, content: str) -> None:
        """Send a message of the user to the bot."""
        self.send("conversation.message.create", {"role": "user", "content_type": "text", "content": content})

    def receive(self) -> dict[str, Any]:
        """Receive a message."""
        frame: dict[str, Any] = json.loads(self.connection.recv(timeout=_SECONDS))
        return frame

    def until(self, *events: str) -> list[dict[str, Any]]:
        """Receive messages up to the first of some type."""
        frames = [self.receive()]
        while frames[-1]["event_type"] not in events:
            frames.append(self.receive())
        return frames

    def refusal(self) -> tuple[int, str]:
        """Receive messages up to an error, and return its code and text."""
        error = self.until("error")[-1]["data"]
        return error["code"], error["msg"]


def address(sandbox: Sandbox, path: str, **query: str) -> str:
    """Return the address of a WebSocket of the sandbox."""
    url = sandbox.base_url.replace("http", "ws", 1) + path
    return f"{url}{'&' if '?' in url else '?'}{urlencode(query)}" if query else url


@contextmanager
def talk(sandbox: Sandbox, path: str, *, headers: dict[str, str] | None = None, **query: str) -> Iterator[Talk]:
    """Open a WebSocket with the sandbox's own token."""
    sent = {"Authorization": f"Bearer {sandbox.token}", **(headers or {})}
    url = address(sandbox, path, **query)
    # Without limits, since a client whose queue is full does not see the other side close.
    with connect(url, additional_headers=sent, max_size=None, max_queue=None) as connection:
        yield Talk(connection)


def sound(content: str | bytes) -> dict[str, str]:
    """Return the data of a message with sound; text is what the sandbox recognizes in it."""
    return {"delta": base64.b64encode(content.encode() if isinstance(content, str) else content).decode()}
