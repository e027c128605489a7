"""Retries of one call: classify the failure, wait and send again, or raise."""

from __future__ import annotations

import errno
import random
import time
from collections.abc import Awaitable, Callable
from traceback import clear_frames
from typing import Any, TypeVar

import attrs

from coze_api._core._deadline import within_async
from coze_api._core._download_async import BaseBinary
from coze_api._core._http import (
    ConnectError,
    ConnectTimeout,
    HTTPError,
    HTTPResponse,
    HTTPTimeout,
    PoolTimeout,
    TimeoutException,
    UnsupportedProtocol,
    make_timeout,
)
from coze_api._core._request import Request
from coze_api._core._secrets import mask
from coze_api._core._token_requests import is_token_request

from ._retry_policy import Failure, FailureKind, RetryPolicy, parse_retry_after, retry_delay
from ._sleep import sleep_async
from .errors import CODES, APIConnectionError, APIError, APITimeoutError, ConflictError, RateLimitError

__all__ = ["HINT", "AsyncRetrying"]

HINT = "cozekit.hint"
"""Extension of an HTTP response: text to append to the hint of its error."""

R = TypeVar("R")
_NOT_SENT = (ConnectError, ConnectTimeout, PoolTimeout, UnsupportedProtocol)
# The timeouts of an attempt also end at the deadline. They come first, since they know what the call waited for.
_GRACE_SECONDS = 0.05


@attrs.define
class RetryingBase:
    """State and decisions of the attempts of one call.

    Attributes:
        policy: The retry policy.
        deadline: Seconds for all attempts and waits together; None for no limit.
        base_url: Base URL of the service, for messages.
        timeout: The client's timeout, which limits each attempt.
    """

    policy: RetryPolicy
    deadline: float | None
    base_url: str
    timeout: HTTPTimeout
    _started: float = attrs.field(factory=time.monotonic, init=False)
    _attempts: int = attrs.field(default=0, init=False)
    _may_have_taken_effect: bool = attrs.field(default=False, init=False)

    def _before_attempt(self, request: Request) -> None:
        self._attempts += 1
        if self.deadline is not None:
            if self._attempts == 1 and request.timeout is not None:
                self.timeout = make_timeout(request.timeout)
            request.timeout = _cap_timeout(self.timeout, self._left(self.deadline))

    def _on_success(self, result: R) -> R:
        """Restore the normal timeout once a stream or a file is open; the deadline covers opening only."""
        http = result.response.http if isinstance(result, BaseBinary) else result
        if self.deadline is not None and isinstance(http, HTTPResponse):
            http.request.extensions["timeout"] = self.timeout.as_dict()
        return result

    def _left(self, deadline: float) -> float:
        return max(deadline - self._elapsed(), 0.001)

    def _elapsed(self) -> float:
        return time.monotonic() - self._started

    def _delay_or_raise(self, request: Request, error: APIError | HTTPError) -> float:
        """Return the seconds to wait before the next attempt, or raise the error for the caller."""
        if isinstance(error, HTTPError) and hasattr(error, "response"):
            raise error  # a hook of the caller's own HTTP client rejected a response
        failure = _classify(error)
        if self._is_token_request_failure(request, error):
            # The call itself was not sent, so it may be retried no matter how the token request failed.
            if isinstance(error, HTTPError):
                failure = Failure(kind=FailureKind.NOT_SENT)
            else:
                failure = attrs.evolve(failure, rejected=True, retryable=error.retryable)
        if failure.kind is FailureKind.NO_RESPONSE or (
            failure.kind is FailureKind.ERROR_RESPONSE and not failure.rejected
        ):
            self._may_have_taken_effect = True
        delay = None
        # After a timeout of the connection pool, a retry would only wait again, behind all others.
        if _is_body_replayable(request) and not isinstance(error, PoolTimeout):
            delay = retry_delay(
                self.policy,
                failure,
                attempt=self._attempts,
                idempotent=request.operation.idempotent,
                elapsed=self._elapsed(),
                deadline=self.deadline,
                random=random.random,
            )
        if delay is not None:
            return delay
        if isinstance(error, APIError):
            raise _with_auth_hint(error)
        _clear_frames(error)
        raise self._connection_error(request, error) from error

    def _is_token_request_failure(self, request: Request, error: APIError | HTTPError) -> bool:
        """Return whether the request for a token failed, and not the call itself."""
        if isinstance(error, HTTPError):
            return is_token_request(error)
        return bool(error.operation) and error.operation != request.operation.id

    def _connection_error(self, request: Request, error: HTTPError) -> APIConnectionError:
        cls = APITimeoutError if isinstance(error, TimeoutException) else APIConnectionError
        is_late = isinstance(error, TimeoutException) and self.deadline is not None and self._elapsed() >= self.deadline
        text = _describe(error)
        if is_late:
            waited = f": {text}" if isinstance(error, PoolTimeout) else ""
            text = f"the deadline of {self.deadline:g} s passed{waited}"
        return cls(
            f"the access token could not be renewed: {text}"
            if self._is_token_request_failure(request, error)
            else text,
            operation=request.operation.id,
            base_url=self.base_url,
            attempts=self._attempts,
            sent=self._may_have_taken_effect,
        )


class AsyncRetrying(RetryingBase):
    """Retries one call."""

    async def call(self, request: Request, call: Callable[[], Awaitable[R]]) -> R:
        """Retry until success or until retries are exhausted.

        Raises:
            CozeError: The failure of the last attempt.
        """
        while True:
            self._before_attempt(request)
            try:
                return self._on_success(await self._attempt(request, call))
            except (APIError, HTTPError) as error:
                delay = self._delay_or_raise(request, error)
            await sleep_async(delay)

    async def _attempt(self, request: Request, call: Callable[[], Awaitable[R]]) -> R:
        if self.deadline is None:
            return await call()
        return await within_async(self._left(self.deadline) + _GRACE_SECONDS, request, call)


def _with_auth_hint(error: APIError) -> APIError:
    """Append the hint that the auth attached to the response."""
    hint = error.response.http.extensions.get(HINT) if error.response is not None else None
    if hint:
        error.hint = f"{error.hint} {hint}".strip()
    return error


def _clear_frames(error: BaseException | None) -> None:
    """Clear traceback frames, so that tracebacks with local variables do not leak the token.

    Messages are masked as well: the HTTP library quotes invalid headers.
    """
    while error is not None:
        clear_frames(error.__traceback__)
        error.args = tuple(mask(text) if isinstance(text, str) else text for text in error.args)
        error = error.__cause__ or error.__context__


def _cap_timeout(timeout: HTTPTimeout, seconds: float) -> Any:
    values = (timeout.connect, timeout.read, timeout.write, timeout.pool)
    return tuple(seconds if value is None else min(value, seconds) for value in values)


def _classify(error: APIError | HTTPError) -> Failure:
    if isinstance(error, HTTPError):
        return Failure(kind=FailureKind.NOT_SENT if isinstance(error, _NOT_SENT) else FailureKind.NO_RESPONSE)
    headers = error.response.headers if error.response is not None else {}
    known = CODES.get(error.code)
    return Failure(
        kind=FailureKind.ERROR_RESPONSE,
        status=error.status,
        retryable=error.retryable if known is not None and known.category is not None else None,
        # Both mean that the request was rejected before it took effect.
        rejected=isinstance(error, RateLimitError | ConflictError),
        retry_after=parse_retry_after(headers.get("retry-after"), now=time.time()),
    )


def _is_body_replayable(request: Request) -> bool:
    """Return whether the files of a request can be read a second time."""
    for _, content, *_ in (request.files or {}).values():
        if not isinstance(content, bytes) and not getattr(content, "seekable", lambda: False)():
            return False
    return True


def _describe(error: HTTPError) -> str:
    if isinstance(error, PoolTimeout):
        return (
            "the connection pool had no free connection in time; close streams that are no longer read, send fewer"
            " requests at once, or pass an http_client with higher limits and timeouts"
        )
    if _has_too_many_files(error):
        return (
            "the connection could not be opened: this process has too many open files; raise the limit (`ulimit -n`)"
            " or send fewer requests at once"
        )
    if isinstance(error, ConnectTimeout):
        return "the connection could not be opened in time"
    if isinstance(error, ConnectError):
        return f"the connection could not be opened: {error}"
    if isinstance(error, TimeoutException):
        return "no response was received in time; pass a larger timeout="
    return f"the connection was lost: {type(error).__name__}: {error}"


def _has_too_many_files(error: BaseException | None) -> bool:
    """Return whether the process has too many open files for another connection."""
    while error is not None:
        if isinstance(error, OSError) and error.errno in {errno.EMFILE, errno.ENFILE}:
            return True
        if isinstance(error, BaseExceptionGroup):  # one for each address of a host
            return any(map(_has_too_many_files, error.exceptions))
        error = error.__cause__ or error.__context__
    return False
