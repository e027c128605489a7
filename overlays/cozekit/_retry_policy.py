"""The retry policy: whether a failed request is retried, and after how long.

Decisions only: nothing here sends, sleeps or reads a clock. They depend on whether the request may have taken effect.
If it certainly did not, every operation is retried; if it may have, only idempotent ones (`x-coze-idempotent`) are.
"""

from __future__ import annotations

import enum
import math
from collections.abc import Callable
from datetime import UTC, datetime

import attrs

__all__ = ["Failure", "FailureKind", "RetryPolicy", "retry_delay", "parse_http_date", "parse_retry_after"]

_RETRYABLE_STATUSES = frozenset({408, 429, 500, 502, 503, 504})
_TOO_MANY_REQUESTS = 429

_LONGEST_DELAY = 2.0**31
"""Seconds. RFC 9111 treats greater numbers as this one."""

# Large enough to exceed any max_delay, and far below the overflow of 2.0**n.
_MAX_DOUBLINGS = 64


class FailureKind(enum.Enum):
    """How far a failed attempt got."""

    NOT_SENT = enum.auto()
    """The connection could not be opened."""

    NO_RESPONSE = enum.auto()
    """Sent at least in part, without a response: read timeout, lost connection, invalid HTTP."""

    ERROR_RESPONSE = enum.auto()
    """The response is an error."""


@attrs.frozen(kw_only=True)
class Failure:
    """A failed attempt.

    Attributes:
        kind: How far the request got.
        status: HTTP status of the response.
        retryable: Whether the Coze code of the response means that the same request may succeed later. None if there is
            no code, or an unknown one: then the status decides.
        rejected: Whether the code means that the request was rejected before it took effect, such as a rate limit or a
            conversation that is occupied (4016).
        retry_after: Seconds of the `Retry-After` header, see `parse_retry_after`.
    """

    kind: FailureKind
    status: int | None = None
    retryable: bool | None = None
    rejected: bool = False
    retry_after: float | None = None


@attrs.frozen(kw_only=True)
class RetryPolicy:
    """How often a request is retried, and after which delays.

    The delay doubles from *initial_delay* up to *max_delay*. A random part of it is subtracted, or added to the delay
    of a `Retry-After` header, so that clients which failed together do not retry together.

    Attributes:
        max_retries: Maximum number of retries after the first attempt; 0 disables retries.
        initial_delay: Seconds before the first retry.
        max_delay: Longest delay in seconds, unless the server requests a longer one.
        jitter: Largest part of the delay that is subtracted: 0 is none, 0.5 waits between half and all of it ("equal
            jitter"), 1 between nothing and all of it ("full jitter"). For a `Retry-After` delay it is the largest part
            that is added: 0.5 waits between the delay and one and a half times the delay.
        max_retry_after: Longest `Retry-After` delay in seconds, without jitter. If the server requests more, its error
            is raised at once.

    Raises:
        ValueError: A value is negative or not a number, or *jitter* exceeds 1.
    """

    max_retries: int = attrs.field(default=2, validator=attrs.validators.ge(0))
    initial_delay: float = attrs.field(default=0.5, validator=attrs.validators.ge(0))
    max_delay: float = attrs.field(default=8.0, validator=attrs.validators.ge(0))
    jitter: float = attrs.field(
        default=0.25,
        validator=[attrs.validators.ge(0), attrs.validators.le(1)],
    )
    max_retry_after: float = attrs.field(default=60.0, validator=attrs.validators.ge(0))

    def backoff(self, attempt: int, random: Callable[[], float]) -> float:
        """Return the seconds to wait after *attempt* without a `Retry-After` header.

        Args:
            attempt: Number of attempts so far, at least 1.
            random: Returns numbers from 0 up to, but not including, 1.
        """
        full = min(self.initial_delay * 2.0 ** min(attempt - 1, _MAX_DOUBLINGS), self.max_delay, _LONGEST_DELAY)
        return full * (1.0 - self.jitter * random())

    def after(self, asked: float, left: float, random: Callable[[], float]) -> float:
        """Return the seconds to wait after a response with a `Retry-After` header.

        Args:
            asked: Seconds of the header. They are never shortened.
            left: Seconds until the deadline. Jitter uses at most half of the time between the delay and the deadline.
            random: Returns numbers from 0 up to, but not including, 1.
        """
        delay = asked  # codespell:ignore asked
        return delay + max(min(delay * self.jitter, (left - delay) / 2), 0.0) * random()


def retry_delay(
    policy: RetryPolicy,
    failure: Failure,
    *,
    attempt: int,
    idempotent: bool,
    elapsed: float,
    deadline: float | None,
    random: Callable[[], float],
) -> float | None:
    """Decide whether to retry a request.

    Args:
        policy: The policy of the client.
        failure: The last attempt.
        attempt: Number of attempts so far, at least 1.
        idempotent: Whether the operation is idempotent.
        elapsed: Seconds since the first attempt began.
        deadline: Seconds for all attempts and delays together; None for no limit.
        random: Returns numbers from 0 up to, but not including, 1.

    Returns:
        The seconds to wait before the next attempt, or None if there is none. A delay always ends before the deadline,
        and is never shorter than that of a `Retry-After` header.
    """
    if attempt > policy.max_retries or not _is_retryable(failure, idempotent=idempotent):
        return None
    left = math.inf if deadline is None else deadline - elapsed
    wait = policy.backoff(attempt, random)
    if failure.retry_after is not None:
        if failure.retry_after > policy.max_retry_after:
            return None
        wait = max(wait, min(policy.after(failure.retry_after, left, random), _LONGEST_DELAY))
    return wait if wait < left else None


def parse_retry_after(value: str | None, *, now: float) -> float | None:
    """Parse a ``Retry-After`` header.

    Args:
        value: The header: seconds or an HTTP date.
        now: Unix time from which a date counts. Prefer the response's own ``Date``: the server's clock may differ.

    Returns:
        The seconds to wait, at least 0. None if there is no header, or it is invalid.
    """
    if value is None:
        return None
    value = value.strip()
    if value.isascii() and value.replace(".", "", 1).isdigit():
        return min(float(value), _LONGEST_DELAY)
    moment = parse_http_date(value)
    return None if moment is None else min(max(moment.timestamp() - now, 0.0), _LONGEST_DELAY)


def parse_http_date(value: str | None) -> datetime | None:
    """Parse an HTTP date in any of the three formats of RFC 9110.

    Returns:
        The time in UTC. None if there is no header, or it is invalid.
    """
    if value is None or not value.strip()[:1].isalpha():  # every format begins with the name of the day
        return None
    from email.utils import parsedate_to_datetime  # only failed calls need it

    try:
        moment = parsedate_to_datetime(value)
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, TypeError, IndexError, ArithmeticError):  # an impossible date, or no date
        return None


def _is_retryable(failure: Failure, *, idempotent: bool) -> bool:
    """Return whether a retry may succeed and can do no harm."""
    if failure.kind is FailureKind.NOT_SENT:
        return True
    if failure.kind is FailureKind.NO_RESPONSE:
        return idempotent
    # The code is more precise than the status: an exhausted quota may come with 429, too.
    retryable = failure.retryable
    if retryable is None:
        retryable = failure.status in _RETRYABLE_STATUSES
    rejected = failure.rejected or failure.status == _TOO_MANY_REQUESTS
    return retryable and (rejected or idempotent)
