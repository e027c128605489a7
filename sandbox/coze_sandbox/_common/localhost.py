"""Check for loopback addresses."""

from __future__ import annotations

import ipaddress

__all__ = ["is_loopback_host", "is_loopback_ip"]


def is_loopback_ip(text: str) -> bool:
    """Return whether a text is a loopback IP address. Host names are not: they can resolve to any address."""
    try:
        return ipaddress.ip_address(text).is_loopback
    except ValueError:
        return False


def is_loopback_host(host: str) -> bool:
    """Return whether the host of a URL is a loopback IP address or `localhost`."""
    return host == "localhost" or is_loopback_ip(host)
