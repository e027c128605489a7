"""Faults on demand: which, for what calls, how often."""

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
        raise ValueError(f"unknown kind of fault {value!r}: one of {', '.join(FAULT_KINDS)}")


def _http_status(_: object, __: object, value: int | None) -> None:
    if value is not None:
        HTTPStatus(value)  # raises ValueError


@attrs.define(kw_only=True)
class Fault:
    """One ordered fault.

    These replace an answer, or refuse the handshake of a WebSocket:

    | kind | what happens |
    |---|---|
    | `status` | an HTTP status with an error envelope |
    | `code` | a business code |
    | `rate_limit` | HTTP 429 with Retry-After |
    | `html` | the page of a gateway |
    | `drop` | the connection ends without an answer |

    These hit an answer under way. In streams and WebSockets they hit one event or message, with the first `events`
    left alone; answers that are no streams can be cut, delayed and stalled.

    | kind | what happens |
    |---|---|
    | `cut` | the connection ends, after `bytes` of what comes next: in the middle of an event, answer or frame |
    | `stall` | nothing more is sent, and the connection stays; with `seconds` it goes on after them |
    | `delay` | the event comes late; without `events` the whole answer, or the handshake; see `handled` |
    | `lost` | the event does not come |
    | `duplicate` | the event comes twice |
    | `garbage` | a line that is no field, or a message that is no JSON, comes before the event |
    | `huge` | the event comes with `bytes` bytes (default 4 MiB), filled up with spaces |
    | `close` | the stream ends in good order, but too early; a WebSocket with the close code `code` (default 1011) |

    Attributes:
        kind: What happens.
        operation: Operation id, or `*` for any.
        times: How many calls it hits; None for all.
        after: How many calls are left alone before.
        handled: Whether the call takes effect before its answer is replaced, lost or delayed. A delayed call without
            it takes effect at the end of the delay, and not at all if the client has left by then, as when requests
            wait in a line before a busy server. With it, who gives up waiting cannot tell that it took effect.
        status: HTTP status, for `status` (default 500), `code` (default: that of the code) and
            `html` (default 502).
        code: Business code, for `code` (default 5000); close code, for `close`.
        msg: Text of the error.
        seconds: How long to wait, for `delay` and `stall`; for `rate_limit` the Retry-After (default 1).
        events: How many events pass before the fault.
        bytes: For `cut`: how many bytes pass after these events, of the whole answer where it is no stream. For
            `huge`: how long the event becomes.
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
        """Whether the call is answered and the fault lies in the answer's body."""
        if self.kind == "delay":
            return self.events is not None
        return self.kind in _IN_BODY


class Faults:
    """The faults that wait for calls. The first that fits a call is taken; the others stay."""

    def __init__(self, operations: Collection[str]) -> None:
        self._operations = operations
        self._lock = threading.Lock()
        self._waiting: list[Fault] = []

    def add(self, kind: str, operation: str = "*", **settings: Any) -> Fault:
        """Order a fault.

        Args:
            kind: What is to happen; see `Fault`.
            operation: Operation id as in the description (`chat.create` also where it streams), or `*` for any.
            **settings: Further members of `Fault`.

        Raises:
            ValueError: The kind or the operation is unknown, or a number is negative.
            TypeError: There is no such setting.
        """
        fault = Fault(kind=kind, operation=operation, **settings)
        if operation != "*" and operation not in self._operations:
            near = difflib.get_close_matches(operation, self._operations, n=3)
            raise ValueError(
                f"there is no operation {operation}; the description has {', '.join(near) or 'none like it'}"
            )
        with self._lock:
            self._waiting.append(fault)
        return fault

    def take(self, operation: str | None) -> Fault | None:
        """Count one call of an operation and return the fault that hits it, if one does."""
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
                self._waiting = [one for one in self._waiting if one.times != 0]
                return fault
        return None

    def clear(self) -> None:
        """Cancel all faults."""
        with self._lock:
            self._waiting.clear()

    def __iter__(self) -> Iterator[Fault]:
        with self._lock:
            return iter(tuple(self._waiting))

    def __len__(self) -> int:
        return len(self._waiting)


def select_fault(faults: Faults, headers: Mapping[str, str], operation: str | None) -> Fault | None:
    """Return the fault that a call orders itself by its header, or one that waits for it.

    Raises:
        CallError: The header orders no fault.
    """
    header = headers.get(_HEADER)
    if header is None:
        return faults.take(operation)
    try:
        return parse_fault(header)
    except (TypeError, ValueError) as error:
        raise CallError(INVALID_PARAMETER, f"header.{_HEADER}: {error}") from error


def parse_fault(text: str) -> Fault:
    """Read a fault from the `X-Sandbox-Fault` header: `kind; name=value; name=value`.

    Raises:
        ValueError: The text is not such a list, or names an unknown kind or setting.
    """
    kind, *rest = (part.strip() for part in text.split(";"))
    settings: dict[str, Any] = {}
    for part in filter(None, rest):
        name, separator, value = part.partition("=")
        name, value = name.strip(), value.strip()
        if name not in _PARSERS or not separator:
            raise ValueError(f"unknown setting {part!r} of a fault: one of {', '.join(_PARSERS)}")
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
