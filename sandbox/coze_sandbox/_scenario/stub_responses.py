"""Responses stubbed by a scenario, in place of the handlers."""

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
"""Members of a JSON response, the content of a file, or the events of a stream."""

StubFactory = Callable[[RequestRecord], StubData]


@attrs.frozen
class StubResponse:
    """A stubbed response.

    Attributes:
        operation: The operation.
        answer: The data, or a function that returns it for a request.
        checked: Whether it is checked against the spec.
    """

    operation: Operation
    answer: StubData | StubFactory
    checked: bool

    def check(self, answers: ResponseBuilder) -> None:
        """Check data that does not come from a function.

        Raises:
            ValueError: It violates the spec, or has a code other than 0.
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
            raise ValueError(f"not as {operation.id} is described: {violation}; pass check=False to use it anyway")

    def result(self, record: RequestRecord) -> ResponseFields | FileResponse | Stream:
        """Return the result in place of the handler's."""
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
            raise ValueError("a response with a code is an error: use fail()")
        return {name: value for name, value in answer.items() if name not in {"code", "msg", "detail"}}

    def _need(self, kinds: Iterable[str], what: str) -> str:
        for kind in kinds:
            return kind
        raise ValueError(f"{self.operation.id} does not return {what}")


def _events(events: Sequence[tuple[str, Any]]) -> Iterator[StreamEvent]:
    for name, data in events:
        yield StreamEvent(name, data)
