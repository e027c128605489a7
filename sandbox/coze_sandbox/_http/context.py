"""Arguments and results of handlers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import attrs

from .._spec.spec import Operation
from .._state.state import SandboxState

__all__ = [
    "KEPT_BYTES",
    "Call",
    "FileResponse",
    "Redirect",
    "ResponseFields",
    "Result",
    "Stream",
    "StreamEvent",
    "Upload",
]

KEPT_BYTES = 1 << 20
"""Up to this size the content of an uploaded file is kept."""

ResponseFields = dict[str, Any]
"""Members of a response besides `code`, `msg` and `detail`."""


@attrs.frozen
class Upload:
    """A file of a multipart body. Only small content is kept: a file may have half a gigabyte.

    Attributes:
        name: File name as sent.
        content_type: Content type as sent, or an empty string.
        size: Number of bytes.
        sha256: Hexadecimal SHA-256 digest of the content.
        content: The content, or None if it has more than `KEPT_BYTES`.
    """

    name: str
    content_type: str
    size: int
    sha256: str
    content: bytes | None = None


@attrs.frozen
class Call:
    """A request that was checked and authorized.

    Attributes:
        operation: The operation.
        state: The state.
        path: Path parameters.
        query: Query parameters, converted to their types.
        body: The body, without members that were sent as null for "omitted".
        files: Files of a multipart body, by part name.
        user_id: The account behind the token.
        bearer: The bearer token, or an empty string.
        logid: Log id of the call.
        base_url: Base URL under which the client reached the sandbox.
    """

    operation: Operation
    state: SandboxState
    path: Mapping[str, Any]
    query: Mapping[str, Any]
    body: Mapping[str, Any]
    files: Mapping[str, Upload]
    user_id: str
    bearer: str = ""
    logid: str = ""
    base_url: str = ""


@attrs.frozen
class FileResponse:
    """A response with the content of a file.

    Attributes:
        content: The bytes.
        type: Their content type.
        name: Name of the file, for the header `Content-Disposition`; empty for none.
    """

    content: bytes
    type: str
    name: str = ""


@attrs.frozen
class Redirect:
    """A redirect response.

    Attributes:
        location: The address.
    """

    location: str


@attrs.frozen
class StreamEvent:
    """One event of a stream.

    Attributes:
        event: Its name.
        data: Its data, sent as JSON.
        pause: Delay before it is sent, in seconds.
    """

    event: str
    data: Any
    pause: float = 0.0


@attrs.frozen
class Stream:
    """A stream of events.

    Attributes:
        beats: The events. The iterator advances as events are sent, and is closed when the client disconnects.
        dialect: SSE format: `chat`, `chatflow` or `workflow`.
        checked: Whether the events are checked against the spec.
    """

    events: Iterator[StreamEvent]
    dialect: str
    checked: bool = True


Result = ResponseFields | Stream | FileResponse | Redirect
"""Results of a handler, in addition to None and `CallError`."""
