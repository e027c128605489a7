"""The request that opens a WebSocket. A WebSocket library sends it; the response has the status 101."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Generic, TypeVar

import attrs

from ._http import Auth, HTTPRequest
from ._operation import Operation
from ._request import Request
from ._secrets import hidden

if TYPE_CHECKING:
    from ._messages import SocketProtocol

__all__ = ["Handshake"]

U = TypeVar("U")
D = TypeVar("D")
_OF_THE_LIBRARY = {"accept", "accept-encoding", "connection", "host"}  # it sets its own, or must not send any


@attrs.frozen(eq=False)
class Handshake(Generic[U, D]):
    """What a WebSocket library needs to connect.

    Attributes:
        operation: The operation that opens the connection.
        protocol: Its messages.
        request: The request as the client prepared it.
        built: The request as it is sent, but for what *auth* adds.
        auth: Strategy that authorizes the request; None if the headers suffice.
    """

    operation: Operation[Any]
    protocol: SocketProtocol[U, D]
    request: Request = attrs.field(repr=False)
    built: HTTPRequest = attrs.field(repr=False)
    auth: Auth | None = attrs.field(repr=False)

    @property
    def url(self) -> str:
        """The address, with the query."""
        return str(self.built.url)

    @property
    def headers(self) -> dict[str, str]:
        """The headers, the token among them, without those that the library makes itself."""
        return {key: hidden(value) for key, value in self.built.headers.items() if key.lower() not in _OF_THE_LIBRARY}
