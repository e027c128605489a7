# @generated from httpx_async.py by `python -m generator sync`; do not edit.
"""The default backend: httpx, with a pool of our own above its connections."""

from __future__ import annotations

from functools import partial

from .._http import KEEPALIVE_SECONDS, HTTPConnection, HTTPLimits, HTTPTransport
from .._pool import ConnectionLimit, ConnectionPool
from .._tls import read_certificates
from .options import Route

__all__ = ["make_transport"]


def make_transport(route: Route, limit: ConnectionLimit) -> HTTPTransport:
    """Make a transport that sends by connections like *route*."""
    # For one connection, which never has two requests. Without a limit, since httpcore 1.0.9 may lose a place where a
    # request is canceled.
    limits = HTTPLimits(max_connections=None, max_keepalive_connections=1, keepalive_expiry=KEEPALIVE_SECONDS)
    context = route.ssl_context()
    connection = partial(HTTPConnection, verify=context, proxy=route.proxy, limits=limits)
    # Once there is a socket, an error would leave it open: httpcore 1.0.9 does not expect one there.
    return ConnectionPool(connection, limit, partial(read_certificates, context))
