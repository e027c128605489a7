"""The request log, which tests inspect."""

from __future__ import annotations

import itertools
import threading
import time
import uuid
import warnings
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
_BASE_SIZE = 1_000  # of a record or a message, without the data of the request


@attrs.frozen(kw_only=True)
class SocketEntry:
    """One message of a WebSocket.

    Attributes:
        sender: `client` or `server`.
        event: The event type; empty if the message could not be parsed.
        data: Its data; strings longer than 200 characters, such as audio, are cut, and values after the first 1,000
            are omitted.
        verdict: `ok`, `refused`, `failed` (a defect of the sandbox) or `fault` (an injected one).
        reason: The error message, or the kind of fault.
    """

    sender: str
    event: str
    data: Any = None
    verdict: str = "ok"
    reason: str = ""


# Shared by all logs: a greater number means a later change.
_REVISIONS = itertools.count(1)


def _revise(record: RequestRecord, _: attrs.Attribute[Any], value: Any) -> Any:
    record.revision = next(_REVISIONS)
    return value


@attrs.define(kw_only=True, on_setattr=_revise)
class RequestRecord:
    """A request and its outcome.

    Attributes:
        number: Counts from 1 since the start or the last `clear`.
        method: HTTP method.
        path: Path as sent, without the query.
        query: Query text as sent.
        operation: Operation id, or None for an unknown path or method.
        headers: Headers in lower case; the token is hidden.
        body: The parsed body: a JSON value, the fields and file names of a form, or None.
        kept: How much of body and messages is kept after the end of the request: `whole`; `shortened` if the body took
            more than 1 MiB of memory: strings longer than 200 characters are cut, and values after the first 1,000 are
            omitted; or `dropped`, because all records together are limited to 64 MiB.
        logid: Log id of the response.
        status: HTTP status of the response; None while the request is running or if the connection was dropped; 499
            if the client disconnected before the call took effect.
        code: Business code; 0 for success, None if the response had none.
        verdict: `ok`, `refused`, `failed` (a defect of the sandbox) or `fault` (an injected one).
        reason: The error message, or the kind of fault.
        seconds: Duration; None while the request is running.
        tolerated: Notes on what was not as described but accepted, because of `lenient` or because the member or
            parameter is unknown; also for messages of a WebSocket.
        messages: Messages of a WebSocket: the last 1,000, or fewer if they take more than 1 MiB.
        revision: Increases with every change.
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
        """Add a note to `tolerated`, without duplicates and up to 100."""
        what = shortened(what)
        if len(self.tolerated) < _KEPT_TOLERATED and what not in self.tolerated:
            self.tolerated.append(what)
            self.revision = next(_REVISIONS)

    def add_message(self, sender: str, event: str, data: Any = None, verdict: str = "ok", reason: str = "") -> None:
        """Add a message of a WebSocket."""
        entry = SocketEntry(sender=sender, event=event, data=shortened(data), verdict=verdict, reason=reason)
        self.messages.append(entry)
        self._message_sizes.append(_BASE_SIZE + size_of([entry.event, entry.data, entry.reason]))
        self._messages_size += self._message_sizes[-1]
        while len(self.messages) > _KEPT_MESSAGES or self._messages_size > _KEPT_MESSAGES_BYTES:
            del self.messages[0]
            self._messages_size -= self._message_sizes.popleft()
        self.revision = next(_REVISIONS)

    def say(self, *arguments: Any, **named: Any) -> None:
        """Call `add_message`, which is the new name. Removed in 0.3."""
        warnings.warn("`say` is called `add_message`; 0.3 removes it", DeprecationWarning, stacklevel=2)
        self.add_message(*arguments, **named)

    def end(self, seconds: float) -> None:
        """Record the duration at the end of the request, and shorten a body that is too large."""
        if size_of(self.body, _WHOLE_BODY_BYTES) > _WHOLE_BODY_BYTES:
            self.body, self.kept = shortened(self.body), "shortened"
        self.seconds = seconds

    def drop(self) -> None:
        """Drop body and messages."""
        self.body, self.messages, self.kept = None, [], "dropped"
        self._message_sizes.clear()
        self._messages_size = 0

    def size(self) -> int:
        """Return the approximate memory size in bytes."""
        texts = [self.path, self.query, self.headers, self.reason, self.tolerated]
        return _BASE_SIZE + size_of([*texts, self.body]) + self._messages_size


@attrs.frozen(kw_only=True)
class LogDelta:
    """Changes of the log.

    Attributes:
        records: New and changed records.
        is_full: Whether these are all records, which replace those known before.
        first: Number of the oldest record; 0 for an empty log.
        revision: Argument of the next `RequestLog.since`.
    """

    records: list[RequestRecord]
    is_full: bool
    first: int
    revision: str


class RequestLog(Sequence[RequestRecord]):
    """The last requests, oldest first.

    Attributes:
        watcher: Called with every record at the end of its request, on the thread of the server.
    """

    def __init__(self) -> None:
        self.watcher: Callable[[RequestRecord], None] | None = None
        self._records: deque[RequestRecord] = deque()
        self._lock = threading.Lock()
        # Of finished requests: the size of each, and those that have data to drop, oldest first.
        self._sizes: dict[int, int] = {}
        self._size = 0
        self._droppable: OrderedDict[int, RequestRecord] = OrderedDict()
        self._count = 0
        self._log_id = uuid.uuid4().hex

    def add(self, **members: Any) -> RequestRecord:
        """Add the record of a new request."""
        with self._lock:
            self._count += 1
            record = RequestRecord(number=self._count, **members)
            self._records.append(record)
            if len(self._records) > _KEPT:
                self._forget_oldest()
        return record

    @contextmanager
    def timed(self, record: RequestRecord) -> Iterator[None]:
        """Measure the duration of the block, then call the watcher."""
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
        """Remove all records."""
        with self._lock:
            self._records.clear()
            self._sizes.clear()
            self._droppable.clear()
            self._size = self._count = 0
            self._log_id = uuid.uuid4().hex

    def _make_room(self, record: RequestRecord) -> None:
        """Account for a finished request, and drop data of the oldest until the log is within its limit."""
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
        # Numbers restart when the log is cleared.
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
        """Return the changes since an earlier result.

        Args:
            revision: `LogDelta.revision` of that result. For any other string, also one from before a `clear`, all
                records are returned.
        """
        now = next(_REVISIONS)  # taken first: a concurrent change is then reported twice rather than never
        log_id, _, known = revision.partition("-")
        is_full = log_id != self._log_id or not (known.isascii() and known.isdecimal())
        records = tuple(self._records)
        changed = [record for record in records if is_full or record.revision > int(known)]
        return LogDelta(
            records=changed,
            is_full=is_full,
            first=records[0].number if records else 0,
            revision=f"{self._log_id}-{now}",
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
    """Return headers without the token, for the log."""
    shown = dict(headers.items())
    if "authorization" in shown:
        shown["authorization"] = f"{shown['authorization'].partition(' ')[0]} ***"
    return shown
