"""Chats without a stream: started, polled, ended."""

from __future__ import annotations

import json

import pytest

from coze_sandbox import BOT_ID, WORKSPACE_ID


def messages(api, query):
    return [
        (message["type"], message["content"])
        for message in api.ok("GET", "/v3/chat/message/list", params=query)
        if message["type"] != "verbose"
    ]


def test_a_chat_takes_its_time(api):
    """A chat is in progress at first, and completed when its time has come."""
    started = api.ok("POST", "/v3/chat", json=api.chat("/slow 5 Hi"))
    query = {"conversation_id": started["conversation_id"], "chat_id": started["id"]}
    assert started["status"] == "in_progress"
    api.sandbox.clock.advance(4)
    assert api.ok("GET", "/v3/chat/retrieve", params=query)["status"] == "in_progress"
    assert messages(api, query) == []
    api.sandbox.clock.advance(1)
    ended = api.ok("GET", "/v3/chat/retrieve", params=query)
    assert ended["status"] == "completed"
    assert ended["completed_at"] >= ended["created_at"]
    assert messages(api, query) == [("answer", "You said: Hi")]


def test_usage(api):
    """Tokens are counted when the chat has ended: those read, those written, and both together."""
    _, chat = api.finished("Hello there")
    usage = chat["usage"]
    assert usage["output_count"] > 0 < usage["input_count"]
    assert usage["token_count"] == usage["input_count"] + usage["output_count"]


def test_meta_data_comes_back(api):
    """The caller's meta data is returned with the chat."""
    _, chat = api.finished("Hi", meta_data={"a": "b"})
    assert chat["meta_data"] == {"a": "b"}


def test_one_chat_at_a_time(api):
    """A second chat in a conversation is refused with 4016 until the first has ended."""
    first = api.ok("POST", "/v3/chat", json=api.chat("/slow 60 Hi"))
    query = {"conversation_id": first["conversation_id"]}
    second = {"params": query, "json": api.chat("Me too")}
    assert api.refused("POST", "/v3/chat", **second) == (409, 4016)
    api.sandbox.clock.advance(60)
    assert api.ok("POST", "/v3/chat", **second)["conversation_id"] == first["conversation_id"]


def test_cancel(api):
    """A running chat can be canceled, once, and leaves no answer."""
    started = api.ok("POST", "/v3/chat", json=api.chat("/slow 60 Hi"))
    query = {"conversation_id": started["conversation_id"], "chat_id": started["id"]}
    assert api.ok("POST", "/v3/chat/cancel", json=query)["status"] == "canceled"
    assert api.refused("POST", "/v3/chat/cancel", json=query) == (409, 4104)
    api.sandbox.clock.advance(60)
    assert api.ok("GET", "/v3/chat/retrieve", params=query)["status"] == "canceled"
    assert messages(api, query) == []


def test_failed_chat(api):
    """A failed chat has the reason."""
    _, chat = api.finished("/fail 4011 no tokens left")
    assert chat["status"] == "failed"
    assert chat["last_error"] == {"code": 4011, "msg": "no tokens left"}
    assert "failed_at" in chat


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("/say Just this.", [("answer", "Just this.")]),
        ("/answers 2", [("answer", "Answer 1 of 2."), ("answer", "Answer 2 of 2.")]),
        ("/long 3", [("answer", "sand box castle")]),
        ("/think hm", [("answer", "You said: hm")]),
        ("/recall", [("answer", "You said nothing before.")]),
        ("/knowledge sand", [("answer", "My knowledge has something on sand.")]),
        ("", [("answer", "You said nothing.")]),
        ("/unknown word", [("answer", "You said: /unknown word")]),
    ],
)
def test_scripts(api, text, expected):
    """The bot follows the commands in the message, and the same message always has the same result."""
    query, chat = api.finished(text)
    assert chat["status"] == "completed"
    assert messages(api, query) == expected


def test_suggestions(api):
    """A bot that is set to suggest gives three questions after the answer."""
    body = {
        "space_id": WORKSPACE_ID,
        "name": "n",
        "suggest_reply_info": {"reply_mode": "enable"},
    }
    bot_id = api.ok("POST", "/v1/bot/create", json=body)["bot_id"]
    published = {"bot_id": bot_id, "connector_ids": ["1024"]}
    api.ok("POST", "/v1/bot/publish", json=published)
    query, _ = api.finished("Hi", bot_id=bot_id)
    assert [kind for kind, _ in messages(api, query)] == ["answer"] + ["follow_up"] * 3


def test_tools(api):
    """A chat waits for the results of all its tool calls and continues with them."""
    query, chat = api.finished('/tool get_weather {"city": "Oslo"}\n/tool get_time')
    calls = chat["required_action"]["submit_tool_outputs"]["tool_calls"]
    assert chat["status"] == "requires_action"
    assert [tool_call["function"]["name"] for tool_call in calls] == ["get_weather", "get_time"]
    assert json.loads(calls[0]["function"]["arguments"]) == {"city": "Oslo"}
    submit = "/v3/chat/submit_tool_outputs"
    outputs = [{"tool_call_id": calls[0]["id"], "output": "rain"}]
    assert api.refused("POST", submit, params=query, json={"tool_outputs": outputs})[1] == 4000
    stranger = [*outputs, {"tool_call_id": "x", "output": ""}]
    assert api.refused("POST", submit, params=query, json={"tool_outputs": stranger})[1] == 4000
    assert api.refused("POST", "/v3/chat/cancel", json=query) == (409, 4104)
    outputs.append({"tool_call_id": calls[1]["id"], "output": "noon"})
    body = {"tool_outputs": outputs}
    assert api.ok("POST", submit, params=query, json=body)["status"] == "in_progress"
    api.sandbox.clock.advance(10)
    ended = api.ok("GET", "/v3/chat/retrieve", params=query)
    assert (ended["status"], "required_action" in ended) == ("completed", False)
    assert messages(api, query)[-1] == ("answer", "get_weather says: rain; get_time says: noon")
    assert ended["usage"]["token_count"] > chat["usage"]["token_count"]
    assert api.refused("POST", submit, params=query, json=body)[1] == 4000


def test_tools_in_rounds(api):
    """A result with calls of its own makes the chat wait again, for those calls."""
    query, chat = api.finished("/tool first")
    (call,) = chat["required_action"]["submit_tool_outputs"]["tool_calls"]
    outputs = [{"tool_call_id": call["id"], "output": "/tool second {}"}]
    api.ok("POST", "/v3/chat/submit_tool_outputs", params=query, json={"tool_outputs": outputs})
    api.sandbox.clock.advance(10)
    chat = api.ok("GET", "/v3/chat/retrieve", params=query)
    (again,) = chat["required_action"]["submit_tool_outputs"]["tool_calls"]
    assert chat["status"] == "requires_action"
    assert (again["function"]["name"], again["id"] != call["id"]) == ("second", True)


def test_unknown_things(api):
    """Unknown bot, conversation and chat have codes of their own."""
    assert api.refused("POST", "/v3/chat", json=api.chat("Hi", bot_id="1")) == (404, 4200)
    lost = {"params": {"conversation_id": "1"}, "json": api.chat("Hi")}
    assert api.refused("POST", "/v3/chat", **lost) == (404, 4002)
    query, _ = api.finished("Hi")
    assert api.refused("GET", "/v3/chat/retrieve", params={**query, "chat_id": "1"})[1] == 4001
    lost_query = {**query, "conversation_id": "1"}
    assert api.refused("GET", "/v3/chat/message/list", params=lost_query)[1] == 4002


def test_unsaved_chat(api):
    """Without history a chat must be streamed, and nothing of it can be retrieved later."""
    unsaved = api.chat("Hi", auto_save_history=False)
    assert api.refused("POST", "/v3/chat", json=unsaved) == (400, 4007)
    chat = dict(api.stream("Hi", auto_save_history=False))["conversation.chat.completed"]
    query = {"conversation_id": chat["conversation_id"], "chat_id": chat["id"]}
    assert api.refused("GET", "/v3/chat/retrieve", params=query) == (404, 4001)
    listed = {"params": {"conversation_id": chat["conversation_id"]}, "json": {}}
    assert api.ok("POST", "/v1/conversation/message/list", **listed) == []


def test_types_of_messages(api):
    """Tool calls may be given only to chats that are not saved; a question is the user's."""
    call = {"role": "assistant", "type": "function_call", "content": "{}", "content_type": "text"}
    body = api.chat("Hi")
    body["additional_messages"].insert(0, call)
    assert api.refused("POST", "/v3/chat", json=body) == (400, 4000)
    body["additional_messages"][0] = {**call, "type": "question"}
    assert api.refused("POST", "/v3/chat", json=body) == (400, 4000)


def test_a_question_is_needed(api):
    """A new conversation needs a message of the user; an old one has it already."""
    bare = {"bot_id": BOT_ID, "user_id": "u"}
    assert api.refused("POST", "/v3/chat", json=bare) == (400, 4000)
    message = {"role": "user", "content": "Hi", "content_type": "text"}
    conversation = api.ok("POST", "/v1/conversation/create", json={"messages": [message]})
    query = {"conversation_id": conversation["id"]}
    assert api.ok("POST", "/v3/chat", params=query, json=bare)["status"] == "in_progress"


def test_files_in_messages(api):
    """Attached files are counted and must exist."""
    file_id = api.ok("POST", "/v1/files/upload", files={"file": ("i.png", b"x")})["id"]
    parts = [{"type": "text", "text": "See"}, {"type": "image", "file_id": file_id}]
    body = api.chat(json.dumps(parts))
    body["additional_messages"][0]["content_type"] = "object_string"
    events = api.events("/v3/chat", json={**body, "stream": True})
    answers = [data for event, data in events if event == "conversation.message.completed"]
    assert answers[0]["content"] == "You said: See I got 1 image."
    parts[1]["file_id"] = "1"
    body["additional_messages"][0]["content"] = json.dumps(parts)
    assert api.refused("POST", "/v3/chat", json=body) == (404, 4200)


def test_unbound_shortcut_command(api):
    """A shortcut command that the bot does not have is refused."""
    body = api.chat("Hi", shortcut_command={"command_id": "1"})
    assert api.refused("POST", "/v3/chat", json=body) == (404, 4200)
