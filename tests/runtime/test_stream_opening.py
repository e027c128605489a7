"""How streams are opened, and responses that are not streams."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from coze_api import Stream
from coze_api.errors import APIError, AuthenticationError, CozeError, DecodeError, GatewayError, ServerError
from coze_api.models import ChatDoneEvent
from tests.runtime._responses import (
    SSE,
    Handler,
    Recorder,
    answer,
    async_client,
    client,
    event,
    nothing_sent,
    raw,
    streaming,
)

CREATED = event("conversation.chat.created", {"id": "c", "conversation_id": "v", "status": "created"})
DELTA = event("conversation.message.delta", {"id": "m", "content": "Hi"})
DONE = b'event: done\ndata: "[DONE]"\n\n'


def chat(handler: Handler) -> Stream[Any]:
    """Start a chat whose responses come from *handler*."""
    return client(handler).chat.stream(bot_id="1", user_id="2")


class TestRefused:
    """Responses that are not streams."""

    CASES: tuple[tuple[Handler, type[CozeError], str], ...] = (
        (answer(code=4100, msg="bad token"), AuthenticationError, "bad token"),
        (answer(code=4100, msg="bad token", status=401), AuthenticationError, "bad token"),
        (answer(status=500), ServerError, "HTTP 500"),
        (raw("<html>Bad Gateway", status=502, content_type="text/html"), GatewayError, "Bad Gateway"),
        (raw("<html>", content_type="text/html"), GatewayError, "not JSON but text/html"),
        (raw("data: x", status=500, content_type="text/event-stream"), GatewayError, "HTTP 500"),
        (answer({"id": "1"}), DecodeError, r"its type is not the expected one: '\{\"code\":"),
        (raw("[1]"), DecodeError, r"it is \[1\]"),
    )

    @pytest.mark.parametrize(("handler", "error", "text"), CASES)
    def test_error_instead_of_a_stream_is_raised_and_closed(
        self, handler: Handler, error: type[APIError], text: str
    ) -> None:
        """A response that is not a stream raises what a call would, when it is opened or first read, and is closed."""
        for read in (Stream.open, next, Stream.__enter__):
            stream = chat(handler)
            for _ in range(2):
                with pytest.raises(error, match=text) as caught:
                    read(stream)
                assert type(caught.value) is error
                assert caught.value.operation == "chat.stream"

    @pytest.mark.anyio
    @pytest.mark.parametrize(("handler", "error", "text"), CASES)
    async def test_error_instead_of_an_async_stream_is_raised(
        self, handler: Handler, error: type[APIError], text: str
    ) -> None:
        """A response that is not a stream raises what a call would, on an async client."""
        stream = async_client(handler).chat.stream(bot_id="1", user_id="2")
        for _ in range(2):
            with pytest.raises(error, match=text):
                await anext(stream)

    def test_stream_that_failed_to_open_can_be_opened_again(self) -> None:
        """A stream that could not be opened can be opened again."""

        def handle(request: httpx.Request) -> httpx.Response:
            if len(recorder.requests) == 1:
                raise httpx.ConnectError("refused")
            return streaming(DONE)(request)

        recorder = Recorder(handle)
        stream = chat(recorder)
        with pytest.raises(httpx.ConnectError):
            next(stream)
        assert isinstance(next(stream), ChatDoneEvent)


class TestOpening:
    """When the request is sent."""

    def test_unopened_stream_sends_nothing(self) -> None:
        """A stream that is neither entered nor read sends nothing, and has no response yet."""
        stream = chat(nothing_sent)
        assert (stream.logid, stream.ended) == ("", False)
        with pytest.raises(RuntimeError, match="not open yet"):
            stream.response  # noqa: B018  (getting it is what is tested)
        stream.close()

    def test_request_is_sent_once(self) -> None:
        """Opening, entering and reading send the request once."""
        recorder = Recorder(streaming(CREATED, DELTA, DONE))
        stream = chat(recorder)
        with stream.open() as entered:
            assert entered is stream
            assert stream.response.headers["content-type"] == SSE["content-type"]
            assert len(list(stream.open())) == 3
        assert len(recorder.requests) == 1

    def test_iteration_continues_where_it_stopped(self) -> None:
        """A second iteration continues where the first stopped."""
        stream = chat(streaming(CREATED, DELTA, DELTA, DONE))
        for _ in stream:
            break
        assert len(list(stream)) == 3
