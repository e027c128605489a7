"""Retries, deadline and WebSocket options, which both clients have in common."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Self

from coze_api._core._client_config import ClientConfig, checked_headers, checked_timeout
from coze_api._core._http import LONGEST_TIMEOUT, HTTPTimeout, make_timeout
from coze_api._core._operation import Operation, Timeout
from coze_api._core._resource import AsyncResource, Resource
from coze_api._core._sequence import OnGap, checked_on_gap

from ._config import require_https
from ._retry_policy import RetryPolicy
from .errors import InvalidArgumentError

if TYPE_CHECKING:
    from ._websockets.options import SocketOptions

__all__ = [
    "ClientOptions",
    "to_retry_policy",
    "validate_deadline",
    "validate_websocket_options",
]

NOT_GIVEN: Any = object()
"""Default of arguments for which None has a meaning."""


class ClientOptions(ClientConfig):
    """Options that the overlay adds to both clients."""

    _owns_http: bool
    _retry: RetryPolicy
    _deadline: float | None
    _sockets: SocketOptions | None

    def with_options(
        self,
        *,
        timeout: Timeout = NOT_GIVEN,
        retry: RetryPolicy | int | None = NOT_GIVEN,
        deadline: float | None = NOT_GIVEN,
        headers: Mapping[str, str] | None = NOT_GIVEN,
        on_gap: OnGap = NOT_GIVEN,
    ) -> Self:
        """Return a copy with other options that shares the connection pool.

        Args:
            timeout: As for the client itself, like all arguments here. Those that are not given stay as they are.
            retry: How failed requests are retried.
            deadline: Seconds for a whole call, retries included.
            headers: Added to the headers of this client.
            on_gap: What a stream does about lost or repeated events.

        Returns:
            The copy. Closing it does not close the connections.

        Raises:
            InvalidArgumentError: An argument is invalid.
        """
        client = copy.copy(self)
        for name, value in list(vars(client).items()):
            if isinstance(value, Resource | AsyncResource):
                delattr(client, name)  # cached resources refer to the original client
        client._owns_http = False
        if timeout is not NOT_GIVEN:
            client._timeout = checked_timeout(timeout)
        if retry is not NOT_GIVEN:
            client._retry = to_retry_policy(retry)
        if deadline is not NOT_GIVEN:
            client._deadline = validate_deadline(deadline)
        if on_gap is not NOT_GIVEN:
            client._on_gap = checked_on_gap(on_gap)
        if headers is not NOT_GIVEN:
            client._headers = {**self._headers, **checked_headers(headers)}
        return client

    def _base_of(self, operation: Operation[Any]) -> str:
        base_url = self._sockets.base_url if self._sockets is not None and operation.servers else None
        return base_url.rstrip("/") if base_url else super()._base_of(operation)

    def _request_timeout(self) -> HTTPTimeout:
        return self._http.timeout if self._timeout is None else make_timeout(self._timeout)


def to_retry_policy(retry: object) -> RetryPolicy:
    """Return the policy for the argument *retry*.

    Raises:
        InvalidArgumentError: It is neither a policy nor a whole number of at least 0.
    """
    if isinstance(retry, RetryPolicy):
        return retry
    if retry is None:
        return RetryPolicy()
    if not isinstance(retry, int) or retry < 0:
        raise InvalidArgumentError(f"retry must be a RetryPolicy or the maximum number of retries, not {retry!r:.60}")
    return RetryPolicy(max_retries=retry)


def validate_deadline(seconds: object) -> float | None:
    """Return a deadline.

    Raises:
        InvalidArgumentError: It is not a number above 0.
    """
    if seconds is None:
        return None
    if isinstance(seconds, int | float) and seconds > 0:
        return seconds if seconds <= LONGEST_TIMEOUT else None
    raise InvalidArgumentError(f"deadline must be a number of seconds above 0, not {seconds!r:.60}")


def validate_websocket_options(sockets: object, *, allow_http: bool) -> SocketOptions | None:
    """Return options of WebSockets.

    Raises:
        InvalidArgumentError: They have the wrong type, or their base URL is unencrypted.
    """
    if sockets is None:
        return None
    from ._websockets.options import SocketOptions

    if not isinstance(sockets, SocketOptions):
        raise InvalidArgumentError(f"sockets must be SocketOptions, not {type(sockets).__name__}")
    if sockets.base_url is not None:
        require_https(sockets.base_url, allow_http=allow_http)
    return sockets
