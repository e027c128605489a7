"""HTTP clients that callers pass."""

from __future__ import annotations

from typing import TypeVar

from .errors import InvalidArgumentError

__all__ = ["validate_http_client"]

C = TypeVar("C")


def validate_http_client(http_client: C | None, kind: type[C]) -> C | None:
    """Return an HTTP client.

    Raises:
        InvalidArgumentError: It is not of the class *kind*.
    """
    if http_client is not None and not isinstance(http_client, kind):
        raise InvalidArgumentError(f"http_client must be an httpx.{kind.__name__}, not {type(http_client).__name__}")
    return http_client
