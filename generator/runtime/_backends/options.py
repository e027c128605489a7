"""How the connections of a client are made."""

from __future__ import annotations

import os
from functools import lru_cache
from ssl import SSLContext, create_default_context
from typing import Any

import attrs

from .._base_errors import InvalidArgumentError
from .._http import HTTPProxy, InvalidURL
from .._tls import default_ssl

__all__ = ["HTTPBackend", "Route"]


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
    _trusting(os.fspath(settings))


def _check_max_connections(_backend: HTTPBackend, _attribute: attrs.Attribute[Any], limit: object) -> None:
    if limit is not None and (not isinstance(limit, int) or isinstance(limit, bool) or limit < 1):
        raise InvalidArgumentError(f"max_connections of http_backend must be a whole number from 1, not {limit!r:.60}")


@attrs.frozen(kw_only=True)
class HTTPBackend:
    """How the connections of a client are made.

    Attributes:
        proxy: Address of a proxy for all requests, such as ``http://host:3128``. Default: the proxies that environment
            variables or system settings name, but none for addresses of this machine.
        ssl: An `ssl.SSLContext`, or the path of a file with the certificates to trust. Default: those that
            SSL_CERT_FILE or SSL_CERT_DIR name, else those of certifi.
        max_connections: Most requests and streams under way at once; more wait for their turn. Default: 1,000, or
            seven eighths of the files that this process may open if that is less.

    Raises:
        InvalidArgumentError: A value is unusable.
    """

    proxy: str | None = attrs.field(default=None, repr=False, validator=_check_proxy)
    ssl: SSLContext | str | os.PathLike[str] | None = attrs.field(default=None, repr=False, validator=_check_ssl)
    max_connections: int | None = attrs.field(default=None, validator=_check_max_connections)


@attrs.frozen(eq=False, repr=False)
class Route:
    """How the connections of one transport are made.

    Attributes:
        proxy: The proxy that they go through.
        ssl: As in `HTTPBackend`.
    """

    proxy: HTTPProxy | None
    ssl: SSLContext | str | os.PathLike[str] | None

    def ssl_context(self) -> SSLContext:
        """Return the TLS settings.

        Raises:
            InvalidArgumentError: Environment variables name certificates that cannot be read.
        """
        if isinstance(self.ssl, SSLContext):
            return self.ssl
        return default_ssl() if self.ssl is None else _trusting(os.fspath(self.ssl))


@lru_cache(maxsize=8)
def _trusting(path: str) -> SSLContext:
    """Return TLS settings that trust the certificates of a file."""
    try:
        return create_default_context(cafile=path)
    except OSError as error:
        problem = f"ssl of http_backend: the certificates of {path} cannot be read: {error}"
    raise InvalidArgumentError(problem)
