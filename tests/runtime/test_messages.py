"""Tests of messages that come outside of answers."""

from __future__ import annotations

import json

import pytest

from coze_api import Unknown
from coze_api.errors import InvalidArgumentError
from coze_api.models import (
    BotPublishedCallback,
    Callbacks,
    RtcChatCancel,
    RtcRoom,
    RtcSessionCreated,
    SpeechAudioUpdate,
    SpeechSocket,
    SpeechText,
    SpeechTextAppend,
    SpeechUpdate,
    WorkflowRunHistory,
)


def test_a_message_is_made_by_its_content() -> None:
    """Its kind need not be told: the class knows it."""
    message = SpeechTextAppend(id="1", data=SpeechText(delta="Hello"))
    assert message.to_dict() == {"event_type": "input_text_buffer.append", "id": "1", "data": {"delta": "Hello"}}
    assert SpeechSocket.uplink.decode(message.to_dict()) == message


def test_a_message_is_decoded_by_its_kind() -> None:
    """The kind chooses the class; what is not known stays."""
    frame = {
        "event_type": "speech.audio.update",
        "id": "1",
        "data": {"delta": "AAAA", "new": 1},
        "detail": {"logid": "L"},
    }
    message = SpeechSocket.downlink.decode(frame)
    assert isinstance(message, SpeechAudioUpdate)
    assert message.to_dict() == frame


@pytest.mark.parametrize("frame", [{"event_type": "later"}, {"event_type": 7}, {}, {"event_type": None}])
def test_an_unknown_kind_is_kept(frame: dict[str, object]) -> None:
    """A message of no known kind becomes `Unknown` with all that it holds."""
    message = SpeechSocket.downlink.decode(frame)
    assert message == Unknown(frame.get("event_type"), frame)


def test_protocols_tell_ends_and_failures() -> None:
    """Which messages end what was asked and which tell a failure is described."""
    assert SpeechSocket.ends == {"speech.audio.completed"}
    assert SpeechSocket.fails == {"error"}


def test_callbacks_are_told_apart_by_their_header() -> None:
    """The kind of a callback is inside its header."""
    body = {"header": {"event_type": "bot.published", "event_id": "1"}, "event": {"bot_name": "n"}}
    callback = Callbacks.messages.decode(body)
    assert isinstance(callback, BotPublishedCallback)
    assert callback.to_dict() == body
    assert isinstance(Callbacks.messages.decode({"header": "?"}), Unknown)


def test_signature_of_a_callback() -> None:
    """The signature is the SHA-1 of time, nonce, token and raw body; this one was computed by hand elsewhere."""
    signature = Callbacks.signature.sign(
        timestamp="1749038258245",
        nonce="abc123",
        token="my_token",
        body=b'{"header":{"event_type":"bot.deleted"},"event":{}}',
    )
    assert signature == "fd3fa700c813c24b0c4dfdbc716d59493d967d50"
    assert Callbacks.signature.headers["signature"] == "X-Coze-Signature"


def test_content_that_a_message_cannot_do_without_is_an_argument() -> None:
    """Where the content has members that must be there, so must the content."""
    assert SpeechTextAppend._inputs["data"].required
    assert not SpeechUpdate._inputs["data"].required
    with pytest.raises(TypeError, match="data"):
        SpeechTextAppend()  # type: ignore[call-arg]  # the point of the test


def test_what_a_message_does_not_know_is_kept() -> None:
    """Unknown members and nulls of a message itself survive, too."""
    frame = {"event_type": "speech.updated", "id": None, "data": "?", "detail": {"logid": "L"}, "later": 1}
    message = SpeechSocket.downlink.decode(frame)
    assert message.to_dict() == frame
    assert message.extra_fields == {"id": None, "later": 1}


def test_messages_of_rooms_are_written_and_read_as_text() -> None:
    """What is sent is checked and gets an id; what is received is decoded, whatever it is."""
    written = json.loads(RtcRoom.uplink.dumps(RtcChatCancel()))
    assert written == {"event_type": "conversation.chat.cancel", "id": written["id"]}
    assert len(written["id"]) == 36
    assert RtcRoom.uplink.encode(RtcChatCancel(id="mine"))["id"] == "mine"
    begun = RtcRoom.downlink.loads('{"event_type": "session.created", "data": {"log_id": "L"}}')
    assert isinstance(begun, RtcSessionCreated)
    assert begun.data.log_id == "L"
    assert RtcRoom.downlink.loads(b"\xff") == Unknown(None, {"data": "\ufffd"})
    with pytest.raises(InvalidArgumentError, match=r"RtcSessionUpdate, .*not SpeechTextAppend"):
        RtcRoom.uplink.dumps(SpeechTextAppend(data=SpeechText(delta="Hi")))
    with pytest.raises(InvalidArgumentError, match=r"RtcMessageCreate\.data is required"):
        RtcRoom.uplink.dumps({"event_type": "conversation.message.create"})


@pytest.mark.parametrize(
    ("detail", "logid"), [({"logid": "L"}, "L"), ({"logid": None}, ""), ({}, ""), (None, ""), ("text", "")]
)
def test_messages_tell_their_log_id(detail: object, logid: str) -> None:
    """`logid` of a message is what its detail tells; there is no HTTP answer to ask for it."""
    message = SpeechSocket.downlink.decode({"event_type": "speech.audio.update", "id": "1", "detail": detail})
    assert isinstance(message, SpeechAudioUpdate)
    assert message.logid == logid
    if isinstance(detail, dict):
        assert message.detail is not None
        assert message.detail.logid == logid


def test_parts_of_answers_tell_their_log_id() -> None:
    """A described member `logid` is read by that name; other parts of answers have none."""
    assert WorkflowRunHistory.from_dict({"execute_id": "1", "logid": "of the run"}).logid == "of the run"
    with pytest.raises(AttributeError, match="not an answer itself"):
        _ = SpeechText(delta="Hello").logid
