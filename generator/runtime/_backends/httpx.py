# @generated from httpx_async.py by `python -m generator sync`; do not edit.
"""The default backend: httpx, with a pool of our own above its connections."""

from __future__ import annotations

from functools import partial

from .._http import HTTPConnection, HTTPTransport
from .._pool import ConnectionLimit, ConnectionPool
from .httpx_async import _LIMITS
from .options import Route

__all__ = ["make_transport"]


def make_transport(route: Route, limit: ConnectionLimit) -> HTTPTransport:
    """Make a transport that sends by connections like *route*."""
    connection = partial(HTTPConnection, verify=route.ssl_context(), proxy=route.proxy, limits=_LIMITS)
    return ConnectionPool(partial(connection, http2=route.http2), limit)
