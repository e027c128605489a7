"""Authorizes requests with a token that is refreshed automatically."""

from __future__ import annotations

import math
from collections.abc import AsyncGenerator, Callable, Generator

from coze_api._core._body import aread_body, read_body
from coze_api._core._http import Auth, HTTPRequest, HTTPResponse, NetworkError
from coze_api._core._token_requests import check_token_answer, same_service, token_request

from ..errors import InvalidArgumentError, TokenStoreError
from ._refresh_lock import RefreshLock
from ._request_auth import RequestAuthorizer
from ._token import Token
from ._token_manager import ResponseLost, TokenManager, TokenSource
from ._token_request import TokenRequest
from ._token_store import MemoryStore, TokenStore

__all__ = ["TokenAuth"]

_Step = HTTPRequest | HTTPResponse | Callable[[], Token | None]
"""A step of a refresh: send a request, read its response, or call the store."""

_Result = HTTPResponse | Token | None


class TokenAuth(Auth):
    """Authorizes requests with a token, and refreshes it: before it expires, and once if Coze rejects it.

    One object can be used by `Coze` and `AsyncCoze` at once, with any number of threads and tasks: only one of them
    sends a token request. It is sent by the client that needs the token, through its proxies and hooks.
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
        """Create an auth. The `auth` methods of the flows do so.

        Args:
            source: Source of the tokens.
            token: The first token. Default: the one in *store*. Of both, the one that expires later is used.
            store: Stores the token. Default: in memory.
            key: Name of the token in the store. Default: that of *source*.
            leeway: A token is refreshed this many seconds before it expires; at most half of its lifetime.

        Raises:
            InvalidArgumentError: An argument is invalid.
        """
        argument: object = token
        if argument is not None and not isinstance(argument, Token):
            raise InvalidArgumentError(f"token must be a cozekit.auth.Token, not {type(argument).__name__}")
        if store is not None and not isinstance(store, TokenStore):
            kind = type(store).__name__
            raise InvalidArgumentError(f"{kind} is not a TokenStore: it needs load, save, delete and try_lock")
        if not isinstance(key, str | None):
            raise InvalidArgumentError(f"key must be a str, not {type(key).__name__}")
        if leeway < 0:
            raise InvalidArgumentError(f"leeway must be a number of seconds from 0, not {leeway:g}")
        self._source = source
        self._store = MemoryStore() if store is None else store
        self._key = source.default_key if key is None else key
        self._manager = TokenManager(source, token, self._store, self._key, leeway)
        self._refresh_lock = RefreshLock(self._store, self._key)

    @property
    def base_url(self) -> str:
        """Address of the service that the tokens are for. Clients take it over."""
        return self._source.base_url

    def __repr__(self) -> str:
        source = getattr(self, "_source", None)  # not set if an argument was invalid
        return f"{type(self).__name__}({source!r}, key={self._key!r})" if source else f"{type(self).__name__}()"

    def sync_auth_flow(self, request: HTTPRequest) -> Generator[HTTPRequest, HTTPResponse, None]:
        """Authorize a request of a sync client. Called by the HTTP client."""
        self._check_host(request)
        authorizer = RequestAuthorizer(self._manager, request)
        while authorizer.should_send():
            if authorizer.needs_token():
                try:
                    authorizer.set_token((yield from self._refresh(request)))
                except TokenStoreError as error:
                    authorizer.set_token(self._manager.token_despite_store_error(error))
            response = yield authorizer.authorized_request()
            if authorizer.should_inspect(response):
                read_body(response)
                authorizer.handle_response(response)

    def _refresh(self, request: HTTPRequest) -> Generator[HTTPRequest, HTTPResponse, Token]:
        generation = self._manager.generation
        with self._refresh_lock.acquire(request):
            steps = self._steps(generation, request)
            result: _Result = None
            try:
                while True:
                    step = steps.send(result)
                    result = None
                    if isinstance(step, HTTPRequest):
                        result = yield step
                    elif isinstance(step, HTTPResponse):
                        read_body(step)
                    else:
                        result = step()
            except StopIteration as done:
                return done.value  # type: ignore[no-any-return]  # a generator's result has no type
            except GeneratorExit as end:
                if not _is_connection_error(end):
                    self._manager.mark_abandoned()
                raise
            finally:
                steps.close()

    async def async_auth_flow(self, request: HTTPRequest) -> AsyncGenerator[HTTPRequest, HTTPResponse]:
        """Authorize a request of an async client. Called by the HTTP client."""
        self._check_host(request)
        authorizer = RequestAuthorizer(self._manager, request)
        while authorizer.should_send():
            if authorizer.needs_token():
                try:
                    generation = self._manager.generation
                    async with self._refresh_lock.acquire_async(request):
                        steps = self._steps(generation, request)
                        result: _Result = None
                        try:
                            while True:
                                step = steps.send(result)
                                result = None
                                if isinstance(step, HTTPRequest):
                                    result = yield step
                                elif isinstance(step, HTTPResponse):
                                    await aread_body(step)
                                else:
                                    result = await self._refresh_lock.run_in_thread(step)
                        except StopIteration as done:
                            authorizer.set_token(done.value)
                        finally:
                            if _is_canceled():
                                self._manager.mark_abandoned()
                            steps.close()
                except TokenStoreError as error:
                    authorizer.set_token(self._manager.token_despite_store_error(error))
            response = yield authorizer.authorized_request()
            if authorizer.should_inspect(response):
                await aread_body(response)
                authorizer.handle_response(response)

    def _steps(self, generation: int, request: HTTPRequest) -> Generator[_Step, _Result, Token]:
        """Get a valid token for *request*. Yields steps and receives their results."""
        steps = self._manager.refresh_steps(generation)
        result: _Result = None
        try:
            while True:
                step = steps.send(result)
                if isinstance(step, TokenRequest):
                    built = self._build_token_request(step, request)
                    result = yield built
                    assert isinstance(result, HTTPResponse)
                    check_token_answer(result, built, step.operation.id)
                    yield result
                else:
                    result = yield step
        except StopIteration as done:
            return done.value  # type: ignore[no-any-return]  # a generator's result has no type
        except ResponseLost:
            marked = token_request(None, request.url, request)
            raise NetworkError("the token request of another call got no response", request=marked) from None
        finally:
            steps.close()

    def _check_host(self, request: HTTPRequest) -> None:
        if not same_service(request.url, self.base_url):
            raise InvalidArgumentError(
                f"{self!r} does not authorize requests to {request.url.host}: its tokens are for its own service"
            )

    def _build_token_request(self, wanted: TokenRequest, request: HTTPRequest) -> HTTPRequest:
        prepared = wanted.request()
        return token_request(prepared, self._source.address_of(prepared), request)


def _is_connection_error(end: BaseException | None) -> bool:
    """Return whether the HTTP client closes a flow while it handles a connection error."""
    while isinstance(end, GeneratorExit):
        end = end.__context__
    return isinstance(end, Exception)  # an HTTPError, or another error that the library raises for invalid responses


def _is_canceled() -> bool:
    """Return whether the running task is being canceled, by a scope of anyio or directly."""
    import asyncio

    from anyio import current_effective_deadline

    if current_effective_deadline() == -math.inf:
        return True
    try:
        task = asyncio.current_task()
    except RuntimeError:  # an event loop of another library
        return False
    return task is not None and task.cancelling() > 0
