"""Speech, transcriptions and interpretation over WebSockets."""

from __future__ import annotations

import base64
import struct

import pytest

from coze_sandbox import VOICE_ID
from coze_sandbox._websockets.protocols.speech_synthesis import synthesize
from tests.sandbox.websockets._connection import INTERPRETATION, SPEECH, TRANSCRIPTIONS, sound, talk


def kinds(frames):
    """Return the event types, each once where it comes several times in a row."""
    names = [frame["event_type"] for frame in frames]
    return [name for number, name in enumerate(names) if number == 0 or names[number - 1] != name]


def deltas(frames, event):
    """Return the `delta` of all messages of a type."""
    return [frame["data"]["delta"] for frame in frames if frame["event_type"] == event]


def spoken(client, text, **output):
    """Have a text spoken, and return the received sound."""
    if output:
        client.send("speech.update", {"output_audio": output})
        client.until("speech.updated")
    client.send("input_text_buffer.append", {"delta": text})
    client.send("input_text_buffer.complete")
    return client.until("speech.audio.completed", "error")


def test_speech(coze_sandbox):
    """Text that comes in pieces is spoken sentence by sentence, after it is complete."""
    with talk(coze_sandbox, SPEECH) as client:
        client.send("input_text_buffer.append", {"delta": "Nice wea"})
        client.send("input_text_buffer.append", {"delta": "ther. It is 3.5 degrees! "})
        client.send("input_text_buffer.complete")
        frames = client.until("speech.audio.completed")
    assert kinds(frames) == [
        "speech.created",
        "input_text_buffer.completed",
        "conversation.audio.sentence_start",
        "speech.audio.update",
        "conversation.audio.sentence_start",
        "speech.audio.update",
        "speech.audio.completed",
    ]
    starts = [frame["data"]["text"] for frame in frames if frame["event_type"].endswith("sentence_start")]
    assert starts == ["Nice weather.", "It is 3.5 degrees!"]
    samples = b"".join(base64.b64decode(delta) for delta in deltas(frames, "speech.audio.update"))
    assert len(samples) == round(0.02 * 24_000) * 2 * sum(map(len, starts))
    assert max(struct.unpack(f"<{len(samples) // 2}h", samples)) > 7000


def test_speech_is_the_tone_of_the_http_operation(api):
    """A sentence sounds the same over a WebSocket and over HTTP."""
    body = {"input": "Hello there.", "voice_id": VOICE_ID, "response_format": "pcm"}
    expected = api.http.post("/v1/audio/speech", json=body).content
    with talk(api.sandbox, SPEECH) as client:
        frames = spoken(client, "Hello there.")
    assert b"".join(base64.b64decode(delta) for delta in deltas(frames, "speech.audio.update")) == expected


def test_speech_settings_in_use(coze_sandbox):
    """New settings are confirmed with all that is in use, and change member by member."""
    with talk(coze_sandbox, SPEECH) as client:
        client.send("speech.update", {})
        plain = client.until("speech.updated")[-1]["data"]["output_audio"]
        client.send("speech.update", {"output_audio": {"pcm_config": {"sample_rate": 16000}}})
        client.send("speech.update", {"output_audio": {"speech_rate": 100}})
        client.until("speech.updated")
        both = client.until("speech.updated")[-1]["data"]["output_audio"]
        length = sum(len(base64.b64decode(delta)) for delta in deltas(spoken(client, "x" * 50), "speech.audio.update"))
    assert plain == {"codec": "pcm", "speech_rate": 0, "voice_id": VOICE_ID}
    assert (both["speech_rate"], both["pcm_config"]["sample_rate"]) == (100, 16000)
    assert length == 16_000  # a second at normal speed, half of it twice as fast


def test_speech_with_an_unknown_voice(coze_sandbox):
    """Settings that name a voice that does not exist are refused as a whole."""
    with talk(coze_sandbox, SPEECH) as client:
        client.send("speech.update", {"output_audio": {"voice_id": "9", "speech_rate": 100}})
        assert client.refusal()[0] == 4200
        client.send("speech.update", {})
        assert client.until("speech.updated")[-1]["data"]["output_audio"]["speech_rate"] == 0


def test_speech_that_is_too_long(coze_sandbox):
    """The text of one connection has at most 1024 bytes; what exceeds them is refused, and the rest can be spoken."""
    with talk(coze_sandbox, SPEECH) as client:
        client.send("input_text_buffer.append", {"delta": "é" * 512})
        client.send("input_text_buffer.append", {"delta": "e"})
        assert client.refusal()[0] == 3010
        client.send("input_text_buffer.complete")
        assert client.until("speech.audio.completed")


def test_length_of_pieces(coze_sandbox):
    """Pieces of PCM have the requested length, and otherwise uneven ones, some tiny."""
    with talk(coze_sandbox, SPEECH) as client:
        uneven = {len(base64.b64decode(delta)) for delta in deltas(spoken(client, "x" * 40), "speech.audio.update")}
        even = deltas(spoken(client, "x" * 40, pcm_config={"frame_size_ms": 50}), "speech.audio.update")
    assert min(uneven) == 6
    assert len(uneven) > 2
    assert {len(base64.b64decode(delta)) for delta in even} == {24_000 * 2 // 20}


@pytest.mark.parametrize("length", [2.5, 5, 10, 20, 40, 60])
def test_opus(coze_sandbox, length):
    """Opus comes packet by packet, each of the requested length (RFC 6716, section 3.1)."""
    opus = {"codec": "opus", "opus_config": {"frame_size_ms": length}}
    with talk(coze_sandbox, SPEECH) as client:
        packets = [base64.b64decode(delta) for delta in deltas(spoken(client, "x" * 30, **opus), "speech.audio.update")]
    frames = {0: 1, 1: 2, 3: packets[0][1] & 0x3F}[packets[0][0] & 3]
    of_one = {28: 2.5, 29: 5, 30: 10, 31: 20}[packets[0][0] >> 3]
    assert frames * of_one == length
    assert len(packets) == round(600 / length)


def test_limited_pieces():
    """With a limit per period, a client gets only so many pieces within a period, if the length of pieces is fixed."""
    limits = {"limit_config": {"period": 2, "max_frame_num": 3}}
    framed = synthesize("x" * 40, {"pcm_config": {"frame_size_ms": 100, **limits}})
    assert [piece.pause for piece in framed] == [0, 0, 0, 2, 0, 0, 2, 0]
    assert {piece.pause for piece in synthesize("x" * 40, {"pcm_config": limits})} == {0}


def transcribed(client):
    """End the sound, and return the received messages."""
    client.send("input_audio_buffer.complete")
    return client.until("transcriptions.message.completed", "error")


def test_transcription(coze_sandbox):
    """Sound whose bytes are text is recognized as that text, piece by piece, also behind the header of a WAV file."""
    head = b"RIFF\x24\x00\x00\x00WAVEfmt \x10\x00\x00\x00" + bytes(16) + b"data\x0f\x00\x00\x00"
    with talk(coze_sandbox, TRANSCRIPTIONS) as client:
        client.send("transcriptions.update", {"input_audio": {"format": "wav", "sample_rate": 16000}})
        for piece in (head + b"Good ", b"morning, ", "Zoë.".encode() + b"\0\0"):
            client.send("input_audio_buffer.append", sound(piece))
        frames = transcribed(client)
    assert [frame["event_type"] for frame in frames] == [
        "transcriptions.created",
        "transcriptions.updated",
        "transcriptions.message.update",
        "transcriptions.message.update",
        "input_audio_buffer.completed",
        "transcriptions.message.update",
        "transcriptions.message.completed",
    ]
    assert frames[1]["data"]["input_audio"] == {
        "format": "wav",
        "codec": "pcm",
        "sample_rate": 16000,
        "channel": 1,
        "bit_depth": 16,
    }
    texts = [frame["data"]["content"] for frame in frames if frame["event_type"].endswith("message.update")]
    assert texts == ["Good", "Good morning,", "Good morning, Zoë."]


def test_transcription_of_other_sound(coze_sandbox):
    """Other sound is described by its length, anew for every second of it."""
    second = b"\x80\x70" * 24_000
    with talk(coze_sandbox, TRANSCRIPTIONS) as client:
        for _ in range(8):
            client.send("input_audio_buffer.append", sound(second[: len(second) // 2]))
        frames = transcribed(client)
    texts = [frame["data"]["content"] for frame in frames if frame["event_type"].endswith("message.update")]
    assert texts == [f"Sound of {48_000 * seconds} bytes." for seconds in (1, 2, 3, 4)]


def test_transcription_begins_again(coze_sandbox):
    """Sound can be thrown away, and one connection can transcribe several times."""
    with talk(coze_sandbox, TRANSCRIPTIONS) as client:
        client.send("input_audio_buffer.append", sound("wrong"))
        client.send("input_audio_buffer.clear")
        client.until("input_audio_buffer.cleared")
        client.send("input_audio_buffer.append", sound("right"))
        assert transcribed(client)[-2]["data"]["content"] == "right"
        assert kinds(transcribed(client)) == ["input_audio_buffer.completed", "transcriptions.message.completed"]


def test_sound_that_is_no_base64(coze_sandbox):
    """Sound that is not Base64 is refused."""
    with talk(coze_sandbox, TRANSCRIPTIONS) as client:
        client.send("input_audio_buffer.append", {"delta": "äöü"})
        code, msg = client.refusal()
    assert (code, msg.startswith("data.delta: not Base64")) == (4000, True)


def test_interpretation(coze_sandbox):
    """Interpretation sends the recognized text and its translation, and speaks the translation; the glossary is
    used.
    """
    config = {"from": "en", "to": "zh", "glossary": [{"original": "Coze", "translation": "扣子"}]}
    with talk(coze_sandbox, INTERPRETATION) as client:
        client.send("simult_interpretation.update", {"translate_config": config})
        updated = client.until("simult_interpretation.updated")[-1]
        client.send("input_audio_buffer.append", sound("This is Coze. "))
        client.send("input_audio_buffer.append", sound("Bye!"))
        client.send("input_audio_buffer.complete")
        frames = client.until("simult_interpretation.message.completed")
    assert updated["data"]["translate_config"] == config
    each = [f"simult_interpretation.{name}.delta" for name in ("transcription", "translation", "audio")]
    ending = "simult_interpretation.message.completed"
    assert kinds(frames) == ["input_audio_buffer.completed", *each, *each, ending]
    assert "".join(deltas(frames, each[0])) == "This is Coze.Bye!"
    assert "".join(deltas(frames, each[1])) == "[zh] This is 扣子.[zh] Bye!"
    assert len(b"".join(base64.b64decode(delta) for delta in deltas(frames, each[2]))) == 960 * len(
        "[zh] This is 扣子.[zh] Bye!"
    )


def test_interpretation_without_settings(coze_sandbox):
    """Without settings the sandbox interprets from Chinese to English, in PCM."""
    with talk(coze_sandbox, INTERPRETATION) as client:
        client.send("simult_interpretation.update", {})
        settings = client.until("simult_interpretation.updated")[-1]["data"]
    assert settings["translate_config"] == {"from": "zh", "to": "en"}
    assert settings["output_audio"]["codec"] == "pcm"
