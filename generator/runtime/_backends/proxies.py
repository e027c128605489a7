"""Proxies that environment variables or system settings name."""

from __future__ import annotations

import os
from ipaddress import ip_address
from urllib.request import getproxies

from .._http import HTTPConnection, InvalidURL

__all__ = ["environment_proxies", "proxies_problem"]

_VARIABLES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY")


def environment_proxies() -> dict[str, str | None]:
    """Return the proxies of the environment or the system by URL pattern, as httpx reads them; None for no proxy."""
    settings = getproxies()
    excluded = [host.strip() for host in settings.get("no", "").split(",") if host.strip()]
    if "*" in excluded:
        return {}
    proxies: dict[str, str | None] = {
        f"{scheme}://": proxy if "://" in proxy else f"http://{proxy}"
        for scheme in ("http", "https", "all")
        if (proxy := settings.get(scheme))
    }
    return proxies | {_pattern(host): None for host in excluded}


def _pattern(host: str) -> str:
    """Return the URL pattern of a host in NO_PROXY: an address is meant exactly, a name with all below it."""
    if "://" in host:
        return host
    try:
        address = ip_address(host.partition("/")[0])
    except ValueError:
        return f"all://{host}" if host.lower() == "localhost" else f"all://*{host}"
    return f"all://[{host}]" if address.version == 6 else f"all://{host}"


def proxies_problem() -> str:
    """Return what is wrong about the variables that name proxies, and what to do, without their values."""
    variables = [name for spelled in _VARIABLES for name in (spelled, spelled.lower()) if os.environ.get(name)]
    wrong = [name for name in variables if name.upper() != "NO_PROXY" and not _is_proxy(os.environ[name])]
    source = " and ".join(
        wrong or [name for name in variables if name.upper() == "NO_PROXY"] or ["the system's settings"]
    )
    return (
        f"the proxy in {source} cannot be used: name it as http://host:port (socks5:// needs httpx[socks]), and hosts"
        " without a proxy as a list of names; or unset the variable, or give http_client= or http_backend="
    )


def _is_proxy(value: str) -> bool:
    try:
        HTTPConnection(proxy=value if "://" in value else f"http://{value}", verify=False)
    except (InvalidURL, ImportError, TypeError, ValueError):
        return False
    return True
