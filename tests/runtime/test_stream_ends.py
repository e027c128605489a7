"""Tests of how streams begin, go on, and end: properly, by a failure, or broken off."""

from __future__ import annotations

import pickle
from typing import Any

import httpx
import pytest

from coze_api import Stream
from coze_api.errors import (
    StreamFailed,
    StreamInterrupted,
)
from coze_api.models import (
    Chat,
    ChatCreatedEvent,
    ChatDoneEvent,
    ChatFailedEvent,
    ChatFailureReason,
    ChatRequiresActionEvent,
    MessageDeltaEvent,
    StreamError,
    UnknownChatStreamEvent,
    WorkflowDoneEvent,
    WorkflowMessageEvent,
    WorkflowPingEvent,
)
from tests.runtime._responses import Chunks, Handler, client, event, streaming

CREATED = event("conversation.chat.created", {"id": "c", "conversation_id": "v", "status": "created"})
DELTA = event("conversation.message.delta", {"id": "m", "content": "Hi"})
DONE = b'event: done\ndata: "[DONE]"\n\n'
FAILED = "conversation.chat.failed"


def chat(handler: Handler, **options: Any) -> Stream[Any]:
    """Begin a chat that is answered by *handler*."""
    return client(handler, **options).chat.stream(bot_id="1", user_id="2")


def run(handler: Handler) -> Stream[Any]:
    """Begin a run of a workflow that is answered by *handler*."""
    return client(handler).workflows.runs.stream(workflow_id="1")


def broken(stream: Stream[Any]) -> StreamInterrupted:
    """Read a stream that breaks off."""
    with pytest.raises(StreamInterrupted) as caught:
        stream.until_done()
    assert not stream.ended
    return caught.value


def failed(stream: Stream[Any]) -> StreamFailed:
    """Read a stream that tells a failure."""
    with pytest.raises(StreamFailed) as caught:
        stream.until_done()
    assert type(caught.value) is StreamFailed
    return caught.value


class TestDone:
    """Streams that end properly."""

    @pytest.mark.parametrize("done", [DONE, b"event:done\ndata:[DONE]\n\n", b"event: done\n\n", DONE[:-1]])
    def test_chat(self, done: bytes) -> None:
        """`done` ends a chat, however its data is written, and is an event itself."""
        stream = chat(streaming(CREATED, DELTA, done))
        assert [type(each) for each in stream] == [ChatCreatedEvent, MessageDeltaEvent, ChatDoneEvent]
        assert stream.ended
        assert stream.logid == stream.response.logid == "log-1"
        assert list(stream) == []

    @pytest.mark.parametrize("size", [1, 7, 10_000])
    def test_chunks(self, size: int) -> None:
        """Where the bytes are cut makes no difference."""
        whole = CREATED + DELTA + DONE
        stream = chat(streaming(*(whole[at : at + size] for at in range(0, len(whole), size))))
        assert [each.data if isinstance(each.data, str) else each.data.id for each in stream] == ["c", "m", "[DONE]"]

    def test_workflow(self) -> None:
        """`Done` ends a run; numbers and signs of life are kept."""
        events = list(
            run(
                streaming(
                    b'id: 0\nevent: Message\ndata: {"content":"a","node_seq_id":"0"}\n\n',
                    b"event: PING\n\n",
                    b'id: 1\nevent: Done\ndata: {"debug_url":"https://debug"}\n\n',
                )
            )
        )
        assert [type(each) for each in events] == [WorkflowMessageEvent, WorkflowPingEvent, WorkflowDoneEvent]
        assert [each.id for each in events] == ["0", None, "1"]
        assert events[1].data is None
        assert events[2].data.debug_url == "https://debug"

    def test_what_follows_is_not_read(self) -> None:
        """Events after the end are dropped, and a server that goes on for ever is left."""
        body = Chunks(DONE + DELTA, *[DELTA] * 1000)
        assert [type(each) for each in chat(streaming(body=body))] == [ChatDoneEvent]
        assert body.given < 20
        assert body.closed

    def test_maybe(self) -> None:
        """An event that may be the last makes the end of the answer a proper end, but does not end the stream."""
        action = event("conversation.chat.requires_action", {"id": "c"})
        assert [type(each) for each in chat(streaming(action))] == [ChatRequiresActionEvent]
        stream = chat(streaming(action, DELTA, DONE))
        assert [type(each) for each in stream] == [ChatRequiresActionEvent, MessageDeltaEvent, ChatDoneEvent]

    def test_unknown_events(self) -> None:
        """Events that the description does not know are kept, with or without a name, whatever their data."""
        events = list(
            chat(
                streaming(
                    event("brand.new", {"a": 1}), event("x", "no json"), b"data: 5\n\n", b'data: {"code":0}\n\n', DONE
                )
            )
        )
        assert events[:-1] == [
            UnknownChatStreamEvent("brand.new", {"a": 1}),
            UnknownChatStreamEvent("x", "no json"),
            UnknownChatStreamEvent("", 5),
            UnknownChatStreamEvent("", {"code": 0}),
        ]

    @pytest.mark.parametrize("data", ["text", 5, [1], None])
    def test_data_of_another_type(self, data: Any) -> None:
        """Data that is no object where one is described is handed through."""
        first, _ = chat(streaming(event("conversation.message.delta", data), DONE))
        assert isinstance(first, MessageDeltaEvent)
        assert first.data == data


class TestFailed:
    """Streams that tell a failure."""

    def test_chat(self) -> None:
        """A chat that fails raises with the chat's error, the event, and what to do."""
        data = {
            "id": "c",
            "conversation_id": "v",
            "status": "failed",
            "last_error": {"code": 4028, "msg": "no credits"},
        }
        error = failed(chat(streaming(CREATED, event(FAILED, data))))
        assert (error.code, error.msg, error.operation, error.logid) == (4028, "no credits", "chat.stream", "log-1")
        assert isinstance(error.event, ChatFailedEvent)
        assert isinstance(error.event.data, Chat)
        assert error.event.data.id == "c"
        assert error.hint
        assert not error.retryable

    @pytest.mark.parametrize("code", [4013, "4013"])
    def test_bare(self, code: int | str) -> None:
        """So does one that sends code and message alone, the code as number or text."""
        error = failed(chat(streaming(event(FAILED, {"code": code, "msg": "slow"}))))
        assert isinstance(error.event.data, ChatFailureReason)
        assert (error.code, error.msg, error.retryable) == (4013, "slow", True)

    def test_error_event(self) -> None:
        """So does an `error` event, with an object, a text or nothing."""
        error = failed(chat(streaming(CREATED, event("error", {"code": 5000, "msg": "oops"}))))
        assert isinstance(error.event.data, StreamError)
        assert (error.code, error.msg) == (5000, "oops")
        assert failed(chat(streaming(event("error", "out of order")))).msg == "out of order"
        for data in (b"", b"data: null\n", b"data: [1]\n", b"data: {}\n"):
            assert failed(chat(streaming(b"event: error\n" + data + b"\n"))).msg == "the stream reported a failure"

    def test_workflow(self) -> None:
        """So does a run, whose error has names of its own."""
        data = {"error_code": 5000, "error_message": "node failed", "debug_url": "https://debug"}
        error = failed(run(streaming(event("Error", data))))
        assert (error.code, error.msg, error.debug_url) == (5000, "node failed", "https://debug")
        assert str(error).startswith("workflows.runs.stream: node failed (HTTP 200, code 5000, logid log-1)")

    @pytest.mark.parametrize("begin", [b"", CREATED])
    @pytest.mark.parametrize("end", [b"\n", b""])
    def test_without_framing(self, begin: bytes, end: bytes) -> None:
        """So does a line of JSON with a code, which is no event at all."""
        error = failed(chat(streaming(begin, b'{"code":4100,"msg":"authentication is invalid"}\n' + end)))
        assert (error.code, error.msg) == (4100, "authentication is invalid")
        assert error.event == UnknownChatStreamEvent("", {"code": 4100, "msg": "authentication is invalid"})

    def test_told_again(self) -> None:
        """Reading on raises the same failure; it does not become an end. The error survives pickling."""
        stream = chat(streaming(CREATED, event("error", {"code": 5000})))
        error = failed(stream)
        assert failed(stream) is error
        assert pickle.loads(pickle.dumps(error)).event == error.event


class TestInterrupted:
    """Streams that break off."""

    def test_without_end(self) -> None:
        """An answer that ends before the stream tells what arrived, also of an event that did not arrive whole."""
        stream = chat(streaming(CREATED, DELTA, b"event: conversation.mess"))
        error = broken(stream)
        assert (error.operation, error.logid, error.events) == ("chat.stream", "log-1", 2)
        assert isinstance(error.last_event, MessageDeltaEvent)
        assert error.rest == b"event: conversation.mess"
        assert error.stream is stream
        assert str(error) == (
            "chat.stream: the stream broke off after 2 events: the server closed it without an ending event (logid log-1)"
        )
        assert broken(stream) is error

    @pytest.mark.parametrize(
        "cause", [httpx.ReadError("gone"), httpx.ReadTimeout("slow"), httpx.RemoteProtocolError("x")]
    )
    def test_connection(self, cause: httpx.HTTPError) -> None:
        """A connection that breaks is told as cause, at whatever point."""
        error = broken(chat(streaming(CREATED, DELTA[:9], cause)))
        assert error.__cause__ is cause
        assert (error.events, error.rest) == (1, DELTA[:9])
        assert f"{type(cause).__name__}: {cause}" in str(error)
        assert broken(chat(streaming(cause))).events == 0

    def test_connection_after_end(self) -> None:
        """A connection that breaks after the end of the stream does no harm."""
        assert chat(streaming(DONE, httpx.ReadError("gone"))).until_done().ended

    def test_too_large(self) -> None:
        """An event larger than allowed breaks it off after the events before."""
        stream = chat(streaming(DELTA, b"data: " + b"x" * 2000), max_event_bytes=1000)
        assert isinstance(next(stream), MessageDeltaEvent)
        assert "larger than 1000 bytes" in str(broken(stream))

    def test_closed(self) -> None:
        """Closing in the middle gives the connection back; reading on says so instead of seeming to end."""
        body = Chunks(CREATED + DELTA, DELTA, DONE)
        stream = chat(streaming(body=body))
        next(stream)
        stream.close()
        assert (body.closed, body.given) == (True, 1)
        assert "it was closed here before its end" in str(broken(stream))
        stream.close()

    def test_left(self) -> None:
        """Leaving `with` closes, and a stream that ended before stays ended."""
        body = Chunks(CREATED, DONE)
        with chat(streaming(body=body)) as stream:
            next(stream)
        assert body.closed
        broken(stream)
        with chat(streaming(DONE)) as stream:
            stream.until_done()
        assert list(stream) == []
