"""What was asked of the sandbox, for tests to look at."""

from __future__ import annotations

import itertools
import time
import uuid
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, overload

import attrs

__all__ = ["News", "RequestLog", "RequestRecord", "SocketEntry", "shown_headers"]

_KEPT = 10_000
_KEPT_MESSAGES = 1_000
_KEPT_TOLERATED = 100
_LONGEST = 200


@attrs.frozen(kw_only=True)
class SocketEntry:
    """One message of a WebSocket.

    Attributes:
        sender: `client` or `server`.
        event: The event type; empty where it could not be read.
        data: Its data; long texts, such as sound, are shortened.
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
        logid: Log id of the answer.
        status: HTTP status of the answer; None while it is under way or when the connection was
            dropped; 499 when the client left before the call took effect.
        code: Business code; 0 for success, None where the answer carried none.
        verdict: `ok`, `refused`, `failed` (a defect of the sandbox) or `fault` (an ordered one).
        reason: Why it was refused, or the kind of fault.
        seconds: How long it took; None while it is under way.
        tolerated: What was not as described and taken nevertheless: leniency's doing, and members and parameters that
            nobody knows; those of messages over a WebSocket, too.
        messages: What was said over a WebSocket, the last 1,000 messages.
        revision: Grows with every change.
    """

    number: int
    method: str
    path: str
    query: str
    operation: str | None
    headers: dict[str, str]
    body: Any = None
    logid: str = ""
    status: int | None = None
    code: int | None = None
    verdict: str = "ok"
    reason: str = ""
    seconds: float | None = None
    tolerated: list[str] = attrs.Factory(list)
    messages: list[SocketEntry] = attrs.field(factory=list, repr=False)
    revision: int = attrs.field(init=False, repr=False, eq=False, on_setattr=attrs.setters.NO_OP)

    @revision.default
    def _first_revision(self) -> int:
        return next(_REVISIONS)

    def tolerate(self, what: str) -> None:
        """Note something that is not as described and taken nevertheless; each once, and the first hundred."""
        what = _shortened(what)
        if len(self.tolerated) < _KEPT_TOLERATED and what not in self.tolerated:
            self.tolerated.append(what)
            self.revision = next(_REVISIONS)

    def say(self, sender: str, event: str, data: Any = None, verdict: str = "ok", reason: str = "") -> None:
        """Add a message of a WebSocket."""
        if len(self.messages) == _KEPT_MESSAGES:
            del self.messages[0]
        entry = SocketEntry(sender=sender, event=event, data=_shortened(data), verdict=verdict, reason=reason)
        self.messages.append(entry)
        self.revision = next(_REVISIONS)


@attrs.frozen(kw_only=True)
class News:
    """What is new in the log.

    Attributes:
        records: The requests that were made or changed.
        whole: Whether these are all, and what was known before is void.
        first: Number of the oldest request that is kept; 0 where there is none.
        revision: What to ask with next time.
    """

    records: list[RequestRecord]
    whole: bool
    first: int
    revision: str


class RequestLog(Sequence[RequestRecord]):
    """The last requests, oldest first.

    Attributes:
        watcher: Is told of every request when it is over, on the thread that serves.
    """

    def __init__(self) -> None:
        self.watcher: Callable[[RequestRecord], None] | None = None
        self._records: deque[RequestRecord] = deque(maxlen=_KEPT)
        self._count = 0
        self._era = uuid.uuid4().hex

    def add(self, **members: Any) -> RequestRecord:
        """Begin the record of one more request."""
        self._count += 1
        record = RequestRecord(number=self._count, **members)
        self._records.append(record)
        return record

    @contextmanager
    def timed(self, record: RequestRecord) -> Iterator[None]:
        """Note how long a request takes that is served inside, and tell the watcher of it."""
        started = time.perf_counter()
        try:
            yield
        finally:
            record.seconds = time.perf_counter() - started
            if self.watcher is not None:
                self.watcher(record)

    def of(self, operation: str) -> list[RequestRecord]:
        """Return the requests for one operation."""
        return [record for record in tuple(self._records) if record.operation == operation]

    def clear(self) -> None:
        """Forget all requests."""
        self._records.clear()
        self._count = 0
        self._era = uuid.uuid4().hex

    def since(self, revision: str) -> News:
        """Tell what is new since an earlier answer.

        Args:
            revision: `News.revision` of that answer. Any other text, also one from before the log was cleared, asks for
                everything.
        """
        now = next(_REVISIONS)  # before looking: what changes meanwhile is told again rather than never
        era, _, known = revision.partition("-")
        whole = era != self._era or not (known.isascii() and known.isdecimal())
        kept = tuple(self._records)
        found = [record for record in kept if whole or record.revision > int(known)]
        return News(records=found, whole=whole, first=kept[0].number if kept else 0, revision=f"{self._era}-{now}")

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


def shown_headers(headers: Mapping[str, str]) -> dict[str, str]:
    """Return headers as they are recorded: without the token."""
    shown = dict(headers.items())
    if "authorization" in shown:
        shown["authorization"] = f"{shown['authorization'].partition(' ')[0]} ***"
    return shown


def _shortened(value: Any) -> Any:
    if isinstance(value, str) and len(value) > _LONGEST:
        return f"{value[:_LONGEST]}… ({len(value)} characters)"
    if isinstance(value, dict):
        return {name: _shortened(member) for name, member in value.items()}
    if isinstance(value, list):
        return [_shortened(member) for member in value]
    return value
