"""Chats with chatflows."""

from __future__ import annotations

from typing import Any

import pytest

from coze_api import models
from coze_sandbox import BOT_ID, WORKFLOW_CHAT, WORKFLOW_ECHO
from cozekit.errors import APIError, ChatFailed


def said(text: str, **others: Any) -> dict[str, Any]:
    return {
        "workflow_id": WORKFLOW_CHAT,
        "bot_id": BOT_ID,
        "additional_messages": [text],
        **others,
    }


def test_reads_as_a_chat(coze):
    """The stream of a chatflow is read as that of a chat with a bot."""
    with coze.workflows.chat.stream(**said("/say Good day")) as stream:
        assert "".join(stream.text) == stream.answer == "Good day"
    assert stream.chat.status is models.ChatStatus.COMPLETED
    assert stream.usage.token_count > 0
    assert stream.ended


@pytest.mark.parametrize("given", [{}, {"parameters": {}}, {"parameters": {"user_name": "George"}}])
def test_parameters_need_not_be_given(coze, coze_sandbox, given):
    """A chatflow without other input takes no parameters, and the request then has none."""
    assert coze.workflows.chat.stream(**said("/say Good day", **given)).until_done().answer == "Good day"
    record = coze_sandbox.requests.of("workflows.chat.stream")[-1]
    assert record.body.get("parameters") == given.get("parameters")
    assert record.tolerated == []


def test_conversation_goes_on(coze):
    """A second message in the same conversation knows of the first."""
    stream = coze.workflows.chat.stream(**said("Hello")).until_done()
    again = coze.workflows.chat.stream(**said("/recall", conversation_id=stream.chat.conversation_id)).until_done()
    assert again.answer == "Before that you said: Hello"


def test_failures(coze):
    """A failed chatflow is a ChatFailed, a refused call an APIError, a misspelt argument a TypeError."""
    with pytest.raises(ChatFailed, match="no credits"):
        coze.workflows.chat.stream(**said("/fail 4028 no credits")).until_done()
    with pytest.raises(APIError, match="not a chatflow"):
        coze.workflows.chat.stream(**said("Hello", workflow_id=WORKFLOW_ECHO)).open()
    with pytest.raises(TypeError, match=r"stream\(\): got an unexpected keyword argument 'workflow'"):
        coze.workflows.chat.stream(**said("Hello"), workflow="1")
