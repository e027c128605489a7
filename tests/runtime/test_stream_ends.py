"""How streams start and end: complete, failed, or interrupted."""

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
    """Start a chat whose responses come from *handler*."""
    return client(handler, **options).chat.stream(bot_id="1", user_id="2")


def run(handler: Handler) -> Stream[Any]:
    """Start a workflow run whose responses come from *handler*."""
    return client(handler).workflows.runs.stream(workflow_id="1")


def broken(stream: Stream[Any]) -> StreamInterrupted:
    """Read a stream that is interrupted, and return the error."""
    with pytest.raises(StreamInterrupted) as caught:
        stream.until_done()
    assert not stream.ended
    return caught.value


def failed(stream: Stream[Any]) -> StreamFailed:
    """Read a stream that fails, and return the error."""
    with pytest.raises(StreamFailed) as caught:
        stream.until_done()
    assert type(caught.value) is StreamFailed
    return caught.value


class TestDone:
    """Streams that end with their last event."""

    @pytest.mark.parametrize("done", [DONE, b"event:done\ndata:[DONE]\n\n", b"event: done\n\n", DONE[:-1]])
    def test_done_ends_a_chat(self, done: bytes) -> None:
        """`done` ends a chat, in whatever form its data is written, and is an event itself."""
        stream = chat(streaming(CREATED, DELTA, done))
        assert [type(each) for each in stream] == [ChatCreatedEvent, MessageDeltaEvent, ChatDoneEvent]
        assert stream.ended
        assert stream.logid == stream.response.logid == "log-1"
        assert list(stream) == []

    @pytest.mark.parametrize("size", [1, 7, 10_000])
    def test_chunk_boundaries_do_not_matter(self, size: int) -> None:
        """The places where the bytes are cut make no difference."""
        whole = CREATED + DELTA + DONE
        stream = chat(streaming(*(whole[at : at + size] for at in range(0, len(whole), size))))
        assert [each.data if isinstance(each.data, str) else each.data.id for each in stream] == ["c", "m", "[DONE]"]

    def test_done_ends_a_run(self) -> None:
        """`Done` ends a run; numbers and heartbeats are kept."""
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

    def test_events_after_the_end_are_dropped(self) -> None:
        """Events after the end are dropped, and the connection to a server that keeps sending is closed."""
        body = Chunks(DONE + DELTA, *[DELTA] * 1000)
        assert [type(each) for each in chat(streaming(body=body))] == [ChatDoneEvent]
        assert body.given < 20
        assert body.closed

    def test_possible_last_event_allows_the_end(self) -> None:
        """An event that may be the last makes the end of the response a proper end, but does not end the stream."""
        action = event("conversation.chat.requires_action", {"id": "c"})
        assert [type(each) for each in chat(streaming(action))] == [ChatRequiresActionEvent]
        stream = chat(streaming(action, DELTA, DONE))
        assert [type(each) for each in stream] == [ChatRequiresActionEvent, MessageDeltaEvent, ChatDoneEvent]

    def test_unknown_events_are_yielded(self) -> None:
        """Events that the description does not know are yielded, with or without a name, whatever their data."""
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
    def test_data_of_another_type_is_passed_through(self, data: Any) -> None:
        """Data that should be an object and is not is passed through."""
        first, _ = chat(streaming(event("conversation.message.delta", data), DONE))
        assert isinstance(first, MessageDeltaEvent)
        assert first.data == data


class TestFailed:
    """Streams that end with a failure."""

    def test_failed_chat_raises_its_error(self) -> None:
        """A chat that fails raises its error, with the event and a hint."""
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
    def test_failed_chat_may_have_code_and_message_only(self, code: int | str) -> None:
        """A failed chat may have only code and message at the top level, the code as number or string."""
        error = failed(chat(streaming(event(FAILED, {"code": code, "msg": "slow"}))))
        assert isinstance(error.event.data, ChatFailureReason)
        assert (error.code, error.msg, error.retryable) == (4013, "slow", True)

    def test_error_event_raises(self) -> None:
        """An `error` event raises, with an object, a string or no data."""
        error = failed(chat(streaming(CREATED, event("error", {"code": 5000, "msg": "oops"}))))
        assert isinstance(error.event.data, StreamError)
        assert (error.code, error.msg) == (5000, "oops")
        assert failed(chat(streaming(event("error", "out of order")))).msg == "out of order"
        for data in (b"", b"data: null\n", b"data: [1]\n", b"data: {}\n"):
            assert failed(chat(streaming(b"event: error\n" + data + b"\n"))).msg == "the stream reported a failure"

    def test_failed_run_raises_with_its_own_field_names(self) -> None:
        """A failed run raises, although its error has other field names."""
        data = {"error_code": 5000, "error_message": "node failed", "debug_url": "https://debug"}
        error = failed(run(streaming(event("Error", data))))
        assert (error.code, error.msg, error.debug_url) == (5000, "node failed", "https://debug")
        assert str(error).startswith("workflows.runs.stream: node failed (HTTP 200, code 5000, logid log-1)")

    @pytest.mark.parametrize("begin", [b"", CREATED])
    @pytest.mark.parametrize("end", [b"\n", b""])
    def test_bare_json_error_raises(self, begin: bytes, end: bytes) -> None:
        """A line of JSON with an error code, which is not an event, raises."""
        error = failed(chat(streaming(begin, b'{"code":4100,"msg":"authentication is invalid"}\n' + end)))
        assert (error.code, error.msg) == (4100, "authentication is invalid")
        assert error.event == UnknownChatStreamEvent("", {"code": 4100, "msg": "authentication is invalid"})

    def test_failure_is_raised_again(self) -> None:
        """Reading again raises the same failure instead of ending, and the error can be pickled."""
        stream = chat(streaming(CREATED, event("error", {"code": 5000})))
        error = failed(stream)
        assert failed(stream) is error
        assert pickle.loads(pickle.dumps(error)).event == error.event


class TestInterrupted:
    """Streams that are interrupted."""

    def test_response_without_last_event_is_interrupted(self) -> None:
        """A response that ends before the stream raises an error with what arrived, including an incomplete event."""
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
    def test_broken_connection_is_the_cause(self, cause: httpx.HTTPError) -> None:
        """A connection that breaks at any point is the cause of the error."""
        error = broken(chat(streaming(CREATED, DELTA[:9], cause)))
        assert error.__cause__ is cause
        assert (error.events, error.rest) == (1, DELTA[:9])
        assert f"{type(cause).__name__}: {cause}" in str(error)
        assert broken(chat(streaming(cause))).events == 0

    def test_break_after_the_end_is_ignored(self) -> None:
        """A connection that breaks after the end of the stream is ignored."""
        assert chat(streaming(DONE, httpx.ReadError("gone"))).until_done().ended

    def test_too_large_event_interrupts(self) -> None:
        """An event that is too large interrupts the stream after the events before it."""
        stream = chat(streaming(DELTA, b"data: " + b"x" * 2000), max_event_bytes=1000)
        assert isinstance(next(stream), MessageDeltaEvent)
        assert "larger than 1000 bytes" in str(broken(stream))

    def test_reading_after_early_close_raises(self) -> None:
        """An early close releases the connection, and reading again raises an error instead of ending."""
        body = Chunks(CREATED + DELTA, DELTA, DONE)
        stream = chat(streaming(body=body))
        next(stream)
        stream.close()
        assert (body.closed, body.given) == (True, 1)
        assert "it was closed here before its end" in str(broken(stream))
        stream.close()

    def test_exit_closes_and_ended_stream_stays_ended(self) -> None:
        """Leaving `with` closes, and a stream that ended before stays ended."""
        body = Chunks(CREATED, DONE)
        with chat(streaming(body=body)) as stream:
            next(stream)
        assert body.closed
        broken(stream)
        with chat(streaming(DONE)) as stream:
            stream.until_done()
        assert list(stream) == []
