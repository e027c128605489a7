"""How WebSockets are opened, kept alive and closed."""

from __future__ import annotations

import ssl
from typing import Any

import attrs

from coze_api._core._http import checked_address

from ..errors import InvalidArgumentError

__all__ = ["SocketOptions"]

_SCHEMES = ("ws://", "wss://")


def _address(_: object, attribute: attrs.Attribute[Any], value: object) -> None:
    if value is not None and not (isinstance(value, str) and value.startswith(_SCHEMES)):
        raise InvalidArgumentError(f"{attribute.name} must start with ws:// or wss://, not be {value!r:.80}")
    if value is not None:
        checked_address(value, f"sockets.{attribute.name}")


def _positive(_: object, attribute: attrs.Attribute[Any], value: object) -> None:
    if value is not None and not (isinstance(value, int | float) and value > 0):
        raise InvalidArgumentError(f"{attribute.name} must be a number above 0 or None, not {value!r:.60}")


@attrs.frozen(kw_only=True)
class SocketOptions:
    """How WebSockets are opened, kept alive and closed. Times are in seconds; None stands for no limit.

    Attributes:
        base_url: Address in place of that which belongs to the client's base URL, such as ``ws://127.0.0.1:8080``.
        ssl: TLS settings. Default: those of httpx.
        proxy: Address of a proxy; True for that of the environment, but none for an address of this machine; None
            for none. Needs websockets 15 or later, before which True means none.
        open_timeout: Longest time to connect, for each attempt.
        close_timeout: Longest time of the closing handshake.
        idle_timeout: Longest silence: neither sent nor received while a message is waited for.
        ping_interval: Time between two pings; None for none.
        ping_timeout: Longest time until the pong for a ping, while a message is waited for.
        max_message_bytes: Largest message that is accepted. Default: the client's `max_event_bytes`.

    Raises:
        InvalidArgumentError: A value is unusable.
    """

    base_url: str | None = attrs.field(default=None, validator=_address)
    ssl: ssl.SSLContext | None = attrs.field(default=None, repr=False)
    proxy: str | bool | None = attrs.field(default=True, repr=False)  # may hold a password
    open_timeout: float | None = attrs.field(default=10.0, validator=_positive)
    close_timeout: float | None = attrs.field(default=5.0, validator=_positive)
    idle_timeout: float | None = attrs.field(default=60.0, validator=_positive)
    ping_interval: float | None = attrs.field(default=20.0, validator=_positive)
    ping_timeout: float | None = attrs.field(default=20.0, validator=_positive)
    max_message_bytes: int | None = attrs.field(default=None, validator=_positive)
