"""The Authorization header of a client, as functions."""

from __future__ import annotations

from typing import Protocol

__all__ = ["async_authorization", "authorization"]


class _Client(Protocol):
    def authorization(self) -> str: ...


class _AsyncClient(Protocol):
    async def authorization(self) -> str: ...


def authorization(coze: _Client) -> str:
    """Return the Authorization header that a client would send now: `Coze.authorization`.

    Raises:
        CozeError: There is no token, or no response to the token request.
    """
    return coze.authorization()


async def async_authorization(coze: _AsyncClient) -> str:
    """Return the Authorization header that an async client would send now: `AsyncCoze.authorization`.

    Raises:
        CozeError: There is no token, or no response to the token request.
    """
    return await coze.authorization()
