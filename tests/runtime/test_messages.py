"""Messages outside of HTTP responses: WebSocket messages and callbacks."""

from __future__ import annotations

import json
import uuid
from typing import Any

import pytest

from coze_api import Unknown
from coze_api._core import _json
from coze_api._core._messages import SocketProtocol
from coze_api.errors import InvalidArgumentError
from coze_api.models import (
    BotPublishedCallback,
    Callbacks,
    ChatSocket,
    ChatSocketInputAudioAppend,
    InterpretationSocket,
    RtcChatCancel,
    RtcRoom,
    RtcSessionCreated,
    SocketAudio,
    SpeechAudioUpdate,
    SpeechSocket,
    SpeechText,
    SpeechTextAppend,
    SpeechUpdate,
    TranscriptionSocket,
    WorkflowRunHistory,
)


def test_message_sets_its_own_kind() -> None:
    """A message is created from its content only: its class sets its kind."""
    message = SpeechTextAppend(id="1", data=SpeechText(delta="Hello"))
    assert message.to_dict() == {"event_type": "input_text_buffer.append", "id": "1", "data": {"delta": "Hello"}}
    assert SpeechSocket.uplink.decode(message.to_dict()) == message


def test_kind_decides_the_class() -> None:
    """The kind of a message decides its class; unknown fields are kept."""
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
def test_unknown_kind_is_unknown(frame: dict[str, object]) -> None:
    """A message of an unknown kind becomes `Unknown` with all its content."""
    message = SpeechSocket.downlink.decode(frame)
    assert message == Unknown(frame.get("event_type"), frame)


def test_protocol_lists_last_and_error_messages() -> None:
    """A protocol lists its last messages and its error messages."""
    assert SpeechSocket.ends == {"speech.audio.completed"}
    assert SpeechSocket.fails == {"error"}


def test_callback_kind_is_in_its_header() -> None:
    """The kind of a callback is in its header."""
    body = {"header": {"event_type": "bot.published", "event_id": "1"}, "event": {"bot_name": "n"}}
    callback = Callbacks.messages.decode(body)
    assert isinstance(callback, BotPublishedCallback)
    assert callback.to_dict() == body
    assert isinstance(Callbacks.messages.decode({"header": "?"}), Unknown)


def test_callback_signature_matches_a_known_value() -> None:
    """The signature of a callback is the SHA-1 of timestamp, nonce, token and raw body; the expected value was computed
    elsewhere.
    """
    signature = Callbacks.signature.sign(
        timestamp="1749038258245",
        nonce="abc123",
        token="my_token",
        body=b'{"header":{"event_type":"bot.deleted"},"event":{}}',
    )
    assert signature == "fd3fa700c813c24b0c4dfdbc716d59493d967d50"
    assert Callbacks.signature.headers["signature"] == "X-Coze-Signature"


def test_required_content_is_a_required_argument() -> None:
    """If the content of a message has required fields, the content is a required argument."""
    assert SpeechTextAppend._inputs["data"].required
    assert not SpeechUpdate._inputs["data"].required
    with pytest.raises(TypeError, match="data"):
        SpeechTextAppend()  # type: ignore[call-arg]  # the point of the test


def test_unknown_fields_and_nulls_of_a_message_are_kept() -> None:
    """Unknown fields and nulls of a message itself are kept."""
    frame = {"event_type": "speech.updated", "id": None, "data": "?", "detail": {"logid": "L"}, "later": 1}
    message = SpeechSocket.downlink.decode(frame)
    assert message.to_dict() == frame
    assert message.extra_fields == {"id": None, "later": 1}


def test_room_messages_are_encoded_and_decoded() -> None:
    """A message to send is validated and gets an id; any received message is decoded."""
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
def test_message_log_id_is_in_its_detail(detail: object, logid: str) -> None:
    """The `logid` of a message is in its detail, since it has no HTTP response."""
    message = SpeechSocket.downlink.decode({"event_type": "speech.audio.update", "id": "1", "detail": detail})
    assert isinstance(message, SpeechAudioUpdate)
    assert message.logid == logid
    if isinstance(detail, dict):
        assert message.detail is not None
        assert message.detail.logid == logid


def test_described_logid_field_is_read() -> None:
    """A described field `logid` is read by that name; other parts of responses have none."""
    assert WorkflowRunHistory.from_dict({"execute_id": "1", "logid": "of the run"}).logid == "of the run"
    with pytest.raises(AttributeError, match="not a response itself"):
        _ = SpeechText(delta="Hello").logid


TEXTS = ["", "AAAA", 'quotes " and \\', "\x00\n\u2028", "\u4f60\u597d \U0001f600", "null"]


@pytest.mark.parametrize("parser", ["json", "orjson"])
@pytest.mark.parametrize("socket", [ChatSocket, InterpretationSocket, RtcRoom, SpeechSocket, TranscriptionSocket])
def test_message_with_one_text_is_written_as_any_other(socket: SocketProtocol[Any, Any], parser: str) -> None:
    """A message whose content is one text, which is written in a shorter way, gives the same JSON with a random id."""
    _json.use(parser)
    try:
        classes = {cls for cls in socket.uplink.kinds.values() if socket.uplink._type(cls)[1] is not None}
        for cls in classes:
            content, member = cls._inputs["data"].model(), socket.uplink._type(cls)[1].member
            for text in TEXTS:
                message = cls(data=content.from_dict({member: text}))
                number, frame = socket.uplink.write(message)
                assert frame == _json.dumps({**message.to_dict(), "id": number})
                assert uuid.UUID(number).version == 4
                assert number != socket.uplink.write(message)[0]
    finally:
        _json.use("auto")
    assert len(classes) >= (0 if socket is RtcRoom else 1)


def test_unusual_message_with_one_text_is_written_with_all_it_has() -> None:
    """A message keeps its id, its unknown fields and its kind, and is checked, also if its content is one text."""
    write = ChatSocket.uplink.write
    whole: Any = ChatSocketInputAudioAppend
    write(whole(data=SocketAudio(delta="first")))
    assert json.loads(write(whole(id="mine", data=SocketAudio(delta="A")))[1])["id"] == "mine"
    assert json.loads(write(whole(data=SocketAudio(delta="A"), extra_fields={"new": 1}))[1])["new"] == 1
    written = json.loads(write(whole(data=SocketAudio(delta="A", extra_fields={"new": 1})))[1])
    assert written["data"] == {"delta": "A", "new": 1}
    assert json.loads(write(whole(event_type="other", data=SocketAudio(delta="A")))[1])["event_type"] == "other"
    with pytest.raises(InvalidArgumentError, match=r"data\.delta must be a str"):
        write(whole(data=SocketAudio(delta=7)))  # type: ignore[arg-type]  # the point of the test
    with pytest.raises(InvalidArgumentError, match="cannot be written as JSON"):
        write(whole(data=SocketAudio(delta="\ud800")))


def test_message_nested_too_deeply_is_no_object() -> None:
    """A received message is refused beyond 128 levels, however few of them are objects."""
    deep = b'{"event_type": "speech.audio.update", "data": %b%b}'
    assert isinstance(SpeechSocket.downlink.loads(deep % (b"[" * 127, b"]" * 127)), SpeechAudioUpdate)
    assert isinstance(SpeechSocket.downlink.loads(deep % (b"[" * 128, b"]" * 128)), Unknown)
    mixed = deep % (b'{"a":' * 6 + b"[" * 122, b"]" * 122 + b"}" * 6)
    assert isinstance(SpeechSocket.downlink.loads(mixed), Unknown)
