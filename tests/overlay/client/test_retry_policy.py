"""The decision whether and when a failed request is retried."""

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
    """Create the failure of a response with *status*."""
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


class TestRetryableFailures:
    """Which failures are retried."""

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
    def test_failure_without_effect_is_retried(self, failure: Failure, idempotent: bool) -> None:
        """A failure that certainly had no effect is retried for every operation."""
        assert wait(failure, idempotent=idempotent) == 0.5

    @pytest.mark.parametrize(
        "failure",
        [NO_RESPONSE, *map(answered, (408, 500, 502, 503, 504)), answered(200, retryable=True)],
        ids=str,
    )
    def test_failure_with_unknown_effect_is_retried_if_idempotent(self, failure: Failure) -> None:
        """A failure that may have had an effect is retried for idempotent operations only."""
        assert wait(failure, idempotent=True) == 0.5
        assert wait(failure, idempotent=False) is None

    @pytest.mark.parametrize("status", [200, 302, 400, 401, 403, 404, 409, 413, 422, 501, 505])
    def test_final_failure_is_not_retried(self, status: int) -> None:
        """A response that will not change is not requested again."""
        assert wait(answered(status), idempotent=True) is None

    @pytest.mark.parametrize("status", [408, 429, 500, 503])
    def test_code_overrides_the_status(self, status: int) -> None:
        """An error code that is not retryable overrides any status."""
        assert wait(answered(status, retryable=False), idempotent=True) is None
        assert wait(answered(status, retryable=False, rejected=True), idempotent=True) is None


class TestDelay:
    """How long the delay is."""

    def test_delay_doubles_up_to_max_delay(self) -> None:
        """The delay doubles with each attempt until max_delay."""
        policy = RetryPolicy(max_retries=7)
        waits = [wait(NOT_SENT, policy, attempt=attempt) for attempt in range(1, 9)]
        assert waits == [0.5, 1.0, 2.0, 4.0, 8.0, 8.0, 8.0, None]

    def test_max_retries_counts_attempts_after_the_first(self) -> None:
        """max_retries attempts follow the first, and 0 turns retries off."""
        assert wait(NOT_SENT, attempt=2) is not None
        assert wait(NOT_SENT, attempt=3) is None
        assert wait(NOT_SENT, RetryPolicy(max_retries=0)) is None

    def test_very_many_attempts_cause_no_overflow(self) -> None:
        """A very large number of attempts causes no overflow."""
        assert wait(NOT_SENT, RetryPolicy(max_retries=10**9), attempt=10**8) == 8.0

    @pytest.mark.parametrize(("jitter", "shortest"), [(0.0, 8.0), (0.25, 6.0), (0.5, 4.0), (1, 0)])
    def test_jitter_reduces_the_delay(self, jitter: float, shortest: float) -> None:
        """Jitter reduces the delay by at most its fraction."""
        policy = RetryPolicy(initial_delay=8.0, jitter=jitter)
        assert wait(NOT_SENT, policy, random=lambda: 0.0) == 8.0
        assert wait(NOT_SENT, policy, random=lambda: 1.0) == shortest

    def test_same_random_numbers_give_the_same_delay(self) -> None:
        """The same random numbers give the same delay."""
        for draw in (iter([0.1, 0.7]).__next__, iter([0.1, 0.7]).__next__):
            waits = [wait(NOT_SENT, attempt=attempt, random=draw) for attempt in (1, 2)]
            assert waits == [pytest.approx(0.4875), pytest.approx(0.825)]


class TestRetryAfter:
    """The Retry-After header."""

    def test_retry_after_is_the_delay(self) -> None:
        """Retry-After sets the delay, also beyond max_delay."""
        assert wait(answered(429, retry_after=30.0)) == 30.0

    @pytest.mark.parametrize(("jitter", "longest"), [(0.0, 30.0), (0.25, 37.5), (1, 60.0)])
    def test_jitter_only_extends_retry_after(self, jitter: float, longest: float) -> None:
        """Jitter extends Retry-After by at most its fraction and never shortens it; with 0 the delay is exact."""
        policy = RetryPolicy(jitter=jitter)
        assert wait(answered(429, retry_after=30.0), policy, random=lambda: 0.0) == 30.0
        assert wait(answered(429, retry_after=30.0), policy, random=lambda: 1.0) == longest

    def test_jitter_is_cut_at_the_deadline(self) -> None:
        """Jitter never prevents an attempt for which Retry-After leaves enough time."""
        failure = answered(429, retry_after=8.0)
        waits = [
            wait(failure, RetryPolicy(jitter=1.0), deadline=10.0, random=lambda draw=draw: draw) for draw in (0.0, 0.5)
        ]
        assert waits == [8.0, 8.5]

    def test_retry_after_zero_keeps_the_usual_delay(self) -> None:
        """A Retry-After of zero still causes the usual delay."""
        assert wait(answered(429, retry_after=0.0)) == 0.5

    def test_retry_after_beyond_max_retry_after_is_not_retried(self) -> None:
        """A Retry-After beyond max_retry_after is not retried."""
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
    def test_retry_after_is_seconds_or_a_date(self, value: str, seconds: float) -> None:
        """Seconds and all three forms of an HTTP date are parsed; a past date means zero."""
        assert parse_retry_after(value, now=946684790.0) == seconds

    @pytest.mark.parametrize(
        "value",
        [None, "", "soon", "-1", "nan", "inf", "²", ".", "1.2.3", "Fri, 99 Foo 1999"],
    )
    def test_invalid_retry_after_is_ignored(self, value: str | None) -> None:
        """An invalid Retry-After header is ignored."""
        assert parse_retry_after(value, now=0.0) is None

    @settings(max_examples=MAX_EXAMPLES, deadline=None)
    @given(st.text(max_size=40))
    def test_no_header_raises_or_gives_a_negative_delay(self, value: str) -> None:
        """No header text raises an exception or gives a negative delay."""
        seconds = parse_retry_after(value, now=0.0)
        assert seconds is None or seconds >= 0


class TestDeadline:
    """The deadline of all attempts."""

    def test_delay_beyond_the_deadline_is_not_started(self) -> None:
        """A delay that would end after the deadline is not started."""
        assert wait(NOT_SENT, elapsed=9.4, deadline=10.0) == 0.5
        assert wait(NOT_SENT, elapsed=9.5, deadline=10.0) is None
        assert wait(NOT_SENT, elapsed=11.0, deadline=10.0) is None

    def test_retry_after_beyond_the_deadline_is_not_retried(self) -> None:
        """A Retry-After beyond the deadline is not retried."""
        assert wait(answered(429, retry_after=5.0), elapsed=6.0, deadline=10.0) is None


class TestPolicy:
    """The values of a policy."""

    @pytest.mark.parametrize(
        "field",
        ["max_retries", "initial_delay", "max_delay", "jitter", "max_retry_after"],
    )
    @pytest.mark.parametrize("value", [-1, math.nan])
    def test_negative_values_and_nan_are_rejected(self, field: str, value: float) -> None:
        """Negative values and NaN are rejected by name."""
        arguments: dict[str, Any] = {field: value}
        with pytest.raises(ValueError, match=field):
            RetryPolicy(**arguments)

    def test_jitter_above_one_is_rejected(self) -> None:
        """A jitter above one, which would make the delay negative, is rejected."""
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
def test_delay_stays_within_its_bounds(
    policy: RetryPolicy,
    failure: Failure,
    attempt: int,
    idempotent: bool,
    elapsed: float,
    deadline: float,
    draw: float,
) -> None:
    """A delay is within the deadline, max_delay and Retry-After with its jitter, and at least Retry-After."""
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
        retry_after = failure.retry_after or 0.0
        assert seconds <= max(policy.max_delay, (retry_after + retry_after * policy.jitter) * (1 + 1e-12))
        assert (failure.retry_after or 0.0) <= min(seconds, policy.max_retry_after)


@settings(max_examples=MAX_EXAMPLES, deadline=None)
@given(POLICIES, FAILURES, st.integers(1, 2001))
def test_non_idempotent_operation_runs_once(policy: RetryPolicy, failure: Failure, attempt: int) -> None:
    """A non-idempotent operation is sent again only if it certainly did not run before."""
    lost = failure.kind is FailureKind.NO_RESPONSE
    unclear = failure.kind is FailureKind.ERROR_RESPONSE and not failure.rejected and failure.status != 429
    if lost or unclear:
        assert wait(failure, policy, attempt=attempt, idempotent=False) is None


@settings(max_examples=MAX_EXAMPLES, deadline=None)
@given(POLICIES, RANDOM)
def test_delays_never_decrease(policy: RetryPolicy, draw: float) -> None:
    """With the same random number no delay is shorter than the previous one."""
    waits = [policy.backoff(attempt, lambda: draw) for attempt in range(1, 100)]
    assert all(a <= b for a, b in itertools.pairwise(waits))


@settings(max_examples=MAX_EXAMPLES, deadline=None)
@given(POLICIES, FAILURES, st.integers(1, 2001), st.booleans(), DELAYS, DELAYS, RANDOM)
def test_later_deadline_never_prevents_a_retry(
    policy: RetryPolicy,
    failure: Failure,
    attempt: int,
    idempotent: bool,
    deadline: float,
    more: float,
    draw: float,
) -> None:
    """A retry under one deadline also happens under a later one: as soon, except for a larger jitter."""
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
def test_every_form_of_http_date_means_utc(date: str) -> None:
    """All three date forms that RFC 9110 allows in Retry-After are parsed as UTC."""
    assert parse_retry_after(date, now=784111777.0 - 30) == 30.0
