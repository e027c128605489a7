"""What goes wrong on a WebSocket: silence, broken frames, closes, cancellation; and that nothing is left behind."""

from __future__ import annotations

import asyncio
import base64
import gc
import pickle
import threading
from collections.abc import Iterator
from typing import Any

import pytest
import trio

from coze_api.models import SpeechAudioUpdate, SpeechText, SpeechTextAppend, SpeechTextComplete
from cozekit import AsyncCoze, Coze, SocketOptions, audio
from cozekit.errors import APITimeoutError, ChatFailed, CozeError, SocketClosed, SocketFailed
from tests.overlay._clients import Connect
from tests.overlay.websockets._server import LOGID, Part, SocketServer, frame, hang_up, socket_server

pytestmark = pytest.mark.needs_asyncio

PCM = audio.PCM(16000)


def client(connect: Connect, server: SocketServer, **options: Any) -> Any:
    return connect("pat_x", base_url=server.url.replace("ws", "http", 1), sockets=SocketOptions(**options))


def b64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def begin(part: Part) -> None:
    """Confirm settings, await a whole text, and give the first piece of sound."""
    part.await_kind("speech.update")
    part.send("speech.updated", {})
    part.await_kind("input_text_buffer.complete")
    part.send("speech.audio.update", {"delta": b64(b"one")})


def heard(session: Any, expected: type[Exception]) -> tuple[list[bytes], Any]:
    """Speak, and return what was heard before the error, and the error."""
    sound: list[bytes] = []
    with pytest.raises(expected) as raised:
        for piece in session.say("Hi"):
            sound.append(piece)
    return sound, raised.value


@pytest.mark.parametrize(
    ("code", "reason", "clean", "told"),
    [
        (1000, "", True, "had nothing more to say"),
        (1001, "restarting", True, "connect again"),
        (1008, "no rights", False, "refuses"),
        (1011, "", False, "the server failed"),
        (1013, "", False, "overloaded"),
        (4321, "own", False, "a reason of the server's own"),
    ],
)
def test_close_before_the_end_is_an_error(connect: Connect, code: int, reason: str, clean: bool, told: str) -> None:
    """Sound that has no end was interrupted, however politely; what came before was given out."""

    def play(part: Part) -> None:
        begin(part)
        part.connection.close(code, reason)

    with socket_server(play) as server:
        with client(connect, server).websockets.audio.speech.connect(output_audio=PCM) as session:
            sound, error = heard(session, SocketClosed)
            with pytest.raises(SocketClosed, match="closed after 2 messages"):
                session.recv()
            with pytest.raises(SocketClosed):
                session.send(SpeechTextComplete())
            assert not session.is_open
    assert sound == [b"one"]
    assert (error.code, error.reason, error.clean, error.messages) == (code, reason, clean, 2)
    assert (error.logid, error.operation) == (LOGID, "websockets.audio.speech")
    assert isinstance(error.last_message, SpeechAudioUpdate)
    assert told in str(error)
    assert f"close code {code}" in str(error)


@pytest.mark.parametrize("code", [1000, 1001])
def test_normal_close_ends_an_iteration_over_the_session(connect: Connect, code: int) -> None:
    """Who reads bare messages has asked for nothing that would be missing."""

    def play(part: Part) -> None:
        part.send("speech.created")
        part.connection.close(code)

    with socket_server(play) as server, client(connect, server).websockets.audio.speech.connect() as session:
        assert len(list(session)) == 1


def test_other_close_is_an_error_of_an_iteration_over_the_session(connect: Connect) -> None:
    """A server that fails does not look like one that has finished."""

    def play(part: Part) -> None:
        part.send("speech.created")
        part.connection.close(1011, "out of memory")

    with socket_server(play) as server, client(connect, server).websockets.audio.speech.connect() as session:
        with pytest.raises(SocketClosed, match="out of memory"):
            list(session)


@pytest.mark.parametrize("last", [b"", b"\x81", b"\x81\x7e\x01", b"\x81\x7e\x01\x00{half of a", b"\x01\x05{half"])
def test_connection_that_breaks_in_a_frame(connect: Connect, last: bytes) -> None:
    """Half a frame is no message; all frames before it count."""

    def play(part: Part) -> None:
        begin(part)
        hang_up(part.connection, last)

    with socket_server(play) as server:
        with client(connect, server).websockets.audio.speech.connect(output_audio=PCM) as session:
            sound, error = heard(session, SocketClosed)
    assert sound == [b"one"]
    assert (error.code, error.clean) == (1006, False)
    assert "without a goodbye" in str(error)


def test_fragments_make_one_message(connect: Connect) -> None:
    """A message may come in any number of fragments, with time and pings between them."""
    whole = frame("speech.audio.update", {"delta": b64(bytes(range(256)))})

    def play(part: Part) -> None:
        begin(part)

        def pieces() -> Iterator[str]:
            for start in range(0, len(whole), 7):
                yield whole[start : start + 7]
                if start == 70:
                    part.connection.ping()
                    pause.wait(0.2)

        part.connection.send(pieces())
        part.send("speech.audio.completed")

    pause = threading.Event()
    with socket_server(play) as server:
        session = client(connect, server, ping_timeout=0.05).websockets.audio.speech.connect(output_audio=PCM)
        with session:
            assert list(session.say("Hi")) == [b"one", bytes(range(256))]


def test_message_may_be_large(connect: Connect) -> None:
    """Sound of many seconds in one message is nothing unusual: 4 MiB are far below the limit."""
    sound = bytes(3 * 1024 * 1024)

    def play(part: Part) -> None:
        begin(part)
        part.send("speech.audio.update", {"delta": b64(sound)})
        part.send("speech.audio.completed")

    with socket_server(play) as server:
        with client(connect, server).websockets.audio.speech.connect(output_audio=PCM) as session:
            assert list(session.say("Hi"))[1] == sound


def test_message_may_be_too_large(connect: Connect) -> None:
    """A limit of one's own closes the connection with a word about it."""

    def play(part: Part) -> None:
        begin(part)
        part.send("speech.audio.update", {"delta": b64(bytes(3000))})
        part.wait_closed()

    with socket_server(play) as server:
        session = client(connect, server, max_message_bytes=2000).websockets.audio.speech.connect(output_audio=PCM)
        with session:
            sound, error = heard(session, SocketClosed)
    assert sound == [b"one"]
    assert error.code == 1009
    assert "larger than max_message_bytes" in str(error)


def test_silence_is_a_timeout(connect: Connect) -> None:
    """After `idle_timeout` without a message, waiting ends; the session itself is still there."""
    silent = threading.Event()

    def play(part: Part) -> None:
        part.send("speech.created")
        silent.wait(60)
        part.send("speech.audio.completed")
        part.wait_closed()

    with socket_server(play) as server:
        with client(connect, server, idle_timeout=0.2).websockets.audio.speech.connect() as session:
            session.recv(timeout=60)
            with pytest.raises(APITimeoutError, match=r"no message came for 0\.2 s after 1 messages") as raised:
                session.recv()
            with pytest.raises(TimeoutError, match=r"for 0\.1 s"):
                session.recv(timeout=0.1)
            with pytest.raises(TimeoutError):
                session.recv(timeout=0)
            silent.set()
            assert session.recv(timeout=60).event_type == "speech.audio.completed"
    assert raised.value.sent
    assert LOGID in str(raised.value)


def test_sending_is_no_silence(connect: Connect) -> None:
    """While sound goes up, a server that has nothing to tell yet is not idle."""

    def play(part: Part) -> None:
        part.await_kind("transcriptions.update")
        part.send("transcriptions.updated", {})
        part.await_kind("input_audio_buffer.complete")
        part.send("transcriptions.message.update", {"content": "all"})
        part.send("transcriptions.message.completed")

    sound = audio.pace(PCM.chunks(bytes(PCM.bytes_per_second * 5 // 2), ms=50), PCM)
    with socket_server(play) as server:
        session = client(connect, server, idle_timeout=2.0).websockets.audio.transcriptions.connect(input_audio=PCM)
        with session:
            assert list(session.listen(sound)) == ["all"]


def test_other_side_that_does_not_answer_pings(connect: Connect) -> None:
    """A dead connection is found out by its unanswered pings, long before the idle timeout."""
    stop = threading.Event()

    def play(part: Part) -> None:
        part.send("speech.created")
        part.connection.protocol_mutex.acquire()  # from here on it neither reads nor answers
        stop.wait(60)
        part.connection.protocol_mutex.release()

    with socket_server(play) as server:
        options = {"ping_interval": 0.05, "ping_timeout": 0.2, "idle_timeout": 60.0}
        with client(connect, server, **options).websockets.audio.speech.connect() as session:
            session.recv()
            with pytest.raises(SocketClosed, match=r"did not answer a ping for 0\.2 s"):
                session.recv()
            stop.set()


def test_pings_keep_a_silent_session_alive(connect: Connect) -> None:
    """Pings that are answered go on as long as the session is open, whether or not anybody waits for a message."""
    pinged = threading.Semaphore(0)

    def play(part: Part) -> None:
        receive = part.connection.protocol.recv_frame

        def note(received: Any) -> None:
            if received.opcode == 9:
                pinged.release()
            receive(received)

        part.connection.protocol.recv_frame = note  # type: ignore[method-assign]  # there is no other place to see pings
        part.wait_closed()

    with socket_server(play) as server:
        with client(
            connect, server, ping_interval=0.02, ping_timeout=60.0
        ).websockets.audio.speech.connect() as session:
            for _ in range(3):
                assert pinged.acquire(timeout=60)
            assert session.is_open


def test_slow_reader_is_no_dead_connection(connect: Connect) -> None:
    """Who takes time between two pieces finds all of them, although the answers to pings wait behind them."""

    def play(part: Part) -> None:
        begin(part)
        for _ in range(100):
            part.send("speech.audio.update", {"delta": b64(bytes(3000))})
        part.send("speech.audio.completed")
        part.wait_closed()

    pause = threading.Event()
    with socket_server(play) as server:
        options = {"ping_interval": 0.01, "ping_timeout": 1.0}
        with client(connect, server, **options).websockets.audio.speech.connect(output_audio=PCM) as session:
            count = 0
            for _ in session.say("Hi"):
                count += 1
                if count == 5:
                    pause.wait(1.5)
    assert count == 101


def test_leaving_while_much_is_unread_says_goodbye(connect: Connect) -> None:
    """The server sees a normal close also where it has sent more than was read."""
    closes: list[Any] = []

    def play(part: Part) -> None:
        begin(part)
        try:
            while True:
                part.send("speech.audio.update", {"delta": b64(bytes(3000))})
        finally:
            closes.append(part.connection.protocol.close_rcvd)

    with socket_server(play) as server:
        with client(connect, server).websockets.audio.speech.connect(output_audio=PCM) as session:
            sound = session.say("Hi")
            assert next(iter(sound)) == b"one"
        assert server.gone.acquire(timeout=60)
        connect.run(sound.raw.aclose if connect.is_async else sound.close)
    assert [close.code for close in closes] == [1000]


def test_server_that_does_not_read_does_not_hold_the_session(connect: Connect) -> None:
    """Sending stops at a server that takes nothing; waiting times out, and leaving does not wait for ever."""
    stop = threading.Event()

    def play(part: Part) -> None:
        part.await_kind("transcriptions.update")
        part.send("transcriptions.updated", {})
        part.connection.protocol_mutex.acquire()
        stop.wait(60)
        part.connection.protocol_mutex.release()

    before = set(threading.enumerate())
    with socket_server(play) as server:
        options = {"idle_timeout": 0.5, "close_timeout": 0.2}
        session = client(connect, server, **options).websockets.audio.transcriptions.connect(input_audio=PCM)
        with session, pytest.raises((APITimeoutError, SocketClosed)):
            list(session.listen(bytes(50_000_000)))
        stop.set()
    assert not {thread.name for thread in set(threading.enumerate()) - before if thread.name.startswith("cozekit")}


def test_failure_before_the_close_is_told_rather_than_the_close(connect: Connect) -> None:
    """Coze may tell what is wrong and hang up, while sound is still being sent."""

    def play(part: Part) -> None:
        part.await_kind("transcriptions.update")
        part.send("transcriptions.updated", {})
        part.await_kind("input_audio_buffer.append")
        part.send("error", {"code": 4013, "msg": "slow down"})
        part.connection.close(1008)

    with socket_server(play) as server:
        with client(connect, server).websockets.audio.transcriptions.connect(input_audio=PCM) as session:
            with pytest.raises(SocketFailed, match="slow down") as raised:
                list(session.listen([bytes(100)] * 1000))
    assert raised.value.retryable
    assert "rate" in raised.value.hint.lower() or raised.value.hint


def waiting(part: Part) -> None:
    """Confirm settings where there are any, and say nothing more."""
    part.send("transcriptions.created")
    while True:
        part.await_kind("transcriptions.update")
        part.send("transcriptions.updated", {})


def test_cancellation_leaves_nothing_behind() -> None:
    """A task that is cancelled while it listens closes the connection; no task or warning remains."""
    with socket_server(waiting) as server:

        async def listen(coze: AsyncCoze, begun: asyncio.Event) -> None:
            async def endless() -> Any:
                while True:
                    yield b"RIFF\0\0\0\0WAVEfmt "
                    begun.set()
                    await asyncio.sleep(0.001)

            async with coze.websockets.audio.transcriptions.connect(input_audio={"format": "wav"}) as session:
                async for _ in session.listen(endless()):
                    pass

        async def main() -> None:
            async with AsyncCoze("pat_x", base_url=server.url.replace("ws", "http", 1)) as coze:
                for wait in (False, True):
                    begun = asyncio.Event()
                    task = asyncio.create_task(listen(coze, begun))
                    await begun.wait()
                    if wait:
                        with pytest.raises(TimeoutError):
                            await asyncio.wait_for(task, 0.05)
                    else:
                        task.cancel()
                        with pytest.raises(asyncio.CancelledError):
                            await task
                    await asyncio.sleep(0)
                gc.collect()
                await asyncio.sleep(0)
                assert asyncio.all_tasks() == {asyncio.current_task()}

        asyncio.run(main())
        for _ in range(2):
            assert server.gone.acquire(timeout=60)


def test_cancelled_wait_loses_no_message() -> None:
    """Waiting may be cancelled and begun again; the message comes all the same."""
    go = threading.Event()

    def play(part: Part) -> None:
        go.wait(60)
        part.send("speech.created")
        part.wait_closed()

    with socket_server(play) as server:

        async def main() -> None:
            async with AsyncCoze("pat_x", base_url=server.url.replace("ws", "http", 1)) as coze:
                async with coze.websockets.audio.speech.connect() as session:
                    for _ in range(3):
                        with pytest.raises(TimeoutError):
                            await asyncio.wait_for(session.recv(), 0.02)
                    go.set()
                    assert (await session.recv()).event_type == "speech.created"

        asyncio.run(main())


def test_two_that_wait_are_told() -> None:
    """Only one thread or task can wait for messages; the second is told so."""
    with socket_server(waiting) as server:
        base_url = server.url.replace("ws", "http", 1)
        with Coze("pat_x", base_url=base_url).websockets.audio.transcriptions.connect() as session:
            session.recv()
            failures: list[BaseException] = []

            def wait() -> None:
                try:
                    session.recv()
                except (RuntimeError, SocketClosed) as error:
                    failures.append(error)
                    session.close()

            threads = [threading.Thread(target=wait) for _ in range(2)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join(60)
        assert sorted(type(failure).__name__ for failure in failures) == ["RuntimeError", "SocketClosed"]

        async def main() -> None:
            async with AsyncCoze("pat_x", base_url=base_url) as coze:
                async with coze.websockets.audio.transcriptions.connect() as session:
                    await session.recv()
                    first = asyncio.create_task(session.recv())
                    await asyncio.sleep(0)
                    with pytest.raises(RuntimeError, match="another task is waiting"):
                        await session.recv()
                    first.cancel()

        asyncio.run(main())


def test_closing_from_another_thread_ends_a_wait() -> None:
    """`close` may be called by anybody; who iterates comes to the end."""
    with socket_server(waiting) as server:
        coze = Coze("pat_x", base_url=server.url.replace("ws", "http", 1))
        with coze.websockets.audio.transcriptions.connect() as session:
            timer = threading.Timer(0.1, session.close)
            timer.start()
            assert len(list(session)) == 1
            timer.join()
        session.close()


def test_async_sessions_need_asyncio() -> None:
    """On trio, the error says what to do."""

    async def main() -> None:
        async with AsyncCoze("pat_x", base_url="http://127.0.0.1:9") as coze:
            with pytest.raises(CozeError, match="need asyncio"):
                await coze.websockets.audio.speech.connect().open()

    trio.run(main)


def test_errors_can_be_pickled(connect: Connect) -> None:
    """They go to other processes without the session."""

    def play(part: Part) -> None:
        part.send("error", {"code": 4000, "msg": "bad"})
        part.connection.close(1011)

    with socket_server(play) as server, client(connect, server).websockets.audio.speech.connect() as session:
        with pytest.raises(SocketFailed) as failed:
            session.recv()
        with pytest.raises(SocketClosed) as closed:
            session.recv()
    for error in (failed.value, closed.value):
        assert error.session is not None
        copy = pickle.loads(pickle.dumps(error))
        assert (str(copy), copy.code, copy.session) == (str(error), error.code, None)
    assert not isinstance(failed.value, ChatFailed)


def test_many_sessions_at_once(connect: Connect) -> None:
    """Sessions of one client are independent of each other."""

    def play(part: Part) -> None:
        begin(part)
        part.send("speech.audio.completed")
        part.wait_closed()

    with socket_server(play) as server:
        coze = client(connect, server)
        sessions = [coze.websockets.audio.speech.connect(output_audio=PCM).open() for _ in range(10)]
        for session in sessions:
            assert list(session.say("Hi")) == [b"one"]
        for session in sessions:
            session.close()
    assert len(server.requests) == 10


def test_session_opens_itself(connect: Connect) -> None:
    """The first message sent opens the session; `close` may come before that."""

    def play(part: Part) -> None:
        part.await_kind("input_text_buffer.append")
        part.send("speech.created")
        part.wait_closed()

    with socket_server(play) as server:
        session = client(connect, server).websockets.audio.speech.connect()
        session.close()
        session = client(connect, server).websockets.audio.speech.connect()
        session.send(SpeechTextAppend(data=SpeechText(delta="Hi")))
        assert session.recv().event_type == "speech.created"
        session.close()
        session.close()
    assert len(server.requests) == 1
