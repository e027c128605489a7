"""The one place that knows httpx."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import httpx

__all__ = [
    "AsyncHTTPClient", "AsyncHTTPTransport", "Auth", "ConnectError", "ConnectTimeout", "HTTPClient", "HTTPError",
    "HTTPRequest", "HTTPResponse", "HTTPTimeout", "HTTPTransport", "InvalidURL", "PoolTimeout", "StreamError",
    "TimeoutException", "URL", "UnsupportedProtocol", "default_limits", "default_timeout", "make_timeout",
    "parse_url",
]  # fmt: skip

AsyncHTTPClient = httpx.AsyncClient
AsyncHTTPTransport = httpx.AsyncBaseTransport
Auth = httpx.Auth
ConnectError = httpx.ConnectError
ConnectTimeout = httpx.ConnectTimeout
HTTPClient = httpx.Client
HTTPError = httpx.HTTPError
HTTPRequest = httpx.Request
HTTPResponse = httpx.Response
HTTPTimeout = httpx.Timeout
HTTPTransport = httpx.BaseTransport
InvalidURL = httpx.InvalidURL
PoolTimeout = httpx.PoolTimeout
StreamError = httpx.StreamError
TimeoutException = httpx.TimeoutException
URL = httpx.URL
UnsupportedProtocol = httpx.UnsupportedProtocol


def default_timeout() -> httpx.Timeout:
    """5 s to connect, 60 s between bytes received or sent, 10 s for a free connection."""
    return httpx.Timeout(connect=5.0, read=60.0, write=60.0, pool=10.0)


def default_limits() -> httpx.Limits:
    """At most 100 connections, 20 of them kept for reuse, for 30 s."""
    return httpx.Limits(max_connections=100, max_keepalive_connections=20, keepalive_expiry=30.0)


def make_timeout(value: Any) -> httpx.Timeout:
    """Make a timeout of seconds, of (connect, read, write, pool) seconds, or of an httpx one."""
    return httpx.Timeout(value)


@lru_cache(maxsize=64)
def parse_url(address: str) -> httpx.URL:
    """Parse an address. Parsing takes a tenth of a small request, and polling asks for the same one again and again."""
    return httpx.URL(address)
