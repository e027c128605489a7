"""What was asked of the sandbox, for tests to look at."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from typing import Any, overload

import attrs

__all__ = ["RequestLog", "RequestRecord"]

_KEPT = 10_000


@attrs.define(kw_only=True)
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
            dropped.
        code: Business code; 0 for success, None where the answer carried none.
        verdict: `ok`, `refused`, `failed` (a defect of the sandbox) or `fault` (an ordered one).
        reason: Why it was refused, or the kind of fault.
        tolerated: What was not as described and taken nevertheless.
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
    tolerated: list[str] = attrs.Factory(list)


class RequestLog(Sequence[RequestRecord]):
    """The last requests, oldest first."""

    def __init__(self) -> None:
        self._records: deque[RequestRecord] = deque(maxlen=_KEPT)
        self._count = 0

    def add(self, **members: Any) -> RequestRecord:
        """Begin the record of one more request."""
        self._count += 1
        record = RequestRecord(number=self._count, **members)
        self._records.append(record)
        return record

    def of(self, operation: str) -> list[RequestRecord]:
        """Return the requests for one operation."""
        return [record for record in tuple(self._records) if record.operation == operation]

    def clear(self) -> None:
        """Forget all requests."""
        self._records.clear()
        self._count = 0

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
