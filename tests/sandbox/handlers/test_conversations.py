"""Conversations, messages and feedback."""

from __future__ import annotations

import json

import pytest

from coze_sandbox import BOT_ID

MESSAGES = "/v1/conversation/message"


@pytest.fixture
def conversation_id(api) -> str:
    """Give an empty conversation with the bot."""
    return api.ok("POST", "/v1/conversation/create", json={"bot_id": BOT_ID})["id"]


def add(api, conversation_id, content, role="user", content_type="text"):
    body = {"role": role, "content": content, "content_type": content_type}
    query = {"conversation_id": conversation_id}
    return api.ok("POST", f"{MESSAGES}/create", params=query, json=body)


def page(api, conversation_id, **body):
    query = {"conversation_id": conversation_id}
    return api.send("POST", f"{MESSAGES}/list", params=query, json=body).json()


def contents(answer):
    return [message["content"] for message in answer["data"]]


def test_list_without_a_body(api, conversation_id):
    """Messages are listed by their defaults where no body is sent, with or without a content type."""
    add(api, conversation_id, "one")
    for headers in ({}, {"Content-Type": "application/json"}):
        query = {"conversation_id": conversation_id}
        [message] = api.ok("POST", f"{MESSAGES}/list", params=query, headers=headers)
        assert message["content"] == "one"


def test_create_then_retrieve(api):
    """A conversation is kept with name, meta data and messages."""
    message = {"role": "user", "content": "Hi", "content_type": "text"}
    body = {"bot_id": BOT_ID, "name": "n", "meta_data": {"a": "b"}, "messages": [message]}
    conversation = api.ok("POST", "/v1/conversation/create", json=body)
    query = {"conversation_id": conversation["id"]}
    assert api.ok("GET", "/v1/conversation/retrieve", params=query) == conversation
    assert (conversation["name"], conversation["meta_data"]) == ("n", {"a": "b"})
    assert contents(page(api, conversation["id"])) == ["Hi"]


def test_rename(api, conversation_id):
    """A conversation can be renamed."""
    path = f"/v1/conversations/{conversation_id}"
    assert api.ok("PUT", path, json={"name": "New"})["name"] == "New"


def test_list(api):
    """Conversations with a bot are listed newest first, or oldest first, page by page."""
    body = {"bot_id": BOT_ID}
    keys = [api.ok("POST", "/v1/conversation/create", json=body)["id"] for _ in range(3)]
    query = {"bot_id": BOT_ID, "page_size": 2}
    first = api.ok("GET", "/v1/conversations", params=query)
    assert [conversation["id"] for conversation in first["conversations"]] == [keys[2], keys[1]]
    assert first["has_more"] is True
    rest = api.ok("GET", "/v1/conversations", params={**query, "page_num": 2})
    assert ([conversation["id"] for conversation in rest["conversations"]], rest["has_more"]) == (keys[:1], False)
    oldest = api.ok("GET", "/v1/conversations", params={**query, "sort_order": "ASC"})
    assert oldest["conversations"][0]["id"] == keys[0]


def test_delete(api, conversation_id):
    """A deleted conversation is gone, with its messages."""
    add(api, conversation_id, "Hi")
    api.ok("DELETE", f"/v1/conversations/{conversation_id}")
    query = {"conversation_id": conversation_id}
    assert api.refused("GET", "/v1/conversation/retrieve", params=query) == (404, 4002)
    assert page(api, conversation_id)["code"] == 4002


def test_clear_begins_a_section(api, conversation_id):
    """Clearing gives a new section id; messages stay but are no longer context."""
    query = {"conversation_id": conversation_id}
    old = api.ok("GET", "/v1/conversation/retrieve", params=query)["last_section_id"]
    add(api, conversation_id, "my key is 7")
    recall = {"params": query, "json": api.chat("/recall", stream=True)}
    before = api.events("/v3/chat", **recall)
    section = api.ok("POST", f"/v1/conversations/{conversation_id}/clear")
    after = api.events("/v3/chat", **recall)
    assert section["conversation_id"] == conversation_id
    assert section["id"] != old
    last_section_id = api.ok("GET", "/v1/conversation/retrieve", params=query)["last_section_id"]
    assert last_section_id == section["id"]
    answers = [dict(events)["conversation.chat.completed"] for events in (before, after)]
    assert [chat["section_id"] for chat in answers] == [old, section["id"]]
    texts = contents(page(api, conversation_id, order="asc"))
    assert texts[2] == "Before that you said: my key is 7"
    assert texts[4] == "You said nothing before."


@pytest.mark.parametrize("order", ["asc", "desc"])
def test_messages_page_by_cursor(api, conversation_id, order):
    """Paging with last_id returns every message once, in the requested order; before_id pages backwards."""
    texts = [str(number) for number in range(9)]  # three full pages: no empty fourth one
    for text in texts:
        add(api, conversation_id, text)
    expected = texts if order == "asc" else texts[::-1]
    pages = []
    after = None
    while True:
        body = {"order": order, "limit": 3} | ({"after_id": after} if after else {})
        pages.append(page(api, conversation_id, **body))
        after = pages[-1]["last_id"]
        if not pages[-1]["has_more"]:
            break
    assert [text for page in pages for text in contents(page)] == expected
    assert len(pages) == 3
    body = {"order": order, "limit": 3, "before_id": pages[2]["first_id"]}
    back = page(api, conversation_id, **body)
    assert contents(back) == contents(pages[1])
    assert back["has_more"] is True


def test_unknown_cursor(api, conversation_id):
    """Paging from an unknown message is refused with 4005."""
    assert page(api, conversation_id, after_id="1")["code"] == 4005


def test_messages_of_one_chat(api):
    """Messages can be limited to a chat; what is between question and answer comes on demand."""
    query, _ = api.finished("/plugin abc")
    key = query["conversation_id"]
    add(api, key, "by hand")
    shown = page(api, key, order="asc", chat_id=query["chat_id"])
    assert [message["type"] for message in shown["data"]] == ["question", "answer"]
    whole = page(api, key, order="asc", chat_id=query["chat_id"], include_middle_message=True)
    kinds = ["question", "function_call", "tool_response", "answer", "verbose"]
    assert [message["type"] for message in whole["data"]] == kinds


def test_change_a_message(api, conversation_id):
    """The changed message comes back in `message`, and is kept."""
    key = add(api, conversation_id, "old")["id"]
    query = {"conversation_id": conversation_id, "message_id": key}
    body = {"content": "new", "content_type": "text", "meta_data": {"a": "b"}}
    answer = api.send("POST", f"{MESSAGES}/modify", params=query, json=body).json()
    assert (answer["message"]["content"], answer["message"]["meta_data"]) == ("new", {"a": "b"})
    assert api.ok("GET", f"{MESSAGES}/retrieve", params=query) == answer["message"]
    empty = {"content": "", "content_type": "text"}
    assert api.refused("POST", f"{MESSAGES}/modify", params=query, json=empty) == (400, 4000)


def test_delete_a_message(api, conversation_id):
    """A deleted message is shown once more and then gone."""
    message = add(api, conversation_id, "Hi", role="assistant")
    assert message["type"] == "answer"
    query = {"conversation_id": conversation_id, "message_id": message["id"]}
    assert api.ok("POST", f"{MESSAGES}/delete", params=query) == message
    assert api.refused("GET", f"{MESSAGES}/retrieve", params=query) == (404, 4005)


def test_feedback(api, conversation_id):
    """A message can be rated, and the rating taken back once."""
    key = add(api, conversation_id, "Hi")["id"]
    path = f"/v1/conversations/{conversation_id}/messages/{key}/feedback"
    api.ok("POST", path, json={"feedback_type": "like"})
    api.ok("POST", path, json={"feedback_type": "unlike", "comment": "no"})
    api.ok("DELETE", path)
    assert api.refused("DELETE", path) == (404, 4200)
    wrong = path.replace(key, "1")
    assert api.refused("POST", wrong, json={"feedback_type": "like"}) == (404, 4005)


def test_message_of_another_conversation(api, conversation_id):
    """A message is found only in its own conversation."""
    key = add(api, conversation_id, "Hi")["id"]
    other = api.ok("POST", "/v1/conversation/create", json={})["id"]
    query = {"conversation_id": other, "message_id": key}
    assert api.refused("GET", f"{MESSAGES}/retrieve", params=query) == (404, 4005)


def test_object_strings(api, conversation_id):
    """Contents of several parts are checked: shape, kind, and that the files exist."""
    file_id = api.ok("POST", "/v1/files/upload", files={"file": ("i.png", b"x")})["id"]
    good = [{"type": "text", "text": "See"}, {"type": "image", "file_id": file_id}]
    add(api, conversation_id, json.dumps(good), content_type="object_string")
    query = {"conversation_id": conversation_id}
    for content, code in (
        ("no json", 4000),
        ("[]", 4000),
        ('[{"type":"film"}]', 4000),
        ('[{"type":"text"}]', 4000),
        ('[{"type":"file"}]', 4000),
        ('[{"type":"file","file_id":"1"}]', 4200),
    ):
        body = {"role": "user", "content": content, "content_type": "object_string"}
        assert api.refused("POST", f"{MESSAGES}/create", params=query, json=body)[1] == code
