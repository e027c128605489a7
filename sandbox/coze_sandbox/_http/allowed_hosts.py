"""Allowed values of the `Host` header: a protection from DNS rebinding."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable

from starlette.datastructures import Headers
from starlette.types import Scope

from .._common.errors import INVALID_PARAMETER, CallError

__all__ = ["AllowedHosts"]


class AllowedHosts:
    """The allowed hosts.

    A page of `evil.test` may let its own name resolve to this machine (DNS rebinding). A browser then treats the
    sandbox as the origin of that page, which can read every response; but `Host` still has the name. IP addresses and
    `localhost` cannot be rebound and are always allowed.

    Args:
        names: Additional host names.
    """

    def __init__(self, names: Iterable[str]) -> None:
        self._names = frozenset(_normalized(name) for name in names)

    def __contains__(self, name: str) -> bool:
        name = _normalized(name)
        return name == "localhost" or name.endswith(".localhost") or name in self._names or _is_ip(name)

    def refusal(self, scope: Scope) -> CallError | None:
        """Return the error for a request to another host, or None.

        Requests without `Host` do not come from browsers. The server name of the scope is allowed too: in-process
        clients use it.

        Args:
            scope: ASGI scope of type `http` or `websocket`, as it came.
        """
        authority = Headers(scope=scope).get("host")
        if not authority:
            return None
        name = hostname_of(authority)
        server = scope.get("server") or ("", None)
        if name in self or _normalized(name) == _normalized(server[0]):
            return None
        msg = (
            f"header.host: {name} is not an allowed host (protection from DNS rebinding)."
            f" To allow it, start the sandbox with --allow-host {name}, or with Sandbox(allow_hosts=[{name!r}])."
        )
        return CallError(INVALID_PARAMETER, msg, status=403)


def hostname_of(authority: str) -> str:
    """Return a host without its port, and without the brackets of IPv6."""
    if authority.startswith("["):
        return authority[1:].partition("]")[0]
    return authority.partition(":")[0]


def _normalized(name: str) -> str:
    return name.lower().removesuffix(".")


def _is_ip(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True
