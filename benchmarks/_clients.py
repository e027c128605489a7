"""The clients under test, all with the same token, URL and transport."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any

import cozepy
import httpx

from ._traffic import BASE_URL, TOKEN

if TYPE_CHECKING:
    from coze_api import AsyncClient, Client
    from cozekit import AsyncCoze

__all__ = ["LAYERS", "Layer", "connected_client", "vendor", "vendor_async"]


@dataclass(frozen=True)
class Layer:
    """One of our two packages: `cozekit`, which users import, or the generated one alone.

    Attributes:
        package: Name of the package.
        statement: Source of a client that is ready to use.
    """

    package: str
    statement: str

    def client(self, transport: httpx.BaseTransport | None, base_url: str = BASE_URL) -> Client:
        """Return a client."""
        http = httpx.Client(transport=transport, trust_env=False)
        return self._make("Coze", "Client", base_url, http)  # type: ignore[no-any-return]  # chosen at run time

    def async_client(self, transport: httpx.AsyncBaseTransport | None, base_url: str = BASE_URL) -> AsyncClient:
        """Return an async client."""
        http = httpx.AsyncClient(transport=transport, trust_env=False)
        return self._make("AsyncCoze", "AsyncClient", base_url, http)  # type: ignore[no-any-return]  # made by name

    def _make(self, overlay: str, generated: str, base_url: str, http: Any) -> Any:
        cls = getattr(import_module(self.package), overlay if self.package == "cozekit" else generated)
        return cls(token=TOKEN, base_url=base_url, http_client=http)


LAYERS = {
    layer.package: layer
    for layer in (
        Layer("cozekit", "from cozekit import Coze; Coze(token='t').chat"),
        Layer("coze_api", "from coze_api import Client; Client('https://api.coze.com', 't').chat"),
    )
}


def vendor(transport: httpx.BaseTransport | None, base_url: str = BASE_URL) -> cozepy.Coze:
    """Return a client of the vendor's SDK."""
    http = cozepy.SyncHTTPClient(transport=transport, trust_env=False)  # type: ignore[no-untyped-call]  # theirs
    return cozepy.Coze(auth=cozepy.TokenAuth(TOKEN), base_url=base_url, http_client=http)


def vendor_async(transport: httpx.AsyncBaseTransport | None, base_url: str = BASE_URL) -> cozepy.AsyncCoze:
    """Return an async client of the vendor's SDK."""
    http = cozepy.AsyncHTTPClient(transport=transport, trust_env=False)  # type: ignore[no-untyped-call]  # theirs
    return cozepy.AsyncCoze(auth=cozepy.AsyncTokenAuth(TOKEN), base_url=base_url, http_client=http)


def connected_client(base_url: str, connections: int | None = None) -> AsyncCoze:
    """Return an async client of cozekit with its own connections, at most so many if the number is given."""
    from cozekit import AsyncCoze, HTTPBackend

    return AsyncCoze(TOKEN, base_url=base_url, http_backend=HTTPBackend(max_connections=connections))
