"""What a strategy knows of its token, and all that it decides. No I/O: sync and async clients share it."""

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

__all__ = ["AnswerLost", "Renewals", "Step", "TokenSource"]

_CALM = 10.0
"""Seconds after a failure for which a token that is still valid is used rather than renewed or kept again."""

_FUTILE = 30.0
"""Seconds after a new token was refused for which no other is asked for because of a refusal."""

_log = logging.getLogger("cozekit.auth")

Step = TokenRequest | Callable[[], Token | None]
"""What a renewal wants done: a request for a token, or a call of the store."""


class TokenSource(Protocol):
    """Where a strategy's tokens come from."""

    @property
    def base_url(self) -> str:
        """Address of the service that the tokens are for."""

    @property
    def default_key(self) -> str:
        """Name of the token in stores."""

    def renewal(self, token: Token | None) -> Callable[[float], TokenRequest] | None:
        """Return what makes the request for the token after *token*; None if only the user can help."""

    def address_of(self, request: Request) -> URL:
        """Return where a request goes."""


class AnswerLost(Exception):
    """The token request of another call got no answer. Never leaves the package."""


class Renewals:
    """The token of one strategy.

    Several threads may read it at once; only one at a time may renew it.

    Attributes:
        turn: How many renewals have ended. Whoever waits for a renewal remembers it from before.
    """

    def __init__(self, source: TokenSource, token: Token | None, store: TokenStore, key: str, leeway: float) -> None:
        self.turn = 0
        self._source = source
        self._store = store
        self._key = key
        self._leeway = leeway
        self._token = token
        self._unsaved = token is not None
        self._kept = False
        self._opened = False
        self._skew = 0.0
        self._trusted: str | None = None
        self._own: str | None = None
        self._proven: str | None = None
        self._futile_at = float("-inf")
        self._refused: str | None = None
        self._spent: str | None = None
        self._told: str | None = None
        self._lost: str | None = None
        self._lost_before: str | None = None
        self._failure: Exception | None = None
        self._failed_at = float("-inf")

    def usable(self) -> Token | None:
        """Return the token if a request may be sent with it."""
        token = self._token
        if not self._opened or token is None or (self._unsaved and not self._is_calm()):
            return None
        return token if self._is_good(token) else None

    def despite(self, error: TokenStoreError) -> Token:
        """Return the token, if it is valid, although the store fails. It will be kept as soon as that works again.

        Raises:
            TokenStoreError: It is not valid, or nobody was told yet that it is not kept.
        """
        token, self._failed_at = self._token, time.monotonic()
        if not self._opened or token is None or not self._is_valid(token):
            raise error
        if self._unsaved and self._told != token.access_token:
            self._told, self._failed_at = token.access_token, float("-inf")  # the next call tries again
            raise error
        _log.warning("the store of the token %r fails: %s", self._key, error)
        return token

    def refused(self, token: Token) -> None:
        """Note that Coze does not take a token, whatever the clock says."""
        if self.is_own(token) and token.access_token not in {self._proven, self._refused}:
            self._futile_at = time.monotonic()  # the first time alone: calls that go on do not put off the next attempt
        self._refused = token.access_token

    def accepted(self, token: Token) -> None:
        """Note that Coze takes a token."""
        self._proven = token.access_token

    def is_futile(self, token: Token) -> bool:
        """Tell whether to ask for another token than one that was refused is of no use.

        So it is where Coze refused a token that it had given out only then.
        """
        if not token.access_token == self._refused == self._own:
            return False
        life = _FUTILE if token.obtained_at is None else _seconds(token.expires_at, token.obtained_at)
        return time.monotonic() - self._futile_at < min(_FUTILE, life)

    def is_own(self, token: Token) -> bool:
        """Tell whether a token came from a token request of this strategy, rather than from the store."""
        return token.access_token == self._own

    def abandoned(self) -> None:
        """Note that a renewal was ended by its caller, which is no failure for those who wait for it."""
        self._failure = None

    def steps(self, turn: int) -> Generator[Step, HTTPResponse | Token | None, Token]:
        """Get a token that is good. To be run by one thread at a time, under the lock of the store.

        Yields what to do, and takes the answer of a token request (whose body was read) or what the store returned.

        Args:
            turn: `self.turn` from before the wait for the lock.

        Returns:
            The token; the one that was refused, where to ask for another is futile.

        Raises:
            AnswerLost: The token request that this call waited for got no answer.
            CozeError: There is no token; see `request_token`.
        """
        if (ready := self.usable()) is not None:
            return ready
        self._share_failure(turn)
        # Read even where memory has a token: another process may have renewed it.
        yield from self._load()
        token = self._token
        if token is None or not (self._is_good(token) or self.is_futile(token)):
            token = yield from self._renewed(token)
        if self._unsaved:
            yield from self._save(token)
        return token

    def _renewed(self, token: Token | None) -> Generator[Step, HTTPResponse | Token | None, Token]:
        spent = token is not None and token.refresh_token is not None and token.refresh_token == self._spent
        make = None if spent else self._source.renewal(token)
        if make is None:
            raise self._log_in(token)
        spending = token.refresh_token if token is not None else None
        self._failure, self._lost_before, self._lost = AnswerLost(), self._lost, spending
        try:
            renewed = yield from _asked(make, self._skew)
        except APIError as error:
            self._failure, self._failed_at = error, time.monotonic()
            other = yield from self._settled(error, token)
            return other
        except GeneratorExit:  # the connection broke, or the caller was cancelled
            self._failed_at = time.monotonic()
            raise
        finally:
            self.turn += 1
        self._failure = self._lost = None
        return self._accept(renewed)

    def _settled(self, error: APIError, token: Token | None) -> Generator[Step, HTTPResponse | Token | None, Token]:
        """Look for a way to go on after a refusal.

        Raises:
            APIError: There is none.
        """
        lost = self._lost_before is not None and self._lost_before == self._lost
        self._lost = self._lost_before if error.retryable else None
        if isinstance(error, InvalidGrant):
            yield from self._load()  # a lock can end before its holder is done
            other = self._token
            if other is not None and other != token and self._is_good(other):
                self._failure = None
                return other
            if token is not None:
                self._spent = token.refresh_token
            if lost:
                error.hint = (
                    "The answer to an earlier refresh was lost with its connection. Coze had spent the refresh token"
                    " by then, and the next one was in that answer: the user must log in again."
                )
        if token is not None and self._is_valid(token):
            self._failure = None
            return token
        raise error

    def _load(self) -> Generator[Step, HTTPResponse | Token | None, None]:
        stored = yield lambda: self._store.load(self._key)
        assert stored is None or isinstance(stored, Token)
        self._opened = True
        if stored is not None:
            self._kept = True
            if self._token is None or not self._unsaved or stored.expires_at > self._token.expires_at:
                self._token, self._unsaved = stored, False
        elif self._kept:
            self._token, self._kept, self._unsaved = None, False, False  # logged out elsewhere

    def _save(self, token: Token) -> Generator[Step, HTTPResponse | Token | None, None]:
        try:
            yield lambda: self._store.save(self._key, token)
        except GeneratorExit:  # it failed: those who wait need not try it one by one
            self._failed_at = time.monotonic()
            raise
        self._unsaved, self._kept = False, True

    def _share_failure(self, turn: int) -> None:
        """End a wait as the renewal ended that was waited for: many who try again one by one help nobody."""
        if self.turn != turn and self._failure is not None:
            raise copy.copy(self._failure)

    def _accept(self, token: Token) -> Token:
        if token.refresh_token is None and self._token is not None and self._token.refresh_token is not None:
            token = attrs.evolve(token, refresh_token=self._token.refresh_token)
        obtained = token.obtained_at
        self._skew = 0.0 if obtained is None else obtained.timestamp() - time.time()
        self._token, self._unsaved, self._refused, self._trusted = token, True, None, None
        self._own = token.access_token
        if not self._is_good(token):
            self._trusted = token.access_token  # it is new, so the clock is wrong: only a refusal will tell its end
        return token

    def _is_calm(self) -> bool:
        return time.monotonic() - self._failed_at < _CALM

    def _is_good(self, token: Token) -> bool:
        calm = self._is_calm() or token.refresh_token == (self._spent or object())
        return self._is_valid(token, 0 if calm else self._leeway)

    def _is_valid(self, token: Token, leeway: float = 0) -> bool:
        if token.access_token == self._refused:
            return False
        if token.access_token == self._trusted:
            return True
        if token.obtained_at is not None:
            leeway = min(
                leeway, _seconds(token.expires_at, token.obtained_at) / 2
            )  # of a token that lives for a minute
        return time.time() + self._skew < token.expires_at.timestamp() - leeway

    def _log_in(self, token: Token | None) -> InvalidGrant:
        if token is None:
            text, hint = "there is no token", "The user must log in, or did log out elsewhere."
        elif token.refresh_token is None:
            text, hint = "the token has expired or was refused, and has no refresh token", "The user must log in again."
        else:
            text, hint = "the refresh token was refused before", "The user must log in again."
        return InvalidGrant(text, operation=f"store key {self._key!r}", hint=hint)


def _asked(make: Callable[[float], TokenRequest], skew: float) -> Generator[Step, HTTPResponse | Token | None, Token]:
    """Is `request_token`, in the types of steps."""
    steps = request_token(make, skew)
    try:
        token_request = next(steps)
        while True:
            answer = yield token_request
            assert isinstance(answer, HTTPResponse)
            token_request = steps.send(answer)
    except StopIteration as done:
        return done.value  # type: ignore[no-any-return]  # a generator's result has no type


def _seconds(later: datetime, earlier: datetime) -> float:
    return (later - earlier).total_seconds()
