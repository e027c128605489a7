"""Failures of a WebSocket: silence, broken frames, closes and cancellation, and that no thread or task remains."""

from __future__ import annotations

import asyncio
import base64
import gc
import pickle
import threading
from collections.abc import Iterator
from contextlib import suppress
from typing import Any
from unittest import mock

import pytest
import trio

from coze_api.models import SpeechAudioUpdate, SpeechText, SpeechTextAppend, SpeechTextComplete
from cozekit import AsyncCoze, Coze, SocketOptions, audio
from cozekit.errors import APITimeoutError, ChatFailed, CozeError, SocketClosed, SocketFailed
from tests.overlay._clients import Connect, unwrap
from tests.overlay.websockets._server import LOGID, Part, SocketServer, frame, hang_up, socket_server

pytestmark = pytest.mark.needs_asyncio

PCM = audio.PCM(16000)


def client(connect: Connect, server: SocketServer, **options: Any) -> Any:
    return connect("pat_x", base_url=server.url.replace("ws", "http", 1), sockets=SocketOptions(**options))


def b64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def begin(part: Part) -> None:
    """Confirm settings, receive a whole text, and send the first piece of audio."""
    part.await_kind("speech.update")
    part.send("speech.updated", {})
    part.await_kind("input_text_buffer.complete")
    part.send("speech.audio.update", {"delta": b64(b"one")})


def speak(session: Any, expected: type[Exception]) -> tuple[list[bytes], Any]:
    """Speak, and return the audio before the error, and the error."""
    sound: list[bytes] = []
    with pytest.raises(expected) as raised:
        for piece in session.say("Hi"):
            sound.append(piece)
    return sound, raised.value


@pytest.mark.parametrize(
    ("code", "reason", "clean", "message"),
    [
        (1000, "", True, "normal closure"),
        (1001, "restarting", True, "connect again"),
        (1008, "no rights", False, "rejected a message"),
        (1011, "", False, "the server failed"),
        (1013, "", False, "overloaded"),
        (4321, "own", False, "a reason of the server's own"),
    ],
)
def test_close_before_the_last_message_is_socket_closed(
    connect: Connect, code: int, reason: str, clean: bool, message: str
) -> None:
    """A close before the last message raises SocketClosed, whatever the close code; the audio before it is yielded."""

    def play(part: Part) -> None:
        begin(part)
        part.connection.close(code, reason)

    with socket_server(play) as server:
        with client(connect, server).websockets.audio.speech.connect(output_audio=PCM) as session:
            sound, error = speak(session, SocketClosed)
            with pytest.raises(SocketClosed, match="closed after 2 messages"):
                session.recv()
            with pytest.raises(SocketClosed):
                session.send(SpeechTextComplete())
            assert not session.is_open
    assert sound == [b"one"]
    assert (error.code, error.reason, error.clean, error.messages) == (code, reason, clean, 2)
    assert (error.logid, error.operation) == (LOGID, "websockets.audio.speech")
    assert isinstance(error.last_message, SpeechAudioUpdate)
    assert message in str(error)
    assert f"close code {code}" in str(error)


@pytest.mark.parametrize("code", [1000, 1001])
def test_normal_close_ends_the_iteration(connect: Connect, code: int) -> None:
    """A normal close ends the iteration over the bare messages of a session without an error."""

    def play(part: Part) -> None:
        part.send("speech.created")
        part.connection.close(code)

    with socket_server(play) as server, client(connect, server).websockets.audio.speech.connect() as session:
        assert len(list(session)) == 1


def test_abnormal_close_is_an_error_of_the_iteration(connect: Connect) -> None:
    """A close with an error code raises SocketClosed in the iteration over the messages of a session."""

    def play(part: Part) -> None:
        part.send("speech.created")
        part.connection.close(1011, "out of memory")

    with socket_server(play) as server, client(connect, server).websockets.audio.speech.connect() as session:
        with pytest.raises(SocketClosed, match="out of memory"):
            list(session)


@pytest.mark.parametrize("last", [b"", b"\x81", b"\x81\x7e\x01", b"\x81\x7e\x01\x00{half of a", b"\x01\x05{half"])
def test_incomplete_frame_is_no_message(connect: Connect, last: bytes) -> None:
    """An incomplete frame at the end is not a message; all frames before it are yielded."""

    def play(part: Part) -> None:
        begin(part)
        hang_up(part.connection, last)

    with socket_server(play) as server:
        with client(connect, server).websockets.audio.speech.connect(output_audio=PCM) as session:
            sound, error = speak(session, SocketClosed)
    assert sound == [b"one"]
    assert (error.code, error.clean) == (1006, False)
    assert "without a close frame" in str(error)


def test_fragmented_message_is_assembled(connect: Connect) -> None:
    """A message may arrive in any number of fragments, with pauses and pings between them."""
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


def test_message_of_4_mib_is_accepted(connect: Connect) -> None:
    """A message of 4 MiB, with many seconds of audio, is far below the size limit."""
    sound = bytes(3 * 1024 * 1024)

    def play(part: Part) -> None:
        begin(part)
        part.send("speech.audio.update", {"delta": b64(sound)})
        part.send("speech.audio.completed")

    with socket_server(play) as server:
        with client(connect, server).websockets.audio.speech.connect(output_audio=PCM) as session:
            assert list(session.say("Hi"))[1] == sound


def test_message_beyond_the_limit_closes_the_connection(connect: Connect) -> None:
    """A message beyond the configured limit closes the connection with an error that names the limit."""

    def play(part: Part) -> None:
        begin(part)
        part.send("speech.audio.update", {"delta": b64(bytes(3000))})
        part.wait_closed()

    with socket_server(play) as server:
        session = client(connect, server, max_message_bytes=2000).websockets.audio.speech.connect(output_audio=PCM)
        with session:
            sound, error = speak(session, SocketClosed)
    assert sound == [b"one"]
    assert error.code == 1009
    assert "larger than max_message_bytes" in str(error)


def test_idle_timeout_raises_and_keeps_the_session(connect: Connect) -> None:
    """After `idle_timeout` without a message, receiving raises a timeout; the session stays open."""
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


def test_idle_timeout_does_not_count_while_sending(connect: Connect) -> None:
    """While audio is being sent, a server without a message does not count as idle."""

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


def test_missing_pong_ends_the_session(connect: Connect) -> None:
    """A dead connection is detected by its missing pongs, long before the idle timeout."""
    stop = threading.Event()

    def play(part: Part) -> None:
        part.send("speech.created")
        part.connection.protocol_mutex.acquire()  # from here on the server neither reads nor sends
        stop.wait(60)
        part.connection.protocol_mutex.release()

    with socket_server(play) as server:
        options = {"ping_interval": 0.05, "ping_timeout": 0.2, "idle_timeout": 60.0}
        with client(connect, server, **options).websockets.audio.speech.connect() as session:
            session.recv()
            with pytest.raises(SocketClosed, match=r"sent no pong for 0\.2 s"):
                session.recv()
            stop.set()


def test_pings_continue_while_the_session_is_open(connect: Connect) -> None:
    """Pings and pongs continue as long as the session is open, even if no one receives."""
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


def test_slow_reader_receives_everything(connect: Connect) -> None:
    """A slow reader receives every piece, although the pongs queue behind them."""

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


def test_exit_with_unread_messages_closes_normally(connect: Connect) -> None:
    """Closing a session with unread messages sends a normal close frame."""
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
        connect.run(unwrap(sound).aclose if connect.is_async else sound.close)
    assert [close.code for close in closes] == [1000]


def test_server_that_does_not_read_cannot_block_the_session(connect: Connect) -> None:
    """If the server reads nothing, sending blocks, receiving times out, and closing does not hang."""
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


def test_error_message_before_a_close_is_raised(connect: Connect) -> None:
    """If Coze sends an error and closes the connection during an upload, the error is raised, not the close."""

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
    """Confirm settings if required, and send nothing more."""
    part.send("transcriptions.created")
    while True:
        part.await_kind("transcriptions.update")
        part.send("transcriptions.updated", {})


def test_canceled_task_closes_the_connection() -> None:
    """A task that is canceled while it receives closes the connection; no task or warning remains."""
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


def test_canceled_receive_loses_no_message() -> None:
    """A receive call that is canceled loses no message: the next call returns it."""
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


def test_receive_that_is_canceled_between_fragments_loses_none() -> None:
    """A message whose fragments arrive during several receive calls, all canceled, is returned as a whole."""
    canceled = [threading.Event() for _ in range(3)]
    whole = frame("speech.audio.update", {"delta": b64(bytes(range(256)))})

    def play(part: Part) -> None:
        def fragments() -> Iterator[str]:
            for number, event in enumerate(canceled):
                yield whole[number * 50 : (number + 1) * 50]
                assert event.wait(60)
            yield whole[150:]

        part.connection.send(fragments())
        part.wait_closed()

    with socket_server(play) as server:

        async def main() -> None:
            async with AsyncCoze("pat_x", base_url=server.url.replace("ws", "http", 1)) as coze:
                async with coze.websockets.audio.speech.connect() as session:
                    for event in canceled:
                        with pytest.raises(TimeoutError):
                            await asyncio.wait_for(session.recv(), 0.05)
                        event.set()
                    message = await session.recv()
                    assert base64.b64decode(message.data.delta) == bytes(range(256))

        asyncio.run(main())


def test_receive_without_time_lets_other_tasks_run() -> None:
    """A loop of receive calls with a timeout of 0 gets the message, since each call lets the event loop work."""
    with socket_server(waiting) as server:

        async def main() -> None:
            async with AsyncCoze("pat_x", base_url=server.url.replace("ws", "http", 1)) as coze:
                async with coze.websockets.audio.transcriptions.connect() as session:
                    while True:
                        with suppress(APITimeoutError):
                            assert (await session.recv(timeout=0)).event_type
                            break

        asyncio.run(main())


def test_receiving_starts_no_task_and_few_timers() -> None:
    """Receiving a message starts no task, and no timer of its own."""
    count = 200

    def play(part: Part) -> None:
        for _ in range(count):
            part.await_kind("input_text_buffer.append")
            part.send("speech.audio.update", {"delta": b64(b"one")})
        part.wait_closed()

    with socket_server(play) as server:

        async def main() -> None:
            loop = asyncio.get_running_loop()
            timers = mock.Mock(wraps=loop.call_at)
            async with AsyncCoze("pat_x", base_url=server.url.replace("ws", "http", 1)) as coze:
                async with coze.websockets.audio.speech.connect() as session:
                    tasks = mock.Mock(side_effect=asyncio.Task)
                    loop.set_task_factory(lambda loop, coroutine, **options: tasks(coroutine, loop=loop, **options))
                    with mock.patch.object(loop, "call_at", timers):
                        for _ in range(count):
                            await session.send(SpeechTextAppend(data=SpeechText(delta="Hi")))
                            await session.recv()
                    assert session.received == count
                    assert not tasks.called
                    assert timers.call_count < count / 10

        asyncio.run(main())


def test_second_receiver_is_rejected() -> None:
    """Only one thread or task can receive messages; a second one gets an error."""
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


def test_close_from_another_thread_ends_the_iteration() -> None:
    """`close` may be called from another thread; the iteration then ends."""
    with socket_server(waiting) as server:
        coze = Coze("pat_x", base_url=server.url.replace("ws", "http", 1))
        with coze.websockets.audio.transcriptions.connect() as session:
            timer = threading.Timer(0.1, session.close)
            timer.start()
            assert len(list(session)) == 1
            timer.join()
        session.close()


def test_async_sessions_need_asyncio() -> None:
    """On trio, opening an async session raises an error with a remedy."""

    async def main() -> None:
        async with AsyncCoze("pat_x", base_url="http://127.0.0.1:9") as coze:
            with pytest.raises(CozeError, match="need asyncio"):
                await coze.websockets.audio.speech.connect().open()

    trio.run(main)


def test_socket_errors_are_pickled_without_the_session(connect: Connect) -> None:
    """WebSocket errors are pickled without their session."""

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


def test_sessions_of_one_client_are_independent(connect: Connect) -> None:
    """Simultaneous sessions of one client are independent of each other."""

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


def test_first_message_opens_the_session(connect: Connect) -> None:
    """The first message that is sent opens the session; `close` may be called before that."""

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
