"""What a client does about timeouts, retries and gaps, for all calls or for some."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

from coze_api._core._client_config import checked_headers, checked_timeout
from coze_api._core._http import LONGEST_TIMEOUT, make_timeout
from coze_api._core._resource import AsyncResource, Resource
from coze_api._core._sequence import checked_on_gap

from ._config import require_https
from ._retry_policy import RetryPolicy
from ._retrying import Retrying
from .errors import InvalidArgumentError

if TYPE_CHECKING:
    from ._websockets.options import SocketOptions

__all__ = ["NOT_GIVEN", "ClientOptions", "to_retry_policy", "validate_deadline", "validate_websocket_options"]

NOT_GIVEN: Any = object()
"""Stands for an argument that was not given, where None means something."""


class ClientOptions:
    """What the overlay decides for both clients."""

    _retry: RetryPolicy
    _deadline: float | None
    _sockets: SocketOptions | None

    def _copy_with(self, base: Any, timeout: Any, retry: Any, deadline: Any, headers: Any, on_gap: Any) -> Any:
        """Copy a client that shares the connections of *base* but not its policies."""
        twin = copy.copy(base)
        for name, value in list(vars(twin).items()):
            if isinstance(value, Resource | AsyncResource):
                delattr(twin, name)  # resources know the client that made them
        twin._owns_http = False
        if timeout is not NOT_GIVEN:
            twin._timeout = checked_timeout(timeout)
        if retry is not NOT_GIVEN:
            twin._retry = to_retry_policy(retry)
        if deadline is not NOT_GIVEN:
            twin._deadline = validate_deadline(deadline)
        if on_gap is not NOT_GIVEN:
            twin._on_gap = checked_on_gap(on_gap)
        if headers is not NOT_GIVEN:
            twin._headers = {**base._headers, **checked_headers(headers)}
        return twin

    def _retrying(self, base: Any) -> Retrying:
        timeout = base._http.timeout if base._timeout is None else make_timeout(base._timeout)
        return Retrying(self._retry, self._deadline, base.base_url, timeout)


def to_retry_policy(retry: object) -> RetryPolicy:
    """Make a policy of what a caller gives.

    Raises:
        InvalidArgumentError: It is none, and no number from 0 on.
    """
    if isinstance(retry, RetryPolicy):
        return retry
    if retry is None:
        return RetryPolicy()
    if not isinstance(retry, int) or retry < 0:
        raise InvalidArgumentError(f"retry must be a RetryPolicy or how many retries there may be, not {retry!r:.60}")
    return RetryPolicy(max_retries=retry)


def validate_deadline(seconds: object) -> float | None:
    """Return a deadline.

    Raises:
        InvalidArgumentError: It is no number above 0.
    """
    if seconds is None:
        return None
    if isinstance(seconds, int | float) and seconds > 0:
        return seconds if seconds <= LONGEST_TIMEOUT else None
    raise InvalidArgumentError(f"deadline must be a number of seconds above 0, not {seconds!r:.60}")


def validate_websocket_options(given: object, *, allow_http: bool) -> Any:
    """Return options for WebSockets.

    Raises:
        InvalidArgumentError: They are none, or their address may not be used.
    """
    if given is None:
        return None
    from ._websockets.options import SocketOptions

    if not isinstance(given, SocketOptions):
        raise InvalidArgumentError(f"sockets must be SocketOptions, not {type(given).__name__}")
    if given.base_url is not None:
        require_https(given.base_url, allow_http=allow_http)
    return given
