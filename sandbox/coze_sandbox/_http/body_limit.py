"""Limits of request bodies."""

from __future__ import annotations

from starlette.types import Message, Receive

from .._common.errors import INVALID_PARAMETER, CallError

__all__ = ["MAX_JSON_BYTES", "limit_body"]

# More than any operation is known to accept: a file of 20 MiB has 27 MiB in Base64.
MAX_JSON_BYTES = 32 << 20


def limit_body(receive: Receive, limit: int, code: int = INVALID_PARAMETER) -> Receive:
    """Return a `receive` that raises a `CallError` for bodies beyond a limit.

    Args:
        receive: ASGI `receive`.
        limit: Maximum size in bytes.
        code: Business code of the error.
    """
    received = 0

    async def receive_limited() -> Message:
        nonlocal received
        message = await receive()
        if message["type"] == "http.request":
            received += len(message.get("body", b""))
            if received > limit:
                raise CallError(code, f"body: more than {limit} bytes", status=413)
        return message

    return receive_limited
