"""Which HTTP library a client uses, and how its connections are made."""

from __future__ import annotations

import os
from functools import lru_cache
from ssl import SSLContext, create_default_context
from typing import Any, Literal, get_args

import attrs

from .._base_errors import InvalidArgumentError
from .._http import HTTPProxy, InvalidURL
from .._tls import default_ssl

__all__ = ["BackendName", "HTTPBackend", "Route", "resolve_backend"]

BackendName = Literal["httpx", "httpx2", "aiohttp", "reqwest"]
_NAMES = get_args(BackendName)


def _check_name(_backend: HTTPBackend, _attribute: attrs.Attribute[Any], name: object) -> None:
    if name not in _NAMES:
        raise InvalidArgumentError(f"http_backend must be one of {', '.join(_NAMES)}, not {name!r:.60}")


def _check_proxy(_backend: HTTPBackend, _attribute: attrs.Attribute[Any], proxy: object) -> None:
    if proxy is None:
        return
    try:
        if isinstance(proxy, str):
            HTTPProxy(proxy)
            return
    except (InvalidURL, TypeError, ValueError):
        pass
    # Its text is not shown: it may hold a password.
    raise InvalidArgumentError("proxy of http_backend must be an address such as http://host:port") from None


def _check_ssl(_backend: HTTPBackend, _attribute: attrs.Attribute[Any], settings: object) -> None:
    if settings is None or isinstance(settings, SSLContext):
        return
    if not isinstance(settings, str | os.PathLike):
        raise InvalidArgumentError(
            "ssl of http_backend must be an ssl.SSLContext or the path of a file of certificates, not"
            f" {type(settings).__name__}"
        )
    _trusting(os.fspath(settings), http2=False)


def _check_max_connections(_backend: HTTPBackend, _attribute: attrs.Attribute[Any], limit: object) -> None:
    if limit is not None and (not isinstance(limit, int) or isinstance(limit, bool) or limit < 1):
        raise InvalidArgumentError(f"max_connections of http_backend must be a whole number from 1, not {limit!r:.60}")


@attrs.frozen
class HTTPBackend:
    """Which HTTP library a client uses, and how its connections are made.

    Attributes:
        name: ``httpx``; ``httpx2``, its continuation; ``aiohttp``, for async clients only; or ``reqwest``. All but
            httpx need an extra of the same name, such as `cozekit[aiohttp]`.
        proxy: Address of a proxy for all requests, such as ``http://host:3128``. Default: the proxies that environment
            variables or system settings name, but none for addresses of this machine.
        ssl: An `ssl.SSLContext`, or the path of a file with the certificates to trust. Default: those that
            SSL_CERT_FILE or SSL_CERT_DIR name, else those of certifi.
        http2: Whether to use HTTP/2 where the service offers it.
        max_connections: Most requests and streams under way at once; more wait for their turn. Default: 1,000, or
            seven eighths of the files that this process may open if that is less.

    Raises:
        InvalidArgumentError: A value is unusable.
    """

    name: BackendName = attrs.field(default="httpx", validator=_check_name)
    proxy: str | None = attrs.field(default=None, kw_only=True, repr=False, validator=_check_proxy)
    ssl: SSLContext | str | os.PathLike[str] | None = attrs.field(
        default=None, kw_only=True, repr=False, validator=_check_ssl
    )
    http2: bool = attrs.field(default=False, kw_only=True)
    max_connections: int | None = attrs.field(default=None, kw_only=True, validator=_check_max_connections)


def resolve_backend(backend: HTTPBackend | BackendName | None) -> HTTPBackend:
    """Return the options of a backend; None stands for httpx.

    Raises:
        InvalidArgumentError: There is no such backend.
    """
    if isinstance(backend, HTTPBackend):
        return backend
    return HTTPBackend() if backend is None else HTTPBackend(backend)


@attrs.frozen(eq=False, repr=False)
class Route:
    """How the connections of one transport are made.

    Attributes:
        proxy: The proxy that they go through.
        ssl: As in `HTTPBackend`.
        http2: As in `HTTPBackend`.
    """

    proxy: HTTPProxy | None
    ssl: SSLContext | str | os.PathLike[str] | None
    http2: bool

    def ssl_context(self) -> SSLContext:
        """Return the TLS settings.

        Raises:
            InvalidArgumentError: Environment variables name certificates that cannot be read.
        """
        if isinstance(self.ssl, SSLContext):
            return self.ssl
        return default_ssl(http2=self.http2) if self.ssl is None else _trusting(os.fspath(self.ssl), http2=self.http2)


@lru_cache(maxsize=8)
def _trusting(path: str, *, http2: bool) -> SSLContext:
    """Return TLS settings that trust the certificates of a file. With HTTP/2 they are others: libraries change them."""
    try:
        return create_default_context(cafile=path)
    except OSError as error:
        problem = f"ssl of http_backend: the certificates of {path} cannot be read: {error}"
    raise InvalidArgumentError(problem)
