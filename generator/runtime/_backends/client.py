"""The HTTP client of a client, where the caller passed none."""

from __future__ import annotations

from importlib import import_module
from typing import Any, TypeVar

from .._base_errors import InvalidArgumentError
from .._http import AsyncHTTPClient, HTTPClient, HTTPProxy, InvalidURL, max_connections, parse_url
from .._loopback import is_loopback
from .options import HTTPBackend, Route
from .proxies import environment_proxies, proxies_problem

__all__ = ["make_http_client"]

C = TypeVar("C", HTTPClient, AsyncHTTPClient)


def make_http_client(kind: type[C], limit: type[Any], base_url: str, backend: HTTPBackend | None, **options: Any) -> C:
    """Make an HTTP client for the service at *base_url*.

    What is meant for this machine stays there: proxies that environment variables or system settings name do not apply.

    Args:
        kind: The class of the client.
        limit: The class that limits how many requests are under way at once.
        base_url: Address of the service.
        backend: How connections are made.
        options: Other arguments of the client.

    Raises:
        InvalidArgumentError: Environment variables name proxies or certificates that cannot be used.
    """
    chosen = backend or HTTPBackend()
    make: Any = import_module(f".httpx{'_async' if kind is AsyncHTTPClient else ''}", __package__).make_transport
    shared = limit(chosen.max_connections or max_connections())

    def transport(proxy: HTTPProxy | None) -> Any:
        return make(Route(proxy, chosen.ssl), shared)

    if chosen.proxy is not None:
        return kind(transport=transport(HTTPProxy(chosen.proxy)), trust_env=False, **options)
    direct = transport(None)
    try:
        proxies = {} if is_loopback(parse_url(base_url).host) else environment_proxies()
        mounts = {pattern: None if proxy is None else transport(HTTPProxy(proxy)) for pattern, proxy in proxies.items()}
        http = kind(transport=direct, mounts=mounts, trust_env=False, **options)
    except (InvalidURL, ImportError, TypeError, ValueError):
        problem = proxies_problem()
    else:
        return http
    raise InvalidArgumentError(problem)  # here, where nothing shows the address of a proxy, which may hold a password
