"""The builders of chat messages."""

from __future__ import annotations

import json
from typing import Any

import pytest

from coze_api.models import EnterMessage
from coze_sandbox import BOT_ID
from cozekit import messages
from cozekit.errors import InvalidArgumentError


def built(message: EnterMessage) -> dict[str, Any]:
    """Return the message as it is sent, with the parts of its content as objects."""
    members = message.to_dict()
    if members["content_type"] == "object_string":
        members["content"] = json.loads(members["content"])
    return members


def test_text_messages_of_user_and_assistant():
    """A text is a question of the user or an answer of the assistant."""
    assert built(messages.user("Hi")) == {
        "role": "user",
        "type": "question",
        "content": "Hi",
        "content_type": "text",
    }
    assert built(messages.assistant("Ho")) == {
        "role": "assistant",
        "type": "answer",
        "content": "Ho",
        "content_type": "text",
    }


def test_text_and_files_are_an_object_string_in_order():
    """Text and files together are an object string, in the given order."""
    message = messages.user(
        "What is this?",
        messages.image(file_id="1"),
        messages.file(url="https://a.b/c.pdf"),
        messages.audio(file_id="2"),
    )
    assert built(message) == {
        "role": "user",
        "type": "question",
        "content": [
            {"type": "text", "text": "What is this?"},
            {"type": "image", "file_id": "1"},
            {"type": "file", "file_url": "https://a.b/c.pdf"},
            {"type": "audio", "file_id": "2"},
        ],
        "content_type": "object_string",
    }


def test_object_string_is_compact_utf8_json():
    """The content of an object string is compact JSON in UTF-8."""
    message = messages.assistant(messages.text("日本"), messages.image(url="https://a.b/c"))
    assert message.to_dict() == {
        "role": "assistant",
        "type": "answer",
        "content": '[{"type":"text","text":"日本"},{"type":"image","file_url":"https://a.b/c"}]',
        "content_type": "object_string",
    }


def test_single_file_is_an_object_string():
    """A single file is an object string, too."""
    assert built(messages.user(messages.audio(file_id="2")))["content"] == [{"type": "audio", "file_id": "2"}]


def test_meta_data_is_copied():
    """The metadata of a message is a copy of the given mapping."""
    pairs = {"a": "b"}
    message = messages.user("Hi", meta_data=pairs)
    pairs["c"] = "d"
    assert message.to_dict()["meta_data"] == {"a": "b"}


@pytest.mark.parametrize("build", [messages.user, messages.assistant])
def test_message_without_parts_is_rejected(build):
    """A message without parts is rejected, with the name of its builder."""
    with pytest.raises(InvalidArgumentError) as caught:
        build()
    assert str(caught.value) == f"messages.{build.__name__}: a message needs at least one part"


@pytest.mark.parametrize("part", [None, b"a", ["a"], {"type": "text", "text": "a"}, 7])
def test_part_of_the_wrong_type_is_rejected(part):
    """A part of the wrong type is rejected with its number and type."""
    with pytest.raises(InvalidArgumentError) as caught:
        messages.user("Hi", part)
    assert str(caught.value) == (
        "messages.user: part 2 must be a str or a result of image(), file() or audio(), "
        f"not {type(part).__name__}"
    )  # fmt: skip


@pytest.mark.parametrize("build", [messages.image, messages.file, messages.audio])
@pytest.mark.parametrize("arguments", [{}, {"file_id": ""}, {"file_id": None, "url": ""}, {"file_id": "1", "url": "u"}])
def test_file_needs_either_id_or_url(build, arguments):
    """A file needs either an id or a URL, not both and not an empty one."""
    with pytest.raises(InvalidArgumentError) as caught:
        build(**arguments)
    assert str(caught.value) == f"messages.{build.__name__}: pass either file_id or url"


def test_built_messages_strings_and_dicts_can_be_mixed(coze, coze_sandbox):
    """Built messages, strings and dicts can be sent together, and the bot receives all of them."""
    picture = coze.files.upload(("a.png", b"\x89PNG\r\n\x1a\n"))
    sound = coze.files.upload(("a.wav", b"RIFF0000WAVE"))
    result = coze.chat.create_and_poll(
        bot_id=BOT_ID,
        user_id="u",
        additional_messages=[
            "plain",
            messages.assistant("I see"),
            {"role": "user", "content": "dict", "content_type": "text"},
            messages.user("look", messages.image(file_id=picture.id), messages.file(file_id=sound.id)),
        ],
        poll_interval=0,
    )
    assert result.text == "You said: look I got 1 image and 1 file."
    sent = coze_sandbox.requests.of("chat.create")[0].body["additional_messages"]
    assert [message["role"] for message in sent] == ["user", "assistant", "user", "user"]
    assert sent[0] == {"role": "user", "content": "plain", "content_type": "text", "type": "question"}
