"""Answers that a scenario gives in place of the handlers."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

import attrs

from .._http.context import FileResponse, ResponseFields, Stream, StreamEvent
from .._http.examples import dialect_of
from .._http.request_log import RequestRecord
from .._http.responses import ResponseBuilder
from .._spec.spec import Operation

__all__ = ["StubData", "StubFactory", "StubResponse"]

_JSON = "application/json"
_EVENTS = "text/event-stream"

StubData = Mapping[str, Any] | bytes | Sequence[tuple[str, Any]]
"""Members of a JSON answer, the content of a file, or the events of a stream."""

StubFactory = Callable[[RequestRecord], StubData]


@attrs.frozen
class StubResponse:
    """One answer that was said in advance.

    Attributes:
        operation: What it is the answer of.
        answer: The answer, or what makes it from a request.
        checked: Whether it has to be as described.
    """

    operation: Operation
    answer: StubData | StubFactory
    checked: bool

    def check(self, answers: ResponseBuilder) -> None:
        """Check an answer that is known already.

        Raises:
            ValueError: It is not as described, or is a failure.
        """
        if callable(self.answer):
            return
        result, operation = self._result(self.answer), self.operation
        if not self.checked:
            return
        if isinstance(result, Stream):
            findings = [answers.find_event_violation(operation, event.event, event.data) for event in result.events]
        else:
            findings = [answers.find_violation(operation, result)]
        for violation in filter(None, findings):
            raise ValueError(f"not as {operation.id} is described: {violation}; check=False gives it nevertheless")

    def result(self, record: RequestRecord) -> ResponseFields | FileResponse | Stream:
        """Make what a handler would return."""
        return self._result(self.answer(record) if callable(self.answer) else self.answer)

    def _result(self, answer: StubData) -> ResponseFields | FileResponse | Stream:
        kinds = set(self.operation.success)
        if isinstance(answer, bytes):
            return FileResponse(answer, self._need(sorted(kinds - {_JSON, _EVENTS}), "a file"))
        if not isinstance(answer, Mapping):
            self._need(kinds & {_EVENTS}, "a stream")
            return Stream(_events(answer), dialect_of(self.operation), checked=self.checked)
        self._need(kinds & {_JSON}, "JSON")
        if answer.get("code"):
            raise ValueError("an answer with a code is a failure: use fail()")
        return {name: value for name, value in answer.items() if name not in {"code", "msg", "detail"}}

    def _need(self, kinds: Iterable[str], what: str) -> str:
        for kind in kinds:
            return kind
        raise ValueError(f"{self.operation.id} does not answer with {what}")


def _events(events: Sequence[tuple[str, Any]]) -> Iterator[StreamEvent]:
    for name, data in events:
        yield StreamEvent(name, data)
