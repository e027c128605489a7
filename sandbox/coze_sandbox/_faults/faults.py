"""Faults to inject: kinds, settings, and the calls that they apply to."""

from __future__ import annotations

import difflib
import threading
from collections.abc import Collection, Iterator, Mapping
from http import HTTPStatus
from typing import Any

import attrs

from .._common.errors import INVALID_PARAMETER, CallError
from .._common.validators import INTEGER, STRING, not_negative

__all__ = ["FAULT_KINDS", "Fault", "Faults", "select_fault", "parse_fault"]

_HEADER = "x-sandbox-fault"

FAULT_KINDS = (
    "close",
    "code",
    "cut",
    "delay",
    "drop",
    "duplicate",
    "garbage",
    "html",
    "huge",
    "lost",
    "rate_limit",
    "stall",
    "status",
)

_IN_BODY = frozenset({"close", "cut", "duplicate", "garbage", "huge", "lost", "stall"})


def _known_kind(_: object, __: object, value: str) -> None:
    if value not in FAULT_KINDS:
        raise ValueError(f"unknown kind of fault {value!r}: use one of {', '.join(FAULT_KINDS)}")


def _http_status(_: object, __: object, value: int | None) -> None:
    if value is not None:
        HTTPStatus(value)  # raises ValueError


@attrs.define(kw_only=True)
class Fault:
    """A fault to inject.

    These replace a response, or reject the handshake of a WebSocket:

    | kind | effect |
    |---|---|
    | `status` | an HTTP status with an error envelope |
    | `code` | a business code |
    | `rate_limit` | HTTP 429 with Retry-After |
    | `html` | an HTML error page of a gateway |
    | `drop` | the connection is closed without a response |

    These affect the body of a response. In streams and WebSockets they affect one event or message, after the first
    `events`; other responses can be cut, delayed and stalled.

    | kind | effect |
    |---|---|
    | `cut` | the connection is closed after `bytes` further bytes: within an event, response or frame |
    | `stall` | nothing more is sent on the open connection; with `seconds`, only for that time |
    | `delay` | the event is delayed; without `events` the whole response, or the handshake; see `handled` |
    | `lost` | the event is not sent |
    | `duplicate` | the event is sent twice |
    | `garbage` | an invalid line, or a message that is not JSON, is sent before the event |
    | `huge` | the event is padded with spaces to `bytes` bytes (default 4 MiB) |
    | `close` | the stream ends early but cleanly; a WebSocket with the close code `code` (default 1011) |

    Attributes:
        kind: The kind of fault.
        operation: Operation id, or `*` for any.
        times: Number of calls that it affects; None for all.
        after: Number of calls to skip before.
        handled: Whether the call takes effect before its response is replaced, lost or delayed. Otherwise a delayed
            call takes effect at the end of the delay, and only if the client is still connected, as if the request had
            waited in the queue of a busy server. With `handled`, a client that times out cannot know that the call
            took effect.
        status: HTTP status, for `status` (default 500), `code` (default: that of the code) and
            `html` (default 502).
        code: Business code, for `code` (default 5000); close code, for `close`.
        msg: The error message.
        seconds: Duration of `delay` and `stall`; for `rate_limit` the Retry-After (default 1).
        events: Number of events before the fault.
        bytes: For `cut`: number of bytes after these events, or of the response if it is not a stream. For `huge`:
            size of the event.
    """

    kind: str = attrs.field(validator=_known_kind)
    operation: str = "*"
    times: int | None = attrs.field(default=1, validator=[INTEGER, not_negative])
    after: int = attrs.field(default=0, validator=[INTEGER, not_negative])
    handled: bool = False
    status: int | None = attrs.field(default=None, validator=_http_status)
    code: int | None = attrs.field(default=None, validator=INTEGER)
    msg: str = attrs.field(default="ordered fault", validator=STRING)
    seconds: float | None = attrs.field(default=None, validator=not_negative)
    events: int | None = attrs.field(default=None, validator=[INTEGER, not_negative])
    bytes: int | None = attrs.field(default=None, validator=[INTEGER, not_negative])

    @property
    def in_body(self) -> bool:
        """Whether the fault affects the body of the response."""
        if self.kind == "delay":
            return self.events is not None
        return self.kind in _IN_BODY


class Faults:
    """The pending faults. The first that matches a call is injected."""

    def __init__(self, operations: Collection[str]) -> None:
        self._operations = operations
        self._lock = threading.Lock()
        self._waiting: list[Fault] = []

    def add(self, kind: str, operation: str = "*", **settings: Any) -> Fault:
        """Add a fault.

        Args:
            kind: The kind of fault; see `Fault`.
            operation: Operation id (`chat.create` also for streams), or `*` for any.
            **settings: Further attributes of `Fault`.

        Raises:
            ValueError: The kind or the operation is unknown, or a number is negative.
            TypeError: A setting is unknown.
        """
        fault = Fault(kind=kind, operation=operation, **settings)
        if operation != "*" and operation not in self._operations:
            near = difflib.get_close_matches(operation, self._operations, n=3)
            raise ValueError(
                f"unknown operation {operation}: did you mean {', '.join(near)}?"
                if near
                else f"unknown operation {operation}"
            )
        with self._lock:
            self._waiting.append(fault)
        return fault

    def take(self, operation: str | None) -> Fault | None:
        """Count a call of an operation and return the fault to inject, or None."""
        with self._lock:
            for fault in self._waiting:
                if fault.operation not in {"*", operation}:
                    continue
                if fault.after > 0:
                    fault.after -= 1
                    continue
                if fault.times is not None:
                    if fault.times == 0:
                        continue
                    fault.times -= 1
                self._waiting = [other for other in self._waiting if other.times != 0]
                return fault
        return None

    def clear(self) -> None:
        """Remove all faults."""
        with self._lock:
            self._waiting.clear()

    def __iter__(self) -> Iterator[Fault]:
        with self._lock:
            return iter(tuple(self._waiting))

    def __len__(self) -> int:
        return len(self._waiting)


def select_fault(faults: Faults, headers: Mapping[str, str], operation: str | None) -> Fault | None:
    """Return the fault in the header of a request, or the next pending one for its operation.

    Raises:
        CallError: The header is invalid.
    """
    header = headers.get(_HEADER)
    if header is None:
        return faults.take(operation)
    try:
        return parse_fault(header)
    except (TypeError, ValueError) as error:
        raise CallError(INVALID_PARAMETER, f"header.{_HEADER}: {error}") from error


def parse_fault(text: str) -> Fault:
    """Parse a fault from the `X-Sandbox-Fault` header: `kind; name=value; name=value`.

    Raises:
        ValueError: The text has another format, or an unknown kind or setting.
    """
    kind, *rest = (part.strip() for part in text.split(";"))
    settings: dict[str, Any] = {}
    for part in filter(None, rest):
        name, separator, value = part.partition("=")
        name, value = name.strip(), value.strip()
        if name not in _PARSERS or not separator:
            raise ValueError(f"unknown setting {part!r} of a fault: use one of {', '.join(_PARSERS)}")
        settings[name] = _PARSERS[name](value)
    return Fault(kind=kind, **settings)


_PARSERS: dict[str, Any] = {
    "bytes": int,
    "code": int,
    "events": int,
    "handled": lambda text: text.lower() in {"1", "true", "yes"},
    "msg": str,
    "seconds": float,
    "status": int,
}
