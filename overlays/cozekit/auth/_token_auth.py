"""The strategy that authorises requests with a token which looks after itself."""

from __future__ import annotations

import math
from collections.abc import AsyncGenerator, Callable, Generator

from coze_api._core._body import aread_body, read_body
from coze_api._core._http import Auth, HTTPRequest, HTTPResponse, NetworkError
from coze_api._core._token_requests import check_token_answer, same_service, token_request

from ..errors import InvalidArgumentError, TokenStoreError
from ._refresh_lock import Turns
from ._request_auth import Attempts
from ._token import Token
from ._token_manager import AnswerLost, Renewals, TokenSource
from ._token_request import TokenRequest
from ._token_store import MemoryStore, TokenStore

__all__ = ["TokenAuth"]

_Step = HTTPRequest | HTTPResponse | Callable[[], Token | None]
"""What a renewal wants done: send a request, read its answer, or call the store."""

_Answer = HTTPResponse | Token | None


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
        self._turns = Turns(self._store, self._key)

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
        attempts = Attempts(self._renewals, request)
        while attempts.go_on():
            if attempts.lack_token():
                try:
                    attempts.take((yield from self._renew(request)))
                except TokenStoreError as error:
                    attempts.take(self._renewals.despite(error))
            response = yield attempts.authorised()
            if attempts.must_read(response):
                read_body(response)
                attempts.judge(response)

    def _renew(self, request: HTTPRequest) -> Generator[HTTPRequest, HTTPResponse, Token]:
        turn = self._renewals.turn
        with self._turns.alone(request):
            steps = self._steps(turn, request)
            answer: _Answer = None
            try:
                while True:
                    step = steps.send(answer)
                    answer = None
                    if isinstance(step, HTTPRequest):
                        answer = yield step
                    elif isinstance(step, HTTPResponse):
                        read_body(step)
                    else:
                        answer = step()
            except StopIteration as done:
                return done.value  # type: ignore[no-any-return]  # a generator's result has no type
            except GeneratorExit as end:
                if not _is_broken(end):
                    self._renewals.abandoned()
                raise
            finally:
                steps.close()

    async def async_auth_flow(self, request: HTTPRequest) -> AsyncGenerator[HTTPRequest, HTTPResponse]:
        """Authorise a request of an async client. Called by the HTTP client."""
        self._check(request)
        attempts = Attempts(self._renewals, request)
        while attempts.go_on():
            if attempts.lack_token():
                try:
                    turn = self._renewals.turn
                    async with self._turns.alone_async(request):
                        steps = self._steps(turn, request)
                        answer: _Answer = None
                        try:
                            while True:
                                step = steps.send(answer)
                                answer = None
                                if isinstance(step, HTTPRequest):
                                    answer = yield step
                                elif isinstance(step, HTTPResponse):
                                    await aread_body(step)
                                else:
                                    answer = await self._turns.in_thread(step)
                        except StopIteration as done:
                            attempts.take(done.value)
                        finally:
                            if _is_cancelled():
                                self._renewals.abandoned()
                            steps.close()
                except TokenStoreError as error:
                    attempts.take(self._renewals.despite(error))
            response = yield attempts.authorised()
            if attempts.must_read(response):
                await aread_body(response)
                attempts.judge(response)

    def _steps(self, turn: int, request: HTTPRequest) -> Generator[_Step, _Answer, Token]:
        """Get a token that is good for *request*. Yields what to do, and takes what came of it."""
        steps = self._renewals.steps(turn)
        answer: _Answer = None
        try:
            while True:
                step = steps.send(answer)
                if isinstance(step, TokenRequest):
                    asked = self._build_token_request(step, request)
                    answer = yield asked
                    assert isinstance(answer, HTTPResponse)
                    check_token_answer(answer, asked, step.operation.id)
                    yield answer
                else:
                    answer = yield step
        except StopIteration as done:
            return done.value  # type: ignore[no-any-return]  # a generator's result has no type
        except AnswerLost:
            marked = token_request(None, request.url, request)
            raise NetworkError("the token request of another call got no answer", request=marked) from None
        finally:
            steps.close()

    def _check(self, request: HTTPRequest) -> None:
        if not same_service(request.url, self.base_url):
            raise InvalidArgumentError(
                f"{self!r} does not authorise requests to {request.url.host}: its tokens are for its own service"
            )

    def _build_token_request(self, wanted: TokenRequest, request: HTTPRequest) -> HTTPRequest:
        prepared = wanted.request()
        return token_request(prepared, self._source.address_of(prepared), request)


def _is_broken(end: BaseException | None) -> bool:
    """Tell whether the HTTP client closes a flow because of the connection: that is what it is handling."""
    while isinstance(end, GeneratorExit):
        end = end.__context__
    return isinstance(end, Exception)  # an HTTPError, or whatever servers that speak nonsense make the library raise


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
