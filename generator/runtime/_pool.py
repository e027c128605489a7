"""Sends requests by the pool of the HTTP library, in which threads wait for a connection."""

from __future__ import annotations

from typing import Any

from ._http import HTTPClient, HTTPRequest, HTTPResponse, send

__all__ = ["ConnectionLimit"]


class ConnectionLimit:
    """Sends requests. The limit is that of the HTTP client: threads need no other."""

    def __init__(self, max_connections: int | None) -> None:
        self._max_connections = max_connections

    def send(self, http: HTTPClient, request: HTTPRequest, options: dict[str, Any]) -> HTTPResponse:
        """Send a request. Its response is not read; closing it makes its connection free again.

        Raises:
            PoolTimeout: No connection became free in time.
        """
        return send(http, request, stream=True, **options)
