"""The handshake of a WebSocket."""

from __future__ import annotations

from collections.abc import Generator

import httpx
import pytest

from coze_api import AsyncClient, Client
from coze_api.errors import InvalidArgumentError
from coze_api.models import ChatSocket, SocketEntityType


@pytest.mark.parametrize(
    ("base_url", "address"),
    [
        ("https://api.coze.com", "wss://ws.coze.com"),
        ("https://api.coze.cn/", "wss://ws.coze.cn"),
        ("http://127.0.0.1:8080", "ws://127.0.0.1:8080"),
        ("https://coze.example.com/gate", "wss://coze.example.com/gate"),
        ("https://api.example.com", "wss://api.example.com"),
    ],
)
def test_official_services_have_a_websocket_host(base_url: str, address: str) -> None:
    """The official services have a WebSocket host; for any other service its base URL is used with the WebSocket
    scheme.
    """
    with Client(base_url, "pat_x") as client:
        assert client.websockets.chat.handshake(bot_id="1 2").url == f"{address}/v1/chat?bot_id=1+2"


@pytest.mark.anyio
async def test_handshake_has_the_token_but_no_upgrade_headers() -> None:
    """A handshake has the token and the caller's headers, but none of the upgrade headers that the WebSocket library
    adds.
    """
    async with AsyncClient("https://api.coze.com", "pat_x", headers={"X-Team": "voice"}) as client:
        handshake = client.websockets.audio.speech.handshake(
            entity_type=SocketEntityType("bot"), entity_id="7", extra_headers={"X-One": "1"}, extra_query={"new": True}
        )
    assert handshake.url == "wss://ws.coze.com/v1/audio/speech?entity_type=bot&entity_id=7&new=true"
    assert handshake.headers == {
        "user-agent": "coze-api-python",
        "x-team": "voice",
        "x-one": "1",
        "authorization": "Bearer pat_x",
    }
    assert "pat_x" not in repr(handshake)


def test_invalid_handshake_arguments_are_rejected() -> None:
    """Missing or unknown arguments of a handshake are rejected before anything is sent."""
    with Client("https://api.coze.com", "pat_x") as client:
        with pytest.raises(InvalidArgumentError, match=r"websockets\.chat: bot_id must be a str, not int"):
            client.websockets.chat.handshake(bot_id=7)  # type: ignore[arg-type]  # the point of the test
        with pytest.raises(InvalidArgumentError, match=r"websockets\.audio\.speech: entity_type must be one of"):
            client.websockets.audio.speech.handshake(entity_type="team")  # type: ignore[arg-type]  # as above


def test_handshake_carries_its_auth_strategy() -> None:
    """A handshake contains its auth strategy, since the strategy may have to send requests."""

    class Strategy(httpx.Auth):
        def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
            yield request

    strategy = Strategy()
    with Client("https://api.coze.com", auth=strategy) as client:
        handshake = client.websockets.chat.handshake(bot_id="1")
        with_header = client.websockets.chat.handshake(bot_id="1", extra_headers={"Authorization": "Bearer mine"})
    assert (handshake.auth, "authorization" in handshake.headers) == (strategy, False)
    assert (with_header.auth, with_header.headers["authorization"]) == (None, "Bearer mine")


def test_protocol_maps_messages_to_confirmations() -> None:
    """A protocol maps a message to its confirmation, so that the confirmation of settings can be awaited."""
    assert ChatSocket.answers["chat.update"] == ("chat.updated", "error")
    assert "input_audio_buffer.append" not in ChatSocket.answers
