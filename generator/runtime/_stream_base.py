"""Base of sync and async streams: all but reading and closing."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from itertools import chain
from typing import Any, ClassVar, Generic, TypeVar

from . import _json
from ._decode import code_of, logid_of, redacted, retryable
from ._errors import CozeError, StreamFailed, StreamGap, StreamGapWarning, StreamInterrupted
from ._http import HTTPError, HTTPResponse, StreamError
from ._model import Model
from ._operation import Event, Operation, Protocol
from ._response import Response
from ._sequence import OnGap, SequenceChecker, checked_on_gap
from ._sse import EventTooLarge, ServerEvent, SSEDecoder

__all__ = ["CANCELED", "CLOSED", "DRAIN_TIMEOUT", "MAX_DRAIN_CHUNKS", "READ_ERRORS", "BaseStream", "is_event_stream"]

E = TypeVar("E")
# Most events are shorter than so many bytes, and looking at their depth would take a tenth of the time of all else:
# what fits in has at most twice `MAX_DEPTH` levels, which nothing that walks over a value stumbles over.
_SHALLOW = 4 * _json.MAX_DEPTH
DRAIN_TIMEOUT = 1.0
"""Seconds for the end of the HTTP response after the last event."""
MAX_DRAIN_CHUNKS = 8
"""Chunks to read past the end of a stream before its connection is given up."""

READ_ERRORS = (HTTPError, StreamError, EventTooLarge)
"""What reading a stream may raise, beside the errors of the stream itself."""

CLOSED = "it was closed here before its end"
CANCELED = "a read was canceled before its end"


def is_event_stream(http: HTTPResponse) -> bool:
    """Return whether a response is a stream, by its content type."""
    content_type: str = http.headers.get("content-type", "")
    return http.is_success and content_type.partition(";")[0].strip().lower() == "text/event-stream"


class BaseStream(Generic[E]):
    """A stream without its input and output.

    Attributes:
        gaps: The gaps in the numbers of the events so far; empty where events carry none.
    """

    # A method of subclasses that gets each event before the caller does. Kept in the object itself, it would hold
    # the object: no stream would be freed before the garbage collector looks for cycles.
    _observe: ClassVar[Callable[..., None] | None] = None
    _failure_type: ClassVar[type[StreamFailed]] = StreamFailed

    def __init__(
        self, operation: Operation[Any], protocol: Protocol[E], max_event_bytes: int, on_gap: OnGap = "warn"
    ) -> None:
        self.gaps: list[StreamGap] = []
        self._operation = operation
        self._protocol = protocol
        self._decoder = SSEDecoder(max_event_bytes)
        self._on_gap = checked_on_gap(on_gap)
        self._sequence = SequenceChecker() if protocol.ids else None
        self._arrived: Iterator[ServerEvent] = iter(())  # arrived, but not given out yet
        self._http: HTTPResponse | None = None
        self._ended = False
        self._close_reason = ""  # why nothing can be read any more, although nothing went wrong with the stream
        self._may_end = False
        self._count = 0
        self._incomplete = b""
        self._last: E | None = None
        self._failure: CozeError | None = None

    @property
    def response(self) -> Response:
        """The HTTP response.

        Raises:
            RuntimeError: The stream was not opened yet.
        """
        if self._http is None:
            raise RuntimeError("the stream is not open yet: enter it with `with`, or iterate")
        return Response(self._http, self.logid)

    @property
    def logid(self) -> str:
        """Log id of the call; "" until the stream is open."""
        return "" if self._http is None else logid_of({}, self._http)

    @property
    def ended(self) -> bool:
        """Whether the stream came to its proper end."""
        return self._ended

    @property
    def on_gap(self) -> OnGap:
        """What a gap in the numbers of the events does: ``raise``, ``warn`` or ``ignore``. May be set at any time."""
        return self._on_gap

    @on_gap.setter
    def on_gap(self, value: OnGap) -> None:
        self._on_gap = checked_on_gap(value)

    def open(self) -> Any:
        """Send the request. `Stream` and `AsyncStream` implement it."""
        raise NotImplementedError

    def _flush(self) -> None:
        """Decode what is left at the end of input, without an event whose data was cut off.

        Raises:
            StreamInterrupted: What is left is larger than an event may be.
        """
        rest = self._decoder.pending
        try:
            found = self._decoder.flush()
        except EventTooLarge as error:
            raise self._interrupted(str(error)) from error
        if found and _is_cut(found[-1][1]):
            found.pop()
            self._incomplete = rest
        self._arrived = iter(found)

    def _events(self) -> Iterator[E]:
        """Yield the events that arrived, up to the one that ends the stream.

        This runs once for each event, so it counts: everything rare stands in methods of its own.
        """
        loads, check_depth = _json.parser(), _json.check_depth
        shallow = _SHALLOW
        by_wire = self._protocol.by_wire
        observe, sequence = self._observe, self._sequence
        for name, data, number in self._arrived:
            try:
                value = loads(data)
                if len(data) > shallow:
                    check_depth(data, value)
            except ValueError:
                value = _value(data)
            kind = by_wire.get(name)
            if kind is None:
                event = self._unknown(name, value, number)
            else:
                decode = kind.decode
                event = kind.make(
                    value if decode is None or value.__class__ is not dict else decode(value),
                    _text(number) if number else None,
                )
            if sequence is not None:
                gap = sequence.check(number, None if kind is None else kind.counter, value)
                if gap is not None:
                    self._handle_gap(event, gap, (name, data, number))
            self._count += 1
            self._last = event
            if observe is not None:
                observe(event)
            if kind is None or kind.continues:
                yield event
            else:
                self._end(kind, event)
                yield event
                if self._ended:
                    self._arrived = iter(())  # what came with the end is not to be held as bytes, too
                    return
            if self._close_reason:
                if self._ended:
                    return
                raise self._interrupted(self._close_reason)

    def _end(self, kind: Event[E], event: E) -> None:
        """Record that the stream ends with *event*, or may end."""
        self._ended = kind.fails or kind.ends == "always"
        self._may_end = True
        if kind.fails:
            raise self._failed(event)

    def _unknown(self, name: bytes, value: Any, number: bytes) -> E:
        """Make an event of a kind that the description does not know."""
        event = self._protocol.unknown(_text(name), value, _text(number) if number else None)
        if not name and isinstance(value, dict) and value.get("code"):
            # An error response inside a stream, without framing; see sse_events.json, error_delivery.
            self._count, self._last, self._ended = self._count + 1, event, True
            raise self._failed(event)
        return event

    def _handle_gap(self, event: E, found: tuple[str, int, int], arrived: ServerEvent) -> None:
        """Record a gap, and warn or raise as `on_gap` requests."""
        counter, expected, number = found
        gap = StreamGap(
            operation=self._operation.id,
            logid=self.logid,
            stream=self,
            event=event,
            counter=counter,
            expected=expected,
            found=number,
        )
        self.gaps.append(gap)
        if self._on_gap == "warn":
            warnings.warn(str(gap), StreamGapWarning, stacklevel=4)
        elif self._on_gap == "raise":
            assert self._sequence is not None
            self._sequence.skip_next()
            self._arrived = chain([arrived], self._arrived)
            raise gap

    def _failed(self, event: E) -> CozeError:
        from ..errors import hint

        failure = failure_of(event)
        code = code_of(failure)
        error = self._failure_type(
            str(failure.get("msg") or "the stream reported a failure"),
            code=code,
            status=self.response.status,
            logid=self.logid,
            operation=self._operation.id,
            hint=hint(code, 200, self._operation.permission),
            debug_url=str(failure.get("debug_url") or ""),
            retryable=retryable(code, 200),
        )
        error.event = event
        return self._record_failure(redacted(error, self.response.http))

    def _broken(self, error: Exception) -> CozeError:
        """Make the error for one of `READ_ERRORS`."""
        return self._interrupted(str(error) if isinstance(error, EventTooLarge) else f"{type(error).__name__}: {error}")

    def _interrupted(self, reason: str) -> CozeError:
        return self._record_failure(self._interruption(self._with_advice(self._close_reason or reason)))

    def _interruption(self, reason: str) -> StreamInterrupted:
        return StreamInterrupted(
            reason,
            operation=self._operation.id,
            logid=self.logid,
            stream=self,
            events=self._count,
            last_event=self._last,
            rest=self._incomplete or self._decoder.pending,
        )

    def _with_advice(self, reason: str) -> str:
        """Return *reason* with advice. Subclasses override it."""
        return reason

    def _record_failure(self, error: CozeError) -> CozeError:
        self._failure = error
        return error

    def _mark_closed(self, reason: str) -> None:
        """Record why nothing more can be read, unless the stream ended before."""
        if self._failure is None:
            self._close_reason = self._close_reason or reason

    def _raise_if_broken(self) -> None:
        """Raise the error that ended the stream again: reading a broken stream must not look like its end."""
        if self._failure is not None:
            raise self._failure from self._failure.__cause__
        if self._close_reason and not self._ended:
            raise self._interrupted(self._close_reason)

    def _finish(self) -> None:
        """Decide at the end of input whether it was the end of the stream."""
        if self._ended or (self._may_end and not self._close_reason):
            self._ended = True
        else:
            raise self._interrupted("the server closed it without an ending event")


def failure_of(event: Any) -> dict[str, Any]:
    """Find code and message in a failure event: bare, in `last_error`, or as `error_code` and `error_message`."""
    data = getattr(event, "data", None)
    failure = data.to_dict() if isinstance(data, Model) else data
    if not isinstance(failure, dict):
        return {"msg": failure} if isinstance(failure, str) else {}
    inner = failure.get("last_error")
    merged = {**failure, **inner} if isinstance(inner, dict) else dict(failure)
    merged["code"] = merged.get("code") or failure.get("error_code")
    merged["msg"] = merged.get("msg") or failure.get("error_message")
    return merged


def _text(value: bytes) -> str:
    return value.decode("utf-8", "replace")


def _value(data: bytes) -> Any:
    """Decode the data of an event that is not the usual JSON."""
    if not data:
        return None
    try:
        return _json.loads(data)
    except ValueError:
        return _text(data)  # [DONE] without quotes, or a text that a later version sends


def _is_cut(data: bytes) -> bool:
    """Return whether the data of the last event, which lacks its blank line, is incomplete."""
    return not data or (data.startswith(b"{") and not isinstance(_value(data), dict))
