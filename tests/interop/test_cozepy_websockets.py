"""cozepy, the official Python SDK, opens WebSockets to the sandbox. cozepy supports only TLS."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import pytest

from coze_sandbox import BOT_ID, Sandbox
from tests.interop._official import cozepy


@pytest.fixture(scope="module")
def secure() -> Iterator[Sandbox]:
    """Run a sandbox with a certificate of its own."""
    with Sandbox(tls=True) as sandbox:
        yield sandbox


@pytest.fixture
def coze(secure: Sandbox, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Return a client that trusts the certificate, and fail the test on messages that do not match the description."""
    secure.reset()
    monkeypatch.setenv("SSL_CERT_FILE", str(secure.ca_file))
    with cozepy.SyncHTTPClient() as http:
        yield cozepy.Coze(cozepy.TokenAuth(secure.token), secure.base_url, http)
    assert not secure.violations
    assert [entry for record in secure.requests for entry in record.messages if entry.verdict != "ok"] == []


class Collector:
    """Collects events by their type."""

    def __init__(self, last: Any) -> None:
        self.events: dict[Any, list[Any]] = {}
        self.done = threading.Event()
        self._last = last

    def __getitem__(self, kind: Any) -> Any:
        return lambda _client, event: self._keep(kind, event)

    def _keep(self, kind: Any, event: Any) -> None:
        self.events.setdefault(kind, []).append(event)
        if kind in {self._last, cozepy.WebsocketsEventType.ERROR}:
            self.done.set()

    def handlers(self, *kinds: Any) -> dict[Any, Any]:
        """Return the handlers that the client calls."""
        return {kind: self[kind] for kind in {*kinds, self._last, cozepy.WebsocketsEventType.ERROR}}


def test_speech_socket_returns_audio(coze: Any) -> None:
    """cozepy sends text and receives audio over the speech WebSocket, to the end."""
    kind = cozepy.WebsocketsEventType
    collector = Collector(kind.SPEECH_AUDIO_COMPLETED)
    client = coze.websockets.audio.speech.create(on_event=collector.handlers(kind.SPEECH_AUDIO_UPDATE))
    with client() as speech:
        speech.input_text_buffer_append(cozepy.InputTextBufferAppendEvent.Data(delta="Good morning"))
        speech.input_text_buffer_complete()
        assert collector.done.wait(60)
    assert kind.ERROR not in collector.events
    assert b"".join(event.data.delta for event in collector.events[kind.SPEECH_AUDIO_UPDATE])


def test_transcription_socket_returns_text(coze: Any) -> None:
    """cozepy sends audio and receives text over the transcription WebSocket."""
    kind = cozepy.WebsocketsEventType
    collector = Collector(kind.TRANSCRIPTIONS_MESSAGE_COMPLETED)
    client = coze.websockets.audio.transcriptions.create(
        on_event=collector.handlers(kind.TRANSCRIPTIONS_MESSAGE_UPDATE)
    )
    with client() as transcriptions:
        transcriptions.input_audio_buffer_append(cozepy.InputAudioBufferAppendEvent.Data(delta=bytes(96000)))
        transcriptions.input_audio_buffer_complete()
        assert collector.done.wait(60)
    assert kind.ERROR not in collector.events
    assert collector.events[kind.TRANSCRIPTIONS_MESSAGE_UPDATE][-1].data.content


def test_chat_socket_returns_the_answer(coze: Any) -> None:
    """cozepy sends a message and receives the answer in pieces over the chat WebSocket."""
    kind = cozepy.WebsocketsEventType
    collector = Collector(kind.CONVERSATION_CHAT_COMPLETED)
    client = coze.websockets.chat.create(bot_id=BOT_ID, on_event=collector.handlers(kind.CONVERSATION_MESSAGE_DELTA))
    with client() as chat:
        chat.conversation_message_create(
            cozepy.ConversationMessageCreateEvent.Data(
                role=cozepy.MessageRole.USER, content_type=cozepy.MessageContentType.TEXT, content="/say Hello"
            )
        )
        assert collector.done.wait(60)
    assert kind.ERROR not in collector.events
    assert "Hello" in "".join(event.data.content for event in collector.events[kind.CONVERSATION_MESSAGE_DELTA])
