"""Chats with chatflows."""

from __future__ import annotations

from typing import Any

import pytest

from coze_api import models
from coze_sandbox import BOT_ID, WORKFLOW_CHAT, WORKFLOW_ECHO
from cozekit.errors import APIError, ChatFailed


def user_message(text: str, **others: Any) -> dict[str, Any]:
    return {
        "workflow_id": WORKFLOW_CHAT,
        "bot_id": BOT_ID,
        "additional_messages": [text],
        **others,
    }


def test_chatflow_stream_reads_like_a_chat_stream(coze):
    """The stream of a chatflow is read like that of a chat with a bot."""
    with coze.workflows.chat.stream(**user_message("/say Good day")) as stream:
        assert "".join(stream.text) == stream.answer == "Good day"
    assert stream.chat.status is models.ChatStatus.COMPLETED
    assert stream.usage.token_count > 0
    assert stream.ended


@pytest.mark.parametrize("parameters", [{}, {"parameters": {}}, {"parameters": {"user_name": "George"}}])
def test_parameters_may_be_omitted(coze, coze_sandbox, parameters):
    """A chatflow without other input needs no parameters, and the request then contains none."""
    assert coze.workflows.chat.stream(**user_message("/say Good day", **parameters)).until_done().answer == "Good day"
    record = coze_sandbox.requests.of("workflows.chat.stream")[-1]
    assert record.body.get("parameters") == parameters.get("parameters")
    assert record.tolerated == []


def test_second_message_continues_the_conversation(coze):
    """A second message in the same conversation sees the first one."""
    stream = coze.workflows.chat.stream(**user_message("Hello")).until_done()
    again = coze.workflows.chat.stream(
        **user_message("/recall", conversation_id=stream.chat.conversation_id)
    ).until_done()
    assert again.answer == "Before that you said: Hello"


def test_each_failure_has_its_exception(coze):
    """A failed chatflow raises ChatFailed, a rejected call APIError, a misspelled argument TypeError."""
    with pytest.raises(ChatFailed, match="no credits"):
        coze.workflows.chat.stream(**user_message("/fail 4028 no credits")).until_done()
    with pytest.raises(APIError, match="not a chatflow"):
        coze.workflows.chat.stream(**user_message("Hello", workflow_id=WORKFLOW_ECHO)).open()
    with pytest.raises(TypeError, match=r"stream\(\): got an unexpected keyword argument 'workflow'"):
        coze.workflows.chat.stream(**user_message("Hello"), workflow="1")
