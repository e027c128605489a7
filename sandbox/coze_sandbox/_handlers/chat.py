"""Chats with bots."""

from __future__ import annotations

from typing import Any

from .._bots.content import UserInput, parse_content
from .._bots.events import chat_events
from .._bots.lifecycle import cancel, load_chat, require_no_running_chat, start_turn
from .._bots.messages import count_tokens
from .._common.errors import (
    CONVERSATION_NOT_FOUND,
    INTERNAL,
    INVALID_PARAMETER,
    NOT_FOUND,
    UNSAVED_NEEDS_STREAM,
    CallError,
    missing,
)
from .._http.context import Call, ResponseFields, Stream
from .._scenario.bot_replies import plan_reply
from .._state.state import SandboxState
from .._state.store import public
from ._bot_serializers import API_CHANNEL, find_version, published
from ._chats import new_chat, new_conversation, questions, resume_chat, save_messages
from ._common import get_or_404
from ._registry import operation

_SAVED_TYPES = ("question", "answer")
_EXTRA_PARAMS = {"latitude", "longitude"}


@operation("chat.create")
def create(call: Call) -> ResponseFields | Stream:
    """Start a chat."""
    state, body = call.state, call.body
    streaming, saved = body.get("stream", False), body.get("auto_save_history", True)
    bot = _bot_state(state, body)
    if not streaming and not saved:
        raise CallError(UNSAVED_NEEDS_STREAM, "auto_save_history must be true without streaming.")
    for name in body.get("extra_params", {}).keys() - _EXTRA_PARAMS:
        raise CallError(INVALID_PARAMETER, f"body.extra_params.{name}: only latitude and longitude are known")
    if "shortcut_command" in body:
        raise missing(NOT_FOUND, "command_id", body["shortcut_command"]["command_id"])
    entered = body.get("additional_messages", [])
    contents = _read_messages(state, entered, saved=saved)
    conversation_id = call.query.get("conversation_id")
    if conversation_id is None:
        conversation = new_conversation(call, bot_id=body["bot_id"])
    else:
        conversation = get_or_404(state, "conversation", conversation_id, code=CONVERSATION_NOT_FOUND)
        require_no_running_chat(state, conversation)
    past = questions(state, conversation)
    spoken = [content for message, content in contents if message["role"] == "user"]
    if not spoken and not past:
        msg = "body.additional_messages: a message of the user is needed"
        raise CallError(INVALID_PARAMETER, msg)
    user_input = spoken[-1] if spoken else UserInput(past[-1])
    texts = [*past, *(content.text for content in spoken)]
    plan = plan_reply(
        state,
        user_input,
        bot_id=body["bot_id"],
        before=texts[-2] if len(texts) > 1 else None,
        suggest=bot.get("suggest_reply_info", {}).get("reply_mode") in {"enable", "customized"},
    )
    chat = new_chat(call, conversation, bot_id=body["bot_id"], saved=saved, meta_data=body.get("meta_data"))
    if saved:
        save_messages(state, chat, entered)
    tokens = sum(count_tokens(text) for text in (bot.get("name", ""), *texts))
    chat = start_turn(state, chat, plan, streaming=streaming, input_tokens=tokens)
    return _answer(state, chat, streaming=streaming)


@operation("chat.submit_tool_outputs")
def submit_tool_outputs(call: Call) -> ResponseFields | Stream:
    """Resume a chat that requires tool outputs."""
    state, body = call.state, call.body
    get_or_404(state, "conversation", call.query["conversation_id"], code=CONVERSATION_NOT_FOUND)
    known = state.find("chat", call.query["chat_id"])
    if known is not None and not known["_saved"]:
        raise CallError(INTERNAL, "The chat was started with auto_save_history false.")
    chat = load_chat(state, call.query["conversation_id"], call.query["chat_id"])
    streaming = body.get("stream", False)
    chat = resume_chat(state, chat, body["tool_outputs"], streaming=streaming, where="body")
    return _answer(state, chat, streaming=streaming)


@operation("chat.retrieve")
def retrieve(call: Call) -> ResponseFields:
    """Return a chat."""
    query = call.query
    return {"data": public(load_chat(call.state, query["conversation_id"], query["chat_id"]))}


@operation("chat.cancel")
def cancel_chat(call: Call) -> ResponseFields:
    """Cancel a running chat."""
    body = call.body
    chat = load_chat(call.state, body["conversation_id"], body["chat_id"], unsaved=True)
    return {"data": public(cancel(call.state, chat))}


@operation("chat.messages.list")
def list_messages(call: Call) -> ResponseFields:
    """List the bot's messages of a chat: answers, tool calls, notices and suggestions."""
    state, query = call.state, call.query
    chat = load_chat(state, query["conversation_id"], query["chat_id"])
    messages = [
        public(message)
        for message in state.store.list("message", chat["conversation_id"])
        if message.get("chat_id") == chat["id"] and message["role"] == "assistant" and not message.get("_entered")
    ]
    return {"data": messages}


def _answer(state: SandboxState, chat: dict[str, Any], *, streaming: bool) -> ResponseFields | Stream:
    if streaming:
        return Stream(chat_events(state, chat), "chat")
    return {"data": public(chat)}


def _bot_state(state: SandboxState, body: Any) -> dict[str, Any]:
    bot = get_or_404(state, "bot", body["bot_id"])
    version = body.get("bot_version")
    snapshot: dict[str, Any]
    if body.get("publish_status") == "unpublished_draft":
        if version is not None:
            raise CallError(INVALID_PARAMETER, "body.bot_version: not with unpublished_draft")
        snapshot = bot["draft"]
        return snapshot
    online = published(state, bot, API_CHANNEL)
    snapshot = (find_version(state, body["bot_id"], version) if version else online)["snapshot"]
    return snapshot


def _read_messages(
    state: SandboxState, entered: list[dict[str, Any]], *, saved: bool
) -> list[tuple[dict[str, Any], UserInput]]:
    result = []
    for number, message in enumerate(entered):
        where = f"body.additional_messages.{number}"
        kind = message.get("type", "question")
        if saved and kind not in _SAVED_TYPES:
            msg = f"{where}.type: {kind} is allowed only without auto_save_history"
            raise CallError(INVALID_PARAMETER, msg)
        if kind == "question" and message["role"] != "user" and "type" in message:
            raise CallError(INVALID_PARAMETER, f"{where}.type: question needs the role user")
        user_input = parse_content(state, message["content"], message["content_type"], f"{where}.content")
        result.append((message, user_input))
    return result
