"""Every WebSocket is opened as described."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest

from coze_api import AsyncClient, Client, models
from tests.contract._calls import TOKEN, document, resolve

BASES = ("https://api.coze.com", "https://api.coze.cn")


def sockets() -> Iterator[tuple[str, dict[str, Any]]]:
    """List the operations that open WebSockets, with their paths."""
    for path, item in document()["paths"].items():
        for operation in item.values():
            if "x-coze-websocket" in operation:
                yield path, operation


@pytest.mark.parametrize("client", [Client, AsyncClient])
@pytest.mark.parametrize("base", BASES)
@pytest.mark.parametrize(
    ("path", "operation"), [pytest.param(path, socket, id=socket["operationId"]) for path, socket in sockets()]
)
def test_handshake(path: str, operation: dict[str, Any], base: str, client: Any) -> None:
    """Address, query and token are those of the description, and so is the protocol that is spoken then."""
    resource = client(base, TOKEN)
    for name in operation["operationId"].split("."):
        resource = getattr(resource, name)
    arguments = {parameter["name"]: parameter["example"] for parameter in map(resolve, operation.get("parameters", ()))}
    handshake = resource.handshake(**arguments)
    address = urlsplit(handshake.url)
    assert address._replace(path="", query="").geturl() in {server["url"] for server in operation["servers"]}
    assert address.hostname == f"ws.{base.partition('api.')[2]}"
    assert address.path == path
    assert dict(parse_qsl(address.query, strict_parsing=bool(arguments))) == arguments
    assert handshake.headers["authorization"] == f"Bearer {TOKEN}"
    assert handshake.protocol is getattr(models, operation["x-coze-websocket"]["protocol"]["$ref"].rpartition("/")[2])
