"""Under which names the sandbox answers: what keeps pages out whose own name was made to point here."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable

from starlette.datastructures import Headers
from starlette.types import Scope

from .._common.errors import INVALID_PARAMETER, CallError

__all__ = ["AllowedHosts"]


class AllowedHosts:
    """The hosts that a request may name.

    A page of `evil.test` may have its own name point to this machine (DNS rebinding). Its browser then takes the
    sandbox for a part of that page, and lets it read everything; but it still sends the name. So names are held to a
    list. IP addresses need no entry, because nobody can make them point elsewhere, nor does `localhost`.

    Args:
        names: Further names.
    """

    def __init__(self, names: Iterable[str]) -> None:
        self._names = frozenset(_normalized(name) for name in names)

    def __contains__(self, name: str) -> bool:
        name = _normalized(name)
        return name == "localhost" or name.endswith(".localhost") or name in self._names or _is_ip(name)

    def refusal(self, scope: Scope) -> CallError | None:
        """Make the failure for a request that names another host, or return None.

        Requests that name none come from no browser. The name by which the server itself says that it was reached is
        taken too: that is how applications are called without a network.

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
            f"header.host: {name} is no name of this sandbox, which protects it from pages of other sites."
            f" If it is one, start it with --allow-host {name}, or with Sandbox(allow_hosts=[{name!r}])."
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
