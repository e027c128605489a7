"""The exceptions that need no error code. `coze_api.errors` adds those that do, and shows the whole tree."""

from __future__ import annotations

from typing import Any, ClassVar

from ._base_errors import CozeError, InvalidArgumentError
from ._response import Response
from ._secrets import mask

__all__ = [
    "APIError",
    "CozeError",
    "DecodeError",
    "DownloadInterrupted",
    "GatewayError",
    "InvalidArgumentError",
    "ResponseTooLarge",
    "StreamFailed",
    "StreamGap",
    "StreamGapWarning",
    "StreamInterrupted",
]


class APIError(CozeError):
    """Coze rejected the call.

    Attributes:
        code: Error code of Coze; the HTTP status where the response had no code.
        msg: Coze's message.
        status: HTTP status.
        logid: Log id of the call, or "".
        operation: Operation id, such as ``bots.create``.
        hint: What to do about it, or "".
        debug_url: Page that shows a failed workflow run, or "".
        reason: What an OAuth response calls the error, such as ``authorization_pending``, or "".
        retryable: Whether the same call can succeed later.
        response: The response; None for failures inside a stream. Of operations whose responses hold secrets, without
            its body.
    """

    _connected: ClassVar[tuple[str, ...]] = ("response",)

    def __init__(
        self,
        msg: str,
        *,
        code: int = 0,
        status: int = 200,
        logid: str = "",
        operation: str = "",
        hint: str = "",
        debug_url: str = "",
        reason: str = "",
        retryable: bool = False,
        response: Response | None = None,
    ) -> None:
        super().__init__(msg)
        self.msg: str = self.args[0]
        self.code = code
        self.status = status
        self.logid = logid
        self.operation = operation
        self.hint = hint
        self.debug_url = debug_url
        self.reason = mask(reason)
        self.retryable = retryable
        self.response = response

    def __str__(self) -> str:
        facts = [f"HTTP {self.status}", f"code {self.code}"]
        if self.reason:
            facts.append(self.reason)
        if self.logid:
            facts.append(f"logid {self.logid}")
        text = f"{self.operation or 'Coze'}: {self.msg or 'failed'} ({', '.join(facts)})"
        if self.hint:
            text += f". {self.hint}"
        if self.debug_url:
            text += f" Debug: {self.debug_url}"
        return text


class GatewayError(APIError):
    """The response is not from the Coze API, but from a gateway, a proxy, or a web site at a wrong base URL.

    Attributes:
        content_type: Type of the response.
        excerpt: The first 200 characters of its text, without tokens and keys. Empty for operations whose responses
            hold secrets.
    """

    content_type: str = ""
    excerpt: str = ""


class DecodeError(APIError):
    """The response is JSON, but not in the form of a Coze response."""


class ResponseTooLarge(APIError):
    """The response is larger than the client's `max_response_bytes`. The rest was not read.

    Attributes:
        max_bytes: How many bytes it may have, once they are decompressed.
    """

    max_bytes: int = 0


class StreamFailed(APIError):
    """The stream reported a failure.

    Attributes:
        event: The event that reported it.
    """

    event: Any = None


class DownloadInterrupted(CozeError):
    """A file broke off before its end.

    Attributes:
        operation: Operation id.
        logid: Log id of the call, or "".
        received: How many bytes arrived. Those read by iterating or written to a file were given out before.
        content: What arrived, if `read` was called; else empty.
    """

    def __init__(self, reason: str, *, operation: str, logid: str, received: int) -> None:
        super().__init__(
            f"{operation}: the file broke off after {received:,} bytes: {reason} (logid {logid or 'unknown'})"
        )
        self.operation = operation
        self.logid = logid
        self.received = received
        self.content = b""


class StreamInterrupted(CozeError):
    """The stream broke off before an event that reports its end or its failure.

    Attributes:
        operation: Operation id.
        logid: Log id of the call, or "".
        stream: The stream, with what arrived.
        events: How many events arrived.
        last_event: The last of them, or None.
        rest: Bytes of an event that did not arrive whole.
    """

    _connected = ("stream",)

    def __init__(
        self, reason: str, *, operation: str, logid: str, stream: Any, events: int, last_event: Any, rest: bytes
    ) -> None:
        super().__init__(
            f"{operation}: the stream broke off after {events} events: {reason} (logid {logid or 'unknown'})"
        )
        self.operation = operation
        self.logid = logid
        self.stream = stream
        self.events = events
        self.last_event = last_event
        self.rest = rest


class StreamGap(CozeError):
    """The numbers of a stream's events do not follow each other: events were lost, or came twice.

    Attributes:
        operation: Operation id.
        logid: Log id of the call, or "".
        stream: The stream, with what arrived. It can be read on.
        event: The event that showed it, which is given out when the stream is read on.
        counter: What counts: ``id`` for the id of the events, else a member of their data.
        expected: The number that should have come.
        found: The number that came.
    """

    _connected = ("stream",)

    def __init__(
        self, *, operation: str, logid: str, stream: Any, event: Any, counter: str, expected: int, found: int
    ) -> None:
        if found < expected:
            problem = f"the event with {counter} {found} came again"
        elif found == expected + 1:
            problem = f"the event with {counter} {expected} is missing"
        else:
            problem = f"the events with {counter} {expected} to {found - 1} are missing"
        super().__init__(f"{operation}: {problem} (logid {logid or 'unknown'})")
        self.operation = operation
        self.logid = logid
        self.stream = stream
        self.event = event
        self.counter = counter
        self.expected = expected
        self.found = found

    @property
    def repeated(self) -> bool:
        """Whether an event came again, rather than that some are missing."""
        return self.found < self.expected

    @property
    def missing_from(self) -> int | None:
        """The first number that is missing; None where an event came again."""
        return None if self.repeated else self.expected

    @property
    def missing_to(self) -> int | None:
        """The last number that is missing; None where an event came again."""
        return None if self.repeated else self.found - 1


class StreamGapWarning(UserWarning):
    """The numbers of a stream's events do not follow each other; see `StreamGap`."""


for _name in __all__:
    globals()[_name].__module__ = f"{__name__.partition('.')[0]}.errors"  # where users find them; tracebacks show it
