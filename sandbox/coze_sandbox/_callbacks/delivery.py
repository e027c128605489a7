"""Deliveries of callbacks."""

from __future__ import annotations

from typing import Literal

import attrs

__all__ = ["Attempt", "Delivery", "DeliveryState"]

DeliveryState = Literal["pending", "waiting", "delivered", "failed", "blocked", "abandoned"]


@attrs.frozen(kw_only=True)
class Attempt:
    """An attempt to deliver a callback.

    Attributes:
        at: Time in seconds since 1970-01-01 UTC, by the clock of the sandbox.
        status: HTTP status of the response, or None.
        error: The error, or an empty string.
    """

    at: float
    status: int | None = None
    error: str = ""


@attrs.define(kw_only=True, eq=False)
class Delivery:
    """The delivery of a message to a callback app.

    Attributes:
        kind: Its `event_type`.
        api_app_id: The callback app.
        event_id: Id of the event, the same in all attempts.
        url: The URL of the last attempt.
        body: The message as sent.
        attempts: The attempts so far.
        state: `pending` (in progress), `waiting` (for the next attempt), `delivered`, `failed` (after the last
            attempt), `blocked` (the URL is not a loopback address, and its host is not allowed) or `abandoned` (the
            app or its subscription was removed, or the sandbox was stopped or reset).
        next_at: Time of the next attempt by the clock of the sandbox, or None.
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
        """HTTP status of the last response, or None."""
        return self.attempts[-1].status if self.attempts else None
