"""Base of the clients: sends requests and decodes their responses."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any, Self, TypeVar, overload

import attrs

from ._backends.client import make_http_client
from ._backends.options import HTTPBackend
from ._body import ENCODINGS, MAX_RESPONSE_BYTES, aread_body, check_encoding
from ._client_config import MAX_EVENT_BYTES, USER_AGENT, ClientConfig
from ._decode import error_in_file, read, read_redirect, refusal
from ._download_async import MAX_ERROR_BYTES, AsyncBinary, is_binary, may_be_error
from ._errors import DecodeError
from ._http import (
    AsyncHTTPClient,
    Auth,
    HTTPResponse,
    asend,
    default_timeout,
)
from ._operation import Operation, Options, Protocol, Timeout
from ._pager_async import AsyncPager, first_page
from ._pagination_async import AsyncPage, page_info, response_of
from ._pool_async import AsyncConnectionLimit
from ._request import Request, prepare
from ._response import Redirect
from ._secrets import hidden, hidden_userinfo
from ._sequence import OnGap
from ._stream_async import AsyncStream
from ._stream_base import is_event_stream

if TYPE_CHECKING:
    from ._handshake import Handshake
    from ._messages import SocketProtocol

__all__ = ["AsyncBaseClient"]

T = TypeVar("T")
E = TypeVar("E")
R = TypeVar("R")
U = TypeVar("U")
D = TypeVar("D")
S = TypeVar("S", bound=AsyncStream[Any])
_HEADERS = {"User-Agent": USER_AGENT, "Accept-Encoding": ENCODINGS}
_Accepts = Callable[[HTTPResponse], bool]


class AsyncBaseClient(ClientConfig):
    """Sends requests. A sync client can be shared between threads; an async one belongs to one event loop."""

    def __init__(
        self,
        base_url: str,
        token: str | None = None,
        *,
        auth: Auth | None = None,
        timeout: Timeout = None,
        headers: Mapping[str, str] | None = None,
        http_client: AsyncHTTPClient | None = None,
        http_backend: HTTPBackend | None = None,
        max_event_bytes: int = MAX_EVENT_BYTES,
        max_response_bytes: int = MAX_RESPONSE_BYTES,
        on_gap: OnGap = "warn",
    ) -> None:
        """Make a client.

        Args:
            base_url: Address of the service, such as ``https://api.coze.com``.
            token: Access token. Sent as a bearer token.
            auth: Strategy that authorizes each request, instead of a token.
            timeout: A tuple of seconds to connect, to read, to write and to get a connection, where None is no limit,
                or a number for each of the four. Without it 5, 60, 60 and None, or the timeouts of *http_client*.
            headers: Sent with every request.
            http_client: An httpx client with your own proxies, limits or hooks. You close it yourself. Without it, the
                proxies of the environment are used, except for addresses of this machine.
            http_backend: How connections are made, instead of *http_client*.
            max_event_bytes: Largest event that a stream may hold.
            max_response_bytes: Largest decompressed response, errors included. Files have no limit.
            on_gap: What a stream does when the numbers of its events show that some were lost or came twice: ``raise``
                `StreamGap`, ``warn`` by `StreamGapWarning`, or ``ignore`` it. `stream.gaps` lists them in each case.

        Raises:
            InvalidArgumentError: *base_url* is not an address, or environment variables name proxies or certificates
                that cannot be used.
        """
        token, headers, base_url = hidden(token), hidden(headers), hidden_userinfo(base_url)
        super().__init__(
            base_url,
            token,
            auth=auth,
            timeout=timeout,
            headers=headers,
            max_event_bytes=max_event_bytes,
            max_response_bytes=max_response_bytes,
            on_gap=on_gap,
        )
        self._owns_http = http_client is None
        self._http: AsyncHTTPClient = http_client or make_http_client(
            AsyncHTTPClient,
            AsyncConnectionLimit,
            self._base_url,
            http_backend,
            headers=_HEADERS,
            timeout=default_timeout(),
        )

    async def request(self, operation: Operation[T], arguments: Mapping[str, Any], options: Options) -> T:
        """Send a request and return its result. Generated methods end here."""
        request = prepare(operation, arguments, options)

        async def exchange() -> T:
            return read(operation, await self._send(request))

        return await self._exchange(request, exchange)

    def paginate(self, operation: Operation[Any], arguments: Mapping[str, Any], options: Options) -> AsyncPager[Any]:
        """Load the items page by page, an async client once that is awaited or iterated. Generated methods end here."""
        return first_page(partial(self._page, operation, arguments, options=options))

    async def _page(
        self, operation: Operation[Any], arguments: Mapping[str, Any], options: Options, before: int = 0
    ) -> AsyncPage[Any]:
        answer = await self.request(operation, arguments, options)
        info = page_info(operation, arguments, answer, before)
        if isinstance(info, DecodeError):
            del answer
            raise info
        load = partial(self._page, operation, options=options, before=before + len(info.items))
        return AsyncPage(info.items, answer, info.total, info.has_more, response_of(answer), info.next, load)

    @overload
    def stream(
        self, operation: Operation[Any], protocol: Protocol[E], arguments: Mapping[str, Any], options: Options
    ) -> AsyncStream[E]: ...

    @overload
    def stream(
        self,
        operation: Operation[Any],
        protocol: Protocol[Any],
        arguments: Mapping[str, Any],
        options: Options,
        kind: type[S],
    ) -> S: ...

    def stream(
        self,
        operation: Operation[Any],
        protocol: Protocol[Any],
        arguments: Mapping[str, Any],
        options: Options,
        kind: type[AsyncStream[Any]] = AsyncStream,
    ) -> AsyncStream[Any]:
        """Make a stream, which sends its request when it is opened. Generated methods end here."""
        return kind(
            operation, protocol, self._opener(operation, arguments, options), self._max_event_bytes, self._on_gap
        )

    def _opener(
        self, operation: Operation[Any], arguments: Mapping[str, Any], options: Options
    ) -> Callable[[], Awaitable[HTTPResponse]]:
        request = prepare(operation, arguments, options)
        request.headers.setdefault("accept", "text/event-stream")
        # Retries change the request, so each opening gets a copy.
        return lambda: self._opened(attrs.evolve(request))

    async def _opened(self, request: Request) -> HTTPResponse:
        return await self._exchange(request, lambda: self._open(request, is_event_stream))

    async def download(self, operation: Operation[Any], arguments: Mapping[str, Any], options: Options) -> AsyncBinary:
        """Send a request whose response is a file. Generated methods end here."""
        request = prepare(operation, arguments, options)

        async def exchange() -> AsyncBinary:
            http = await self._open(request, partial(is_binary, operation))
            file = AsyncBinary(operation.id, http)
            if may_be_error(http) and (error := error_in_file(operation, http, await file._peek(MAX_ERROR_BYTES))):
                raise error
            return file

        return await self._exchange(request, exchange)

    async def redirect(self, operation: Operation[Any], arguments: Mapping[str, Any], options: Options) -> Redirect:
        """Send a request whose response redirects a browser. Generated methods end here."""
        request = prepare(operation, arguments, options)

        async def exchange() -> Redirect:
            return read_redirect(operation, await self._send(request, follow_redirects=False))

        return await self._exchange(request, exchange)

    def handshake(
        self, operation: Operation[Any], protocol: SocketProtocol[U, D], arguments: Mapping[str, Any], options: Options
    ) -> Handshake[U, D]:
        """Return the handshake that opens a WebSocket. Generated methods end here."""
        return self._handshake(operation, protocol, arguments, options)

    async def _open(self, request: Request, accepts: _Accepts) -> HTTPResponse:
        http = await self._send(request, stream=True)
        if accepts(http):
            try:
                check_encoding(http)
            except BaseException:
                await http.aclose()
                raise
            return http
        await aread_body(http)
        raise refusal(request.operation, http)

    async def _exchange(self, request: Request, call: Callable[[], Awaitable[R]]) -> R:
        """Send *request* and read its response by *call*. Subclasses retry here."""
        return await call()

    async def _send(self, request: Request, *, stream: bool = False, **options: Any) -> HTTPResponse:
        options |= self._send_options(request)
        http = await asend(self._http, self._built(request), stream=True, **options)
        if not stream:
            await aread_body(http)
        return http

    async def close(self) -> None:
        """Close the connections, unless the caller passed the HTTP client."""
        if self._owns_http:
            await self._http.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()
