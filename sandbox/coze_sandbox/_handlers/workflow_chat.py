"""Chats with chatflows."""

from __future__ import annotations

from .._bots.content import parse_content
from .._bots.events import chat_events
from .._bots.lifecycle import require_no_running_chat, start_turn
from .._bots.messages import count_tokens
from .._common.errors import CONVERSATION_NOT_FOUND, INVALID_PARAMETER, CallError
from .._http.context import Call, Stream
from .._scenario.bot_replies import plan_reply
from ._chats import new_chat, new_conversation, questions, save_messages
from ._common import get_or_404
from ._registry import operation
from .workflows import debug_url, runnable


@operation("workflows.chat.stream")
def stream(call: Call) -> Stream:
    """Run a chatflow, which replies as the bot does, and stream its events."""
    state, body = call.state, call.body
    workflow = runnable(call)
    if workflow["mode"] != "chatflow":
        raise CallError(INVALID_PARAMETER, "body.workflow_id: not a chatflow")
    if "bot_id" not in body and "app_id" not in body:
        raise CallError(INVALID_PARAMETER, "body.bot_id: bot_id or app_id is required")
    entered = body["additional_messages"]
    if not entered or entered[-1]["role"] != "user":
        raise CallError(INVALID_PARAMETER, "body.additional_messages: the last must be the user's")
    bot_id = body.get("bot_id", "")
    if "conversation_id" in body:
        conversation = get_or_404(state, "conversation", body["conversation_id"], code=CONVERSATION_NOT_FOUND)
        require_no_running_chat(state, conversation)
    else:
        conversation = new_conversation(call, bot_id=bot_id)
    spoken = [
        parse_content(
            state,
            message.get("content", ""),
            message.get("content_type", ""),
            f"body.additional_messages.{number}.content",
        )
        for number, message in enumerate(entered)
        if message["role"] == "user"
    ]
    texts = [*questions(state, conversation), *(content.text for content in spoken)]
    before = texts[-2] if len(texts) > 1 else None
    plan = plan_reply(state, spoken[-1], bot_id=bot_id, before=before, suggest=False)
    chat = new_chat(call, conversation, bot_id=bot_id, saved=True, meta_data=body.get("meta_data"))
    save_messages(state, chat, entered)
    tokens = sum(count_tokens(text) for text in texts)
    chat = start_turn(state, chat, plan, streaming=True, input_tokens=tokens)
    done = {"debug_url": debug_url(workflow, chat["id"])}
    return Stream(chat_events(state, chat, done), "chatflow")
