"""Which addresses are those of this machine."""

from __future__ import annotations

import ipaddress

__all__ = ["is_loopback_host", "is_loopback_ip"]


def is_loopback_ip(text: str) -> bool:
    """Tell whether a text is an IP address of this machine. Names are none: they can be made to point elsewhere."""
    try:
        return ipaddress.ip_address(text).is_loopback
    except ValueError:
        return False


def is_loopback_host(host: str) -> bool:
    """Tell whether a host, as a URL has it, is this machine: by its IP address or as `localhost`."""
    return host == "localhost" or is_loopback_ip(host)
