"""cozepy, the official Python SDK, runs unchanged against the sandbox: chats and workflows, streamed and not."""

from __future__ import annotations

import json
from typing import Any

import pytest

from coze_sandbox import BOT_ID, WORKFLOW_ASK, WORKFLOW_CHAT, WORKFLOW_ECHO, WORKFLOW_FAIL
from tests.interop._official import cozepy

CHAT = {"bot_id": BOT_ID, "user_id": "me"}
Event = cozepy.ChatEventType


def user_message(text: str) -> list[Any]:
    """Return one message of the user, as a list."""
    return [cozepy.Message.build_user_question_text(text)]


def test_chat_by_stream(official: Any) -> None:
    """cozepy reads a streamed chat piece by piece, to its end."""
    events = list(official.coze.chat.stream(**CHAT, additional_messages=user_message("/say Good morning")))
    pieces = [each.message.content for each in events if each.event == Event.CONVERSATION_MESSAGE_DELTA]
    assert "".join(pieces) == "Good morning"
    [done] = [each.chat for each in events if each.event == Event.CONVERSATION_CHAT_COMPLETED]
    assert done.usage.token_count > 0


def test_chat_without_stream(official: Any) -> None:
    """cozepy polls a chat until it is complete, and finds the answer among its messages."""
    poll = official.coze.chat.create_and_poll(**CHAT, additional_messages=user_message("/say Good morning"))
    assert poll.chat.status == cozepy.ChatStatus.COMPLETED
    assert "Good morning" in [each.content for each in poll.messages]


def test_a_failed_chat(official: Any) -> None:
    """cozepy reads the event of a chat that fails in the stream."""
    events = list(official.coze.chat.stream(**CHAT, additional_messages=user_message("/fail")))
    assert Event.CONVERSATION_CHAT_FAILED in [each.event for each in events]


def test_tool_calls(official: Any) -> None:
    """cozepy submits the output of a tool, and reads the rest of the stream."""
    chat = official.coze.chat
    events = list(chat.stream(**CHAT, additional_messages=user_message("/tool get_weather {}")))
    [waiting] = [each.chat for each in events if each.event == Event.CONVERSATION_CHAT_REQUIRES_ACTION]
    calls = waiting.required_action.submit_tool_outputs.tool_calls
    outputs = [cozepy.ToolOutput(tool_call_id=call.id, output="sunny") for call in calls]
    last = list(
        chat.submit_tool_outputs(
            conversation_id=waiting.conversation_id, chat_id=waiting.id, tool_outputs=outputs, stream=True
        )
    )
    assert Event.CONVERSATION_CHAT_COMPLETED in [each.event for each in last]


def test_cancel(official: Any) -> None:
    """cozepy cancels a running chat."""
    chat = official.coze.chat.create(**CHAT, additional_messages=user_message("/slow Never mind"))
    canceled = official.coze.chat.cancel(conversation_id=chat.conversation_id, chat_id=chat.id)
    assert canceled.status == cozepy.ChatStatus.CANCELED


def test_workflow(official: Any) -> None:
    """cozepy runs a workflow, directly and in the background, and reads its history."""
    runs = official.coze.workflows.runs
    result = runs.create(workflow_id=WORKFLOW_ECHO, parameters={"input": "hello"})
    assert "hello" in result.data
    started = runs.create(workflow_id=WORKFLOW_ECHO, parameters={"input": "hello"}, is_async=True)
    official.sandbox.clock.advance(60)
    history = runs.run_histories.retrieve(workflow_id=WORKFLOW_ECHO, execute_id=started.execute_id)
    assert history.execute_status == cozepy.WorkflowExecuteStatus.SUCCESS
    assert "hello" in json.dumps(history.output)


def test_workflow_with_a_question(official: Any) -> None:
    """cozepy resumes an interrupted workflow."""
    runs = official.coze.workflows.runs
    events = list(runs.stream(workflow_id=WORKFLOW_ASK, parameters={"input": "hello"}))
    [interrupt] = [each.interrupt.interrupt_data for each in events if each.interrupt]
    resumed = list(
        runs.resume(
            workflow_id=WORKFLOW_ASK, event_id=interrupt.event_id, resume_data="blue", interrupt_type=interrupt.type
        )
    )
    assert "blue" in "".join(each.message.content for each in resumed if each.message)


def test_failed_workflow(official: Any) -> None:
    """cozepy raises its own error for a workflow that fails."""
    with pytest.raises(cozepy.CozeAPIError):
        official.coze.workflows.runs.create(workflow_id=WORKFLOW_FAIL)


def test_chatflow(official: Any) -> None:
    """cozepy chats with a chatflow."""
    chat = official.coze.workflows.chat
    events = list(
        chat.stream(workflow_id=WORKFLOW_CHAT, bot_id=BOT_ID, parameters={}, additional_messages=user_message("hello"))
    )
    assert Event.CONVERSATION_CHAT_COMPLETED in [each.event for each in events]


def test_a_wrong_token(official: Any, coze_sandbox: Any) -> None:
    """cozepy gets the code and the log id of a refused request."""
    coze = cozepy.Coze(cozepy.TokenAuth("pat_wrong"), coze_sandbox.base_url, cozepy.SyncHTTPClient())
    with pytest.raises(cozepy.CozeAPIError) as caught:
        coze.users.me()
    coze._requester._sync_client.close()
    assert caught.value.code == 4100
    assert caught.value.logid
