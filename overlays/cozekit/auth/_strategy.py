"""The strategy that authorises requests with a token which looks after itself."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Generator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import TYPE_CHECKING, Any, TypeVar
from weakref import WeakKeyDictionary

from coze_api._core._http import (
    Auth,
    HTTPError,
    HTTPRequest,
    HTTPResponse,
    NetworkError,
    TimeoutException,
    check_token_answer,
    may_be_sent_again,
    same_service,
    token_request,
)
from coze_api._core._json import loads
from coze_api._core._response import code_of
from coze_api.errors import error_class

from ..errors import AuthenticationError, InvalidArgumentError, TokenStoreError
from ._claim import Claim
from ._grants import Grant
from ._renewals import AnswerLost, Renewals, TokenSource
from ._stores import MemoryStore, TokenStore
from ._token import Token

if TYPE_CHECKING:
    from anyio import Lock
    from anyio.lowlevel import RunVar

__all__ = ["TokenAuth"]

R = TypeVar("R")
_PATIENCE = 60.0
"""Seconds to wait for a token that somebody else renews, where the request has no timeout."""

_PAUSES = (0.005, 0.01, 0.02, 0.05)
_LARGEST_REFUSAL = 4096


class TokenAuth(Auth):
    """Authorises requests with a token, and renews it: before it expires, and once where Coze refuses it.

    One object works in `Coze` and `AsyncCoze` at once, for any number of threads and tasks; whatever their number, one
    token request is made. Token requests go the way of the client that needs the token, through its proxies and hooks.
    """

    def __init__(
        self,
        source: TokenSource,
        token: Token | None = None,
        *,
        store: TokenStore | None = None,
        key: str | None = None,
        leeway: float = 60,
    ) -> None:
        """Make a strategy. The flows do so by their `auth` methods.

        Args:
            source: Where tokens come from.
            token: The token to begin with. Default: what *store* has. Of both, the one that expires later is used.
            store: Keeps the token. Default: in memory.
            key: Name of the token in the store. Default: that of *source*.
            leeway: Seconds before it expires at which a token is renewed; at most half of its life.

        Raises:
            InvalidArgumentError: An argument is unusable.
        """
        given: object = token
        if given is not None and not isinstance(given, Token):
            raise InvalidArgumentError(f"token must be a cozekit.auth.Token, not {type(given).__name__}")
        if store is not None and not isinstance(store, TokenStore):
            kind = type(store).__name__
            raise InvalidArgumentError(f"{kind} is no TokenStore: it needs load, save, delete and try_lock")
        if not isinstance(key, str | None):
            raise InvalidArgumentError(f"key must be a str, not {type(key).__name__}")
        if leeway < 0:
            raise InvalidArgumentError(f"leeway must be a number of seconds from 0, not {leeway:g}")
        self._source = source
        self._store = MemoryStore() if store is None else store
        self._key = source.default_key if key is None else key
        self._renewals = Renewals(source, token, self._store, self._key, leeway)
        self._lock = threading.Lock()

    @property
    def base_url(self) -> str:
        """Address of the service that the tokens are for. Clients take it over."""
        return self._source.base_url

    def __repr__(self) -> str:
        source = getattr(self, "_source", None)  # none yet, where an argument was refused
        return f"{type(self).__name__}({source!r}, key={self._key!r})" if source else f"{type(self).__name__}()"

    def sync_auth_flow(self, request: HTTPRequest) -> Generator[HTTPRequest, HTTPResponse, None]:
        """Authorise a request of a sync client. Called by the HTTP client."""
        self._check(request)
        renewed = False
        for _ in range(3):  # the second token may be that of another process, and refused as well
            token = self._renewals.usable()
            if token is None:
                try:
                    token = yield from self._renew(request)
                except TokenStoreError as error:
                    token = self._renewals.despite(error)
                renewed = self._renewals.is_own(token)
            _authorise(request, token)
            response = yield request
            if not _may_refuse(response):
                return
            response.read()
            if not _refuses(response):
                return
            self._renewals.refused(token)
            if renewed or not may_be_sent_again(request):
                return

    async def async_auth_flow(self, request: HTTPRequest) -> AsyncGenerator[HTTPRequest, HTTPResponse]:
        """Authorise a request of an async client. Called by the HTTP client."""
        self._check(request)
        renewed = False
        for _ in range(3):  # the second token may be that of another process, and refused as well
            token = self._renewals.usable()
            if token is None:
                try:
                    turn = self._renewals.turn
                    async with self._alone_async(request):
                        steps = self._renewals.steps(turn)
                        answer: HTTPResponse | Token | None = None
                        try:
                            while True:
                                step = steps.send(answer)
                                if isinstance(step, Grant):
                                    asked = self._built(step, request)
                                    answer = http = yield asked
                                    check_token_answer(http, asked, step.operation.id)
                                    await http.aread()
                                else:
                                    answer = await self._in_thread(step)
                        except StopIteration as done:
                            token = done.value
                        except AnswerLost:
                            raise self._lost(request) from None
                        finally:
                            if _is_cancelled():
                                self._renewals.abandoned()
                            steps.close()
                except TokenStoreError as error:
                    token = self._renewals.despite(error)
                renewed = self._renewals.is_own(token)
            _authorise(request, token)
            response = yield request
            if not _may_refuse(response):
                return
            await response.aread()
            if not _refuses(response):
                return
            self._renewals.refused(token)
            if renewed or not may_be_sent_again(request):
                return

    def _renew(self, request: HTTPRequest) -> Generator[HTTPRequest, HTTPResponse, Token]:
        turn = self._renewals.turn
        with self._alone(request):
            steps = self._renewals.steps(turn)
            answer: HTTPResponse | Token | None = None
            try:
                while True:
                    step = steps.send(answer)
                    if isinstance(step, Grant):
                        asked = self._built(step, request)
                        answer = http = yield asked
                        check_token_answer(http, asked, step.operation.id)
                        http.read()
                    else:
                        answer = step()
            except StopIteration as done:
                return done.value  # type: ignore[no-any-return]  # a generator's result has no type
            except AnswerLost:
                raise self._lost(request) from None
            except GeneratorExit as end:
                if not _is_broken(end):
                    self._renewals.abandoned()
                raise
            finally:
                steps.close()

    def _check(self, request: HTTPRequest) -> None:
        if not same_service(request.url, self.base_url):
            raise InvalidArgumentError(
                f"{self!r} does not authorise requests to {request.url.host}: its tokens are for its own service"
            )

    def _built(self, grant: Grant, request: HTTPRequest) -> HTTPRequest:
        prepared = grant.request()
        return token_request(prepared, self._source.address_of(prepared), request)

    @contextmanager
    def _alone(self, request: HTTPRequest) -> Iterator[None]:
        """Keep all others, in this process and outside, from renewing the token."""
        limit = _patience(request)
        end = time.monotonic() + limit
        if not self._lock.acquire(timeout=limit):
            raise self._late(request)
        claim = Claim(self._store, self._key)
        try:
            for pause in _pauses(end):
                if claim.take():
                    break
                time.sleep(pause)
            else:
                raise self._late(request)
            yield
        finally:
            claim.drop()
            self._lock.release()

    @asynccontextmanager
    async def _alone_async(self, request: HTTPRequest) -> AsyncIterator[None]:
        from anyio import CancelScope, move_on_after, sleep

        limit = _patience(request)
        end = time.monotonic() + limit
        lock = _lock_of_this_loop(self)
        with move_on_after(limit) as waiting:
            await lock.acquire()
        if waiting.cancelled_caught:
            raise self._late(request)
        claim = Claim(self._store, self._key)
        try:
            for pause in _pauses(end):
                if await self._in_thread(claim.take):
                    break
                await sleep(pause)
            else:
                raise self._late(request)
            yield
        finally:
            with CancelScope(shield=True):
                await self._in_thread(claim.drop)
            lock.release()

    async def _in_thread(self, call: Callable[[], R]) -> R:
        """Call something that may block."""
        if isinstance(self._store, MemoryStore):
            return call()
        from anyio.to_thread import run_sync

        return await run_sync(call)

    def _late(self, request: HTTPRequest) -> TimeoutException:
        text = f"another call or process holds the lock of the token {self._key!r} for too long"
        return TimeoutException(text, request=_marked(request))

    def _lost(self, request: HTTPRequest) -> NetworkError:
        return NetworkError("the token request of another call got no answer", request=_marked(request))


_locks: RunVar[WeakKeyDictionary[TokenAuth, Lock]] | None = None


def _lock_of_this_loop(strategy: TokenAuth) -> Lock:
    """Return the strategy's lock in the running event loop, which is fair and can be waited for without a thread."""
    global _locks
    from anyio import Lock
    from anyio.lowlevel import RunVar

    if _locks is None:
        _locks = RunVar("cozekit.auth")
    known = _locks.get(None)
    if known is None:
        known = WeakKeyDictionary()
        _locks.set(known)
    return known.setdefault(strategy, Lock())


def _is_broken(end: BaseException | None) -> bool:
    """Tell whether the HTTP client closes a flow because of the connection: that is what it is handling."""
    while end is not None and not isinstance(end, HTTPError):
        end = end.__context__
    return end is not None


def _is_cancelled() -> bool:
    """Tell whether the running task is being cancelled, by a scope of anyio or by itself."""
    import asyncio

    from anyio import current_effective_deadline

    if current_effective_deadline() == -math.inf:
        return True
    try:
        task = asyncio.current_task()
    except RuntimeError:  # an event loop of another library
        return False
    return task is not None and task.cancelling() > 0


def _authorise(request: HTTPRequest, token: Token) -> None:
    request.headers["Authorization"] = f"Bearer {token.access_token}"


def _may_refuse(response: HTTPResponse) -> bool:
    """Tell whether an answer may say that the token is wrong. Streams and files are not looked into."""
    return response.status_code == 401 or str(response.headers.get("content-type", "")).startswith("application/json")


def _refuses(response: HTTPResponse) -> bool:
    if response.status_code == 401:
        return True
    if len(response.content) > _LARGEST_REFUSAL:
        return False
    try:
        answer = loads(response.content)
    except ValueError:
        return False
    code = code_of(answer) if isinstance(answer, dict) else 0
    return code != 0 and error_class(code, response.status_code) is AuthenticationError


def _patience(request: HTTPRequest) -> float:
    seconds: Any = request.extensions.get("timeout", {}).get("read")
    return _PATIENCE if seconds is None else float(seconds)


def _pauses(end: float) -> Iterator[float]:
    """Give ever longer pauses between attempts, at least one, until a moment."""
    yield _PAUSES[0]
    yield from _PAUSES[1:]
    while time.monotonic() < end:
        yield _PAUSES[-1]


def _marked(request: HTTPRequest) -> HTTPRequest:
    """Return a request that stands for one for a token, as errors carry it."""
    return token_request(None, request.url, request)
