"""Tests of what opens a WebSocket."""

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
def test_official_services_have_a_host_for_websockets(base_url: str, address: str) -> None:
    """Any other service is asked at its own address, in the WebSocket scheme."""
    with Client(base_url, "pat_x") as client:
        assert client.websockets.chat.handshake(bot_id="1 2").url == f"{address}/v1/chat?bot_id=1+2"


@pytest.mark.anyio
async def test_handshake_carries_the_token_and_no_header_of_http() -> None:
    """A WebSocket library makes the headers of the upgrade itself; all others are given to it."""
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


def test_arguments_of_a_handshake_are_checked() -> None:
    """What is missing or not described is refused before anything is sent."""
    with Client("https://api.coze.com", "pat_x") as client:
        with pytest.raises(InvalidArgumentError, match=r"websockets\.chat: bot_id must be a str, not int"):
            client.websockets.chat.handshake(bot_id=7)  # type: ignore[arg-type]  # the point of the test
        with pytest.raises(InvalidArgumentError, match=r"websockets\.audio\.speech: entity_type must be one of"):
            client.websockets.audio.speech.handshake(entity_type="team")  # type: ignore[arg-type]  # as above


def test_strategies_authorise_a_handshake_later() -> None:
    """A strategy goes with the handshake, since it may have to send requests of its own."""

    class Strategy(httpx.Auth):
        def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
            yield request

    strategy = Strategy()
    with Client("https://api.coze.com", auth=strategy) as client:
        handshake = client.websockets.chat.handshake(bot_id="1")
        given = client.websockets.chat.handshake(bot_id="1", extra_headers={"Authorization": "Bearer mine"})
    assert (handshake.auth, "authorization" in handshake.headers) == (strategy, False)
    assert (given.auth, given.headers["authorization"]) == (None, "Bearer mine")


def test_protocol_knows_what_is_answered_with_what() -> None:
    """So one can wait for the confirmation of settings."""
    assert ChatSocket.answers["chat.update"] == ("chat.updated", "error")
    assert "input_audio_buffer.append" not in ChatSocket.answers
