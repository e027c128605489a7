"""What was asked of the sandbox, for tests to look at."""

from __future__ import annotations

import itertools
import threading
import time
import uuid
from collections import OrderedDict, deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Literal, overload

import attrs

from .._common.memory_size import shortened, size_of

__all__ = ["LogDelta", "RequestLog", "RequestRecord", "SocketEntry", "redact_headers"]

_KEPT = 10_000
_KEPT_BYTES = 64 << 20  # of all records together
_WHOLE_BODY_BYTES = 1 << 20
_KEPT_MESSAGES = 1_000
_KEPT_TOLERATED = 100
_KEPT_MESSAGES_BYTES = 1 << 20  # of one record
_BASE_SIZE = 1_000  # of a record or a message, beside what callers sent


@attrs.frozen(kw_only=True)
class SocketEntry:
    """One message of a WebSocket.

    Attributes:
        sender: `client` or `server`.
        event: The event type; empty where it could not be read.
        data: Its data; texts beyond 200 characters, such as sound, are cut, and what follows the first 1,000 values is
            left out.
        verdict: `ok`, `refused`, `failed` (a defect of the sandbox) or `fault` (an ordered one).
        reason: Why it was refused, or the kind of fault.
    """

    sender: str
    event: str
    data: Any = None
    verdict: str = "ok"
    reason: str = ""


# One row for all logs: what has a greater number changed later.
_REVISIONS = itertools.count(1)


def _revise(record: RequestRecord, _: attrs.Attribute[Any], value: Any) -> Any:
    record.revision = next(_REVISIONS)
    return value


@attrs.define(kw_only=True, on_setattr=_revise)
class RequestRecord:
    """One request and what became of it.

    Attributes:
        number: Counts from 1 since the start or the last clearing.
        method: HTTP method.
        path: Path as sent, without the query.
        query: Query text as sent.
        operation: Operation id, or None where path or verb are unknown.
        headers: Headers in lower case; the token is hidden.
        body: The parsed body: a JSON value, the fields and file names of a form, or None.
        kept: What is left of body and messages when the request is over: `whole`; `shortened`, where the body took more
            than 1 MiB of memory, so that texts beyond 200 characters are cut, and what follows its first 1,000 values
            is left out; or `dropped`, to make room for later requests: all records have 64 MiB.
        logid: Log id of the answer.
        status: HTTP status of the answer; None while it is under way or when the connection was
            dropped; 499 when the client left before the call took effect.
        code: Business code; 0 for success, None where the answer carried none.
        verdict: `ok`, `refused`, `failed` (a defect of the sandbox) or `fault` (an ordered one).
        reason: Why it was refused, or the kind of fault.
        seconds: How long it took; None while it is under way.
        tolerated: What was not as described and taken nevertheless: leniency's doing, and members and parameters that
            nobody knows; those of messages over a WebSocket, too.
        messages: What was said over a WebSocket: the last 1,000 messages, or fewer where they take more than 1 MiB.
        revision: Grows with every change.
    """

    number: int
    method: str
    path: str
    query: str
    operation: str | None
    headers: dict[str, str]
    body: Any = None
    kept: Literal["whole", "shortened", "dropped"] = "whole"
    logid: str = ""
    status: int | None = None
    code: int | None = None
    verdict: str = "ok"
    reason: str = ""
    seconds: float | None = None
    tolerated: list[str] = attrs.Factory(list)
    messages: list[SocketEntry] = attrs.field(factory=list, repr=False)
    _message_sizes: deque[int] = attrs.field(init=False, factory=deque, repr=False, eq=False)
    _messages_size: int = attrs.field(init=False, default=0, repr=False, eq=False, on_setattr=attrs.setters.NO_OP)
    revision: int = attrs.field(init=False, repr=False, eq=False, on_setattr=attrs.setters.NO_OP)

    @revision.default
    def _first_revision(self) -> int:
        return next(_REVISIONS)

    def tolerate(self, what: str) -> None:
        """Note something that is not as described and taken nevertheless; each once, and the first hundred."""
        what = shortened(what)
        if len(self.tolerated) < _KEPT_TOLERATED and what not in self.tolerated:
            self.tolerated.append(what)
            self.revision = next(_REVISIONS)

    def say(self, sender: str, event: str, data: Any = None, verdict: str = "ok", reason: str = "") -> None:
        """Add a message of a WebSocket."""
        entry = SocketEntry(sender=sender, event=event, data=shortened(data), verdict=verdict, reason=reason)
        self.messages.append(entry)
        self._message_sizes.append(_BASE_SIZE + size_of([entry.event, entry.data, entry.reason]))
        self._messages_size += self._message_sizes[-1]
        while len(self.messages) > _KEPT_MESSAGES or self._messages_size > _KEPT_MESSAGES_BYTES:
            del self.messages[0]
            self._messages_size -= self._message_sizes.popleft()
        self.revision = next(_REVISIONS)

    def end(self, seconds: float) -> None:
        """Note that the request is over, and shorten its body where it is too large to be kept."""
        if size_of(self.body, _WHOLE_BODY_BYTES) > _WHOLE_BODY_BYTES:
            self.body, self.kept = shortened(self.body), "shortened"
        self.seconds = seconds

    def drop(self) -> None:
        """Forget body and messages."""
        self.body, self.messages, self.kept = None, [], "dropped"
        self._message_sizes.clear()
        self._messages_size = 0

    def size(self) -> int:
        """Return about how many bytes of memory it takes."""
        texts = [self.path, self.query, self.headers, self.reason, self.tolerated]
        return _BASE_SIZE + size_of([*texts, self.body]) + self._messages_size


@attrs.frozen(kw_only=True)
class LogDelta:
    """What is new in the log.

    Attributes:
        records: The requests that were made or changed.
        whole: Whether these are all, and what was known before is void.
        first: Number of the oldest request that is kept; 0 where there is none.
        revision: What to ask with next time.
    """

    records: list[RequestRecord]
    is_full: bool
    first: int
    revision: str


class RequestLog(Sequence[RequestRecord]):
    """The last requests, oldest first.

    Attributes:
        watcher: Is told of every request when it is over, on the thread that serves.
    """

    def __init__(self) -> None:
        self.watcher: Callable[[RequestRecord], None] | None = None
        self._records: deque[RequestRecord] = deque()
        self._lock = threading.Lock()
        # Of the requests that are over: what each takes, and which of them have something to drop, oldest first.
        self._sizes: dict[int, int] = {}
        self._size = 0
        self._droppable: OrderedDict[int, RequestRecord] = OrderedDict()
        self._count = 0
        self._log_id = uuid.uuid4().hex

    def add(self, **members: Any) -> RequestRecord:
        """Begin the record of one more request."""
        with self._lock:
            self._count += 1
            record = RequestRecord(number=self._count, **members)
            self._records.append(record)
            if len(self._records) > _KEPT:
                self._forget_oldest()
        return record

    @contextmanager
    def timed(self, record: RequestRecord) -> Iterator[None]:
        """Note how long a request takes that is served inside, and tell the watcher of it."""
        started = time.perf_counter()
        try:
            yield
        finally:
            record.end(time.perf_counter() - started)
            self._make_room(record)
            if self.watcher is not None:
                self.watcher(record)

    def of(self, operation: str) -> list[RequestRecord]:
        """Return the requests for one operation."""
        return [record for record in tuple(self._records) if record.operation == operation]

    def clear(self) -> None:
        """Forget all requests."""
        with self._lock:
            self._records.clear()
            self._sizes.clear()
            self._droppable.clear()
            self._size = self._count = 0
            self._log_id = uuid.uuid4().hex

    def _make_room(self, record: RequestRecord) -> None:
        """Count a request that is over, and drop the oldest until all have room."""
        with self._lock:
            if not self._holds(record):
                return
            self._resize(record)
            if record.body is not None or record.messages:
                self._droppable[record.number] = record
            while self._size > _KEPT_BYTES and self._droppable:
                _, oldest = self._droppable.popitem(last=False)
                oldest.drop()
                self._resize(oldest)
            while self._size > _KEPT_BYTES and len(self._records) > 1:
                self._forget_oldest()

    def _holds(self, record: RequestRecord) -> bool:
        # Numbers begin again when the log is cleared.
        place = record.number - self._records[0].number if self._records else -1
        return 0 <= place < len(self._records) and self._records[place] is record

    def _resize(self, record: RequestRecord) -> None:
        size = record.size()
        self._size += size - self._sizes.get(record.number, 0)
        self._sizes[record.number] = size

    def _forget_oldest(self) -> None:
        number = self._records.popleft().number
        self._size -= self._sizes.pop(number, 0)
        self._droppable.pop(number, None)

    def since(self, revision: str) -> LogDelta:
        """Tell what is new since an earlier answer.

        Args:
            revision: `News.revision` of that answer. Any other text, also one from before the log was cleared, asks for
                everything.
        """
        now = next(_REVISIONS)  # before looking: what changes meanwhile is told again rather than never
        era, _, known = revision.partition("-")
        whole = era != self._log_id or not (known.isascii() and known.isdecimal())
        kept = tuple(self._records)
        found = [record for record in kept if whole or record.revision > int(known)]
        return LogDelta(
            records=found, is_full=whole, first=kept[0].number if kept else 0, revision=f"{self._log_id}-{now}"
        )

    @overload
    def __getitem__(self, index: int) -> RequestRecord: ...

    @overload
    def __getitem__(self, index: slice) -> list[RequestRecord]: ...

    def __getitem__(self, index: int | slice) -> RequestRecord | list[RequestRecord]:
        return list(self._records)[index]

    def __iter__(self) -> Iterator[RequestRecord]:
        return iter(tuple(self._records))

    def __len__(self) -> int:
        return len(self._records)


def redact_headers(headers: Mapping[str, str]) -> dict[str, str]:
    """Return headers as they are recorded: without the token."""
    shown = dict(headers.items())
    if "authorization" in shown:
        shown["authorization"] = f"{shown['authorization'].partition(' ')[0]} ***"
    return shown
