"""From a handshake to an open connection: authorised, tried as often as the client's policy says."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, TypeVar

import attrs

from coze_api._core._body import exchange, exchange_async
from coze_api._core._decode import logid_of, refusal
from coze_api._core._handshake import Handshake
from coze_api._core._http import Auth, HTTPRequest, HTTPResponse, default_ssl
from coze_api._core._loopback import is_loopback

from ..errors import CozeError
from .options import SocketOptions

if TYPE_CHECKING:
    from coze_api._core._client import BaseClient
    from coze_api._core._client_async import AsyncBaseClient

    from .connect import Dial
    from .connection import AsyncWire, Wire

__all__ = ["aopen_wire", "open_wire"]

W = TypeVar("W")
Answer = tuple[W | None, HTTPResponse]


def _dialing() -> Any:
    try:
        from . import connect
    except ModuleNotFoundError as error:
        if error.name is None or error.name.partition(".")[0] != "websockets":
            raise
        raise CozeError('WebSockets need the library websockets: pip install "cozekit[ws]"') from None
    return connect


def _is_handshake(request: HTTPRequest) -> bool:
    """Tell the handshake apart from what a strategy sends in order to authorise it."""
    return request.url.scheme in {"ws", "wss"}


@attrs.frozen
class _Dialer:
    """Makes the instructions for one attempt after the other."""

    handshake: Handshake[Any, Any]
    options: SocketOptions
    max_message_bytes: int

    def __call__(self, request: HTTPRequest) -> Dial:
        prepared = attrs.evolve(self.handshake, built=request)
        limit, given = self.options.open_timeout, self.handshake.request.timeout
        if isinstance(given, tuple):  # what a deadline has left
            limit = given[0] if limit is None else min(limit, given[0])
        is_secure = request.url.scheme == "wss"
        proxy = self.options.proxy or None
        if proxy is True and is_loopback(request.url.host):
            proxy = None  # what is meant for this machine stays there
        made: Dial = _dialing().Dial(
            url=prepared.url,
            headers=prepared.headers,
            request=request,
            ssl=(self.options.ssl or default_ssl()) if is_secure else None,
            proxy=proxy,
            open_timeout=limit,
            close_timeout=self.options.close_timeout,
            max_size=self.options.max_message_bytes or self.max_message_bytes,
        )
        return made

    def fresh(self) -> HTTPRequest:
        """Copy the request, since strategies write into it."""
        built = self.handshake.built
        return HTTPRequest(built.method, built.url, headers=built.headers, extensions=built.extensions)

    def opened(self, wire: W | None, response: HTTPResponse) -> tuple[W, str]:
        """Return the connection and its log id, or raise what the answer tells."""
        if wire is None:
            raise refusal(self.handshake.operation, response)
        return wire, logid_of({}, response)


def open_wire(client: BaseClient, handshake: Handshake[Any, Any], options: SocketOptions) -> tuple[Wire, str]:
    """Connect, again and again where the client's policy allows it: nothing was sent yet.

    Returns:
        The connection and its log id.

    Raises:
        APIError: Coze refused the handshake.
        APIConnectionError: There was no answer.
    """
    dialing, dialer = _dialing(), _Dialer(handshake, options, client._max_event_bytes)

    def attempt() -> tuple[Wire, str]:
        strategy = handshake.auth or Auth()
        flow = strategy.sync_auth_flow(dialer.fresh())
        wire: Wire | None = None
        try:
            request = next(flow)
            while True:
                if _is_handshake(request):
                    wire, response = dialing.dial(dialer(request))
                else:
                    wire, response = None, exchange(client._http, request, auth=None)
                try:
                    request = flow.send(response)
                except StopIteration:
                    return dialer.opened(wire, response)
                if wire is not None:
                    wire.abort()
        finally:
            flow.close()

    return client._exchange(handshake.request, attempt)


async def aopen_wire(
    client: AsyncBaseClient, handshake: Handshake[Any, Any], options: SocketOptions
) -> tuple[AsyncWire, str]:
    """Connect. See `open_wire`."""
    dialing, dialer = _dialing(), _Dialer(handshake, options, client._max_event_bytes)

    async def attempt() -> tuple[AsyncWire, str]:
        strategy = handshake.auth or Auth()
        flow = strategy.async_auth_flow(dialer.fresh())
        wire: AsyncWire | None = None
        try:
            request = await anext(flow)
            while True:
                if _is_handshake(request):
                    wire, response = await dialing.adial(dialer(request))
                else:
                    wire, response = None, await exchange_async(client._http, request, auth=None)
                try:
                    request = await flow.asend(response)
                except StopAsyncIteration:
                    return dialer.opened(wire, response)
                if wire is not None:
                    await wire.abort()
        finally:
            await flow.aclose()

    exchange: Callable[[Any, Callable[[], Awaitable[Any]]], Awaitable[Any]] = client._exchange
    opened: tuple[AsyncWire, str] = await exchange(handshake.request, attempt)
    return opened
