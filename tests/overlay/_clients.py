"""Write a test once for both clients: the async client is driven from outside its event loop, as if it were sync."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from typing import Any

import httpx
from anyio.from_thread import BlockingPortal

from coze_api import AsyncPage, AsyncPager
from coze_api._core._client_async import AsyncBaseClient
from coze_api._core._resource import AsyncResource
from coze_api._core._stream_async import AsyncStream
from cozekit import AsyncCoze, AsyncWorkflowResult, Coze, RetryPolicy
from cozekit._streams.chained_async import AsyncChainedStream
from cozekit._websockets.chat_async import AsyncTurn
from cozekit._websockets.interpretation_async import AsyncInterpretation
from cozekit._websockets.session_async import AsyncSession
from cozekit.auth._flow_async import AsyncOAuthFlow

__all__ = ["Connect", "Counter", "at_once", "unwrap"]

_END = object()


def at_once(max_retries: int = 2, **settings: Any) -> RetryPolicy:
    """Return a policy that retries without waiting."""
    return RetryPolicy(max_retries=max_retries, initial_delay=0, **settings)


def unwrap(target: Any) -> Any:
    """Return an object of either client without the wrapper that makes it look sync."""
    return target.raw if isinstance(target, _Shown) else target


class Counter:
    """A mock transport that returns the given responses in order, repeats the last one, and records the requests.

    An exception is raised, a number is an HTTP status, a dict a JSON body, a function is called with the request.
    """

    def __init__(self, *answers: Any) -> None:
        self.answers = answers
        self.requests: list[httpx.Request] = []
        self.headers: list[
            httpx.Headers
        ] = []  # copies, since a strategy changes the headers of a request that it sends twice

    def __call__(self, request: httpx.Request) -> httpx.Response:
        request.read()
        self.requests.append(request)
        self.headers.append(request.headers.copy())
        answer = self.answers[min(len(self.requests), len(self.answers)) - 1]
        if callable(answer) and not isinstance(answer, type):
            answer = answer(request)
        if isinstance(answer, Exception | type):
            raise answer("mocked") if isinstance(answer, type) else answer
        if isinstance(answer, httpx.Response):
            return httpx.Response(answer.status_code, headers=answer.headers, content=answer.content)
        if isinstance(answer, int):
            return httpx.Response(answer, json={"code": 0, "data": {}})
        return httpx.Response(200, json=answer)

    def __len__(self) -> int:
        return len(self.requests)


class Connect:
    """Creates clients of one kind and closes them after the test.

    Attributes:
        is_async: Whether the clients are async.
    """

    def __init__(self, portal: BlockingPortal | None) -> None:
        self._portal = portal
        self._made: list[Any] = []
        self.is_async = portal is not None
        self.client: Any = AsyncCoze if portal else Coze

    def __call__(self, token: Any = None, *, handler: Callable[..., Any] | None = None, **options: Any) -> Any:
        """Create a client, with *handler* in place of a network, which looks as if it were sync."""
        if handler is not None:
            options["http_client"] = self.http(transport=httpx.MockTransport(handler))
            token = token or ("pat_test" if "auth" not in options else None)
        coze = self.client(token, **options)
        self._made.append(coze)
        return self.show(coze)

    def http(self, **options: Any) -> Any:
        """Create an HTTP client of the same kind."""
        return httpx.AsyncClient(**options) if self.is_async else httpx.Client(**options)

    def show(self, target: Any) -> Any:
        """Wrap an async object so that it looks sync; return anything else unchanged."""
        return target if self._portal is None else _show(self._portal, target)

    def run(self, function: Callable[..., Any], *arguments: Any) -> Any:
        """Call a function, or await a coroutine function."""
        return function(*arguments) if self._portal is None else self._portal.call(function, *arguments)

    def close(self) -> None:
        for coze in self._made:
            self.run(coze.close)
            if not coze._owns_http:
                self.run(coze._http.aclose if self.is_async else coze._http.close)


class _Shown:
    """Wraps an async object so that it looks sync."""

    def __init__(self, portal: BlockingPortal, target: Any) -> None:
        self._portal = portal
        self.raw = target

    def __getattr__(self, name: str) -> Any:
        value = getattr(self.raw, name)
        if not inspect.ismethod(value):
            return _show(self._portal, value)

        def call(*arguments: Any, **options: Any) -> Any:
            async def act() -> Any:  # some calls need a running event loop
                result = value(*arguments, **options)
                return await result if inspect.isawaitable(result) else result

            return _show(self._portal, self._portal.call(act))

        return call

    def __iter__(self) -> Iterator[Any]:
        source = self.raw.__aiter__()

        async def step() -> Any:
            return await anext(source, _END)

        while (item := self._portal.call(step)) is not _END:
            yield _show(self._portal, item)

    def __next__(self) -> Any:
        return next(iter(self))

    def __len__(self) -> int:
        return len(self.raw)

    def __repr__(self) -> str:
        return repr(self.raw)

    def __enter__(self) -> Any:
        return _show(self._portal, self._portal.call(self.raw.__aenter__))

    def __exit__(self, *details: object) -> None:
        self._portal.call(self.raw.__aexit__, *details)


def _show(portal: BlockingPortal, value: Any) -> Any:
    wrapped = (
        AsyncBaseClient, AsyncResource, AsyncStream, AsyncChainedStream, AsyncPage, AsyncPager, AsyncWorkflowResult,
        AsyncSession, AsyncTurn, AsyncInterpretation, AsyncOAuthFlow,
    )  # fmt: skip
    return _Shown(portal, value) if isinstance(value, wrapped) or inspect.isasyncgen(value) else value
