"""WebSocket sessions: speech, transcription, chat, interpretation, and bare messages."""

from __future__ import annotations

import asyncio
import base64
import gc
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from coze_api import Unknown
from coze_api.models import (
    ChatSocketClear,
    ChatSocketCleared,
    ChatSocketRequiresAction,
    SocketEnterMessage,
    SpeechCreated,
    SpeechText,
    SpeechTextAppend,
    SpeechTextComplete,
    ToolOutput,
)
from coze_sandbox import BOT_ID
from cozekit import AsyncCoze, SocketOptions, audio
from cozekit.errors import (
    ActionRequired,
    ChatFailed,
    InvalidArgumentError,
    RateLimitError,
    SocketClosed,
    SocketFailed,
    ToolFailed,
    ToolRoundsExceeded,
)
from tests.overlay._clients import Connect, unwrap
from tests.overlay.websockets._server import LOGID, Part, SocketServer, frame, socket_server

pytestmark = pytest.mark.needs_asyncio

PCM = audio.PCM(16000)
SOUND = [bytes([number]) * 320 for number in range(1, 6)]
CHAT = {"id": "c1", "conversation_id": "v1", "bot_id": "b1", "status": "created"}


def b64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def client(connect: Connect, server: SocketServer, **options: Any) -> Any:
    return connect("pat_x", base_url=server.url.replace("ws", "http", 1), sockets=SocketOptions(**options))


def take(source: Any, count: int) -> list[Any]:
    items = iter(source)
    return [next(items) for _ in range(count)]


def stream(connect: Connect, items: list[Any], before: Callable[[], None] = lambda: None) -> Any:
    """Return an iterable of the client's kind."""

    def plain() -> Iterator[Any]:
        before()
        yield from items

    async def awaited() -> Any:
        for item in plain():
            yield item

    return awaited() if connect.is_async else plain()


def speaking(part: Part) -> None:
    part.send("speech.created")
    while True:
        kind = part.await_kind("speech.update", "input_text_buffer.complete")["event_type"]
        if kind == "speech.update":
            part.send("speech.updated", {"output_audio": {"codec": "pcm", "speech_rate": 0, "voice_id": "v"}})
            continue
        part.send("input_text_buffer.completed")
        part.send("conversation.audio.sentence_start", {"text": "Hello."})
        for number in (1, 2, 3):
            part.send("speech.audio.update", {"delta": b64(bytes([number]) * number)})
        part.send("speech.audio.completed")


def test_speech_yields_the_audio_of_a_text(connect: Connect) -> None:
    """`say` sends a text and its end, and yields the decoded audio; a second text may follow."""
    with socket_server(speaking) as server:
        with client(connect, server).websockets.audio.speech.connect(output_audio=PCM) as speech:
            assert list(speech.say("Hello")) == [b"\1", b"\2\2", b"\3\3\3"]
            assert b"".join(speech.say("again")) == b"\1\2\2\3\3\3"
    texts = [
        client_event["data"]["delta"]
        for client_event in server.received
        if client_event["event_type"] == "input_text_buffer.append"
    ]
    assert texts == ["Hello", "again"]


def test_text_is_sent_while_audio_arrives(connect: Connect) -> None:
    """`say` sends pieces of text while audio is received."""
    with socket_server(speaking) as server:
        with client(connect, server).websockets.audio.speech.connect(output_audio=PCM) as speech:
            sound = speech.say(stream(connect, ["Hel", "lo"]))
            assert b"".join(sound) == b"\1\2\2\3\3\3"
    kinds = [client_event["event_type"].rpartition(".")[2] for client_event in server.received]
    assert kinds == ["update", "append", "append", "complete"]


@pytest.mark.parametrize(
    ("name", "arguments", "call", "message"),
    [
        ("audio.speech", {}, lambda session: session.say("Hi"), "format of the sound to receive is not set"),
        ("audio.transcriptions", {}, lambda session: session.listen(SOUND), "default is WAV"),
        (
            "audio.transcriptions",
            {"input_audio": {"format": "pcm", "sample_rate": 16000}},
            lambda session: session.listen(SOUND),
            "bare samples need codec, sample_rate, channel and bit_depth",
        ),
        ("audio.simult_interpretation", {}, lambda session: session.interpret(SOUND), "format of the sound"),
        ("chat", {"bot_id": "1"}, lambda session: session.talk(SOUND), "format of the sound"),
        ("chat", {"bot_id": "1"}, lambda session: session.talk(""), "nothing to send"),
        ("chat", {"bot_id": "1"}, lambda session: session.speak("Hi"), "format of the sound to receive"),
        ("chat", {"bot_id": "1"}, lambda session: session.talk("Hi").audio, "format of the sound to receive"),
    ],
)
def test_audio_format_must_be_set(
    connect: Connect, name: str, arguments: dict[str, Any], call: Callable[[Any], Any], message: str
) -> None:
    """If no audio format was set, nothing is sent, since Coze's default is often the wrong one."""
    group: Any = connect("pat_x", base_url="http://127.0.0.1:9").websockets
    for part in name.split("."):
        group = getattr(group, part)
    with pytest.raises(InvalidArgumentError, match=message):
        call(group.connect(**arguments))


WAV = PCM.to_wav(b"\1\2" * 400)


@pytest.mark.parametrize(
    ("input_audio", "sound", "message"),
    [
        (PCM, [WAV], "the sound is wav, but input_audio is pcm"),
        ({"format": "wav"}, [b"\1\2" * 100], "does not begin like wav"),
        ({"format": "wav"}, [b"OggS" + bytes(100)], "the sound is ogg, but input_audio is wav"),
        (PCM, ["text"], "a chunk of sound must be bytes, not str"),
    ],
)
def test_audio_in_another_format_is_rejected(
    connect: Connect, input_audio: Any, sound: list[Any], message: str
) -> None:
    """Audio that starts like another format than the one that was set is not sent."""
    with socket_server(listening) as server:
        session = client(connect, server).websockets.audio.transcriptions.connect(input_audio=input_audio)
        with session, pytest.raises(InvalidArgumentError, match=message):
            list(session.listen(sound))
    assert [client_event["event_type"] for client_event in server.received] == ["transcriptions.update"]


def listening(part: Part) -> None:
    part.send("transcriptions.created")
    part.await_kind("transcriptions.update")
    part.send("transcriptions.updated", {"input_audio": {}})
    text = ""
    while True:
        if part.await_kind("input_audio_buffer.append", "input_audio_buffer.complete")["event_type"].endswith("d"):
            text += "a"
            part.send("transcriptions.message.update", {"content": text})
        else:
            part.send("input_audio_buffer.completed")
            part.send("transcriptions.message.completed")


def test_listen_yields_text_while_audio_is_sent(connect: Connect) -> None:
    """`listen` yields text while audio is still being sent."""
    understood = threading.Event()

    def pieces() -> Iterator[bytes]:
        yield SOUND[0]
        assert understood.wait(60)
        yield SOUND[1]

    async def apieces() -> Any:
        from anyio import to_thread

        yield SOUND[0]
        assert await to_thread.run_sync(understood.wait, 10)
        yield SOUND[1]

    with socket_server(listening) as server:
        with client(connect, server).websockets.audio.transcriptions.connect(input_audio=PCM) as session:
            texts = []
            for text in session.listen(apieces() if connect.is_async else pieces()):
                texts.append(text)
                understood.set()
    assert texts == ["a", "aa"]
    appended = [
        client_event["data"]["delta"]
        for client_event in server.received
        if client_event["event_type"].endswith("append")
    ]
    assert [base64.b64decode(sound) for sound in appended] == SOUND[:2]


@pytest.mark.parametrize("kind", ["bytes", "list"])
def test_listen_splits_audio_into_messages(connect: Connect, kind: str) -> None:
    """`listen` splits audio into messages of a size that every server accepts."""
    whole = bytes(100_000)
    with socket_server(listening) as server:
        with client(connect, server).websockets.audio.transcriptions.connect(input_audio=PCM) as session:
            texts = list(session.listen(whole if kind == "bytes" else list(PCM.chunks(whole, ms=1000))))
    sent = [
        base64.b64decode(client_event["data"]["delta"])
        for client_event in server.received
        if client_event["event_type"].endswith("append")
    ]
    assert b"".join(sent) == whole
    assert max(map(len, sent)) <= 32 * 1024
    assert texts[-1] == "a" * len(sent)


def test_other_tasks_run_while_audio_is_sent() -> None:
    """An async session that sends audio without waiting for it lets other tasks run, and receives meanwhile."""
    begun = threading.Event()
    turns = 0

    def endless() -> Iterator[bytes]:
        while not begun.is_set() or turns < 10:
            yield SOUND[0]

    async def main(coze: Any) -> list[str]:
        async def count() -> None:
            nonlocal turns
            while True:
                turns += 1
                await asyncio.sleep(0)

        counting = asyncio.create_task(count())
        texts = []
        async with coze.websockets.audio.transcriptions.connect(input_audio=PCM) as session:
            async for text in session.listen(endless()):
                begun.set()
                texts.append(text)
        counting.cancel()
        return texts

    with socket_server(listening) as server:
        options = SocketOptions(idle_timeout=20)
        texts = asyncio.run(main(AsyncCoze("pat_x", base_url=server.url.replace("ws", "http", 1), sockets=options)))
    assert texts[-1] == "a" * len(texts)


def test_exception_of_the_audio_source_is_raised(connect: Connect) -> None:
    """An exception of the caller's audio source is raised by `listen` at once and unchanged."""

    def broken() -> None:
        raise OSError("no microphone")

    with socket_server(listening) as server:
        with client(connect, server).websockets.audio.transcriptions.connect(input_audio=PCM) as session:
            with pytest.raises(OSError, match="no microphone"):
                list(session.listen(stream(connect, [], broken)))
        assert server.gone.acquire(timeout=60)


def test_early_exit_stops_sending_and_closes(connect: Connect) -> None:
    """Leaving the loop after the first text stops the sending and closes the connection."""
    sent = threading.Event()

    def endless() -> Iterator[bytes]:
        while True:
            yield SOUND[0]
            sent.set()
            time.sleep(0.001)

    with socket_server(listening) as server:
        session = client(connect, server).websockets.audio.transcriptions.connect(input_audio=audio.PCM(16000))
        with session:
            texts = session.listen(endless())
            assert next(iter(texts)) == "a"
            connect.run(unwrap(texts).aclose if connect.is_async else texts.close)
            assert not session.is_open
            with pytest.raises(SocketClosed):
                session.recv()
        assert server.gone.acquire(timeout=60)
    assert sent.is_set()
    assert not [thread for thread in threading.enumerate() if thread.name == "cozekit-sender"]


def talking(part: Part) -> None:
    """Respond to each question with text and audio, a tool call, or a failure."""
    part.send("chat.created")
    while True:
        message = part.await_kind(
            "chat.update",
            "conversation.message.create",
            "input_audio_buffer.complete",
            "input_text.generate_audio",
            "conversation.clear",
        )
        kind, data = message["event_type"], message.get("data", {})
        if kind == "chat.update":
            part.send("chat.updated", data)
        elif kind == "conversation.clear":
            part.send("conversation.cleared")
        elif kind == "input_text.generate_audio":
            part.send("conversation.audio.sentence_start", {"text": data["text"]})
            part.send("conversation.audio.delta", {"id": "0", "content": b64(b"spoken"), "content_type": "audio"})
            part.send("conversation.audio.completed", {"id": "0", "content": "", "content_type": "audio"})
        else:
            answer(part, data.get("content", "by voice"))


def answer(part: Part, question: str) -> None:
    if question == "by voice":
        part.send("input_audio_buffer.completed")
        part.send("conversation.audio_transcript.update", {"content": "what"})
        part.send("conversation.audio_transcript.completed", {"content": "what is it"})
    else:
        user = {"id": "m0", "role": "user", "type": "question", "content": question, "content_type": "text"}
        part.send("conversation.message.completed", user)
    part.send("conversation.chat.created", CHAT)
    part.send("conversation.chat.in_progress", {**CHAT, "status": "in_progress"})
    if question == "fail":
        error = {"code": 4013, "msg": "too fast"}
        part.send("conversation.chat.failed", {**CHAT, "status": "failed", "last_error": error})
        return
    if question == "error":
        part.send("error", {"code": 4000, "msg": "bad parameter"})
        return
    if question == "tool":
        call = {"id": "t1", "type": "function", "function": {"name": "now", "arguments": "{}"}}
        action = {"type": "submit_tool_outputs", "submit_tool_outputs": {"tool_calls": [call]}}
        part.send("conversation.chat.requires_action", {**CHAT, "status": "requires_action", "required_action": action})
        submitted = part.await_kind("conversation.chat.submit_tool_outputs")["data"]
        question = submitted["tool_outputs"][0]["output"]
    message = {"id": "m1", "role": "assistant", "type": "answer", "content_type": "text"}
    part.send("conversation.message.delta", {**message, "content": "You said "})
    if question == "long":
        part.await_kind("conversation.chat.cancel")
        part.send("conversation.message.delta", {**message, "content": "too late"})
        part.send("conversation.chat.canceled", {"code": 2, "msg": "client cancel"})
        return
    part.send("conversation.audio.delta", {"id": "m1", "content": b64(b"\1\2"), "content_type": "audio"})
    part.send("conversation.message.delta", {**message, "content": question})
    part.send("conversation.audio.delta", {"id": "m1", "content": b64(b"\3"), "content_type": "audio"})
    part.send("conversation.message.completed", {**message, "content": f"You said {question}"})
    part.send("conversation.message.completed", {**message, "id": "m2", "type": "follow_up", "content": "And then?"})
    part.send("conversation.audio.completed", {"id": "m1", "content": "", "content_type": "audio"})
    usage = {"token_count": 9, "output_count": 4, "input_count": 5}
    part.send("conversation.chat.completed", {**CHAT, "status": "completed", "usage": usage})


@pytest.fixture
def call(connect: Connect) -> Iterator[Any]:
    """Return an open voice call."""
    with socket_server(talking) as server:
        session = client(connect, server, close_timeout=2.0).websockets.chat.connect(
            bot_id="b1", input_audio=PCM, output_audio=audio.PCM(24000)
        )
        with session:
            yield session


def test_turn_yields_text_audio_or_messages(call: Any) -> None:
    """A turn can be read as text, as audio or as messages, and has all of them at its end."""
    turn = call.talk("hello")
    assert list(turn.text) == ["You said ", "hello"]
    assert turn.ended
    assert turn.answer == "You said hello"
    assert turn.follow_ups == ["And then?"]
    assert turn.usage.token_count == 9
    assert (turn.chat.id, turn.chat.status) == ("c1", "completed")
    assert [message.id for message in turn.messages] == ["m1", "m2"]
    assert b"".join(call.talk("again").audio) == b"\1\2\3"
    kinds = [
        getattr(message, "event_type", "")
        for message in call.talk(
            SocketEnterMessage.from_dict({"role": "user", "content_type": "text", "content": "third"})
        )
    ]
    assert kinds[0] == "conversation.message.completed"
    assert kinds[-1] == "conversation.chat.completed"


def test_spoken_question_has_a_transcript(call: Any, connect: Connect) -> None:
    """Audio is sent with its end, and the turn has the transcript."""
    turn = call.talk(stream(connect, SOUND)).until_done()
    assert turn.transcript == "what is it"
    assert turn.answer == "You said by voice"


def test_turn_continues_after_tool_outputs(call: Any) -> None:
    """A turn that waits for tools continues after their outputs were sent."""
    turn = call.talk("tool")
    for message in turn:
        if isinstance(message, ChatSocketRequiresAction):
            [wanted] = message.data.required_action.submit_tool_outputs.tool_calls
            turn.submit_tool_outputs([ToolOutput(tool_call_id=wanted.id, output="noon")])
    assert turn.answer == "You said noon"


@pytest.mark.parametrize("read", ["text", "audio", "until_done"])
def test_tool_call_without_tools_is_an_error(call: Any, read: str) -> None:
    """A tool call without tools raises an error in the iterators of text and audio; the turn can continue afterwards."""
    turn = call.talk("tool")
    with pytest.raises(ActionRequired, match="the bot waits for tool outputs") as raised:
        turn.until_done() if read == "until_done" else list(getattr(turn, read))
    [wanted] = raised.value.chat.required_action.submit_tool_outputs.tool_calls
    assert wanted.id == "t1"
    turn.submit_tool_outputs([{"tool_call_id": "t1", "output": "noon"}])
    assert turn.until_done().answer == "You said noon"


@pytest.mark.parametrize("read", ["text", "audio", "until_done"])
def test_tools_of_a_turn_are_called(call: Any, read: str) -> None:
    """Functions that are passed to a turn are called for the bot, and the turn continues by itself."""

    def now() -> str:
        """Return the time."""
        return "noon"

    seen: list[str] = []
    turn = call.talk("tool", tools=[now], on_tool_call=lambda wanted: seen.append(wanted.id))
    turn.until_done() if read == "until_done" else list(getattr(turn, read))
    assert turn.answer == "You said noon"
    assert seen == ["t1"]
    assert [(run.name, run.output) for run in turn.tool_runs] == [("now", "noon")]


def test_async_tools_need_an_async_call(call: Any, connect: Connect) -> None:
    """A coroutine function is a tool of an async call, and a sync call rejects it before anything is sent."""

    async def now() -> str:
        """Return the time."""
        return "noon"

    if connect.is_async:
        assert call.talk("tool", tools=[now]).until_done().answer == "You said noon"
    else:
        with pytest.raises(InvalidArgumentError, match="now"):
            call.talk("tool", tools=[now])


def test_max_rounds_ends_a_turn(call: Any) -> None:
    """A bot that calls tools in too many rounds ends the turn with the error of `chat.run`, with its chat."""

    def now() -> str:
        """Return the time."""
        return "noon"

    with pytest.raises(ToolRoundsExceeded) as raised:
        call.talk("tool", tools=[now], max_rounds=0).until_done()
    assert raised.value.chat.required_action is not None


def test_tool_failure_is_reported_or_raised(call: Any) -> None:
    """A failed tool is reported to the bot, or raised with on_tool_error="raise"."""

    def now() -> str:
        """Return the time."""
        raise ZeroDivisionError

    turn = call.talk("tool", tools=[now]).until_done()
    assert turn.answer == "You said The tool now failed (ZeroDivisionError)."
    [run] = turn.tool_runs
    assert isinstance(run.error, ZeroDivisionError)
    with pytest.raises(ToolFailed):
        call.talk("tool", tools=[now], on_tool_error="raise").until_done()


def test_cancel_ends_the_answer(call: Any) -> None:
    """`cancel` makes Coze end the answer."""
    turn = call.talk("long")
    for message in turn:
        if message.event_type == "conversation.message.delta" and message.data.content == "You said ":
            turn.cancel()
    assert turn.canceled
    assert turn.answer == "You said too late"


def test_next_turn_cancels_the_unfinished_one(call: Any) -> None:
    """The next turn cancels an unfinished turn, and receives no part of its answer."""
    first = call.talk("long")
    words = iter(first.text)
    assert next(words) == "You said "
    second = call.talk("hello")
    assert list(second.text) == ["You said ", "hello"]
    assert (first.canceled, first.ended) == (True, True)


def test_unread_turn_between_two_turns_is_skipped(call: Any) -> None:
    """The next turn that is read cancels the unfinished turn, even if an unread turn was created between them."""
    first = call.talk("long")
    assert next(iter(first.text)) == "You said "
    call.talk("never read")
    assert list(call.talk("hello").text) == ["You said ", "hello"]
    assert (first.canceled, first.ended) == (True, True)


def test_dropped_turn_causes_no_warning(connect: Connect) -> None:
    """A turn that was read halfway and dropped with its session causes no warning."""

    def playing(part: Part) -> None:
        part.await_kind("chat.update")
        part.send("chat.updated", {})
        part.await_kind("input_audio_buffer.append")
        part.send("conversation.chat.created", CHAT)
        part.wait_closed()

    complaints: list[dict[str, Any]] = []

    async def watch() -> None:
        asyncio.get_running_loop().set_exception_handler(lambda _, context: complaints.append(context))

    async def settle() -> None:
        gc.collect()
        for _ in range(20):
            await asyncio.sleep(0)
        gc.collect()
        asyncio.get_running_loop().set_exception_handler(None)

    with socket_server(playing) as server:
        if connect.is_async:
            connect.run(watch)
        with client(connect, server).websockets.chat.connect(bot_id="b1", input_audio=PCM) as session:
            turn = session.talk(stream(connect, SOUND * 100))
            assert next(iter(turn)).event_type == "conversation.chat.created"
        del turn, session
        if connect.is_async:
            connect.run(settle)
    assert complaints == []


def test_unread_turn_sends_nothing(call: Any) -> None:
    """A turn sends its input when it is first read."""
    call.talk("long")
    assert call.talk("hello").until_done().answer == "You said hello"


def test_failed_chat_raises_with_code_chat_and_turn(call: Any) -> None:
    """A failed chat raises an error with code, chat and turn; reading again raises it again; the session stays usable."""
    turn = call.talk("fail")
    with pytest.raises(ChatFailed, match="too fast") as raised:
        turn.until_done()
    assert (raised.value.code, raised.value.logid, raised.value.operation) == (4013, LOGID, "websockets.chat")
    assert raised.value.retryable
    assert raised.value.chat.id == "c1"
    with pytest.raises(ChatFailed):
        next(iter(turn))
    assert call.talk("hello").until_done().answer == "You said hello"


def test_error_message_raises_and_keeps_the_session(call: Any) -> None:
    """An error message raises an error with code, message, log id, operation and session, which stays open."""
    with pytest.raises(SocketFailed, match="bad parameter") as raised:
        call.talk("error").until_done()
    error = raised.value
    assert (error.code, error.logid, error.operation) == (4000, LOGID, "websockets.chat")
    assert error.session.received >= 4
    assert error.event.data.msg == "bad parameter"
    assert call.is_open
    assert not isinstance(error, RateLimitError)


def test_turn_after_an_error_starts_at_once(connect: Connect) -> None:
    """After an error in place of a chat there is nothing to cancel, and the next turn starts at once."""

    def refusing(part: Part) -> None:
        part.await_kind("conversation.message.create")
        part.send("error", {"code": 4000, "msg": "bad parameter"})
        part.await_kind("conversation.message.create")
        part.send("conversation.chat.completed", CHAT)
        part.wait_closed()

    with socket_server(refusing) as server:
        with client(connect, server).websockets.chat.connect(bot_id="b1") as session:
            with pytest.raises(SocketFailed):
                session.talk("error").until_done()
            assert session.talk("hello").until_done().ended
    assert [client_event["event_type"] for client_event in server.received] == ["conversation.message.create"] * 2


def test_speak_synthesizes_a_text_without_a_chat(call: Any) -> None:
    """`speak` synthesizes the given text without a chat."""
    assert list(call.speak("Are you there?")) == [b"spoken"]


def test_converse_sends_audio_and_yields_messages(connect: Connect) -> None:
    """With server-side turn detection, audio is sent and messages are received until the loop ends."""

    def hearing(part: Part) -> None:
        part.await_kind("chat.update")
        part.send("chat.updated", {})
        for turn in range(2):
            for _ in range(3):
                part.await_kind("input_audio_buffer.append")
            part.send("input_audio_buffer.speech_stopped")
            part.send("conversation.audio_transcript.completed", {"content": f"turn {turn}"})
            part.send("conversation.chat.completed", CHAT)
        part.wait_closed()

    with socket_server(hearing) as server:
        session = client(connect, server).websockets.chat.connect(bot_id="b1", input_audio=PCM)
        with session:
            messages = take(session.converse(stream(connect, SOUND * 3)), 6)
    assert [message.data.content for message in messages if "transcript" in message.event_type] == ["turn 0", "turn 1"]


def interpreting(part: Part) -> None:
    part.send("simult_interpretation.created")
    part.await_kind("simult_interpretation.update")
    part.send("simult_interpretation.updated", {})
    part.await_kind("input_audio_buffer.complete")
    for word, other in (("你", "You"), ("好", " there")):
        part.send("simult_interpretation.transcription.delta", {"delta": word})
        part.send("simult_interpretation.translation.delta", {"delta": other})
        part.send("simult_interpretation.audio.delta", {"delta": b64(other.encode())})
    part.send("simult_interpretation.message.completed")
    part.wait_closed()


@pytest.mark.parametrize("read", ["text", "audio", "until_done"])
def test_interpretation_yields_texts_audio_or_messages(connect: Connect, read: str) -> None:
    """An interpretation can be read as text, as audio or as messages, and has both texts."""
    with socket_server(interpreting) as server:
        session = client(connect, server).websockets.audio.simult_interpretation.connect(
            input_audio=PCM,
            output_audio=audio.PCM(24000),
            settings={"translate_config": {"from": "zh", "to": "en"}},
        )
        with session:
            interpretation = session.interpret(stream(connect, SOUND))
            if read == "until_done":
                interpretation.until_done()
            else:
                expected = {"text": ["You", " there"], "audio": [b"You", b" there"]}
                assert list(getattr(interpretation, read)) == expected[read]
    assert (interpretation.original, interpretation.translation, interpretation.ended) == ("你好", "You there", True)
    assert server.received[0]["data"]["translate_config"] == {"from": "zh", "to": "en"}


def test_error_during_an_interpretation_is_socket_failed(connect: Connect) -> None:
    """An error message ends an interpretation with SocketFailed at once; reading again raises it again; both texts are
    kept.
    """

    def failing(part: Part) -> None:
        part.await_kind("simult_interpretation.update")
        part.send("simult_interpretation.updated", {})
        part.await_kind("input_audio_buffer.complete")
        part.send("input_audio_buffer.completed")
        part.send("simult_interpretation.transcription.delta", {"delta": "你"})
        part.send("error", {"code": 4000, "msg": "no such language"})
        part.wait_closed()

    with socket_server(failing) as server:
        session = client(connect, server).websockets.audio.simult_interpretation.connect(input_audio=PCM)
        with session:
            interpretation = session.interpret(stream(connect, SOUND))
            for _ in range(2):
                with pytest.raises(SocketFailed, match="no such language") as raised:
                    interpretation.until_done()
            assert not session.is_open
    assert (raised.value.code, raised.value.logid) == (4000, LOGID)
    assert raised.value.operation == "websockets.audio.simult_interpretation"
    assert (interpretation.original, interpretation.translation, interpretation.ended) == ("你", "", False)


SETTINGS: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "audio.speech": ({}, {"output_audio": PCM}),
    "audio.transcriptions": ({}, {"input_audio": PCM}),
    "audio.simult_interpretation": ({}, {"input_audio": PCM}),
    "chat": ({"bot_id": "b1"}, {"input_audio": PCM}),
}


@pytest.mark.parametrize("protocol", SETTINGS)
def test_error_instead_of_a_confirmation_is_raised(connect: Connect, protocol: str) -> None:
    """Settings that an error message rejects raise when the session opens, for each protocol."""

    def refusing(part: Part) -> None:
        part.connection.recv()
        part.send("error", {"code": 4000, "msg": "unknown codec"})
        part.wait_closed()

    arguments, settings = SETTINGS[protocol]
    with socket_server(refusing) as server:
        resource = client(connect, server).websockets
        for name in protocol.split("."):
            resource = getattr(resource, name)
        with pytest.raises(SocketFailed, match="unknown codec"), resource.connect(**arguments, **settings):
            pass


def test_bare_messages_can_be_sent_and_received(connect: Connect) -> None:
    """Any message of the protocol can be sent and received by hand; missing ids are generated."""
    with socket_server(speaking) as server, client(connect, server).websockets.audio.speech.connect() as session:
        first = session.send(SpeechTextAppend(data=SpeechText(delta="Hi")))
        assert session.send(SpeechTextComplete(id="mine")) == "mine"
        second = session.send({"event_type": "input_text_buffer.complete"})
        session.send(Unknown(None, {"event_type": "later.kind", "id": 7}))
        kinds = [message.event_type for message in take(session, 7)]
    assert kinds[0] == "speech.created"
    assert kinds[-1] == "speech.audio.completed"
    assert len({first, second}) == 2
    assert [client_event["id"] for client_event in server.received[:3]] == [first, "mine", second]


def test_iteration_and_recv_return_the_same_messages(call: Any) -> None:
    """Iterating over a session and `recv` return the same messages."""
    call.send(ChatSocketClear())
    assert [type(message).__name__ for message in take(call, 2)] == ["ChatSocketCreated", "ChatSocketCleared"]
    call.send(ChatSocketClear())
    assert isinstance(call.recv(timeout=60), ChatSocketCleared)


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        (SpeechCreated(), "one of SpeechTextAppend, SpeechTextComplete, SpeechUpdate, not SpeechCreated"),
        ("Hi", "not str"),
        ({"event_type": "speech.created"}, "one of speech.update, .* not 'speech.created'"),
        ({"event_type": "input_text_buffer.append"}, r"SpeechTextAppend\.data is required"),
        ({"event_type": "input_text_buffer.append", "data": {}}, r"SpeechTextAppend\.data\.delta is required"),
        ({"event_type": "input_text_buffer.append", "data": {"delta": 7}}, r"data\.delta must be a str, not int"),
        ({"event_type": "input_text_buffer.complete", "id": 7}, r"SpeechTextComplete\.id must be a str"),
        (Unknown(None, {"what": object()}), "cannot be written as JSON"),
    ],
)
def test_invalid_message_is_rejected_without_a_connection(connect: Connect, message: Any, expected: str) -> None:
    """An invalid message is rejected with operation and field, before a connection is opened."""
    session = connect("pat_x", base_url="http://127.0.0.1:9").websockets.audio.speech.connect()
    with pytest.raises(InvalidArgumentError, match=expected) as raised:
        session.send(message)
    assert str(raised.value).startswith("websockets.audio.speech: ")


def garbage(part: Part) -> None:
    part.connection.send("no JSON")
    part.connection.send(b"\xff\xfe")
    part.connection.send('["a list"]')
    part.connection.send(frame("later.kind", {"new": 1}))
    part.connection.send('{"event_type": "speech.audio.update", "data": "?", "detail": 7}')
    part.connection.send('{"event_type": "speech.audio.update"}')
    part.connection.send(frame("speech.audio.update", {"delta": "A"}))
    part.connection.send(frame("speech.audio.update", {"delta": b64(b"!")}))
    part.send("speech.audio.completed")
    part.wait_closed()


def test_unknown_frames_are_unknown_messages(connect: Connect) -> None:
    """A malformed or unknown frame becomes `Unknown`, and the session continues."""
    with socket_server(garbage) as server, client(connect, server).websockets.audio.speech.connect() as session:
        messages = take(session, 9)
    assert messages[:3] == [Unknown(None, {"data": data}) for data in ("no JSON", "\ufffd\ufffd", ["a list"])]
    assert (messages[3].tag, messages[3].raw["data"]) == ("later.kind", {"new": 1})
    assert messages[4].data == "?"


def test_speech_ignores_malformed_messages(connect: Connect) -> None:
    """`say` ignores messages that contain no audio."""

    def play(part: Part) -> None:
        part.await_kind("speech.update")
        part.send("speech.updated", {})
        garbage(part)

    with socket_server(play) as server:
        with client(connect, server).websockets.audio.speech.connect(output_audio=PCM) as session:
            assert b"".join(session.say("Hi")) == b"!"


def test_sandbox_tool_calls_of_one_round_are_answered_together(coze: Any) -> None:
    """Tool calls of one round run with the bot's arguments and are answered together, against the sandbox."""

    def get_weather(city: str) -> str:
        """Return the weather."""
        return f"sunny in {city}"

    def now() -> str:
        """Return the time."""
        return "noon"

    with coze.websockets.chat.connect(bot_id=BOT_ID) as call:
        turn = call.talk('/tool get_weather {"city": "Rome"}\n/tool now {}', tools=[get_weather, now]).until_done()
        assert turn.answer == "get_weather says: sunny in Rome; now says: noon"
        assert [run.name for run in turn.tool_runs] == ["get_weather", "now"]
        assert call.talk("Hi").until_done().answer == "You said: Hi"
