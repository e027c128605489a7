"""HTTP clients that callers pass, and the HTTP library that sends the requests otherwise."""

from __future__ import annotations

import os
from typing import TypeVar

from coze_api._core._backends.options import BackendName, HTTPBackend, resolve_backend
from coze_api._core._http import HTTPClient

from .errors import InvalidArgumentError

__all__ = ["choose_http_backend", "validate_http_client"]

C = TypeVar("C")
_VARIABLE = "COZE_HTTP_BACKEND"


def validate_http_client(http_client: C | None, kind: type[C]) -> C | None:
    """Return an HTTP client.

    Raises:
        InvalidArgumentError: It is not of the class *kind*.
    """
    if http_client is not None and not isinstance(http_client, kind):
        raise InvalidArgumentError(f"http_client must be an httpx.{kind.__name__}, not {type(http_client).__name__}")
    return http_client


def choose_http_backend(
    backend: HTTPBackend | BackendName | None, http_client: object, kind: type
) -> HTTPBackend | None:
    """Return the backend of a client: *backend*, else that of COZE_HTTP_BACKEND; None if the caller passed a client.

    A sync client ignores ``aiohttp`` in the variable, which the async clients of the same program may use.

    Raises:
        InvalidArgumentError: There is no such backend, or *http_client* was passed too.
    """
    if http_client is not None:
        if backend is not None:
            raise InvalidArgumentError("pass either http_client or http_backend, not both")
        return None
    if backend is not None:
        return resolve_backend(backend)
    name = os.environ.get(_VARIABLE, "").strip() or None
    try:
        chosen = resolve_backend(name)  # type: ignore[arg-type]  # it is checked
    except InvalidArgumentError as error:
        problem = f"{_VARIABLE}: {error}"
    else:
        return None if chosen.name == "aiohttp" and kind is HTTPClient else chosen
    raise InvalidArgumentError(problem)
