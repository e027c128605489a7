"""The sending side of a WebSocket, with injection of faults."""

from __future__ import annotations

import asyncio
import struct

from starlette.types import Send

from .._faults.faults import Fault
from .._faults.injector import FaultTransformer, SendAction, drop_connection

__all__ = ["Connection"]

_CLOSED_BY_FAULT = 1011
_LONGEST_REASON = 123  # bytes: the limit of a close frame
_FINAL_TEXT = 0x81
_SHORT, _MIDDLE = 126, 1 << 16
_GARBAGE = b"%%% this is not a message"


class Connection:
    """Sends the messages of one WebSocket.

    Args:
        send: ASGI `send`.
        fault: The fault to inject, or None.

    Attributes:
        closed: Whether the WebSocket is closed.
    """

    def __init__(self, send: Send, fault: Fault | None) -> None:
        self._send = send
        self._early_close = (_CLOSED_BY_FAULT, "") if fault is None else (fault.code or _CLOSED_BY_FAULT, fault.msg)
        self._transformer = (
            None if fault is None else FaultTransformer(fault, garbage=_with_garbage, padded=bytes.ljust)
        )
        self.closed = False

    def plan(self, content: bytes) -> list[SendAction]:
        """Return the actions for the next message."""
        return [SendAction("send", content)] if self._transformer is None else self._transformer.transform(content)

    async def send(self, content: bytes, steps: list[SendAction]) -> None:
        """Send a message.

        Args:
            content: The message.
            steps: The actions of `plan`.
        """
        for step in steps:
            match step.kind:
                case "send":
                    await self._text(step.content)
                case "wait":
                    await _wait(step.seconds)
                case "cut":
                    self.closed = True
                    begun = _frame_head(len(content)) + step.content if step.content else b""
                    await drop_connection(self._send, begun)
                case "close":
                    await self.close(*self._early_close)

    async def close(self, code: int, reason: str = "") -> None:
        """Close the WebSocket cleanly.

        Args:
            code: Close code.
            reason: Close reason, cut to 123 bytes.
        """
        self.closed = True
        short = reason.encode()[:_LONGEST_REASON].decode(errors="ignore")
        await self._send({"type": "websocket.close", "code": code, "reason": short})

    async def _text(self, content: bytes) -> None:
        await self._send({"type": "websocket.send", "text": content.decode()})


async def _wait(seconds: float | None) -> None:
    if seconds is None:
        await asyncio.Event().wait()  # until the session is canceled on disconnect
    else:
        await asyncio.sleep(seconds)


def _frame_head(length: int) -> bytes:
    """Return the header of an unmasked text frame (RFC 6455, 5.2)."""
    if length < _SHORT:
        return struct.pack("!BB", _FINAL_TEXT, length)
    if length < _MIDDLE:
        return struct.pack("!BBH", _FINAL_TEXT, 126, length)
    return struct.pack("!BBQ", _FINAL_TEXT, 127, length)


def _with_garbage(content: bytes) -> tuple[bytes, ...]:
    return _GARBAGE, content
