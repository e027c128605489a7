"""The base of all resources."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ._client import BaseClient
    from ._client_async import AsyncBaseClient

__all__ = ["AsyncResource", "Resource"]


class Resource:
    """A group of operations."""

    def __init__(self, client: BaseClient) -> None:
        self._client = client


class AsyncResource:
    """A group of operations, awaited."""

    def __init__(self, client: AsyncBaseClient) -> None:
        self._client = client
