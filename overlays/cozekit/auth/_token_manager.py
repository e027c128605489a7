"""Token manager: the state of one token, and all decisions about it. No I/O: sync and async clients share it."""

from __future__ import annotations

import copy
import logging
import time
from collections.abc import Callable, Generator
from datetime import datetime
from typing import Protocol

import attrs

from coze_api._core._http import URL, HTTPResponse
from coze_api._core._request import Request

from ..errors import APIError, InvalidGrant, TokenStoreError
from ._token import Token
from ._token_request import TokenRequest, request_token
from ._token_store import TokenStore

__all__ = ["ResponseLost", "TokenManager", "Step", "TokenSource"]

_FAILURE_BACKOFF = 10.0
"""Seconds after a failure in which a token that is still valid is used, instead of refreshed or saved again."""

_REJECTION_BACKOFF = 30.0
"""Seconds after a new token was rejected in which no other one is requested because of a rejection."""

_log = logging.getLogger("cozekit.auth")

Step = TokenRequest | Callable[[], Token | None]
"""A step of a refresh: a token request, or a call of the store."""


class TokenSource(Protocol):
    """Source of the tokens of a `TokenAuth`."""

    @property
    def base_url(self) -> str:
        """URL of the service that the tokens are for."""

    @property
    def default_key(self) -> str:
        """Name of the token in stores."""

    def renewal(self, token: Token | None) -> Callable[[float], TokenRequest] | None:
        """Return a function that builds the request for the next token; None if the user must log in."""

    def address_of(self, request: Request) -> URL:
        """Return the URL of a request."""


class ResponseLost(Exception):
    """The token request of another call got no response. Never leaves the package."""


class TokenManager:
    """The token of one `TokenAuth`.

    Several threads may read it at once; only one at a time may refresh it.

    Attributes:
        generation: Number of refreshes that have ended, which a waiting call compares with that before its wait.
    """

    def __init__(self, source: TokenSource, token: Token | None, store: TokenStore, key: str, leeway: float) -> None:
        self.generation = 0
        self._source = source
        self._store = store
        self._key = key
        self._leeway = leeway
        self._token = token
        self._dirty = token is not None
        self._seen_in_store = False
        self._store_loaded = False
        self._skew = 0.0
        self._trusted_despite_clock: str | None = None
        self._issued: str | None = None
        self._accepted: str | None = None
        self._rejected_at = float("-inf")
        self._rejected: str | None = None
        self._used_refresh_token: str | None = None
        self._save_error_raised_for: str | None = None
        self._unanswered: str | None = None
        self._previously_unanswered: str | None = None
        self._failure: Exception | None = None
        self._failed_at = float("-inf")

    def valid_token(self) -> Token | None:
        """Return the token if a request can be sent with it, else None."""
        token = self._token
        if not self._store_loaded or token is None or (self._dirty and not self._is_after_failure()):
            return None
        return token if self._is_good(token) else None

    def token_despite_store_error(self, error: TokenStoreError) -> Token:
        """Return the token, if it is valid, although the store fails. It is saved as soon as the store works again.

        Raises:
            TokenStoreError: It is not valid, or no call has raised yet that it is not saved.
        """
        token, self._failed_at = self._token, time.monotonic()
        if not self._store_loaded or token is None or not self._is_valid(token):
            raise error
        if self._dirty and self._save_error_raised_for != token.access_token:
            self._save_error_raised_for = token.access_token
            self._failed_at = float("-inf")  # the next call tries again
            raise error
        _log.warning("the store of the token %r fails: %s", self._key, error)
        return token

    def mark_rejected(self, token: Token) -> None:
        """Mark the token as rejected by Coze, even if it has not expired."""
        if self.issued_here(token) and token.access_token not in {self._accepted, self._rejected}:
            self._rejected_at = time.monotonic()  # only the first time: later calls must not postpone the next attempt
        self._rejected = token.access_token

    def mark_accepted(self, token: Token) -> None:
        """Mark the token as accepted by Coze."""
        self._accepted = token.access_token

    def is_backing_off(self, token: Token) -> bool:
        """Return whether no other token is requested for now, because Coze rejected one that was new."""
        if not token.access_token == self._rejected == self._issued:
            return False
        life = _REJECTION_BACKOFF if token.obtained_at is None else _seconds(token.expires_at, token.obtained_at)
        return time.monotonic() - self._rejected_at < min(_REJECTION_BACKOFF, life)

    def issued_here(self, token: Token) -> bool:
        """Return whether the token came from a token request of this object, and not from the store."""
        return token.access_token == self._issued

    def mark_abandoned(self) -> None:
        """Mark a refresh as canceled by its caller, which is not a failure for other calls that wait for it."""
        self._failure = None

    def refresh_steps(self, generation: int) -> Generator[Step, HTTPResponse | Token | None, Token]:
        """Get a valid token. Only one thread at a time may run it, under the lock of the store.

        Yields steps, and receives the response to a token request (its body was read) or the result of the store.

        Args:
            generation: `self.generation` before the wait for the lock.

        Returns:
            The token; the rejected one during the backoff.

        Raises:
            ResponseLost: The token request that this call waited for got no response.
            CozeError: There is no token; see `request_token`.
        """
        if (ready := self.valid_token()) is not None:
            return ready
        self._share_failure(generation)
        # Read even if there is a token in memory: another process may have refreshed it.
        yield from self._load()
        token = self._token
        if token is None or not (self._is_good(token) or self.is_backing_off(token)):
            token = yield from self._refresh(token)
        if self._dirty:
            yield from self._save(token)
        return token

    def _refresh(self, token: Token | None) -> Generator[Step, HTTPResponse | Token | None, Token]:
        is_used = (
            token is not None and token.refresh_token is not None and token.refresh_token == self._used_refresh_token
        )
        make = None if is_used else self._source.renewal(token)
        if make is None:
            raise self._login_required(token)
        spending = token.refresh_token if token is not None else None
        self._failure, self._previously_unanswered, self._unanswered = ResponseLost(), self._unanswered, spending
        try:
            refreshed = yield from _request_steps(make, self._skew)
        except APIError as error:
            self._failure, self._failed_at = error, time.monotonic()
            other = yield from self._recover_from_rejection(error, token)
            return other
        except GeneratorExit:  # the connection was lost, or the caller was canceled
            self._failed_at = time.monotonic()
            raise
        finally:
            self.generation += 1
        self._failure = self._unanswered = None
        return self._accept(refreshed)

    def _recover_from_rejection(
        self, error: APIError, token: Token | None
    ) -> Generator[Step, HTTPResponse | Token | None, Token]:
        """Return a token that can be used after a rejected token request.

        Raises:
            APIError: There is none.
        """
        was_lost = self._previously_unanswered is not None and self._previously_unanswered == self._unanswered
        self._unanswered = self._previously_unanswered if error.retryable else None
        if isinstance(error, InvalidGrant):
            yield from self._load()  # a lock can end before its holder is done
            other = self._token
            if other is not None and other != token and self._is_good(other):
                self._failure = None
                return other
            if token is not None:
                self._used_refresh_token = token.refresh_token
            if was_lost:
                error.hint = (
                    "The response to an earlier refresh was lost with its connection. The refresh token was used by"
                    " then, and the next one was in that response: the user must log in again."
                )
        if token is not None and self._is_valid(token):
            self._failure = None
            return token
        raise error

    def _load(self) -> Generator[Step, HTTPResponse | Token | None, None]:
        stored = yield lambda: self._store.load(self._key)
        assert stored is None or isinstance(stored, Token)
        self._store_loaded = True
        if stored is not None:
            self._seen_in_store = True
            if self._token is None or not self._dirty or stored.expires_at > self._token.expires_at:
                self._token, self._dirty = stored, False
        elif self._seen_in_store:
            self._token, self._seen_in_store, self._dirty = None, False, False  # logged out elsewhere

    def _save(self, token: Token) -> Generator[Step, HTTPResponse | Token | None, None]:
        try:
            yield lambda: self._store.save(self._key, token)
        except GeneratorExit:  # it failed: calls that wait must not try it one after the other
            self._failed_at = time.monotonic()
            raise
        self._dirty, self._seen_in_store = False, True

    def _share_failure(self, generation: int) -> None:
        """Raise the failure of the refresh that this call waited for: so that they do not retry one by one."""
        if self.generation != generation and self._failure is not None:
            raise copy.copy(self._failure)

    def _accept(self, token: Token) -> Token:
        if token.refresh_token is None and self._token is not None and self._token.refresh_token is not None:
            token = attrs.evolve(token, refresh_token=self._token.refresh_token)
        obtained = token.obtained_at
        self._skew = 0.0 if obtained is None else obtained.timestamp() - time.time()
        self._token, self._dirty, self._rejected, self._trusted_despite_clock = token, True, None, None
        self._issued = token.access_token
        if not self._is_good(token):
            # It is new, so the clock is wrong: it is valid until it is rejected.
            self._trusted_despite_clock = token.access_token
        return token

    def _is_after_failure(self) -> bool:
        return time.monotonic() - self._failed_at < _FAILURE_BACKOFF

    def _is_good(self, token: Token) -> bool:
        no_leeway = self._is_after_failure() or token.refresh_token == (self._used_refresh_token or object())
        return self._is_valid(token, 0 if no_leeway else self._leeway)

    def _is_valid(self, token: Token, leeway: float = 0) -> bool:
        if token.access_token == self._rejected:
            return False
        if token.access_token == self._trusted_despite_clock:
            return True
        if token.obtained_at is not None:
            # A token may live for a minute only.
            leeway = min(leeway, _seconds(token.expires_at, token.obtained_at) / 2)
        return time.time() + self._skew < token.expires_at.timestamp() - leeway

    def _login_required(self, token: Token | None) -> InvalidGrant:
        if token is None:
            text, hint = "there is no token", "The user must log in; perhaps another process logged out."
        elif token.refresh_token is None:
            text, hint = (
                "the token has expired or was rejected, and has no refresh token",
                "The user must log in again.",
            )
        else:
            text, hint = "the refresh token was rejected before", "The user must log in again."
        return InvalidGrant(text, operation=f"store key {self._key!r}", hint=hint)


def _request_steps(
    make: Callable[[float], TokenRequest], skew: float
) -> Generator[Step, HTTPResponse | Token | None, Token]:
    """Run `request_token`, with the types of steps."""
    steps = request_token(make, skew)
    try:
        token_request = next(steps)
        while True:
            response = yield token_request
            assert isinstance(response, HTTPResponse)
            token_request = steps.send(response)
    except StopIteration as done:
        return done.value  # type: ignore[no-any-return]  # a generator's result has no type


def _seconds(later: datetime, earlier: datetime) -> float:
    return (later - earlier).total_seconds()
