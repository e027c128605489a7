"""HTTP clients that callers pass and options of our own."""

from __future__ import annotations

from typing import TypeVar

from coze_api._core._backends.options import HTTPBackend

from .errors import InvalidArgumentError

__all__ = ["validate_http_backend", "validate_http_client"]

C = TypeVar("C")


def validate_http_client(http_client: C | None, kind: type[C]) -> C | None:
    """Return an HTTP client.

    Raises:
        InvalidArgumentError: It is not of the class *kind*.
    """
    if http_client is not None and not isinstance(http_client, kind):
        raise InvalidArgumentError(f"http_client must be an httpx.{kind.__name__}, not {type(http_client).__name__}")
    return http_client


def validate_http_backend(backend: object, http_client: object) -> HTTPBackend | None:
    """Return the options of connections.

    Raises:
        InvalidArgumentError: They are of another type, or *http_client* was passed too.
    """
    if backend is None:
        return None
    if not isinstance(backend, HTTPBackend):
        raise InvalidArgumentError(f"http_backend must be an HTTPBackend, not {type(backend).__name__}")
    if http_client is not None:
        raise InvalidArgumentError("pass either http_client or http_backend, not both")
    return backend
