"""Spoken chats over a WebSocket."""

from __future__ import annotations

import base64
import json
import struct
import time

import httpx
import pytest

from coze_sandbox import BOT_ID, Clock, Sandbox
from tests.sandbox.websockets._connection import CHAT, sound, talk

SETTLED = ("conversation.chat.completed", "conversation.chat.failed", "conversation.chat.requires_action", "error")
LOUD = struct.pack("<480h", *([9000, -9000] * 240))  # 20 ms at 24 kHz
SILENT = bytes(960)


def answer(frames):
    """Return the text of an answer, put together from its pieces."""
    return "".join(frame["data"]["content"] for frame in frames if frame["event_type"] == "conversation.message.delta")


def names(frames):
    """Return the event types."""
    return [frame["event_type"] for frame in frames]


def only(frames, event):
    """Return the data of all messages of a type."""
    return [frame.get("data") for frame in frames if frame["event_type"] == event]


def exchange(client, text):
    """Send a text to the bot, and return all messages up to the end of the turn."""
    client.send_text(text)
    return client.until(*SETTLED)


def test_written_question(coze_sandbox):
    """A written question is repeated, then answered as text and as sound; the sound is all of the answer."""
    with talk(coze_sandbox, CHAT) as client:
        frames = exchange(client, "/say Hi. How are you?")
    assert names(frames)[:5] == [
        "chat.created",
        "conversation.message.completed",
        "conversation.chat.created",
        "conversation.chat.in_progress",
        "conversation.message.delta",
    ]
    assert names(frames)[-2:] == ["conversation.audio.completed", "conversation.chat.completed"]
    messages = only(frames, "conversation.message.completed")
    assert [message["type"] for message in messages] == ["question", "answer", "verbose"]
    assert messages[1]["content"] == answer(frames) == "Hi. How are you?"
    spoken = only(frames, "conversation.audio.delta")
    assert {message["id"] for message in spoken} == {messages[1]["id"]}
    assert len(b"".join(base64.b64decode(message["content"]) for message in spoken)) == 960 * len("Hi.How are you?")
    chat = frames[-1]["data"]
    assert (chat["status"], chat["usage"]["output_count"] > 0, "last_error" in chat) == ("completed", True, False)


def test_state_is_shared_with_http(api):
    """Messages sent over a WebSocket are in the conversation, and the other way round."""
    conversation = api.ok("POST", "/v1/conversation/create", json={"bot_id": BOT_ID})["id"]
    started = api.chat("My key is 7.", conversation_id=conversation)
    api.ok("POST", "/v3/chat", params={"conversation_id": conversation}, json=started)
    api.sandbox.clock.advance(10)
    with talk(api.sandbox, CHAT) as client:
        config = {"conversation_id": conversation, "meta_data": {"source": "phone"}, "user_id": "user-1"}
        client.send("chat.update", {"chat_config": config})
        chat = (recalled := exchange(client, "/recall"))[-1]["data"]
    assert answer(recalled) == "Before that you said: My key is 7."
    assert chat["conversation_id"] == conversation
    query = {"conversation_id": conversation, "chat_id": chat["id"]}
    chat = api.ok("GET", "/v3/chat/retrieve", params=query)
    assert (chat["status"], chat["meta_data"]) == ("completed", {"source": "phone"})
    assert api.ok("GET", "/v3/chat/message/list", params=query)[0]["content"] == answer(recalled)


def test_turns_of_a_connection_share_a_conversation(coze_sandbox):
    """The turns of a connection are one conversation; `conversation.clear` starts a section without earlier messages."""
    with talk(coze_sandbox, CHAT) as client:
        first = exchange(client, "one")[-1]["data"]
        second = exchange(client, "/recall")
        client.send("conversation.clear")
        client.until("conversation.cleared")
        third = exchange(client, "/recall")
    assert answer(second) == "Before that you said: one"
    assert answer(third) == "You said nothing before."
    assert second[-1]["data"]["conversation_id"] == third[-1]["data"]["conversation_id"] == first["conversation_id"]
    assert third[-1]["data"]["section_id"] != first["section_id"]


def test_message_of_the_assistant(api):
    """A message from the assistant only becomes a part of the context."""
    with talk(api.sandbox, CHAT) as client:
        greeting = {"role": "assistant", "content_type": "text", "content": "I am the bot."}
        client.send("conversation.message.create", greeting)
        frames = exchange(client, "Hi")
    assert only(frames, "conversation.message.completed")[0]["role"] == "user"
    body = {"conversation_id": frames[-1]["data"]["conversation_id"]}
    listed = api.http.post("/v1/conversation/message/list", params=body, json={}).json()["data"]
    assert "I am the bot." in [message["content"] for message in listed]


def test_history_that_is_not_saved(api):
    """A chat that is not to be kept leaves no messages."""
    with talk(api.sandbox, CHAT) as client:
        client.send("chat.update", {"chat_config": {"auto_save_history": False}})
        chat = exchange(client, "/tool now {}")[-1]["data"]
        call = chat["required_action"]["submit_tool_outputs"]["tool_calls"][0]
        outputs = {"chat_id": chat["id"], "tool_outputs": [{"tool_call_id": call["id"], "output": "noon"}]}
        client.send("conversation.chat.submit_tool_outputs", outputs)
        assert client.until(*SETTLED)[-1]["data"]["status"] == "completed"
    query = {"conversation_id": chat["conversation_id"], "chat_id": chat["id"]}
    assert api.refused("GET", "/v3/chat/retrieve", params=query) == (404, 4001)


def test_objects(coze_sandbox):
    """A message may consist of several objects, which must be right."""
    parts = [{"type": "text", "text": "Look"}, {"type": "image", "file_url": "https://example.com/a.png"}]
    message = {"role": "user", "content_type": "object_string", "content": json.dumps(parts)}
    with talk(coze_sandbox, CHAT) as client:
        client.send("conversation.message.create", message)
        assert answer(client.until(*SETTLED)) == "You said: Look I got 1 image."
        client.send("conversation.message.create", {**message, "content": "[]"})
        assert client.refusal()[0] == 4000


def test_tools(coze_sandbox):
    """A chat that requires tool results sends an event about it, takes the results, and continues as the same chat."""
    with talk(coze_sandbox, CHAT) as client:
        frames = exchange(client, '/tool get_weather {"city": "Rome"}\n/tool now {}')
        chat = frames[-1]["data"]
        calls = chat["required_action"]["submit_tool_outputs"]["tool_calls"]
        assert "conversation.audio.completed" not in names(frames)
        outputs = [{"tool_call_id": call["id"], "output": call["function"]["name"]} for call in calls]
        wrong = {"chat_id": chat["id"], "tool_outputs": outputs[:1]}
        client.send("conversation.chat.submit_tool_outputs", wrong)
        assert "is missing" in client.refusal()[1]
        client.send("conversation.chat.submit_tool_outputs", {"chat_id": "9", "tool_outputs": outputs})
        assert client.refusal()[0] == 4001
        client.send("conversation.chat.submit_tool_outputs", {"chat_id": chat["id"], "tool_outputs": outputs})
        rest = client.until(*SETTLED)
        client.send("conversation.chat.submit_tool_outputs", {"chat_id": chat["id"], "tool_outputs": outputs})
        assert client.refusal()[0] == 4000
    assert names(rest)[0] == "conversation.chat.in_progress"
    assert rest[-1]["data"]["id"] == chat["id"]
    assert answer(rest) == "get_weather says: get_weather; now says: now"


def test_replies_of_a_scenario(coze_sandbox):
    """A reply that a scenario prepared is sent over WebSockets too, in the pieces that it names."""
    coze_sandbox.scenario.reply(["Good ", "morning."], reasoning="Hm.")
    with talk(coze_sandbox, CHAT) as client:
        frames = exchange(client, "Hi")
        assert answer(exchange(client, "Hi")) == "You said: Hi"
    deltas = only(frames, "conversation.message.delta")
    assert [delta["content"] for delta in deltas if delta["content"]] == ["Good ", "morning."]
    assert "".join(delta.get("reasoning_content", "") for delta in deltas) == "Hm."


def test_failures(coze_sandbox):
    """A chat can fail, with its reason, or break off with an error; the connection stays for the next turn."""
    with talk(coze_sandbox, CHAT) as client:
        failed = exchange(client, "/fail 5000 no model")[-1]
        assert failed["data"]["last_error"] == {"code": 5000, "msg": "no model"}
        assert exchange(client, "/error 4008 no quota")[-1]["data"] == {"code": 4008, "msg": "no quota"}
        assert exchange(client, "Hi")[-1]["event_type"] == "conversation.chat.completed"


def test_cancel(api):
    """An answer can be broken off by its client; where none is given, that is accepted in silence."""
    with talk(api.sandbox, CHAT) as client:
        client.send_text("/slow 3600 Hi")
        chat = client.until("conversation.chat.created")[-1]["data"]
        client.send("conversation.chat.cancel")
        assert client.until("conversation.chat.canceled")[-1]["data"] == {"code": 2, "msg": "client cancel"}
        query = {"conversation_id": chat["conversation_id"], "chat_id": chat["id"]}
        assert api.ok("GET", "/v3/chat/retrieve", params=query)["status"] == "canceled"
        client.send("conversation.chat.cancel")
        assert answer(exchange(client, "Hi")) == "You said: Hi"


def test_cancel_without_a_chat_gets_no_response(coze_sandbox):
    """A cancellation without a running chat gets no response and no error, and the next turn works.

    Push-to-talk clients begin with a cancellation, and close the connection at any error.
    """
    with talk(coze_sandbox, CHAT) as client:
        client.send("conversation.chat.cancel")
        frames = exchange(client, "Hi")
    assert names(frames)[:2] == ["chat.created", "conversation.message.completed"]
    assert "error" not in names(frames)


def test_cancel_over_http(api):
    """A chat that is canceled over HTTP ends for its WebSocket too."""
    with Sandbox(event_seconds=0.05) as sandbox, talk(sandbox, CHAT) as client:
        client.send_text("/long 5000")
        chat = client.until("conversation.message.delta")[-1]["data"]
        body = {"conversation_id": chat["conversation_id"], "chat_id": chat["chat_id"]}
        headers = {"Authorization": f"Bearer {sandbox.token}"}
        api.http.post(f"{sandbox.base_url}/v3/chat/cancel", json=body, headers=headers).raise_for_status()
        assert "data" not in client.until("conversation.chat.canceled")[-1]


def test_new_content_interrupts(api):
    """Something new to be answered or spoken ends the answer that is being given."""
    with talk(api.sandbox, CHAT) as client:
        client.send_text("/slow 3600 Hi")
        client.until("conversation.chat.created")
        client.send_text("Ho")
        frames = client.until("conversation.chat.completed")
        assert frames[0]["event_type"] == "conversation.chat.canceled"
        assert frames[0]["data"]["code"] == 3
        assert answer(frames) == "You said: Ho"
        client.send_text("/slow 3600 Hi")
        client.until("conversation.chat.created")
        client.send("input_text.generate_audio", {"mode": "text", "text": "Are you there?"})
        spoken = client.until("conversation.audio.completed")
    assert spoken[0]["data"]["code"] == 3


def test_a_turn_that_is_over_is_not_interrupted(coze_sandbox):
    """A client that continues as soon as a turn is complete receives no cancellation."""
    with talk(coze_sandbox, CHAT) as client:
        frames = [frame for number in range(30) for frame in exchange(client, f"/say {number}")]
    assert "conversation.chat.canceled" not in names(frames)
    assert answer(frames) == "".join(map(str, range(30)))


def test_occupied_conversation(api):
    """A conversation in which another chat is running is refused, and the connection stays."""
    body = api.chat("/slow 3600 Hi")
    running = api.ok("POST", "/v3/chat", json=body)
    with talk(api.sandbox, CHAT) as client:
        client.send("chat.update", {"chat_config": {"conversation_id": running["conversation_id"]}})
        assert exchange(client, "Hi")[-1]["data"]["code"] == 4016
        client.send("chat.update", {"chat_config": {"conversation_id": "9"}})
        assert client.refusal()[0] == 4002


def test_client_that_leaves():
    """When the client disconnects in the middle of an answer, the chat continues, and later the answer can be read."""
    clock = Clock(lambda: 1_000_000_000.0)
    with Sandbox(event_seconds=0.05, clock=clock) as sandbox:
        with talk(sandbox, CHAT) as client:
            client.send_text("/long 2000")
            chat = client.until("conversation.message.delta")[-1]["data"]
        while sandbox.requests[0].seconds is None:
            time.sleep(0.01)
        query = {"conversation_id": chat["conversation_id"], "chat_id": chat["chat_id"]}
        headers = {"Authorization": f"Bearer {sandbox.token}"}
        with httpx.Client(base_url=sandbox.base_url, headers=headers) as http:
            assert http.get("/v3/chat/retrieve", params=query).json()["data"]["status"] == "in_progress"
            clock.advance(3600)
            assert http.get("/v3/chat/retrieve", params=query).json()["data"]["status"] == "completed"
            listed = http.get("/v3/chat/message/list", params=query).json()["data"]
    assert len(listed[0]["content"].split()) == 2000


def test_generated_audio(coze_sandbox):
    """A text can be spoken without a chat, and the ids then are zeros."""
    with talk(coze_sandbox, CHAT) as client:
        client.until("chat.created")
        client.send("input_text.generate_audio", {"mode": "text", "text": "Are you there?"})
        frames = client.until("conversation.audio.completed")
        assert set(names(frames)) == {
            "conversation.audio.sentence_start",
            "conversation.audio.delta",
            "conversation.audio.completed",
        }
        assert {frames[1]["data"][name] for name in ("id", "conversation_id", "bot_id", "chat_id")} == {"0"}
        for text in ("", "x" * 1024):
            client.send("input_text.generate_audio", {"mode": "text", "text": text})
            assert client.refusal()[0] == 4000


def test_push_to_talk(coze_sandbox):
    """Sound is recognized, sent as text, and answered, when the client marks it as complete."""
    with talk(coze_sandbox, CHAT) as client:
        client.send("input_audio_buffer.append", sound("What time"))
        client.send("input_audio_buffer.append", sound(" is it?"))
        client.send("input_audio_buffer.complete")
        frames = client.until(*SETTLED)
    assert names(frames)[:8] == [
        "chat.created",
        "conversation.audio_transcript.update",
        "input_audio_buffer.completed",
        "conversation.audio_transcript.update",
        "conversation.audio_transcript.completed",
        "conversation.chat.created",
        "conversation.chat.in_progress",
        "conversation.message.delta",
    ]
    expected = [frame["content"] for frame in only(frames, "conversation.audio_transcript.update")]
    assert expected == ["What time", "What time is it?"]
    assert answer(frames) == "You said: What time is it?"


def test_sound_that_is_thrown_away(coze_sandbox):
    """Sound that is thrown away is not answered; without sound there is nothing to complete."""
    with talk(coze_sandbox, CHAT) as client:
        client.send("input_audio_buffer.append", sound("no"))
        client.send("input_audio_buffer.clear")
        client.until("input_audio_buffer.cleared")
        client.send("input_audio_buffer.complete")
        assert client.refusal() == (4000, "The audio buffer is empty.")


def test_text_at_the_end_only(coze_sandbox):
    """Without streaming of transcripts, the transcript is sent once."""
    with talk(coze_sandbox, CHAT) as client:
        client.send("chat.update", {"asr_config": {"stream_mode": "output_no_stream"}})
        for piece in ("one", " two"):
            client.send("input_audio_buffer.append", sound(piece))
        client.send("input_audio_buffer.complete")
        frames = client.until(*SETTLED)
    assert "conversation.audio_transcript.update" not in names(frames)
    assert only(frames, "conversation.audio_transcript.completed") == [{"content": "one two"}]


@pytest.mark.parametrize("kind", ["server_vad", "semantic_vad"])
def test_voice_detection(coze_sandbox, kind):
    """With voice detection silence ends the user's turn, however the sound is cut into pieces."""
    audio = SILENT * 10 + LOUD * 30 + SILENT * 5 + LOUD * 10 + SILENT * 30
    with talk(coze_sandbox, CHAT) as client:
        client.send("chat.update", {"turn_detection": {"type": kind}})
        client.until("chat.updated")
        for start in range(0, len(audio), 1001):
            client.send("input_audio_buffer.append", sound(audio[start : start + 1001]))
        client.send("input_audio_buffer.complete")  # ignored
        client.send("input_audio_buffer.clear")  # ignored
        frames = client.until(*SETTLED)
    events = [name for name in names(frames) if not name.endswith((".delta", "transcript.update"))]
    assert events[:5] == [
        "input_audio_buffer.speech_started",
        "input_audio_buffer.speech_stopped",
        "conversation.audio_transcript.completed",
        "conversation.chat.created",
        "conversation.chat.in_progress",
    ]
    silence = {"server_vad": 25, "semantic_vad": 15}[kind]
    assert answer(frames) == f"You said: Sound of {960 * (45 + silence)} bytes."


def test_speaking_into_an_answer(coze_sandbox):
    """With voice detection, speech of the user during an answer ends it."""
    with talk(coze_sandbox, CHAT) as client:
        client.send("chat.update", {"turn_detection": {"type": "server_vad"}})
        client.send_text("/slow 3600 Hi")
        client.until("conversation.chat.created")
        client.send("input_audio_buffer.append", sound(LOUD))
        frames = client.until("conversation.chat.canceled")
    assert names(frames) == ["input_audio_buffer.speech_started", "conversation.chat.canceled"]
    assert frames[-1]["data"]["code"] == 1


@pytest.mark.parametrize(("mode", "interrupts"), [("keyword_contains", True), ("keyword_prefix", False)])
def test_words_that_interrupt(coze_sandbox, mode, interrupts):
    """Where only certain words interrupt, others are transcribed and not answered while an answer is given."""
    words = {"mode": mode, "keywords": ["wait a moment"]}
    with talk(coze_sandbox, CHAT) as client:
        client.send("chat.update", {"turn_detection": {"type": "server_vad", "interrupt_config": words}})
        client.send_text("/slow 3600 Hi")
        client.until("conversation.chat.created")
        client.send("input_audio_buffer.append", sound("You know" + "\0" * 960 * 30))
        frames = client.until("conversation.audio_transcript.completed")
        client.send("input_audio_buffer.append", sound("Please wait a moment" + "\0" * 960 * 30))
        frames += client.until("conversation.audio_transcript.completed")
        assert "conversation.chat.canceled" not in names(frames)
        client.send("chat.update", {})
        follows = client.until("conversation.chat.canceled" if interrupts else "chat.updated")
    assert len(follows) == 1 or "conversation.chat.canceled" not in names(follows)


def test_chat_settings_in_use(coze_sandbox):
    """New settings are confirmed with all that is in use."""
    with talk(coze_sandbox, CHAT) as client:
        client.send("chat.update", {"turn_detection": {"type": "server_vad"}, "output_audio": {"codec": "opus"}})
        settings = client.until("chat.updated")[-1]["data"]
    assert settings["input_audio"] == {
        "format": "wav",
        "codec": "pcm",
        "sample_rate": 24000,
        "channel": 1,
        "bit_depth": 16,
    }
    assert settings["output_audio"] == {"codec": "opus", "speech_rate": 0, "loudness_rate": 0}
    assert settings["turn_detection"]["silence_duration_ms"] == 500


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({"input_audio": {"codec": "g711a"}}, "needs format pcm"),
        ({"voice_processing_config": {"enable_ans": True, "enable_pdns": True}}, "exclude each other"),
        ({"turn_detection": {"interrupt_config": {"keywords": ["no"]}}}, "6 to 24 bytes"),
        ({"output_audio": {"voice_id": "9"}}, "voice_id=9 does not exist"),
    ],
)
def test_settings_that_contradict_each_other(coze_sandbox, settings, expected):
    """Settings that cannot be are refused as a whole, and the old ones stay."""
    with talk(coze_sandbox, CHAT) as client:
        client.send("chat.update", {**settings, "asr_config": {"context": "x"}})
        assert expected in client.refusal()[1]
        client.send("chat.update", {})
        assert "asr_config" not in client.until("chat.updated")[-1]["data"]


@pytest.mark.parametrize(("codec", "silence"), [("g711a", b"\xd5"), ("g711u", b"\xff")])
def test_telephone(coze_sandbox, codec, silence):
    """Telephones send and receive G.711."""
    settings = {"codec": codec, "format": "pcm", "sample_rate": 8000}
    with talk(coze_sandbox, CHAT) as client:
        turns = {"type": "server_vad"}
        client.send("chat.update", {"input_audio": settings, "output_audio": {"codec": codec}, "turn_detection": turns})
        client.send("input_audio_buffer.append", sound(b"\x12\x34" * 80 + silence * 8000))
        frames = client.until(*SETTLED)
    received = b"".join(base64.b64decode(frame["content"]) for frame in only(frames, "conversation.audio.delta"))
    assert received == silence * 160 * len(answer(frames))


def test_subscriptions(coze_sandbox):
    """A client that subscribes to some messages receives these, and errors."""
    wanted = ["conversation.message.completed", "conversation.chat.completed"]
    with talk(coze_sandbox, CHAT) as client:
        client.until("chat.created")
        client.send("chat.update", {"event_subscriptions": wanted})
        assert set(names(exchange(client, "Hi"))) == set(wanted)
        client.send("nonsense")
        assert client.refusal()[0] == 4000


def test_opening_words(api):
    """The opening words are spoken on demand: the caller's own, or the bot's."""
    space = api.ok("GET", "/v1/workspaces")["workspaces"][0]["id"]
    body = {"space_id": space, "name": "Greeter", "onboarding_info": {"prologue": "Welcome!"}}
    bot = api.ok("POST", "/v1/bot/create", json=body)["bot_id"]
    api.ok("POST", "/v1/bot/publish", json={"bot_id": bot, "connector_ids": ["1024"]})
    for settings, spoken in (({}, "Welcome!"), ({"prologue_content": "Hi there."}, "Hi there.")):
        with talk(api.sandbox, "/v1/chat", bot_id=bot) as client:
            client.send("chat.update", {"need_play_prologue": True, **settings})
            frames = client.until("conversation.audio.completed")
        assert only(frames, "conversation.audio.sentence_start") == [{"text": spoken}]


def test_reasoning_and_several_answers(coze_sandbox):
    """Reasoning comes in pieces of its own, several answers have an id each, and suggestions follow."""
    with talk(coze_sandbox, CHAT) as client:
        thought = exchange(client, "/think Hm")
        several = exchange(client, "/answers 3")
        suggesting = exchange(client, "/suggest Hm")
    pieces = [frame.get("reasoning_content", "") for frame in only(thought, "conversation.message.delta")]
    assert "".join(pieces) == "The user says 'Hm'. I repeat it."  # codespell:ignore says
    assert len({frame["id"] for frame in only(several, "conversation.audio.delta")}) == 3
    kinds = [frame["type"] for frame in only(suggesting, "conversation.message.completed")]
    assert kinds == ["question", "answer", "verbose", "follow_up", "follow_up", "follow_up"]
