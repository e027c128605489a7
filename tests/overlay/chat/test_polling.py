"""Polling a chat that is not streamed."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from coze_api.models import ChatStatus
from coze_api.operations import chat as operations
from coze_sandbox import BOT_ID
from cozekit import ChatResult
from cozekit.errors import ChatFailed, NotFoundError, PollTimeout

CHAT: dict[str, Any] = {"bot_id": BOT_ID, "user_id": "u", "additional_messages": ["hi"]}
PENDING = {ChatStatus.CREATED, ChatStatus.IN_PROGRESS}
WAITS_FOR = [operations.CREATE.poll, operations.SUBMIT_TOOL_OUTPUTS.poll]


class Server:
    """Returns a chat in the given states, one per request, then the last state repeatedly, and one message."""

    def __init__(self, *states: str | None, **members: Any) -> None:
        self.states = list(states)
        self.members = members
        self.requests: list[httpx.Request] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        data: Any = {"id": "7", "conversation_id": "8", "status": self.states[0], **self.members}
        if request.url.path == operations.MESSAGES_LIST.path:
            data = [{"id": "9", "type": "answer", "content": "hello"}, {"id": "10", "type": "verbose", "content": "x"}]
        elif len(self.states) > 1:
            self.states.pop(0)
        return httpx.Response(200, json={"code": 0, "data": data, "detail": {"logid": f"L{len(self.requests)}"}})

    @property
    def paths(self) -> list[str]:
        return [request.url.path for request in self.requests]


def test_every_state_is_pending_or_final():
    """The client classifies each state of a chat as pending or final."""
    for poll in WAITS_FOR:
        assert poll is not None
        assert poll.pending == PENDING
        assert poll.pending | poll.terminal == set(ChatStatus)
        assert not poll.pending & poll.terminal


@pytest.mark.parametrize("status", ChatStatus)
def test_every_known_state_ends_as_defined(connect, pauses, status):
    """Every known state ends in the result, in ChatFailed or in PollTimeout."""
    server = Server("created", status, last_error={"code": 4028, "msg": "no credits"})
    coze = connect(handler=server)
    if status in PENDING:
        with pytest.raises(PollTimeout) as late:
            coze.chat.create_and_poll(**CHAT, poll_timeout=60)
        assert str(late.value) == "the chat 7 did not end within 60 s"
        assert (late.value.chat.id, late.value.chat.status) == ("7", status)
        assert isinstance(late.value, TimeoutError)
    elif status is ChatStatus.FAILED:
        with pytest.raises(ChatFailed) as failed:
            coze.chat.create_and_poll(**CHAT)
        error = failed.value
        assert (error.code, error.msg, error.logid, error.status) == (4028, "no credits", "L2", 200)
        assert (error.operation, error.chat.id, error.stream) == ("chat.retrieve", "7", None)
        assert str(error).startswith("chat.retrieve: no credits (HTTP 200, code 4028, logid L2). Wait until the")
        assert operations.MESSAGES_LIST.path not in server.paths
    else:
        result = coze.chat.create_and_poll(**CHAT)
        assert (result.status, result.text, result.chat.id) == (status, "hello", "7")
        assert server.paths == [op.path for op in (operations.CREATE, operations.RETRIEVE, operations.MESSAGES_LIST)]


@pytest.mark.parametrize("status", ["paused_by_moderator", None])
def test_unknown_or_missing_state_ends_the_polling(connect, pauses, status):
    """An unknown state, or none at all, ends the polling, which would otherwise never end."""
    result = connect(handler=Server("in_progress", status)).chat.create_and_poll(**CHAT)
    assert result.status == status
    assert len(result.messages) == 2


@pytest.mark.parametrize("last_error", [None, {}, {"code": 0, "msg": ""}, {"code": "x", "msg": None}, "broken", 7])
def test_failed_chat_without_a_reason_is_a_chat_failed(connect, pauses, last_error):
    """A failed chat without a reason raises ChatFailed."""
    with pytest.raises(ChatFailed, match="the chat failed") as caught:
        connect(handler=Server("failed", last_error=last_error)).chat.create_and_poll(**CHAT)
    assert caught.value.code == 0


def test_error_code_may_be_a_string(connect, pauses):
    """An error code that arrives as a string equals the same number."""
    with pytest.raises(ChatFailed) as caught:
        connect(handler=Server("failed", last_error={"code": "4011", "msg": "m"})).chat.create_and_poll(**CHAT)
    assert caught.value.code == 4011
    assert caught.value.hint


def test_pauses_grow_to_five_seconds(connect, pauses):
    """Pauses grow by half up to five seconds; a longer poll interval stays constant."""
    running = ["in_progress"] * 7
    connect(handler=Server(*running, "completed")).chat.create_and_poll(**CHAT)
    assert pauses == [1.0, 1.5, 2.25, 3.375, 5.0, 5.0, 5.0]
    pauses.clear()
    connect(handler=Server(*running, "completed")).chat.create_and_poll(**CHAT, poll_interval=9)
    assert pauses == [9.0] * 7


def test_last_pause_ends_at_the_timeout(connect, pauses):
    """The last pause ends when the timeout is reached, and the chat is polled once more after it."""
    server = Server("in_progress")
    with pytest.raises(PollTimeout):
        connect(handler=server).chat.create_and_poll(**CHAT, poll_timeout=3)
    assert pauses[:2] == [1.0, 1.5]
    assert 0 < pauses[2] <= 0.5
    assert len(server.requests) == 4


def test_timeout_zero_starts_the_chat_without_polling(connect, pauses):
    """With a timeout of 0 the chat is started, and PollTimeout is raised unless it ended at once."""
    server = Server("in_progress")
    with pytest.raises(PollTimeout):
        connect(handler=server).chat.create_and_poll(**CHAT, poll_timeout=0)
    assert server.paths == [operations.CREATE.path]
    assert pauses == []


def test_chat_that_ended_at_once_is_not_polled(connect, pauses):
    """A chat that is already completed in the first response is not polled."""
    server = Server("completed")
    assert connect(handler=server).chat.create_and_poll(**CHAT).text == "hello"
    assert server.paths == [operations.CREATE.path, operations.MESSAGES_LIST.path]
    assert pauses == []


def test_headers_and_timeout_apply_to_every_request(connect, pauses):
    """Headers and timeout apply to each request; other extra options only to the first."""
    server = Server("created", "completed")
    options = {"extra_headers": {"X-Trace": "1"}, "timeout": 9, "extra_body": {"shade": 1}, "extra_query": {"q": "2"}}
    connect(handler=server).chat.create_and_poll(**CHAT, **options)
    assert [request.headers["X-Trace"] for request in server.requests] == ["1"] * 3
    assert {request.extensions["timeout"]["read"] for request in server.requests} == {9}
    assert ["q" in request.url.params for request in server.requests] == [True, False, False]


def test_result_has_chat_messages_text_suggestions_usage_and_log_id(coze, coze_sandbox):
    """The result has chat, messages, text, suggestions, usage and log id."""
    chat = {**CHAT, "additional_messages": ["/suggest hi"]}
    result = coze.chat.create_and_poll(**chat, poll_interval=0)
    assert isinstance(result, ChatResult)
    assert (result.status, result.text) == ("completed", "You said: hi")
    assert len(result.follow_ups) == 3
    assert result.usage.token_count > 0
    assert result.logid == result.chat.logid == coze_sandbox.requests.of("chat.retrieve")[-1].logid


def test_failed_chat_has_code_and_message(coze):
    """A chat that fails in the sandbox raises an error with code and message."""
    with pytest.raises(ChatFailed, match="no credits") as caught:
        coze.chat.create_and_poll(**{**CHAT, "additional_messages": ["/fail 4028 no credits"]}, poll_interval=0)
    assert caught.value.code == 4028


def test_chat_that_waits_for_tools_is_returned_and_polled_again(coze):
    """A chat that waits for tools is returned, and can be polled again after the outputs were submitted."""
    result = coze.chat.create_and_poll(**{**CHAT, "additional_messages": ["/tool clock {}"]}, poll_interval=0)
    assert result.status is ChatStatus.REQUIRES_ACTION
    assert len(result.chat.required_action.submit_tool_outputs.tool_calls) == 1


def test_temporary_failure_is_retried_without_a_second_chat(coze, coze_sandbox):
    """A temporary failure is retried while polling, and the chat is not started twice."""
    coze_sandbox.faults.add("status", operation="chat.retrieve", status=503, times=2)
    coze_sandbox.faults.add("drop", operation="chat.messages.list")
    assert coze.chat.create_and_poll(**CHAT, poll_interval=0).text == "You said: hi"
    assert len(coze_sandbox.requests.of("chat.create")) == 1


def test_rejected_requests_raise_their_errors(coze):
    """A request that Coze rejects raises the error of the response."""
    with pytest.raises(NotFoundError):
        coze.chat.create_and_poll(**{**CHAT, "bot_id": "7"})


def test_occupied_conversation_is_retried(coze, coze_sandbox):
    """A chat in an occupied conversation is retried until the other chat has ended."""
    coze_sandbox.faults.add("code", operation="chat.create", code=4016, times=2)
    assert coze.chat.create_and_poll(**CHAT, poll_interval=0).text == "You said: hi"
    assert [record.code for record in coze_sandbox.requests.of("chat.create")] == [4016, 4016, 0]
