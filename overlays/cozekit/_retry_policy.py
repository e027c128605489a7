"""When to try a failed request again, and after how long.

Decisions only: nothing here sends, sleeps or reads a clock. What matters is whether the request
may have taken effect. If it certainly did not, every operation is tried again; if nobody knows,
only one that may run twice without harm (`x-coze-idempotent`) is.
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
"""Seconds. RFC 9111 takes greater numbers for this one, which every policy but an unlimited one refuses to wait."""

# Enough to exceed any max_delay, and far below where 2.0**n overflows.
_MAX_DOUBLINGS = 64


class FailureKind(enum.Enum):
    """How far a failed request got."""

    NOT_SENT = enum.auto()
    """No connection: refused by the host, or timed out while connecting."""

    NO_RESPONSE = enum.auto()
    """Sent at least in part, and no answer came: read timeout, broken connection, bad HTTP."""

    ERROR_RESPONSE = enum.auto()
    """An answer came, and it is an error."""


@attrs.frozen(kw_only=True)
class Failure:
    """
    What happened to one attempt.

    Attributes:
        kind: How far the request got.
        status: The HTTP status of the answer.
        retryable: What is known of the answer's Coze code: whether the same request may succeed
            later. None if there is no code, or an unknown one: then the status decides.
        rejected: Whether the code means that the request was turned away before it took effect,
            like a rate limit or a conversation that is occupied (4016).
        retry_after: The seconds that the server asks to wait, see `parse_retry_after`.
    """

    kind: FailureKind
    status: int | None = None
    retryable: bool | None = None
    rejected: bool = False
    retry_after: float | None = None


@attrs.frozen(kw_only=True)
class RetryPolicy:
    """
    How often to try a request again, and how long to wait before.

    The wait doubles from *initial_delay* up to *max_delay*. A random part of it is taken off, or
    added where the server asked for a wait, so that clients which failed together do not return
    together.

    Attributes:
        max_retries: How many attempts may follow the first; 0 turns retries off.
        initial_delay: Seconds to wait before the first retry.
        max_delay: The longest wait in seconds, unless the server asks for more.
        jitter: The largest part of the wait that is taken off: 0 is none, 0.5 waits between half
            and all of it ("equal jitter"), 1 between nothing and all of it ("full jitter"). Of a
            wait that the server asks for, the largest part that is added: 0.5 waits between all of
            it and half as much again.
        max_retry_after: The longest wait in seconds that a server may ask for, without jitter. If
            it asks for more, its error is raised at once.

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
        """
        Return the seconds to wait after *attempt* when the server does not say.

        Args:
            attempt: How many attempts were made, at least 1.
            random: Gives numbers from 0 up to, but not including, 1.
        """
        full = min(self.initial_delay * 2.0 ** min(attempt - 1, _MAX_DOUBLINGS), self.max_delay, _LONGEST_DELAY)
        return full * (1.0 - self.jitter * random())

    def after(self, asked: float, left: float, random: Callable[[], float]) -> float:
        """
        Return the seconds to wait when the server asks for a wait.

        Args:
            asked: Seconds that it asks for. They are never cut short.
            left: Seconds until the deadline. Jitter takes at most half of what the wait leaves of them.
            random: Gives numbers from 0 up to, but not including, 1.
        """
        return asked + max(min(asked * self.jitter, (left - asked) / 2), 0.0) * random()


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
    """
    Decide whether to try a request again.

    Args:
        policy: What the user allows.
        failure: What happened to the last attempt.
        attempt: How many attempts were made, at least 1.
        idempotent: Whether the operation may run twice without harm.
        elapsed: Seconds since the first attempt began.
        deadline: Seconds that all attempts and waits together may take, None for no limit.
        random: Gives numbers from 0 up to, but not including, 1.

    Returns:
        The seconds to wait before the next attempt, or None to give up. A wait always ends before
        the deadline, and is never shorter than the server asks for.
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
    """
    Read a ``Retry-After`` header.

    Args:
        value: The header: seconds or an HTTP date.
        now: The moment from which a date counts, in Unix time. The answer's own ``Date`` is the
            better choice where there is one: the server's clock may differ from ours.

    Returns:
        The seconds to wait, at least 0. None if there is no header, or nobody can read it.
    """
    if value is None:
        return None
    value = value.strip()
    if value.isascii() and value.replace(".", "", 1).isdigit():
        return min(float(value), _LONGEST_DELAY)
    moment = parse_http_date(value)
    return None if moment is None else min(max(moment.timestamp() - now, 0.0), _LONGEST_DELAY)


def parse_http_date(value: str | None) -> datetime | None:
    """
    Read a moment in any of the three forms of RFC 9110.

    Returns:
        The moment in UTC. None if there is no header, or nobody can read it.
    """
    if value is None or not value.strip()[:1].isalpha():  # every form begins with the name of the day
        return None
    from email.utils import parsedate_to_datetime  # only failing calls need it

    try:
        moment = parsedate_to_datetime(value)
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, TypeError, IndexError, ArithmeticError):  # a date that no calendar has, or no date
        return None


def _is_retryable(failure: Failure, *, idempotent: bool) -> bool:
    """Return whether a second attempt may help and can do no harm."""
    if failure.kind is FailureKind.NOT_SENT:
        return True
    if failure.kind is FailureKind.NO_RESPONSE:
        return idempotent
    # The code says more than the status: quota that is used up may come as 429, too.
    retryable = failure.retryable
    if retryable is None:
        retryable = failure.status in _RETRYABLE_STATUSES
    rejected = failure.rejected or failure.status == _TOO_MANY_REQUESTS
    return retryable and (rejected or idempotent)
