"""Asking for a token: what is sent, and what the answer says. No I/O."""

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
from ._oauth_errors import refusal
from ._token import Token

__all__ = ["Grant", "asking", "given", "server_time", "skew_of"]

_TOLERABLE_SKEW = 30
"""Seconds by which clocks may differ before a JWT is signed again by that of Coze."""


@attrs.frozen
class Grant:
    """What a token is asked for with. `repr` shows no secrets.

    Attributes:
        operation: Operation that gives the token.
        arguments: Its arguments.
        bearer: What goes into the Authorization header: a client secret or a JWT.
        dated: Whether it holds moments, so that a wrong clock may be why it is refused.
    """

    operation: Operation[Any]
    arguments: Mapping[str, Any] = attrs.field(repr=False)
    bearer: str | None = attrs.field(default=None, repr=False)
    dated: bool = False

    def request(self) -> Request:
        """Return the request."""
        headers = None if self.bearer is None else hidden({"Authorization": f"Bearer {self.bearer}"})
        return prepare(self.operation, self.arguments, Options(headers=headers))


def asking(make: Callable[[float], Grant], skew: float = 0) -> Generator[Grant, HTTPResponse, Token]:
    """Ask for a token, and once more if it was refused because the clock of this machine is wrong.

    Yields what to send and takes the answers, whose bodies must have been read.

    Args:
        make: Makes what to ask with at a moment, in Unix time by the clock of Coze.
        skew: Seconds by which the clock of Coze is known to be ahead of that of this machine.

    Returns:
        The token.

    Raises:
        OAuthError: Coze gives none.
        APIError: The answer is no answer of Coze, or tells that it failed.
    """
    grant = make(time.time() + skew)
    http = yield grant
    token, failure = _read(grant, http)
    if isinstance(failure, InvalidClient) and grant.dated and abs(skew_of(http) - skew) > _TOLERABLE_SKEW:
        grant = make(time.time() + skew_of(http))
        http = yield grant
        token, failure = _read(grant, http)
    if failure is not None:
        raise failure  # here, where no variable holds a secret
    assert token is not None
    return token


def _read(grant: Grant, http: HTTPResponse) -> tuple[Token | None, APIError | None]:
    try:
        answer = read(grant.operation, http)
    except APIError as error:
        return None, refusal(error, grant.arguments, grant.bearer)
    token = Token.from_answer(answer, server_time(http))
    if token is not None:
        return token, None
    text = "the answer has no access token, or does not say until when it is valid"
    return None, DecodeError(text, status=http.status_code, logid=answer.logid, operation=grant.operation.id)


def server_time(http: HTTPResponse) -> datetime:
    """Return the moment of an answer by the clock of the server, or by ours if it does not tell."""
    return parse_http_date(http.headers.get("date")) or datetime.now(UTC)


def skew_of(http: HTTPResponse) -> float:
    """Return by how many seconds the clock of the server is ahead of ours."""
    return server_time(http).timestamp() - time.time()


def given(**texts: object) -> None:
    """Make sure that texts are given and can be sent. The message names, but does not show, the one that cannot.

    Raises:
        InvalidArgumentError: One is no text, empty, or holds what no header may.
    """
    wrong = next((name for name, value in texts.items() if not _usable(value)), None)
    if wrong is not None:
        raise InvalidArgumentError(f"{wrong} must be a text of printable ASCII characters, without blanks around it")


def _usable(value: object) -> bool:
    return isinstance(value, str) and bool(value) and value.isascii() and value.isprintable() and value == value.strip()
