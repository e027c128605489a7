"""Trying again: what went wrong, whether to repeat it, and what to raise in the end."""

from __future__ import annotations

import errno
import random
import time
from collections.abc import Awaitable, Callable
from traceback import clear_frames
from typing import Any, TypeVar

import attrs

from coze_api._core._http import (
    ConnectError,
    ConnectTimeout,
    HTTPError,
    HTTPResponse,
    HTTPTimeout,
    PoolTimeout,
    TimeoutException,
    UnsupportedProtocol,
    is_token_request,
    make_timeout,
)
from coze_api._core._request import Request
from coze_api._core._secrets import mask

from ._retry_policy import Failure, FailureKind, RetryPolicy, parse_retry_after, retry_delay
from .errors import CODES, APIConnectionError, APIError, APITimeoutError, ConflictError, RateLimitError

__all__ = ["HINT", "Retrying"]

HINT = "cozekit.hint"
"""Extension of an HTTP answer: what to say beside its error's own hint."""

R = TypeVar("R")
_NOT_SENT = (ConnectError, ConnectTimeout, PoolTimeout, UnsupportedProtocol)


@attrs.define
class Retrying:
    """The attempts at one request.

    Attributes:
        policy: What the user allows.
        deadline: Seconds for all attempts and waits together; None for no limit.
        base_url: Address of the service, for messages.
        timeout: The client's timeout, which no attempt may exceed.
    """

    policy: RetryPolicy
    deadline: float | None
    base_url: str
    timeout: HTTPTimeout
    _started: float = attrs.field(factory=time.monotonic, init=False)
    _attempts: int = attrs.field(default=0, init=False)
    _may_have_taken_effect: bool = attrs.field(default=False, init=False)

    def call(self, request: Request, call: Callable[[], R]) -> R:
        """Call until it succeeds or patience ends.

        Raises:
            CozeError: What went wrong the last time.
        """
        while True:
            self._before_attempt(request)
            try:
                return self._on_success(call())
            except (APIError, HTTPError) as error:
                wait = self._delay_or_raise(request, error)
            time.sleep(wait)

    async def acall(self, request: Request, call: Callable[[], Awaitable[R]]) -> R:
        """Await until it succeeds or patience ends.

        Raises:
            CozeError: What went wrong the last time.
        """
        from anyio import sleep  # comes with httpx; serves asyncio and trio alike

        while True:
            self._before_attempt(request)
            try:
                return self._on_success(await call())
            except (APIError, HTTPError) as error:
                wait = self._delay_or_raise(request, error)
            await sleep(wait)

    def _before_attempt(self, request: Request) -> None:
        self._attempts += 1
        if self.deadline is not None:
            if self._attempts == 1 and request.timeout is not None:
                self.timeout = make_timeout(request.timeout)
            request.timeout = _cap_timeout(self.timeout, max(self.deadline - self._elapsed(), 0.001))

    def _on_success(self, result: R) -> R:
        """Lift the deadline from a stream that is open: how long it may be silent is another matter."""
        if self.deadline is not None and isinstance(result, HTTPResponse):
            result.request.extensions["timeout"] = self.timeout.as_dict()
        return result

    def _elapsed(self) -> float:
        return time.monotonic() - self._started

    def _delay_or_raise(self, request: Request, error: APIError | HTTPError) -> float:
        """Return the seconds to wait before the next attempt, or raise what the caller shall see."""
        if isinstance(error, HTTPError) and hasattr(error, "response"):
            raise error  # an answer was refused by a hook of the caller's own HTTP client
        failure = _classify(error)
        if self._is_token_request_failure(request, error):
            # This request was not sent, so whatever became of that for the token, it may be tried again.
            if isinstance(error, HTTPError):
                failure = Failure(kind=FailureKind.NOT_SENT)
            else:
                failure = attrs.evolve(failure, rejected=True, retryable=error.retryable)
        if failure.kind is FailureKind.NO_RESPONSE or (
            failure.kind is FailureKind.ERROR_RESPONSE and not failure.rejected
        ):
            self._may_have_taken_effect = True
        wait = None
        # Who waited in vain for a free connection would only wait again, behind all others.
        if _is_body_replayable(request) and not isinstance(error, PoolTimeout):
            wait = retry_delay(
                self.policy,
                failure,
                attempt=self._attempts,
                idempotent=request.operation.idempotent,
                elapsed=self._elapsed(),
                deadline=self.deadline,
                random=random.random,
            )
        if wait is not None:
            return wait
        if isinstance(error, APIError):
            raise _with_auth_hint(error)
        _clear_frames(error)
        raise self._connection_error(request, error) from error

    def _is_token_request_failure(self, request: Request, error: APIError | HTTPError) -> bool:
        """Tell whether it was the request for the token that failed."""
        if isinstance(error, HTTPError):
            return is_token_request(error)
        return bool(error.operation) and error.operation != request.operation.id

    def _connection_error(self, request: Request, error: HTTPError) -> APIConnectionError:
        cls = APITimeoutError if isinstance(error, TimeoutException) else APIConnectionError
        late = isinstance(error, TimeoutException) and self.deadline is not None and self._elapsed() >= self.deadline
        text = f"the deadline of {self.deadline:g} s passed" if late else _describe(error)
        return cls(
            f"the access token could not be renewed: {text}"
            if self._is_token_request_failure(request, error)
            else text,
            operation=request.operation.id,
            base_url=self.base_url,
            attempts=self._attempts,
            sent=self._may_have_taken_effect,
        )


def _with_auth_hint(error: APIError) -> APIError:
    """Add to the hint what a token strategy knows about the answer."""
    told = error.response.http.extensions.get(HINT) if error.response is not None else None
    if told:
        error.hint = f"{error.hint} {told}".strip()
    return error


def _clear_frames(error: BaseException | None) -> None:
    """Empty the frames of the HTTP library and below, whose variables are what was sent, the token included.

    Texts of its exceptions may quote headers, as of one that cannot be sent.
    """
    while error is not None:
        clear_frames(error.__traceback__)
        error.args = tuple(mask(one) if isinstance(one, str) else one for one in error.args)
        error = error.__cause__ or error.__context__


def _cap_timeout(timeout: HTTPTimeout, seconds: float) -> Any:
    values = (timeout.connect, timeout.read, timeout.write, timeout.pool)
    return tuple(seconds if value is None else min(value, seconds) for value in values)


def _classify(error: APIError | HTTPError) -> Failure:
    if isinstance(error, HTTPError):
        return Failure(kind=FailureKind.NOT_SENT if isinstance(error, _NOT_SENT) else FailureKind.NO_RESPONSE)
    headers = error.response.headers if error.response is not None else {}
    return Failure(
        kind=FailureKind.ERROR_RESPONSE,
        status=error.status,
        retryable=error.retryable if error.code in CODES else None,
        # Both tell of a request that was turned away at the door.
        rejected=isinstance(error, RateLimitError | ConflictError),
        retry_after=parse_retry_after(headers.get("retry-after"), now=time.time()),
    )


def _is_body_replayable(request: Request) -> bool:
    """Tell whether the files of a request can be read a second time."""
    for _, content, *_ in (request.files or {}).values():
        if not isinstance(content, bytes) and not getattr(content, "seekable", lambda: False)():
            return False
    return True


def _describe(error: HTTPError) -> str:
    if isinstance(error, PoolTimeout):
        return (
            "no connection became free in time; close streams that are read no more, send fewer requests at once, or"
            " give an http_client with higher limits and timeouts"
        )
    if _lacks_files(error):
        return (
            "no connection could be made: this process has as many files and connections open as it may; raise the"
            " limit (`ulimit -n`) or send fewer requests at once"
        )
    if isinstance(error, ConnectTimeout):
        return "no connection could be made in time"
    if isinstance(error, ConnectError):
        return f"no connection could be made: {error}"
    if isinstance(error, TimeoutException):
        return "no answer came in time; give more by timeout="
    return f"the connection broke: {type(error).__name__}: {error}"


def _lacks_files(error: BaseException | None) -> bool:
    """Tell whether the operating system gave no descriptor for a connection."""
    while error is not None:
        if isinstance(error, OSError) and error.errno in {errno.EMFILE, errno.ENFILE}:
            return True
        if isinstance(error, BaseExceptionGroup):  # one for each address of a host
            return any(map(_lacks_files, error.exceptions))
        error = error.__cause__ or error.__context__
    return False
