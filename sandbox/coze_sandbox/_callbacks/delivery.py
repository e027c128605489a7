"""What became of a callback."""

from __future__ import annotations

from typing import Literal

import attrs

__all__ = ["Attempt", "Delivery", "DeliveryState"]

DeliveryState = Literal["pending", "waiting", "delivered", "failed", "blocked", "abandoned"]


@attrs.frozen(kw_only=True)
class Attempt:
    """One time that a callback was sent.

    Attributes:
        at: When, in seconds since 1970-01-01 UTC, by the clock of the sandbox.
        status: HTTP status of the answer, or None where there was none.
        error: Why it failed, or an empty text.
    """

    at: float
    status: int | None = None
    error: str = ""


@attrs.define(kw_only=True, eq=False)
class Delivery:
    """One message to one callback app.

    Attributes:
        kind: Its `event_type`.
        api_app_id: The callback app.
        event_id: Id of what happened, the same in all attempts.
        url: The address, as it was at the last attempt.
        body: The message as it is sent.
        attempts: The times that it was sent.
        state: `pending` (under way), `waiting` (for the next attempt), `delivered`, `failed` (after the last
            attempt), `blocked` (the address is not of this machine, and its host is not allowed) or `abandoned` (the
            app or its subscription is gone, or the sandbox was stopped or reset).
        next_at: When the next attempt is, by the clock of the sandbox; None where none is waited for.
    """

    kind: str
    api_app_id: str
    event_id: str
    url: str
    body: bytes = attrs.field(repr=False)
    attempts: list[Attempt] = attrs.Factory(list)
    state: DeliveryState = "pending"
    next_at: float | None = None

    @property
    def status(self) -> int | None:
        """HTTP status of the last answer, or None where there was none."""
        return self.attempts[-1].status if self.attempts else None
