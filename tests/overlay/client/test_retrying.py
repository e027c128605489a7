"""What is retried, how often and after which delay."""

from __future__ import annotations

import io
import time
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import httpx
import pytest

from coze_sandbox import BOT_ID
from cozekit import APIConnectionError, APIError, APITimeoutError, HTTPBackend, RetryPolicy, _retrying_async
from cozekit.errors import ChatFailed, ServerError, StreamInterrupted
from tests.overlay._clients import Counter, at_once

OK = {"code": 0, "data": {"id": "1", "status": "completed", "conversation_id": "2"}}


def refused(status: int, code: int = 0, **headers: str) -> httpx.Response:
    """Create an error response."""
    return httpx.Response(status, json={"code": code, "msg": "no"}, headers=headers)


def idempotent(coze: Any) -> Any:
    """Call an idempotent operation."""
    return coze.chat.retrieve(chat_id="1", conversation_id="2")


def once(coze: Any) -> Any:
    """Call an operation that is not idempotent."""
    return coze.chat.create(bot_id="1", user_id="u", additional_messages=["hi"])


def streamed(coze: Any) -> Any:
    """Open a stream, which is not idempotent either."""
    return coze.chat.stream(bot_id="1", user_id="u", additional_messages=["hi"]).open()


@pytest.mark.parametrize("call", [idempotent, once, streamed])
@pytest.mark.parametrize(
    "failure",
    [
        refused(429),
        refused(200, 4008),
        refused(200, 4009),
        refused(429, 4009),
        refused(409, 4016),
        refused(200, 4016),
        httpx.ConnectError,
        httpx.ConnectTimeout,
    ],
    ids=lambda failure: getattr(failure, "__name__", None) or f"{failure.status_code} {failure.text}",
)
def test_failure_without_effect_is_retried(connect, call, failure):
    """A failure without effect is retried for every operation: 429, 4009, 4016, no connection."""
    answers = Counter(failure, failure, events("done") if call is streamed else OK)
    call(connect(handler=answers, retry=at_once(2)))
    assert len(answers) == 3


@pytest.mark.parametrize(
    "failure",
    [refused(200, 5000), refused(500, 5000), refused(503), refused(502), httpx.ReadTimeout, httpx.RemoteProtocolError],
    ids=lambda failure: getattr(failure, "__name__", None) or f"{failure.status_code} {failure.text}",
)
def test_failure_with_unknown_effect_is_retried_if_idempotent(connect, failure):
    """A failure with unknown effect is retried for idempotent operations only: 5000, 503, lost responses."""
    answers = Counter(failure, failure, OK)
    assert idempotent(connect(handler=answers, retry=at_once(2))).id == "1"
    assert len(answers) == 3
    for call in (once, streamed):
        answers = Counter(failure, OK)
        with pytest.raises((APIError, APIConnectionError)):
            call(connect(handler=answers, retry=at_once(2)))
        assert len(answers) == 1


@pytest.mark.parametrize("call", [idempotent, once, streamed])
def test_pool_timeout_is_not_retried(connect, call):
    """A call that timed out waiting for a free connection is not retried: it would queue again behind all others."""
    answers = Counter(httpx.PoolTimeout, OK)
    with pytest.raises(APITimeoutError, match=r"no free connection in time; close .* \(tried once, ") as caught:
        call(connect(handler=answers, retry=at_once(2)))
    assert not caught.value.sent
    assert len(answers) == 1


@pytest.mark.parametrize("failure", [refused(400, 4000), refused(401, 4100), refused(429, 4028), refused(200, 4306)])
def test_final_failure_is_not_retried(connect, failure):
    """A final failure, such as a used-up quota, is not retried, even with HTTP status 429."""
    answers = Counter(failure)
    with pytest.raises(APIError):
        idempotent(connect(handler=answers, retry=at_once(2)))
    assert len(answers) == 1


def test_last_failure_is_raised(connect):
    """The last failure is raised when all attempts are used up."""
    answers = Counter(refused(500, 5000), refused(503, 5000))
    with pytest.raises(ServerError) as caught:
        idempotent(connect(handler=answers, retry=at_once(3)))
    assert caught.value.status == 503
    assert len(answers) == 4


def test_default_is_two_retries(connect, pauses):
    """By default there are two retries; with retry=0 there are none."""
    for options, expected in (({}, 3), ({"retry": 0}, 1), ({"retry": 1}, 2)):
        answers = Counter(refused(429))
        with pytest.raises(APIError):
            idempotent(connect(handler=answers, **options))
        assert len(answers) == expected


def test_sent_covers_all_attempts(connect):
    """`sent` covers all attempts: it stays true if an earlier attempt was sent and the last found no connection."""
    answers = Counter(httpx.ReadTimeout, httpx.ConnectError)
    with pytest.raises(APIConnectionError) as caught:
        idempotent(connect(handler=answers, retry=at_once(1)))
    assert caught.value.sent is True
    answers = Counter(refused(429), httpx.ConnectError)
    with pytest.raises(APIConnectionError) as caught:
        once(connect(handler=answers, retry=at_once(1)))
    assert (caught.value.sent, caught.value.attempts) == (False, 2)


def test_delays_double_with_jitter(connect, pauses, monkeypatch):
    """Delays double up to a limit, reduced by a random fraction."""
    policy = RetryPolicy(max_retries=5, initial_delay=1, max_delay=6, jitter=0.5)
    monkeypatch.setattr(_retrying_async.random, "random", lambda: 0.5)
    with pytest.raises(APIError):
        idempotent(connect(handler=Counter(refused(429)), retry=policy))
    assert pauses == [0.75, 1.5, 3.0, 4.5, 4.5]


def test_clients_have_different_jitter(connect, pauses):
    """Two clients that fail at the same time retry at different times."""
    for _ in range(2):
        with pytest.raises(APIError):
            idempotent(connect(handler=Counter(refused(429)), retry=4))
    assert pauses[:4] != pauses[4:]


def test_retry_after_is_waited_for_unless_too_long(connect, pauses):
    """The client waits for Retry-After, unless it is too long: then the error is raised at once."""
    answers = Counter(refused(429, **{"Retry-After": "7"}), OK)
    idempotent(connect(handler=answers, retry=RetryPolicy(jitter=0)))
    assert pauses == [7.0]
    answers = Counter(refused(429, **{"Retry-After": "61"}), OK)
    with pytest.raises(APIError):
        idempotent(connect(handler=answers))
    assert len(answers) == 1


def test_retry_after_is_spread_over_clients(connect, pauses):
    """Of 90 clients with a Retry-After of 2 s, none retries before, and they retry at different times."""
    for _ in range(90):
        idempotent(connect(handler=Counter(refused(429, **{"Retry-After": "2"}), OK)))
    assert len(pauses) == 90
    assert all(2 <= pause < 2.5 for pause in pauses)
    assert len({round(pause, 2) for pause in pauses}) > 20


def test_rate_limited_stream_opens_after_retry_after(coze, coze_sandbox):
    """After a rate limit of the sandbox, the stream waits and then opens."""
    coze_sandbox.faults.add("rate_limit", seconds=0)
    with coze.chat.stream(bot_id=BOT_ID, user_id="u", additional_messages=["hi"]) as stream:
        assert stream.until_done().answer == "You said: hi"
    assert [record.status for record in coze_sandbox.requests] == [429, 200]


def test_delay_beyond_the_deadline_raises_the_failure(connect, pauses):
    """A delay that would end after the deadline is not started; the failure before it is raised."""
    answers = Counter(refused(429, **{"Retry-After": "20"}))
    with pytest.raises(APIError) as caught:
        idempotent(connect(handler=answers, deadline=10))
    assert caught.value.status == 429
    assert (len(answers), pauses) == (1, [])


def test_deadline_limits_the_timeout_of_each_attempt(connect, monkeypatch):
    """No attempt has a timeout longer than the time until the deadline."""
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
    sent_timeouts = [tuple(request.extensions["timeout"].values()) for request in answers.requests]
    assert [tuple(map(round, timeouts)) for timeouts in sent_timeouts] == [
        (300, 1000, 1000, 1000),
        (300, 600, 600, 600),
        (200, 200, 200, 200),
    ]


def test_deadline_error_names_the_deadline(connect, coze_sandbox):
    """The error of a call that its deadline ended names the deadline, not the timeout."""
    coze_sandbox.faults.add("delay", seconds=0.5)
    coze = connect(coze_sandbox.token, base_url=coze_sandbox.base_url, deadline=0.05)
    with pytest.raises(APITimeoutError, match=r"^users.me: the deadline of 0.05 s passed \(tried once, "):
        coze.users.me()


def test_deadline_error_names_the_wait_for_a_connection(connect, coze_sandbox):
    """The error of a call that got no connection before its deadline names both, and nothing was sent."""
    coze = connect(
        coze_sandbox.token,
        base_url=coze_sandbox.base_url,
        deadline=0.2,
        http_backend=HTTPBackend(max_connections=1),
    )
    stream = coze.with_options(deadline=None).chat.stream(bot_id=BOT_ID, user_id="u", additional_messages=["hi"])
    message = r"^users.me: the deadline of 0.2 s passed: the connection pool had no free connection in time; close str"
    with stream, pytest.raises(APITimeoutError, match=message) as caught:
        coze.users.me()
    assert not caught.value.sent
    assert coze.users.me().user_id


def test_deadline_applies_to_opening_a_stream_only(connect, coze_sandbox):
    """The deadline applies to opening a stream only; its events may arrive later."""
    coze = connect(coze_sandbox.token, base_url=coze_sandbox.base_url, deadline=30)
    with coze.chat.stream(bot_id=BOT_ID, user_id="u", additional_messages=["hi"]) as stream:
        # The HTTP library reads this timeout before each read.
        assert stream.response.http.request.extensions["timeout"]["read"] == 60


def test_deadline_applies_to_opening_a_file_only(connect):
    """The deadline applies to the response of a download only; its content may arrive later."""
    coze = connect(handler=Counter([1]), deadline=30)
    file = coze.files.content.retrieve(file_id="1")
    assert file.response.http.request.extensions["timeout"]["read"] == 60


def test_error_in_place_of_a_file_is_retried(connect):
    """An error that can pass is retried also where it comes with the HTTP status 200 in place of a file."""
    answers = Counter(refused(200, 4008), [1, 2])
    file = connect(handler=answers, retry=at_once(2)).files.content.retrieve(file_id="1")
    assert (len(answers), file.content_type) == (2, "application/json")


def events(*names: str) -> httpx.Response:
    """Create a stream of events without content."""
    text = "".join(f"event: {name}\ndata: {{}}\n\n" for name in names)
    return httpx.Response(200, text=text, headers={"content-type": "text/event-stream"})


@pytest.mark.parametrize("last", ["conversation.chat.failed", "error", "conversation.chat.created"])
def test_started_stream_is_never_requested_again(connect, last):
    """A stream that has yielded an event is never requested again, however it ends."""
    answers = Counter(events("conversation.chat.created", last), events("done"))
    with pytest.raises((ChatFailed, StreamInterrupted)):
        streamed(connect(handler=answers, retry=at_once(5))).until_done()
    assert len(answers) == 1


def test_rewindable_file_is_sent_from_its_start_again(connect, tmp_path):
    """Every attempt sends a rewindable file from its start."""
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
    """A file that can be read only once."""

    def __init__(self, content: bytes) -> None:
        self._file = io.BytesIO(content)

    def read(self, size: int = -1) -> bytes:
        return self._file.read(size)


def test_file_that_cannot_rewind_is_sent_once(connect):
    """A file that cannot be rewound is sent once, and the error is that of the only attempt."""
    answers = Counter(refused(429), {"code": 0, "data": {"id": "1"}})
    with pytest.raises(APIError) as caught:
        connect(handler=answers, retry=at_once(2)).files.upload(("a.txt", Pipe(b"once")))
    assert caught.value.status == 429
    assert len(answers) == 1


def test_upload_with_lost_response_is_not_retried(connect):
    """An upload whose response was lost is not sent again, even if its file could be."""
    answers = Counter(httpx.ReadTimeout, OK)
    with pytest.raises(APITimeoutError):
        connect(handler=answers, retry=at_once(2)).files.upload(b"x")
    assert len(answers) == 1
