"""How connections are opened, with the library websockets, sync and async."""

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
from .connection import AsyncWire, Wire
from .thread_safe_tls import GuardedTLS

__all__ = ["Dial", "adial", "dial"]

_KNOWS_PROXIES = int(_version.partition(".")[0]) >= 15
_SECRET = {"authorization", "cookie", "proxy-authorization", "set-cookie"}
_log = logging.getLogger("cozekit.websockets")


def _hide_secrets(record: logging.LogRecord) -> bool:
    """Take tokens out of what websockets logs of a handshake."""
    if isinstance(record.args, tuple) and len(record.args) == 2 and str(record.args[0]).lower() in _SECRET:
        record.args = (record.args[0], "[hidden]")
    return True


_log.addFilter(_hide_secrets)


@attrs.frozen
class Dial:
    """What is needed to connect.

    Attributes:
        url: Address.
        headers: Headers besides those that a handshake always has.
        request: The request that this is made of.
        ssl: TLS settings, for `wss://`.
        proxy: Address of a proxy, True for that of the environment, None for none.
        open_timeout: Seconds for everything until the connection is open.
        close_timeout: Seconds for the goodbye.
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

    def settings(self) -> dict[str, Any]:
        """Write it as arguments of websockets."""
        settings: dict[str, Any] = {
            "additional_headers": self.headers,
            "user_agent_header": None,  # it is among the headers
            "compression": None,  # sound in Base64 hardly shrinks, and every piece would wait for it
            "open_timeout": self.open_timeout,
            "close_timeout": self.close_timeout,
            "max_size": self.max_size,
            "logger": _log,
        }
        if self.ssl is not None:
            settings["ssl"] = self.ssl
        if _KNOWS_PROXIES:
            settings |= {"proxy": self.proxy, "ping_interval": None}
        elif isinstance(self.proxy, str):
            raise InvalidArgumentError(f"a proxy for WebSockets needs websockets 15 or later; this is {_version}")
        return settings

    def answer(self, status: int, headers: Any, body: bytes | bytearray | None) -> HTTPResponse:
        """Write the answer to the handshake as HTTP has it."""
        pairs = [(key, value) for key, value in headers.raw_items() if key.lower() != "content-encoding"]
        return HTTPResponse(status, headers=pairs, content=bytes(body or b""), request=self.request)

    def refusal(self, error: Exception) -> HTTPResponse:
        """Return the answer that a failed handshake got.

        Raises:
            ConnectError, ConnectTimeout: There was none.
            InvalidArgumentError: The proxy's address cannot be used.
        """
        if isinstance(error, MemoryError):
            raise error
        if isinstance(error, _ws.InvalidStatus):
            answer = error.response
            return self.answer(answer.status_code, answer.headers, answer.body)
        if type(error).__name__ == "InvalidProxy":  # unknown to websockets 14; its text shows the proxy's password
            raise InvalidArgumentError("the proxy for WebSockets has an address that cannot be used") from error
        where = self.url.partition("?")[0]
        if isinstance(error, TimeoutError):
            raise ConnectTimeout(f"{where}: not open in time", request=self.request) from error
        raise ConnectError(f"{where}: {str(error) or type(error).__name__}", request=self.request) from error


class _StaysHere:
    """Does not follow redirects: they would take the token elsewhere."""

    def process_redirect(self, exc: Exception) -> Exception | str:
        return exc


class _NoRedirects(_StaysHere, _aconnect):
    """Connects, awaited."""


def _without_redirects(connect: Any) -> Any:
    """Keep websockets 17 from following redirects; earlier versions of its sync client do not know them."""
    follows = getattr(_sync, "reconnect", None)
    return connect if follows is None else type("_NoRedirectsSync", (_StaysHere, follows), {})


_connect = _without_redirects(_sync.connect)


def dial(to: Dial) -> tuple[Wire | None, HTTPResponse]:
    """Connect.

    Returns:
        The connection, or None where it was refused, and the answer.

    Raises:
        ConnectError, ConnectTimeout: There was no answer.
    """
    settings = to.settings()
    if to.ssl is not None:
        settings["ssl"] = GuardedTLS(to.ssl)  # websockets calls nothing but its `wrap_socket`
    try:
        made = _connect(to.url, **settings).__enter__()  # later versions connect here, earlier ones before
    except Exception as error:
        return None, to.refusal(error)
    assert made.response is not None
    return Wire(made), to.answer(made.response.status_code, made.response.headers, None)


async def adial(to: Dial) -> tuple[AsyncWire | None, HTTPResponse]:
    """Connect. See `dial`."""
    settings = {**to.settings(), "ping_interval": None}
    try:
        made = await _NoRedirects(to.url, **settings)
    except Exception as error:
        return None, to.refusal(error)
    assert made.response is not None
    return AsyncWire(made), to.answer(made.response.status_code, made.response.headers, None)
