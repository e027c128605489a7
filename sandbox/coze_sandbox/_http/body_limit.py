"""How much of a body is read."""

from __future__ import annotations

from starlette.types import Message, Receive

from .._common.errors import INVALID_PARAMETER, CallError

__all__ = ["MAX_JSON_BYTES", "limit_body"]

# More than what any operation is known to take: files of 20 MiB in Base64 have 27.
MAX_JSON_BYTES = 32 << 20


def limit_body(receive: Receive, limit: int, code: int = INVALID_PARAMETER) -> Receive:
    """Return a `receive` that refuses bodies beyond a limit.

    Args:
        receive: The server's own.
        limit: The most bytes that are taken.
        code: Business code of the refusal, which the returned function raises as a `CallError`.
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
