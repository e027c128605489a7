"""From a handshake to an open connection: authorized, and retried as the client's retry policy allows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

import attrs

from coze_api._core._body import exchange_async
from coze_api._core._decode import logid_of, refusal
from coze_api._core._handshake import Handshake
from coze_api._core._http import Auth, HTTPRequest, HTTPResponse
from coze_api._core._loopback import is_loopback
from coze_api._core._tls import default_ssl

from ..errors import CozeError
from .options import SocketOptions

if TYPE_CHECKING:
    from coze_api._core._client_async import AsyncBaseClient

    from .connect_params import ConnectParams
    from .connection_async import AsyncConnection

__all__ = ["open_connection"]

C = TypeVar("C")


def _load_library() -> Any:
    """Return the first of the modules that import websockets."""
    try:
        from . import connect_params
    except ModuleNotFoundError as error:
        if error.name is None or error.name.partition(".")[0] != "websockets":
            raise
        raise CozeError('WebSockets need the library websockets: pip install "cozekit[ws]"') from None
    return connect_params


def _is_handshake(request: HTTPRequest) -> bool:
    """Return whether a request is the handshake; an authentication flow may send others before it."""
    return request.url.scheme in {"ws", "wss"}


@attrs.frozen
class _HandshakeBuilder:
    """Builds the requests of all attempts."""

    handshake: Handshake[Any, Any]
    options: SocketOptions
    max_message_bytes: int

    def params(self, request: HTTPRequest) -> ConnectParams:
        """Return the parameters of one attempt."""
        prepared = attrs.evolve(self.handshake, built=request)
        limit, timeout = self.options.open_timeout, self.handshake.request.timeout
        if isinstance(timeout, tuple) and timeout[0] is not None:  # the time that is left until a deadline
            limit = timeout[0] if limit is None else min(limit, timeout[0])
        is_secure = request.url.scheme == "wss"
        proxy = self.options.proxy or None
        if proxy is True and is_loopback(request.url.host):
            proxy = None  # never send requests to this machine through a proxy
        params: ConnectParams = _load_library().ConnectParams(
            url=prepared.url,
            headers=prepared.headers,
            request=request,
            ssl=(self.options.ssl or default_ssl()) if is_secure else None,
            proxy=proxy,
            open_timeout=limit,
            close_timeout=self.options.close_timeout,
            max_size=self.options.max_message_bytes or self.max_message_bytes,
        )
        return params

    def copy_request(self) -> HTTPRequest:
        """Copy the request, because authentication flows add headers to it."""
        built = self.handshake.built
        return HTTPRequest(built.method, built.url, headers=built.headers, extensions=built.extensions)

    def result(self, connection: C | None, response: HTTPResponse) -> tuple[C, str]:
        """Return the connection and its log id, or raise the error of the response."""
        if connection is None:
            raise refusal(self.handshake.operation, response)
        return connection, logid_of({}, response)


async def open_connection(
    client: AsyncBaseClient, handshake: Handshake[Any, Any], options: SocketOptions
) -> tuple[AsyncConnection, str]:
    """Connect, and retry as the client's policy allows. No message was sent yet, so a retry is safe.

    Returns:
        The connection and its log id.

    Raises:
        APIError: Coze rejected the handshake.
        APIConnectionError: There was no response.
    """
    _load_library()
    from .connection_async import AsyncConnection

    builder = _HandshakeBuilder(handshake, options, client._max_event_bytes)

    async def attempt() -> tuple[AsyncConnection, str]:
        flow = (handshake.auth or Auth()).async_auth_flow(builder.copy_request())
        connection: AsyncConnection | None = None
        try:
            request = await anext(flow)
            while True:
                if _is_handshake(request):
                    connection, response = await AsyncConnection.connect(builder.params(request))
                else:
                    connection, response = None, await exchange_async(client._http, request, auth=None)
                try:
                    request = await flow.asend(response)
                except StopAsyncIteration:
                    return builder.result(connection, response)
                if connection is not None:
                    await connection.abort()
        finally:
            await flow.aclose()

    return await client._exchange(handshake.request, attempt)
