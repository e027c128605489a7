"""Sends webhooks in the background, on a thread with its own event loop.

Requests to the sandbox do not wait for receivers, and slow receivers do not block each other.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Callable, Coroutine, Mapping, Sequence
from typing import TYPE_CHECKING, Literal

import attrs

from .._common.clock import Clock

if TYPE_CHECKING:
    import httpx

__all__ = ["Attempt", "Delivery", "DeliveryState", "WebhookRequest", "WebhookSender"]

_OK = 200
_GRACE_SECONDS = 1.0
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


@attrs.frozen(kw_only=True)
class WebhookRequest:
    """The request of one attempt.

    Attributes:
        url: The URL.
        headers: The headers with the signature.
        seconds: The timeout.
        check: Returns the error of a response body, or an empty string.
    """

    url: str
    headers: Mapping[str, str]
    seconds: float
    check: Callable[[bytes], str]


class WebhookSender:
    """Delivers messages, with retries.

    Args:
        clock: The clock of the retries.
        prepare: Returns the request of an attempt, or the final state of a delivery that cannot be attempted.
        changed: Called when the state of a delivery has changed.
        retry_delays: Seconds before each retry.
    """

    def __init__(
        self,
        clock: Clock,
        prepare: Callable[[Delivery], WebhookRequest | DeliveryState],
        changed: Callable[[], None],
        retry_delays: Sequence[float],
    ) -> None:
        self._clock = clock
        self._prepare = prepare
        self._changed = changed
        self._retry_delays = retry_delays
        self._lock = threading.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._tasks: dict[asyncio.Task[None], Delivery] = {}
        self._moved = asyncio.Event()
        self._client: httpx.AsyncClient | None = None
        clock.on_advance(self._notify)

    def submit(self, delivery: Delivery) -> None:
        """Deliver in the background."""
        with self._lock:
            if self._loop is None:
                self._loop = asyncio.new_event_loop()
                self._thread = threading.Thread(target=self._loop.run_forever, name="coze-callbacks", daemon=True)
                self._thread.start()
            self._loop.call_soon_threadsafe(self._begin, delivery)

    def cancel(self) -> None:
        """Cancel all deliveries."""
        self._run(self._cancel(0.0))

    def close(self) -> None:
        """Cancel pending retries, wait up to a second for running attempts, then stop the loop."""
        self._run(self._cancel(_GRACE_SECONDS))
        with self._lock:
            if self._loop is None or self._thread is None:
                return
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join()
            self._loop.close()
            self._loop = self._thread = None

    def _run(self, work: Coroutine[None, None, None]) -> None:
        with self._lock:
            loop = self._loop
        if loop is None:
            work.close()
        else:
            asyncio.run_coroutine_threadsafe(work, loop).result()

    def _begin(self, delivery: Delivery) -> None:
        task = asyncio.ensure_future(self._deliver(delivery))
        self._tasks[task] = delivery
        task.add_done_callback(self._tasks.pop)

    async def _cancel(self, grace: float) -> None:
        sending = [task for task, delivery in self._tasks.items() if delivery.state == "pending"]
        for task in set(self._tasks) - (set(sending) if grace else set()):
            task.cancel()
        if sending:
            await asyncio.wait(sending, timeout=grace)
        remaining = tuple(self._tasks)
        for task in remaining:
            task.cancel()
        await asyncio.gather(*remaining, return_exceptions=True)
        if grace and self._client is not None:
            await self._client.aclose()
            self._client = None

    async def _deliver(self, delivery: Delivery) -> None:
        try:
            for pause in (0.0, *self._retry_delays):
                if pause:
                    due = self._clock.now() + pause
                    self._set(delivery, "waiting", due)
                    await self._sleep_until(due)
                    self._set(delivery, "pending")
                outgoing = self._prepare(delivery)
                if not isinstance(outgoing, WebhookRequest):
                    self._set(delivery, outgoing)
                    return
                delivery.url = outgoing.url
                attempt = await self._attempt(delivery, outgoing)
                delivery.attempts.append(attempt)
                if not attempt.error:
                    self._set(delivery, "delivered")
                    return
            self._set(delivery, "failed")
        except asyncio.CancelledError:
            self._set(delivery, "abandoned")
            raise

    async def _attempt(self, delivery: Delivery, outgoing: WebhookRequest) -> Attempt:
        import httpx

        if self._client is None:
            self._client = httpx.AsyncClient(trust_env=False, timeout=None)  # noqa: S113 - the time limit is below
        now = self._clock.now()
        try:
            async with asyncio.timeout(outgoing.seconds):
                answer = await self._client.post(outgoing.url, content=delivery.body, headers=dict(outgoing.headers))
        except TimeoutError:
            return Attempt(at=now, error=f"no response within {outgoing.seconds:g} seconds")
        except Exception as error:  # any URL is possible: invalid port, unknown host
            return Attempt(at=now, error=f"{type(error).__name__}: {error}")
        if answer.has_redirect_location:
            why = f"HTTP {answer.status_code} to {answer.headers['location']}: redirects are not followed"
            return Attempt(at=now, status=answer.status_code, error=why)
        if answer.status_code != _OK:
            return Attempt(at=now, status=answer.status_code, error=f"HTTP {answer.status_code}")
        return Attempt(at=now, status=_OK, error=outgoing.check(answer.content))

    async def _sleep_until(self, due: float) -> None:
        while (rest := due - self._clock.now()) > 0:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(rest):
                    await self._moved.wait()

    def _notify(self) -> None:
        with self._lock:
            if self._loop is not None:
                self._loop.call_soon_threadsafe(self._wake_waiters)

    def _wake_waiters(self) -> None:
        self._moved.set()
        self._moved = asyncio.Event()

    def _set(self, delivery: Delivery, state: DeliveryState, next_at: float | None = None) -> None:
        # In this order a delivery that is due always appears as waiting or pending.
        if next_at is None:
            delivery.state, delivery.next_at = state, next_at
        else:
            delivery.next_at, delivery.state = next_at, state
        self._changed()
