"""Tokens in Redis, for processes on several machines."""

from __future__ import annotations

import inspect
import json
import secrets
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from coze_api._core._secrets import hidden

from ..errors import CozeError, InvalidArgumentError, TokenStoreError
from ._token import Token

__all__ = ["RedisStore"]

_DAY = 24 * 60 * 60
_SKEW = 60 * 60
"""Seconds added to the lifetime of a stored token, since the clocks of this machine and of Coze may differ."""
_LONGEST = 100 * 365 * _DAY
_UNLOCK = "if redis.call('get', KEYS[1]) == ARGV[1] then return redis.call('del', KEYS[1]) else return 0 end"


class RedisStore:
    """Stores tokens in Redis. Needs `cozekit[redis]`.

    A lock that is not released, because its holder was killed, ends after *lock_seconds*. Redis removes a token that
    can no longer be used: with a refresh token, *refresh_seconds* after it was saved; without one, when it expires.
    Turn on persistence in Redis; otherwise users must log in again after a restart of Redis.
    """

    def __init__(
        self, redis: Any, *, prefix: str = "cozekit:", lock_seconds: float = 60, refresh_seconds: float = 30 * _DAY
    ) -> None:
        """Create a store.

        Args:
            redis: An address such as ``redis://localhost:6379/0``, or a client (`redis.Redis`).
            prefix: Prefix of all keys.
            lock_seconds: How long a lock lasts at most. It must be longer than a token request may take.
            refresh_seconds: Lifetime of a refresh token. Default: 30 days, as Coze documents.

        Raises:
            InvalidArgumentError: A number of seconds is not above 0, the address cannot be used, or the client is an
                async one.
            CozeError: The library redis is missing.
        """
        redis = hidden(redis)  # an address may hold a password
        try:
            import redis as library
        except ImportError:
            raise CozeError('RedisStore needs the library redis: pip install "cozekit[redis]"') from None
        if inspect.iscoroutinefunction(getattr(redis, "execute_command", None)):
            raise InvalidArgumentError(
                "give a redis.Redis, for AsyncCoze too, which calls it in threads: not an async one"
            )
        for name, seconds in (("lock_seconds", lock_seconds), ("refresh_seconds", refresh_seconds)):
            if not 0 < seconds < _LONGEST:
                raise InvalidArgumentError(f"{name} must be above 0 and below {_LONGEST:,}")
        self._errors = (library.RedisError, OSError)
        client = _connected(library, redis) if isinstance(redis, str) else redis
        if client is None:  # the library's own error shows the address
            raise InvalidArgumentError("redis must be an address such as redis://localhost:6379/0, or a redis.Redis")
        self._redis = client
        self._prefix = prefix
        self._lock_ms = max(int(lock_seconds * 1000), 1)
        self._refresh_seconds = refresh_seconds

    def __repr__(self) -> str:
        return f"RedisStore(prefix={self._prefix!r})"  # an address may hold a password

    def load(self, key: str) -> Token | None:
        """Return the token with the name *key*, or None.

        Raises:
            TokenStoreError: Redis does not respond, or its value is not a token.
        """
        name = f"{self._prefix}token:{key}"
        token, problem = self._read(name)
        if problem:
            raise TokenStoreError(f"the token {name!r} cannot be read: {problem}")
        return token

    def save(self, key: str, token: Token) -> None:
        """Store a token under the name *key*.

        Raises:
            TokenStoreError: Redis does not respond, or rejects the command.
        """
        name = f"{self._prefix}token:{key}"
        milliseconds = self._lifetime(token)
        _, problem = self._call(lambda: self._redis.set(name, json.dumps(token.to_dict()), px=milliseconds))
        if problem:
            raise TokenStoreError(f"the token cannot be stored as {name!r}: {problem}")

    def _lifetime(self, token: Token) -> int:
        """Return the milliseconds after which a token can no longer be used."""
        seconds = token.expires_at.timestamp() - time.time() + _SKEW
        if token.refresh_token is not None:
            seconds = max(seconds, self._refresh_seconds + _SKEW)
        return int(min(max(seconds, _SKEW), _LONGEST) * 1000)

    def delete(self, key: str) -> None:
        """Delete the token with the name *key*, if there is one.

        Raises:
            TokenStoreError: Redis does not respond.
        """
        name = f"{self._prefix}token:{key}"
        _, problem = self._call(lambda: self._redis.delete(name))
        if problem:
            raise TokenStoreError(f"the token {name!r} cannot be removed: {problem}")

    def try_lock(self, key: str) -> Callable[[], None] | None:
        """Lock the name *key* for all processes that use this Redis, without waiting.

        Returns:
            A function that releases the lock; None if it is held.

        Raises:
            TokenStoreError: Redis does not respond.
        """
        name, owner = f"{self._prefix}lock:{key}", secrets.token_hex(16)
        taken, problem = self._call(lambda: self._redis.set(name, owner, nx=True, px=self._lock_ms))
        if problem:
            raise TokenStoreError(f"{name!r} cannot be locked: {problem}")

        def unlock() -> None:
            with suppress(*self._errors):  # the lock ends by itself
                self._redis.eval(_UNLOCK, 1, name, owner)  # if it is still ours

        return unlock if taken else None

    def _read(self, name: str) -> tuple[Token | None, str]:
        content, problem = self._call(lambda: self._redis.get(name))
        if problem or content is None:
            return None, problem
        try:
            token = Token.from_dict(json.loads(content))
        except (ValueError, TypeError):
            token = None
        return token, "" if token is not None else "its value is not a token; delete it and log in again"

    def _call(self, command: Callable[[], Any]) -> tuple[Any, str]:
        """Run a command and return its result, or the problem. It does not raise: tracebacks would show the token."""
        try:
            return command(), ""
        except self._errors as error:
            return None, f"{type(error).__name__}; check that Redis is running and accepts this client"


def _connected(library: Any, address: str) -> Any:
    try:
        return library.Redis.from_url(address)
    except ValueError:
        return None
