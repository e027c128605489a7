"""Tests of the decisions about retrying."""

from __future__ import annotations

import itertools
import math
import os
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cozekit._retry_policy import Failure, FailureKind, RetryPolicy, parse_retry_after, retry_delay

MAX_EXAMPLES = int(os.environ.get("COZEKIT_MAX_EXAMPLES", "200"))

NOT_SENT = Failure(kind=FailureKind.NOT_SENT)
NO_RESPONSE = Failure(kind=FailureKind.NO_RESPONSE)


def answered(status: int, **fields: Any) -> Failure:
    """Make the failure that an answer with *status* is."""
    return Failure(kind=FailureKind.ERROR_RESPONSE, status=status, **fields)


def wait(failure: Failure, policy: RetryPolicy | None = None, **arguments: Any) -> float | None:
    """Decide on a failed first attempt of a non-idempotent operation, without jitter."""
    defaults: dict[str, Any] = {
        "attempt": 1,
        "idempotent": False,
        "elapsed": 0.0,
        "deadline": None,
        "random": lambda: 0.0,
    }
    return retry_delay(policy or RetryPolicy(), failure, **defaults | arguments)


class TestWhatMayBeRepeated:
    """Which failures are tried again."""

    @pytest.mark.parametrize("idempotent", [True, False])
    @pytest.mark.parametrize(
        "failure",
        [
            NOT_SENT,
            answered(429),
            answered(200, retryable=True, rejected=True),
            answered(400, retryable=True, rejected=True),
            answered(429, retryable=True),
        ],
        ids=str,
    )
    def test_without_effect(self, failure: Failure, idempotent: bool) -> None:
        """What certainly had no effect is tried again for every operation."""
        assert wait(failure, idempotent=idempotent) == 0.5

    @pytest.mark.parametrize(
        "failure",
        [NO_RESPONSE, *map(answered, (408, 500, 502, 503, 504)), answered(200, retryable=True)],
        ids=str,
    )
    def test_unknown_effect(self, failure: Failure) -> None:
        """What may have had an effect is tried again only for idempotent operations."""
        assert wait(failure, idempotent=True) == 0.5
        assert wait(failure, idempotent=False) is None

    @pytest.mark.parametrize("status", [200, 302, 400, 401, 403, 404, 409, 413, 422, 501, 505])
    def test_final(self, status: int) -> None:
        """An answer that will not change is not asked for again."""
        assert wait(answered(status), idempotent=True) is None

    @pytest.mark.parametrize("status", [408, 429, 500, 503])
    def test_code_before_status(self, status: int) -> None:
        """A code that is known not to be retryable overrules any status."""
        assert wait(answered(status, retryable=False), idempotent=True) is None
        assert wait(answered(status, retryable=False, rejected=True), idempotent=True) is None


class TestWait:
    """How long to wait."""

    def test_doubles_up_to_the_maximum(self) -> None:
        """The wait doubles with each attempt until max_delay."""
        policy = RetryPolicy(max_retries=7)
        waits = [wait(NOT_SENT, policy, attempt=attempt) for attempt in range(1, 9)]
        assert waits == [0.5, 1.0, 2.0, 4.0, 8.0, 8.0, 8.0, None]

    def test_number_of_retries(self) -> None:
        """max_retries attempts follow the first, and 0 turns retries off."""
        assert wait(NOT_SENT, attempt=2) is not None
        assert wait(NOT_SENT, attempt=3) is None
        assert wait(NOT_SENT, RetryPolicy(max_retries=0)) is None

    def test_many_retries(self) -> None:
        """A very large number of attempts overflows nothing."""
        assert wait(NOT_SENT, RetryPolicy(max_retries=10**9), attempt=10**8) == 8.0

    @pytest.mark.parametrize(("jitter", "shortest"), [(0.0, 8.0), (0.25, 6.0), (0.5, 4.0), (1, 0)])
    def test_jitter(self, jitter: float, shortest: float) -> None:
        """Jitter takes off at most its part of the wait."""
        policy = RetryPolicy(initial_delay=8.0, jitter=jitter)
        assert wait(NOT_SENT, policy, random=lambda: 0.0) == 8.0
        assert wait(NOT_SENT, policy, random=lambda: 1.0) == shortest

    def test_deterministic(self) -> None:
        """The same random numbers give the same wait."""
        for draw in (iter([0.1, 0.7]).__next__, iter([0.1, 0.7]).__next__):
            waits = [wait(NOT_SENT, attempt=attempt, random=draw) for attempt in (1, 2)]
            assert waits == [pytest.approx(0.4875), pytest.approx(0.825)]


class TestRetryAfter:
    """What the server asks for."""

    def test_honoured(self) -> None:
        """The wait is what the server asks for, also beyond max_delay."""
        assert wait(answered(429, retry_after=30.0)) == 30.0

    @pytest.mark.parametrize(("jitter", "longest"), [(0.0, 30.0), (0.25, 37.5), (1, 60.0)])
    def test_jitter(self, jitter: float, longest: float) -> None:
        """Jitter adds at most its part to what the server asks for, and takes nothing off; 0 waits exactly as asked."""
        policy = RetryPolicy(jitter=jitter)
        assert wait(answered(429, retry_after=30.0), policy, random=lambda: 0.0) == 30.0
        assert wait(answered(429, retry_after=30.0), policy, random=lambda: 1.0) == longest

    def test_jitter_before_the_deadline(self) -> None:
        """Jitter does not take away an attempt for which the server's wait leaves time."""
        failure = answered(429, retry_after=8.0)
        waits = [
            wait(failure, RetryPolicy(jitter=1.0), deadline=10.0, random=lambda draw=draw: draw) for draw in (0.0, 0.5)
        ]
        assert waits == [8.0, 8.5]

    def test_never_shortens(self) -> None:
        """A server that asks for no wait still gets the usual one."""
        assert wait(answered(429, retry_after=0.0)) == 0.5

    def test_too_long(self) -> None:
        """Whoever asks for more than max_retry_after is not waited for."""
        assert wait(answered(429, retry_after=60.0)) == 60.0
        assert wait(answered(429, retry_after=60.1)) is None

    @pytest.mark.parametrize(
        ("value", "seconds"),
        [
            ("120", 120.0),
            (" 0 ", 0.0),
            ("1.5", 1.5),
            ("Fri, 31 Dec 1999 23:59:59 GMT", 9.0),
            ("Friday, 31-Dec-99 23:59:59 GMT", 9.0),
            ("Fri Dec 31 23:59:59 1999", 9.0),
            ("Fri, 31 Dec 1999 23:59:40 GMT", 0.0),
        ],
    )
    def test_parsed(self, value: str, seconds: float) -> None:
        """Seconds and all three forms of an HTTP date are read; what is past means now."""
        assert parse_retry_after(value, now=946684790.0) == seconds

    @pytest.mark.parametrize(
        "value",
        [None, "", "soon", "-1", "nan", "inf", "²", ".", "1.2.3", "Fri, 99 Foo 1999"],
    )
    def test_unreadable(self, value: str | None) -> None:
        """A header that cannot be read counts as none."""
        assert parse_retry_after(value, now=0.0) is None

    @settings(max_examples=MAX_EXAMPLES, deadline=None)
    @given(st.text(max_size=40))
    def test_any_text(self, value: str) -> None:
        """No header raises or yields a negative wait."""
        seconds = parse_retry_after(value, now=0.0)
        assert seconds is None or seconds >= 0


class TestDeadline:
    """The one deadline of all attempts."""

    def test_wait_that_ends_too_late(self) -> None:
        """A wait that would reach the deadline is not begun."""
        assert wait(NOT_SENT, elapsed=9.4, deadline=10.0) == 0.5
        assert wait(NOT_SENT, elapsed=9.5, deadline=10.0) is None
        assert wait(NOT_SENT, elapsed=11.0, deadline=10.0) is None

    def test_retry_after(self) -> None:
        """A server that asks for more than is left is not waited for."""
        assert wait(answered(429, retry_after=5.0), elapsed=6.0, deadline=10.0) is None


class TestPolicy:
    """The values of a policy."""

    @pytest.mark.parametrize(
        "field",
        ["max_retries", "initial_delay", "max_delay", "jitter", "max_retry_after"],
    )
    @pytest.mark.parametrize("value", [-1, math.nan])
    def test_invalid(self, field: str, value: float) -> None:
        """Negative values and NaN are rejected, by name."""
        arguments: dict[str, Any] = {field: value}
        with pytest.raises(ValueError, match=field):
            RetryPolicy(**arguments)

    def test_jitter_beyond_one(self) -> None:
        """A jitter that would make the wait negative is rejected."""
        with pytest.raises(ValueError, match="jitter"):
            RetryPolicy(jitter=1.1)


DELAYS = st.floats(0, 1e6)
POLICIES = st.builds(
    RetryPolicy,
    max_retries=st.integers(0, 2000),
    initial_delay=DELAYS,
    max_delay=DELAYS,
    jitter=st.floats(0, 1),
    max_retry_after=DELAYS,
)
FAILURES = st.builds(
    Failure,
    kind=st.sampled_from(FailureKind),
    status=st.sampled_from([None, 200, 400, 408, 429, 500, 502, 503, 504]),
    retryable=st.sampled_from([None, True, False]),
    rejected=st.booleans(),
    retry_after=st.none() | DELAYS,
)
RANDOM = st.floats(0, 1, exclude_max=True)


@settings(max_examples=MAX_EXAMPLES, deadline=None)
@given(POLICIES, FAILURES, st.integers(1, 2001), st.booleans(), DELAYS, DELAYS, RANDOM)
def test_bounds(
    policy: RetryPolicy,
    failure: Failure,
    attempt: int,
    idempotent: bool,
    elapsed: float,
    deadline: float,
    draw: float,
) -> None:
    """A wait is within the deadline, max_delay and Retry-After with its jitter, and at least Retry-After."""
    seconds = wait(
        failure,
        policy,
        attempt=attempt,
        idempotent=idempotent,
        elapsed=elapsed,
        deadline=deadline,
        random=lambda: draw,
    )
    if seconds is not None:
        assert attempt <= policy.max_retries
        assert 0 <= seconds < deadline - elapsed
        asked = failure.retry_after or 0.0
        assert seconds <= max(policy.max_delay, (asked + asked * policy.jitter) * (1 + 1e-12))
        assert (failure.retry_after or 0.0) <= min(seconds, policy.max_retry_after)


@settings(max_examples=MAX_EXAMPLES, deadline=None)
@given(POLICIES, FAILURES, st.integers(1, 2001))
def test_no_harm(policy: RetryPolicy, failure: Failure, attempt: int) -> None:
    """A non-idempotent operation runs again only if it certainly did not run before."""
    lost = failure.kind is FailureKind.NO_RESPONSE
    unclear = failure.kind is FailureKind.ERROR_RESPONSE and not failure.rejected and failure.status != 429
    if lost or unclear:
        assert wait(failure, policy, attempt=attempt, idempotent=False) is None


@settings(max_examples=MAX_EXAMPLES, deadline=None)
@given(POLICIES, RANDOM)
def test_monotone(policy: RetryPolicy, draw: float) -> None:
    """Under the same random number no wait is shorter than the one before it."""
    waits = [policy.backoff(attempt, lambda: draw) for attempt in range(1, 100)]
    assert all(a <= b for a, b in itertools.pairwise(waits))


@settings(max_examples=MAX_EXAMPLES, deadline=None)
@given(POLICIES, FAILURES, st.integers(1, 2001), st.booleans(), DELAYS, DELAYS, RANDOM)
def test_more_time_never_forbids(
    policy: RetryPolicy,
    failure: Failure,
    attempt: int,
    idempotent: bool,
    deadline: float,
    more: float,
    draw: float,
) -> None:
    """What is tried again under a deadline is tried again under a later one: as soon, but for a larger jitter."""
    arguments: dict[str, Any] = {"attempt": attempt, "idempotent": idempotent}
    seconds = wait(failure, policy, deadline=deadline, **arguments)
    if seconds is not None:
        assert wait(failure, policy, deadline=deadline + more, **arguments) == seconds
        assert wait(failure, policy, deadline=None, **arguments) == seconds
        later = wait(failure, policy, deadline=deadline + more, **arguments, random=lambda: draw)
        assert later is not None
        capped = wait(failure, policy, deadline=deadline, **arguments, random=lambda: draw)
        assert capped is not None
        assert capped <= later


@pytest.mark.parametrize(
    "date",
    ["Sun, 06 Nov 1994 08:49:37 GMT", "Sunday, 06-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:37 1994"],
)
def test_every_form_of_http_date_is_read(date: str) -> None:
    """RFC 9110 allows three forms of dates in Retry-After; all of them mean UTC."""
    assert parse_retry_after(date, now=784111777.0 - 30) == 30.0
