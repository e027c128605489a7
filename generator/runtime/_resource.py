"""The base of all resources."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ._client import AsyncBaseClient, BaseClient

__all__ = ["AsyncResource", "Resource"]


class Resource:
    """A group of operations."""

    def __init__(self, client: BaseClient) -> None:
        self._client = client


class AsyncResource:
    """A group of operations, awaited."""

    def __init__(self, client: AsyncBaseClient) -> None:
        self._client = client
