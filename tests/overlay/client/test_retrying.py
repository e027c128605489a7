"""What is tried again, how often and after how long."""

from __future__ import annotations

import io
import time
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import httpx
import pytest

from coze_sandbox import BOT_ID
from cozekit import APIConnectionError, APIError, APITimeoutError, RetryPolicy, _retrying_async, _sleep
from cozekit.errors import ChatFailed, ServerError, StreamInterrupted
from tests.overlay._clients import Counter, at_once

OK = {"code": 0, "data": {"id": "1", "status": "completed", "conversation_id": "2"}}


def refused(status: int, code: int = 0, **headers: str) -> httpx.Response:
    """Make an answer that tells an error."""
    return httpx.Response(status, json={"code": code, "msg": "no"}, headers=headers)


def idempotent(coze: Any) -> Any:
    """Call an operation that may run twice."""
    return coze.chat.retrieve(chat_id="1", conversation_id="2")


def once(coze: Any) -> Any:
    """Call an operation that must not run twice."""
    return coze.chat.create(bot_id="1", user_id="u", additional_messages=["hi"])


def streamed(coze: Any) -> Any:
    """Open a stream, which must not run twice either."""
    return coze.chat.stream(bot_id="1", user_id="u", additional_messages=["hi"]).open()


@pytest.fixture
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Give the list of pauses, which are not made."""
    import anyio

    made: list[float] = []

    async def sleep(seconds: float) -> None:
        made.append(seconds)

    monkeypatch.setattr(_sleep, "time", SimpleNamespace(sleep=made.append))
    monkeypatch.setattr(anyio, "sleep", sleep)
    return made


@pytest.mark.parametrize("call", [idempotent, once, streamed])
@pytest.mark.parametrize(
    "failure",
    [
        refused(429),
        refused(200, 4009),
        refused(429, 4009),
        refused(409, 4016),
        refused(200, 4016),
        httpx.ConnectError,
        httpx.ConnectTimeout,
    ],
    ids=lambda failure: getattr(failure, "__name__", None) or f"{failure.status_code} {failure.text}",
)
def test_without_effect(connect, call, failure):
    """What certainly had no effect is tried again for every operation: 429, 4009, 4016, no connection."""
    answers = Counter(failure, failure, events("done") if call is streamed else OK)
    call(connect(handler=answers, retry=at_once(2)))
    assert len(answers) == 3


@pytest.mark.parametrize(
    "failure",
    [refused(200, 5000), refused(500, 5000), refused(503), refused(502), httpx.ReadTimeout, httpx.RemoteProtocolError],
    ids=lambda failure: getattr(failure, "__name__", None) or f"{failure.status_code} {failure.text}",
)
def test_with_unknown_effect(connect, failure):
    """What may have had an effect is tried again only for operations that may run twice: 5000, 503, lost answers."""
    answers = Counter(failure, failure, OK)
    assert idempotent(connect(handler=answers, retry=at_once(2))).id == "1"
    assert len(answers) == 3
    for call in (once, streamed):
        answers = Counter(failure, OK)
        with pytest.raises((APIError, APIConnectionError)):
            call(connect(handler=answers, retry=at_once(2)))
        assert len(answers) == 1


@pytest.mark.parametrize("call", [idempotent, once, streamed])
def test_no_free_connection(connect, call):
    """A call that waited in vain for a free connection is not tried again: it would wait anew, behind all others."""
    answers = Counter(httpx.PoolTimeout, OK)
    with pytest.raises(APITimeoutError, match=r"no free connection in time; close .* \(tried once, ") as caught:
        call(connect(handler=answers, retry=at_once(2)))
    assert not caught.value.sent
    assert len(answers) == 1


@pytest.mark.parametrize("failure", [refused(400, 4000), refused(401, 4100), refused(429, 4028), refused(200, 4008)])
def test_final(connect, failure):
    """What will not get better is not tried again, such as a quota that is used up, even where it comes as HTTP 429."""
    answers = Counter(failure)
    with pytest.raises(APIError):
        idempotent(connect(handler=answers, retry=at_once(2)))
    assert len(answers) == 1


def test_gives_up(connect):
    """The last failure is raised when all tries are used up."""
    answers = Counter(refused(500, 5000), refused(503, 5000))
    with pytest.raises(ServerError) as caught:
        idempotent(connect(handler=answers, retry=at_once(3)))
    assert caught.value.status == 503
    assert len(answers) == 4


def test_default_and_none(connect, pauses):
    """By default there are two retries; with retry=0 there are none."""
    for options, expected in (({}, 3), ({"retry": 0}, 1), ({"retry": 1}, 2)):
        answers = Counter(refused(429))
        with pytest.raises(APIError):
            idempotent(connect(handler=answers, **options))
        assert len(answers) == expected


def test_may_have_acted(connect):
    """`sent` tells of all tries: that the last found no connection does not undo that an earlier one was sent."""
    answers = Counter(httpx.ReadTimeout, httpx.ConnectError)
    with pytest.raises(APIConnectionError) as caught:
        idempotent(connect(handler=answers, retry=at_once(1)))
    assert caught.value.sent is True
    answers = Counter(refused(429), httpx.ConnectError)
    with pytest.raises(APIConnectionError) as caught:
        once(connect(handler=answers, retry=at_once(1)))
    assert (caught.value.sent, caught.value.attempts) == (False, 2)


def test_growing_pauses_with_jitter(connect, pauses, monkeypatch):
    """Pauses double up to a limit, and a random part is taken off."""
    policy = RetryPolicy(max_retries=5, initial_delay=1, max_delay=6, jitter=0.5)
    monkeypatch.setattr(_retrying_async.random, "random", lambda: 0.5)
    with pytest.raises(APIError):
        idempotent(connect(handler=Counter(refused(429)), retry=policy))
    assert pauses == [0.75, 1.5, 3.0, 4.5, 4.5]


def test_jitter_differs(connect, pauses):
    """Two clients that fail together do not come back together."""
    for _ in range(2):
        with pytest.raises(APIError):
            idempotent(connect(handler=Counter(refused(429)), retry=4))
    assert pauses[:4] != pauses[4:]


def test_retry_after(connect, pauses):
    """What the server asks for is waited, unless it is too long: then its error is raised at once."""
    answers = Counter(refused(429, **{"Retry-After": "7"}), OK)
    idempotent(connect(handler=answers, retry=RetryPolicy(jitter=0)))
    assert pauses == [7.0]
    answers = Counter(refused(429, **{"Retry-After": "61"}), OK)
    with pytest.raises(APIError):
        idempotent(connect(handler=answers))
    assert len(answers) == 1


def test_retry_after_is_spread(connect, pauses):
    """Of 90 clients that are asked to wait 2 s, none comes back before, and they do not come back together."""
    for _ in range(90):
        idempotent(connect(handler=Counter(refused(429, **{"Retry-After": "2"}), OK)))
    assert len(pauses) == 90
    assert all(2 <= pause < 2.5 for pause in pauses)
    assert len({round(pause, 2) for pause in pauses}) > 20


def test_retry_after_of_the_sandbox(coze, coze_sandbox):
    """A rate limit of the sandbox is waited for, and the stream opens then."""
    coze_sandbox.faults.add("rate_limit", seconds=0)
    with coze.chat.stream(bot_id=BOT_ID, user_id="u", additional_messages=["hi"]) as stream:
        assert stream.until_done().answer == "You said: hi"
    assert [record.status for record in coze_sandbox.requests] == [429, 200]


def test_deadline_ends_waiting(connect, pauses):
    """A pause that would end after the deadline is not begun; the error that caused it is raised."""
    answers = Counter(refused(429, **{"Retry-After": "20"}))
    with pytest.raises(APIError) as caught:
        idempotent(connect(handler=answers, deadline=10))
    assert caught.value.status == 429
    assert (len(answers), pauses) == (1, [])


def test_deadline_caps_timeouts(connect, monkeypatch):
    """No try may take longer than what is left of the deadline."""
    late = 0.0

    def answer(request: httpx.Request) -> httpx.Response:
        nonlocal late
        late += 400
        return refused(503)

    clock = SimpleNamespace(monotonic=lambda: time.monotonic() + late, time=time.time)
    monkeypatch.setattr(_retrying_async, "time", clock)
    answers = Counter(answer)
    coze = connect(handler=answers, deadline=1000, retry=at_once(2), timeout=1)
    with pytest.raises(APIError):
        coze.chat.retrieve(chat_id="1", conversation_id="2", timeout=(300, 5000, 5000, None))
    given = [tuple(request.extensions["timeout"].values()) for request in answers.requests]
    assert [tuple(map(round, timeouts)) for timeouts in given] == [
        (300, 1000, 1000, 1000),
        (300, 600, 600, 600),
        (200, 200, 200, 200),
    ]


def test_deadline_is_told(connect, coze_sandbox):
    """A call that is ended by its deadline says so, rather than to give more timeout."""
    coze_sandbox.faults.add("delay", seconds=0.5)
    coze = connect(coze_sandbox.token, base_url=coze_sandbox.base_url, deadline=0.05)
    with pytest.raises(APITimeoutError, match=r"^users.me: the deadline of 0.05 s passed \(tried once, "):
        coze.users.me()


def test_deadline_does_not_end_streams(connect, coze_sandbox):
    """The deadline is for opening a stream: events may come later than that."""
    coze = connect(coze_sandbox.token, base_url=coze_sandbox.base_url, deadline=30)
    with coze.chat.stream(bot_id=BOT_ID, user_id="u", additional_messages=["hi"]) as stream:
        # Where the HTTP library looks before it reads on.
        assert stream.response.http.request.extensions["timeout"]["read"] == 60


def events(*names: str) -> httpx.Response:
    """Make a stream of events without content."""
    text = "".join(f"event: {name}\ndata: {{}}\n\n" for name in names)
    return httpx.Response(200, text=text, headers={"content-type": "text/event-stream"})


@pytest.mark.parametrize("last", ["conversation.chat.failed", "error", "conversation.chat.created"])
def test_never_after_the_first_event(connect, last):
    """A stream that has begun is never asked for again, however it ends."""
    answers = Counter(events("conversation.chat.created", last), events("done"))
    with pytest.raises((ChatFailed, StreamInterrupted)):
        streamed(connect(handler=answers, retry=at_once(5))).until_done()
    assert len(answers) == 1


def test_file_is_rewound(connect, tmp_path):
    """A file that can be rewound is sent from its beginning by every try."""
    path = tmp_path / "a.bin"
    path.write_bytes(b"0123456789" * 10_000)
    sources: list[Callable[[], Any]] = [
        lambda: path,
        path.read_bytes,
        lambda: io.BytesIO(path.read_bytes()),
        lambda: ("b.bin", path.read_bytes()),
    ]
    for source in sources:
        answers = Counter(refused(429), refused(429), {"code": 0, "data": {"id": "1"}})
        reports: list[int] = []
        coze = connect(handler=answers, retry=at_once(2))
        coze.files.upload(source(), progress=lambda done, total: reports.append(done))  # noqa: B023  (called before the next turn)
        assert len(answers) == 3
        assert all(path.read_bytes() in request.content for request in answers.requests)
        assert reports.count(100_000) == 3


class Pipe:
    """A file that can be read once."""

    def __init__(self, content: bytes) -> None:
        self._file = io.BytesIO(content)

    def read(self, size: int = -1) -> bytes:
        return self._file.read(size)


def test_pipe_is_not_sent_twice(connect):
    """A file that cannot be rewound is sent once; the error is that of the only try."""
    answers = Counter(refused(429), {"code": 0, "data": {"id": "1"}})
    with pytest.raises(APIError) as caught:
        connect(handler=answers, retry=at_once(2)).files.upload(("a.txt", Pipe(b"once")))
    assert caught.value.status == 429
    assert len(answers) == 1


def test_lost_upload(connect):
    """An upload whose answer was lost is not sent again, though its file could be."""
    answers = Counter(httpx.ReadTimeout, OK)
    with pytest.raises(APITimeoutError):
        connect(handler=answers, retry=at_once(2)).files.upload(b"x")
    assert len(answers) == 1
