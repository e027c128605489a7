"""Token requests: what is sent, and how the response is read. No I/O."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Mapping
from datetime import UTC, datetime
from typing import Any

import attrs

from coze_api._core._decode import read
from coze_api._core._http import HTTPResponse
from coze_api._core._operation import Operation, Options
from coze_api._core._request import Request, prepare
from coze_api._core._secrets import hidden

from .._retry_policy import parse_http_date
from ..errors import APIError, DecodeError, InvalidArgumentError, InvalidClient
from ._oauth_errors import to_oauth_error
from ._token import Token

__all__ = ["TokenRequest", "request_token", "require_ascii", "server_time", "clock_skew"]

_TOLERABLE_SKEW = 30
"""Seconds of difference above which a JWT is signed again with the time of Coze."""


@attrs.frozen
class TokenRequest:
    """A token request. `repr` shows no secrets.

    Attributes:
        operation: Operation that returns the token.
        arguments: Its arguments.
        bearer: Bearer of the Authorization header: a client secret or a JWT.
        time_sensitive: Whether it contains times, so that it is rejected if the clock is wrong.
    """

    operation: Operation[Any]
    arguments: Mapping[str, Any] = attrs.field(repr=False)
    bearer: str | None = attrs.field(default=None, repr=False)
    time_sensitive: bool = False

    def request(self) -> Request:
        """Return the request."""
        headers = None if self.bearer is None else hidden({"Authorization": f"Bearer {self.bearer}"})
        return prepare(self.operation, self.arguments, Options(headers=headers))


def request_token(
    make: Callable[[float], TokenRequest], skew: float = 0
) -> Generator[TokenRequest, HTTPResponse, Token]:
    """Request a token, and once more if the request was rejected because the clock of this machine is wrong.

    Yields token requests and receives responses, whose bodies must have been read.

    Args:
        make: Builds the token request for a time, in Unix time by the clock of Coze.
        skew: Known seconds that the clock of Coze is ahead of that of this machine.

    Returns:
        The token.

    Raises:
        OAuthError: Coze rejected the request.
        APIError: The response is not one of Coze, or reports an error.
    """
    token_request = make(time.time() + skew)
    http = yield token_request
    token, error = _read(token_request, http)
    if (
        isinstance(error, InvalidClient)
        and token_request.time_sensitive
        and abs(clock_skew(http) - skew) > _TOLERABLE_SKEW
    ):
        token_request = make(time.time() + clock_skew(http))
        http = yield token_request
        token, error = _read(token_request, http)
    if error is not None:
        raise error  # here, where no variable holds a secret
    assert token is not None
    return token


def _read(token_request: TokenRequest, http: HTTPResponse) -> tuple[Token | None, APIError | None]:
    try:
        answer = read(token_request.operation, http)
    except APIError as error:
        return None, to_oauth_error(error, token_request.arguments, token_request.bearer)
    token = Token.from_answer(answer, server_time(http))
    if token is not None:
        return token, None
    text = "the response has no access token, or no time at which it expires"
    return None, DecodeError(text, status=http.status_code, logid=answer.logid, operation=token_request.operation.id)


def server_time(http: HTTPResponse) -> datetime:
    """Return the time of a response by the clock of the server; by that of this machine if it has no `Date`."""
    return parse_http_date(http.headers.get("date")) or datetime.now(UTC)


def clock_skew(http: HTTPResponse) -> float:
    """Return by how many seconds the clock of the server is ahead of that of this machine."""
    return server_time(http).timestamp() - time.time()


def require_ascii(**texts: object) -> None:
    """Check that strings can be sent in a header. The message names an invalid one without its value.

    Raises:
        InvalidArgumentError: One is not a string, is empty, or has characters that no header may have.
    """
    wrong = next((name for name, value in texts.items() if not _usable(value)), None)
    if wrong is not None:
        raise InvalidArgumentError(f"{wrong} must be a string of printable ASCII characters without spaces around it")


def _usable(value: object) -> bool:
    return isinstance(value, str) and bool(value) and value.isascii() and value.isprintable() and value == value.strip()
