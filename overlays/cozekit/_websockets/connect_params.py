"""Parameters of a connection, and the response to its handshake, for both clients of the library websockets."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

import attrs
from websockets import exceptions as _ws
from websockets.asyncio.client import connect as _aconnect
from websockets.sync import client as _sync
from websockets.version import version as _version

from coze_api._core._http import ConnectError, ConnectTimeout, HTTPRequest, HTTPResponse

from ..errors import InvalidArgumentError
from .session_state import ConnectionClosed

__all__ = ["AsyncConnect", "ConnectParams", "LibraryClosed", "connect", "to_connection_closed"]

LibraryClosed = _ws.ConnectionClosed
_KNOWS_PROXIES = int(_version.partition(".")[0]) >= 15
_SECRET = {"authorization", "cookie", "proxy-authorization", "set-cookie"}
_log = logging.getLogger("cozekit.websockets")


def _hide_secrets(record: logging.LogRecord) -> bool:
    """Hide tokens in the log that websockets writes of a handshake."""
    if isinstance(record.args, tuple) and len(record.args) == 2 and str(record.args[0]).lower() in _SECRET:
        record.args = (record.args[0], "[hidden]")
    return True


_log.addFilter(_hide_secrets)


@attrs.frozen
class ConnectParams:
    """Parameters of a connection.

    Attributes:
        url: Address.
        headers: Headers in addition to those of every handshake.
        request: The request that these parameters come from.
        ssl: TLS settings, for `wss://`.
        proxy: Address of a proxy, True for that of the environment, None for none.
        open_timeout: Seconds until the connection must be open.
        close_timeout: Seconds for the closing handshake.
        max_size: Largest message in bytes.
    """

    url: str
    headers: Mapping[str, str] = attrs.field(repr=False)
    request: HTTPRequest = attrs.field(repr=False)
    ssl: Any
    proxy: str | bool | None = attrs.field(repr=False)
    open_timeout: float | None
    close_timeout: float | None
    max_size: int

    def arguments(self) -> dict[str, Any]:
        """Return the arguments for websockets."""
        arguments: dict[str, Any] = {
            "additional_headers": self.headers,
            "user_agent_header": None,  # it is among the headers
            "compression": None,  # audio in Base64 hardly shrinks, and compression would delay each message
            "open_timeout": self.open_timeout,
            "close_timeout": self.close_timeout,
            "max_size": self.max_size,
            "logger": _log,
        }
        if self.ssl is not None:
            arguments["ssl"] = self.ssl
        if _KNOWS_PROXIES:
            arguments |= {"proxy": self.proxy, "ping_interval": None}
        elif isinstance(self.proxy, str):
            raise InvalidArgumentError(f"a proxy for WebSockets needs websockets 15 or later; this is {_version}")
        return arguments

    def to_response(self, status: int, headers: Any, body: bytes | bytearray | None) -> HTTPResponse:
        """Convert the response to the handshake."""
        pairs = [(key, value) for key, value in headers.raw_items() if key.lower() != "content-encoding"]
        return HTTPResponse(status, headers=pairs, content=bytes(body or b""), request=self.request)

    def response_or_raise(self, error: Exception) -> HTTPResponse:
        """Return the response to a rejected handshake.

        Raises:
            ConnectError, ConnectTimeout: There was no response.
            InvalidArgumentError: The proxy's address cannot be used.
        """
        if isinstance(error, MemoryError):
            raise error
        if isinstance(error, _ws.InvalidStatus):
            response = error.response
            return self.to_response(response.status_code, response.headers, response.body)
        if type(error).__name__ == "InvalidProxy":  # unknown to websockets 14; its text shows the proxy's password
            raise InvalidArgumentError("the proxy for WebSockets has an unusable address") from error
        where = self.url.partition("?")[0]
        if isinstance(error, TimeoutError):
            raise ConnectTimeout(f"{where}: not open in time", request=self.request) from error
        raise ConnectError(f"{where}: {str(error) or type(error).__name__}", request=self.request) from error


class _NoRedirects:
    """Follows no redirect, which would send the token to another address."""

    def process_redirect(self, exc: Exception) -> Exception | str:
        return exc


class AsyncConnect(_NoRedirects, _aconnect):
    """Connects by the client for asyncio."""


def _without_redirects(connect: Any) -> Any:
    """Keep websockets 17 from following redirects; earlier versions of its sync client do not know them."""
    follows = getattr(_sync, "reconnect", None)
    return connect if follows is None else type("_Connect", (_NoRedirects, follows), {})


connect = _without_redirects(_sync.connect)


def to_connection_closed(error: _ws.ConnectionClosed) -> ConnectionClosed:
    """Convert the exception by which websockets reports the end of a connection."""
    frame = error.rcvd or error.sent
    if frame is None:
        cause = error.__cause__
        return ConnectionClosed(1006, str(cause or ""), clean=False, locally=False)
    locally = error.rcvd is None or error.rcvd_then_sent is False
    clean = isinstance(error, _ws.ConnectionClosedOK)
    return ConnectionClosed(frame.code, frame.reason, clean=clean, locally=locally)
